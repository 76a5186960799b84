//! Another server behind savecast: what it is asked, what comes back, and what happens while it is away.

#![expect(clippy::unwrap_used, reason = "a test that fails shows itself by its line")]

use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;

use crate::secure::Home;
use crate::support::DEADLINE;
use crate::support::Server;
use crate::support::Site;
use crate::upstream::Asked;
use crate::upstream::Upstream;
use crate::upstream::answer;
use crate::upstream::answer_bytes;
use crate::upstream::chunked;

const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");
const JSON: (&str, &str) = ("content-type", "application/json");
const NAVIGATION: [(&str, &str); 3] =
    [("accept", "text/html,*/*;q=0.8"), ("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate")];

fn before(upstream: &Upstream) -> (Site, Server) {
    before_with(upstream, &[])
}

fn before_with(upstream: &Upstream, options: &[&str]) -> (Site, Server) {
    let site = Site::with(&[("app.py", "1")]);
    let server = site.serve_with(&[&["--proxy", &upstream.url()], options].concat());
    (site, server)
}

/// The module that says at which directories other servers are.
fn paths(server: &Server) -> String {
    let leads = server.get("/_savecast/paths.js").text;
    let name = leads.split('"').nth(1).unwrap().trim_start_matches("./");
    server.get(&format!("/_savecast/{name}")).text
}

/// These parts as one body, in this coding. What is in each can be decoded when it has come.
fn coded(coding: &str, parts: &[&str]) -> Vec<Vec<u8>> {
    use async_compression::tokio::write;
    type Encoder = Box<dyn AsyncWrite + Unpin>;
    let (into, mut out) = tokio::io::duplex(1 << 20);
    let mut encoder: Encoder = match coding {
        "gzip" | "x-gzip" => Box::new(write::GzipEncoder::new(into)),
        "deflate" => Box::new(write::ZlibEncoder::new(into)),
        "br" => Box::new(write::BrotliEncoder::new(into)),
        "zstd" => Box::new(write::ZstdEncoder::new(into)),
        _ => Box::new(into),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut come = Vec::new();
        for part in parts {
            encoder.write_all(part.as_bytes()).await.unwrap();
            encoder.flush().await.unwrap();
            let mut bytes = vec![0; 1 << 16];
            let length = out.read(&mut bytes).await.unwrap();
            come.push(bytes[..length].to_vec());
        }
        encoder.shutdown().await.unwrap();
        drop(encoder);
        let mut end = Vec::new();
        out.read_to_end(&mut end).await.unwrap();
        come.push(end);
        come
    })
}

/// All that comes.
fn rest(mut stream: TcpStream) -> String {
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut come = String::new();
    stream.read_to_string(&mut come).expect("an end");
    come
}

#[test]
fn what_is_asked_passes_as_it_is() {
    let upstream =
        Upstream::saying("text/plain", |asked| format!("{} {}", asked.method, String::from_utf8_lossy(&asked.body)));
    let (_site, server) = before(&upstream);
    for (method, body) in
        [("POST", "a=b"), ("PUT", "x"), ("PATCH", "{}"), ("DELETE", ""), ("OPTIONS", ""), ("POST", "")]
    {
        let length = body.len();
        let answer = server.raw_until(
            &format!("{method} //a/../b%2f%20?c=d&&e HTTP/1.1\r\nHost: HOST\r\nCookie: s=1\r\nContent-Length: {length}\r\n\r\n{body}"),
            Some(method),
        );
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let asked = upstream.next();
        assert_eq!((asked.method.as_str(), asked.url.as_str()), (method, "//a/../b%2f%20?c=d&&e"));
        assert_eq!(asked.body, body.as_bytes());
        assert_eq!(asked.header("cookie"), "s=1");
        assert_eq!(asked.header("host"), format!("localhost:{}", upstream.port));
        assert!(!asked.has("transfer-encoding"));
    }
    // A body of unknown length.
    server.raw_until(
        "POST /c HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        Some("abc"),
    );
    assert_eq!(upstream.next().body, b"abc");
    let asked = {
        server.get("/plain");
        upstream.next()
    };
    assert!(!asked.has("content-length") && !asked.has("transfer-encoding") && !asked.has("connection"));
    assert!(asked.header("via").starts_with("1.1 savecast-"));
    assert_eq!(
        (asked.header("x-forwarded-for"), asked.header("x-forwarded-proto")),
        ("127.0.0.1".into(), "http".into())
    );
    // What is ours in a URL stays here.
    server.get("/style.css?v=1&savecast=abc");
    assert_eq!(upstream.next().url, "/style.css?v=1");
}

#[test]
fn a_form_is_sent_from_the_servers_own_page() {
    let upstream = Upstream::saying("text/plain", |_| "saved".into());
    let (_site, server) = before(&upstream);
    let own = server.url.clone();
    let foreign = "https://evil.example".to_owned();
    let from =
        |origin: &str, site: &str| server.post("/form", &[("origin", origin), ("sec-fetch-site", site)], "a=b").status;
    assert_eq!(from(&own, "same-origin"), 200);
    let asked = upstream.next();
    assert_eq!(asked.header("origin"), upstream.url());
    // From a page that was loaded from the server itself, on its own port.
    assert_eq!(from(&upstream.url(), "same-site"), 200);
    assert_eq!(upstream.next().header("origin"), upstream.url());
    assert_eq!(from(&foreign, "cross-site"), 403);
    assert_eq!(from("null", "cross-site"), 403);
    assert_eq!(from("http://localhost:1", "same-site"), 403);
    assert_eq!(server.request("GET", "/x", &[("host", "evil.example")]).status, 403);
    assert_eq!(
        server.request("GET", "/x", &[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "script")]).status,
        403
    );
    assert!(upstream.asked.try_recv().is_err(), "nothing of that has reached it");
    let (_site, server) = before_with(&upstream, &["--cors", "https://evil.example"]);
    let answer = server.post("/form", &[("origin", &foreign), ("sec-fetch-site", "cross-site")], "a=b");
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, foreign.as_str()));
    assert_eq!(upstream.next().header("origin"), foreign, "it is not made the server's own");
}

#[test]
fn what_is_answered_passes_as_it_is() {
    let upstream = Upstream::new(|asked, stream| match asked.url.as_str() {
        "/empty" => answer(stream, "204 No Content", &[], ""),
        "/same" => stream.write_all(b"HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n").is_ok(),
        "/part" => answer(stream, "206 Partial Content", &[HTML, ("content-range", "bytes 0-3/9")], "<p>a"),
        "/cookies" => answer(
            stream,
            "200 OK",
            &[("set-cookie", "a=b"), ("set-cookie", "c=\"d;e\"; Domain=.localhost"), ("x-a", "1"), ("x-a", "2")],
            "",
        ),
        "/moved" => answer(
            stream,
            "302 Found",
            &[("location", "http://127.0.0.1:PORT/login?a=b".replace("PORT", &asked.header("host")[10..]).as_str())],
            "",
        ),
        "/early" => {
            stream.write_all(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n").is_ok()
                && answer(stream, "200 OK", &[], "late")
        }
        "/old" => {
            drop(stream.write_all(b"HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\nto the end"));
            false
        }
        "/teapot" => answer(
            stream,
            "418 I'm a teapot",
            &[("connection", "x-hop"), ("x-hop", "1"), ("strict-transport-security", "max-age=1")],
            "tea",
        ),
        "/type" => answer(stream, "200 OK", &[("content-type", "text/plain")], "alert(1)"),
        _ => answer(stream, "200 OK", &[("content-type", "text/plain"), ("etag", "\"a\"")], "0123456789"),
    });
    let (_site, server) = before(&upstream);
    let head = server.request("HEAD", "/file", &[]);
    assert_eq!((head.status, head.header("content-length"), head.header("etag")), (200, "10", "\"a\""));
    let file = server.get("/file");
    assert_eq!((file.header("content-length"), file.text.as_str()), ("10", "0123456789"));
    assert_eq!(upstream.next().method, "HEAD");
    assert_eq!(server.get("/empty").status, 204);
    let same = server.request("GET", "/same", &[("if-none-match", "\"a\""), ("range", "bytes=0-1")]);
    assert_eq!((same.status, same.header("etag")), (304, "\"a\""));
    let asked = upstream.expect("/same");
    assert_eq!((asked.header("if-none-match"), asked.header("range")), ("\"a\"".into(), "bytes=0-1".into()));
    assert_eq!(server.get("/part").text, "<p>a");
    let cookies = server.raw("GET /cookies HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n");
    for line in ["set-cookie: a=b\r\n", "set-cookie: c=\"d;e\"\r\n", "x-a: 1\r\n", "x-a: 2\r\n"] {
        assert!(cookies.contains(line), "{cookies}");
    }
    assert_eq!(server.get("/moved").header("location"), "/login?a=b");
    assert_eq!(server.get("/early").text, "late");
    assert_eq!(server.get("/old").text, "to the end");
    let old_client = server.raw("GET /old HTTP/1.0\r\nHost: HOST\r\n\r\n");
    assert!(old_client.ends_with("\r\n\r\nto the end"), "{old_client}");
    let teapot = server.get("/teapot");
    assert_eq!((teapot.status, teapot.text.as_str()), (418, "tea"));
    assert!(!teapot.has("x-hop") && !teapot.has("strict-transport-security"));
    let text = server.get("/type");
    assert!(!text.has("x-content-type-options"), "it may be a script all the same");
    assert_eq!(text.header("cross-origin-resource-policy"), "same-site");
}

#[test]
fn what_trickles_arrives_as_it_comes() {
    const PARTS: [&str; 3] = ["<!doctype html><head><title>a</title>", "<p>one", "<p>two"];
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let upstream = Upstream::new(move |asked, stream| {
        let coding = &asked.url[1..];
        let media_type = if coding == "text" { "text/plain" } else { "text/html" };
        let coding = if coding == "text" { "identity" } else { coding };
        let head = format!("content-type: {media_type}\r\ncontent-encoding: {coding}\r\ntransfer-encoding: chunked");
        stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes()).unwrap();
        for (number, part) in coded(coding, &PARTS).iter().enumerate().filter(|(_, part)| !part.is_empty()) {
            stream.write_all(&[format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat()).unwrap();
            if number < PARTS.len() {
                wait.lock().unwrap().recv_timeout(DEADLINE).unwrap();
            }
        }
        stream.write_all(b"0\r\n\r\n").is_ok()
    });
    let (_site, server) = before(&upstream);
    for coding in ["text", "identity", "gzip", "deflate", "br", "zstd"] {
        let mut stream = server.open(&format!("GET /{coding} HTTP/1.1\r\nHost: HOST\r\nAccept: text/html\r\n\r\n"));
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut come = String::new();
        for part in ["<title>a</title>", "<p>one", "<p>two", "0\r\n\r\n"] {
            while !come.contains(part) {
                let mut bytes = [0; 4096];
                let length = stream.read(&mut bytes).expect(part);
                assert!(length > 0, "{come}");
                come.push_str(&String::from_utf8_lossy(&bytes[..length]));
            }
            if part.starts_with('<') {
                go_on.send(()).unwrap();
            }
        }
        assert_eq!(come.contains("/_savecast/client.js"), coding != "text", "{coding}");
    }
}

#[test]
fn a_page_gets_the_client_in_every_coding_and_however_it_is_cut() {
    const PAGE: &str = "<!doctype html><html><head><title>\u{e9}</title></head><body>hello</body></html>";
    let codings = ["identity", "gzip", "x-gzip", "deflate", "br", "zstd"];
    let bodies = codings.map(|coding| (coding, coded(coding, &[&PAGE[..20], &PAGE[20..]]).concat()));
    let bodies = Arc::new(bodies);
    let sent = bodies.clone();
    let upstream = Upstream::new(move |asked, stream| {
        let mut parts = asked.url[1..].split('/');
        let (number, size) = (parts.next().unwrap().parse::<usize>().unwrap(), parts.next().unwrap().parse().unwrap());
        let (coding, body) = &sent[number];
        let headers =
            [HTML, ("content-encoding", coding), ("etag", "\"a\""), ("digest", "x"), ("vary", "Accept-Encoding")];
        chunked(stream, &headers, &body.chunks(size).collect::<Vec<_>>())
    });
    let (_site, server) = before(&upstream);
    for (number, (coding, _)) in bodies.iter().enumerate() {
        for size in [1, 7, 10_000] {
            let answer = server.request("GET", &format!("/{number}/{size}"), &NAVIGATION);
            let (before, behind) = answer
                .text
                .split_once("<script src=\"/_savecast/client.js\"")
                .unwrap_or_else(|| panic!("{coding} {size}"));
            let behind = behind.split_once("></script>").unwrap().1;
            assert_eq!([before, behind].concat(), PAGE, "{coding}, {size} at a time");
            assert!(before.ends_with("<head>"));
            for gone in ["content-encoding", "etag", "digest", "content-length"] {
                assert!(!answer.has(gone), "{gone}");
            }
            assert_eq!(answer.header("vary"), "Accept-Encoding");
        }
    }
}

#[test]
fn what_is_no_page_stays_as_it_is() {
    let upstream = Upstream::new(|asked, stream| {
        let page = "<!doctype html><head><title>a</title>";
        match asked.url.as_str() {
            "/download" => {
                answer(stream, "200 OK", &[HTML, ("content-disposition", "attachment; filename=a.html")], page)
            }
            "/utf16" => answer_bytes(stream, "200 OK", &[("content-type", "text/html; charset=utf-16le")], b"<\0p\0"),
            "/coding" => answer(stream, "200 OK", &[HTML, ("content-encoding", "dcb")], page),
            "/sandbox" => answer(stream, "200 OK", &[HTML, ("content-security-policy", "sandbox allow-forms")], page),
            "/json" => answer(stream, "200 OK", &[JSON], "{}"),
            "/moved" => answer(stream, "303 See Other", &[HTML, ("location", "/")], page),
            "/missing" => answer(stream, "404 Not Found", &[HTML], page),
            "/broken" => answer(stream, "500 Internal Server Error", &[HTML], page),
            _ => answer(stream, "200 OK", &[HTML, ("content-length", "37")], page),
        }
    });
    let (_site, server) = before(&upstream);
    let has_client =
        |url: &str, headers: &[(&str, &str)]| server.request("GET", url, headers).text.contains("/_savecast/client.js");
    for url in ["/download", "/utf16", "/coding", "/sandbox", "/json", "/moved"] {
        assert!(!has_client(url, &NAVIGATION), "{url}");
    }
    for url in ["/", "/missing", "/broken"] {
        assert!(has_client(url, &NAVIGATION), "{url}");
    }
    assert_eq!(server.request("GET", "/missing", &NAVIGATION).status, 404);
    for script in [
        ("sec-fetch-dest", "empty"),
        ("hx-request", "true"),
        ("turbo-frame", "a"),
        ("x-requested-with", "XMLHttpRequest"),
        ("rsc", "1"),
    ] {
        assert!(!has_client("/", &[("accept", "text/html"), script]), "{script:?}");
    }
    assert!(!server.get("/?savecast-source").text.contains("client.js"));
    // The client of a page asks for its page, and gets an error as a header.
    let source = server.get("/broken?savecast-source");
    assert_eq!((source.status, source.header("savecast-status")), (200, "500"));
    let look = server.request("HEAD", "/missing", &[("savecast-look", "")]);
    assert_eq!((look.status, look.header("savecast-status")), (200, "404"));
    let asked = std::iter::from_fn(|| upstream.asked.try_recv().ok()).filter(|asked| asked.url == "/missing");
    assert!(asked.into_iter().all(|asked| asked.method == "GET"), "a server need not know HEAD");
}

#[test]
fn policies_let_the_client_in() {
    let upstream = Upstream::new(|_, stream| {
        let headers = [
            HTML,
            (
                "content-security-policy",
                "default-src 'none'; style-src 'self', script-src 'nonce-abc' 'strict-dynamic'",
            ),
            ("content-security-policy", "connect-src https://api.example"),
            ("content-security-policy-report-only", "script-src 'none'; report-uri /r"),
            ("integrity-policy", "blocked-destinations=(script)"),
        ];
        answer(stream, "200 OK", &headers, "<!doctype html><head>")
    });
    let (_site, server) = before(&upstream);
    let answer = server.raw("GET /a HTTP/1.1\r\nHost: HOST\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
    let ours = format!("127.0.0.1:{}/_savecast/", server.port());
    let page = format!("127.0.0.1:{}/a", server.port());
    for part in [
        format!(
            "content-security-policy: default-src 'none'; style-src 'self'; script-src-elem {ours}; worker-src {ours}; connect-src {ours} {page}, script-src 'nonce-abc' 'strict-dynamic'\r\n"
        ),
        format!("content-security-policy: connect-src https://api.example {ours} {page}\r\n"),
        format!(
            "content-security-policy-report-only: script-src 'none'; report-uri /r; script-src-elem {ours}; worker-src {ours}\r\n"
        ),
        "integrity-policy: blocked-destinations=()\r\n".to_owned(),
        " nonce=\"abc\"".to_owned(),
    ] {
        assert!(answer.contains(&part), "{part}{answer}");
    }
}

#[test]
fn an_answer_that_breaks_off_is_no_whole_one() {
    let upstream = Upstream::new(|asked, stream| {
        let gzip: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
        match asked.url.as_str() {
            "/short" => drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")),
            "/chunk" => drop(stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\nonly this")),
            "/page" => drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n64\r\n<!doctype html><head>a")),
            _ => drop(answer_bytes(stream, "200 OK", &[HTML, ("content-encoding", "gzip")], gzip)),
        }
        false
    });
    let (_site, server) = before(&upstream);
    for url in ["/short", "/chunk", "/page", "/gzip"] {
        let come = server.raw(&format!("GET {url} HTTP/1.1\r\nHost: HOST\r\nAccept: text/html\r\n\r\n"));
        assert!(!come.ends_with("0\r\n\r\n"), "{come}");
        assert!(!come.contains("content-length: 9\r\n"), "{come}");
    }
    assert_eq!(server.status()["streams"], 0, "the server lives");
}

#[test]
fn what_is_no_http_is_a_bad_gateway() {
    let upstream = Upstream::new(|asked, stream| {
        let answer: &[u8] = match asked.url.as_str() {
            "/garbage" => b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
            "/line" => b"HTTP/1.1 abc\r\n\r\n",
            "/two" => b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
            _ => b"",
        };
        drop(stream.write_all(answer));
        if asked.url == "/head" {
            let line = format!("x: {}\r\n", "a".repeat(1000));
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\n"));
            for _ in 0..1000 {
                drop(stream.write_all(line.as_bytes()));
            }
        }
        false
    });
    let (_site, server) = before(&upstream);
    for url in ["/garbage", "/line", "/two", "/head"] {
        let answer = server.get(url);
        assert_eq!(answer.status, 502, "{url}");
        assert!(answer.text.contains(&upstream.url()), "{}", answer.text);
    }
    assert_eq!(server.status()["streams"], 0, "the server lives");
}

#[test]
fn a_connection_that_was_closed_loses_no_request_and_sends_none_twice() {
    // As `php -S` does, and Node after five idle seconds.
    let upstream = Upstream::new(|asked, stream| {
        answer(stream, "200 OK", &[], &asked.url);
        false
    });
    let (_site, server) = before(&upstream);
    for number in 0..30 {
        assert_eq!(server.get(&format!("/{number}")).text, format!("/{number}"));
    }
    // One that reads a request and is gone.
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let upstream = Upstream::new(move |asked, stream| {
        if asked.method == "POST" {
            counted.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        answer(stream, "200 OK", &[], "x")
    });
    let (_site, server) = before(&upstream);
    server.get("/warm");
    assert_eq!(server.post("/order", &[], "tea").status, 502);
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[test]
fn a_page_waits_for_a_server_that_starts_and_says_so_if_it_stays_away() {
    let mut upstream = Upstream::away(|asked, stream| answer(stream, "200 OK", &[HTML], &format!("<p>{}", asked.url)));
    let (_site, server) = before(&upstream);
    // Who changes something is told at once.
    assert_eq!(server.post("/form", &[], "a=b").status, 502);
    let page = server.open("GET /page HTTP/1.1\r\nHost: HOST\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
    // Somebody else is told that it is away, so the page is waiting.
    assert_eq!(server.get("/data").status, 502);
    upstream.start();
    let page = rest(page);
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<p>/page"), "{page}");
    upstream.stop();
    let page = server.request("GET", "/page", &NAVIGATION);
    assert_eq!(page.status, 502);
    for words in
        ["does not answer", "refuses connections", &upstream.url(), "/_savecast/client.js", "data-path=\"/?savecast\""]
    {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    server.expect_complaint("refuses connections");
}

#[test]
fn pages_hear_of_saves_and_of_a_server_that_is_away() {
    let mut upstream = Upstream::saying("text/html", |_| "<p>hello".into());
    let (site, server) = before(&upstream);
    let page = server.request("GET", "/", &NAVIGATION).text;
    let version = page.split("data-version=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let wish = format!("{{\"uses\": {{\"/?savecast\": \"{version}\"}}}}");
    let events = server.follow_with("POST", "/_savecast/events", &[], &wish);
    server.wait_for_status(|status| status["watched_dirs"].as_u64() > Some(0));
    site.write("app.py", "2");
    let saved = events.expect_event("change");
    assert_eq!(saved["path"], "/?savecast");
    assert_ne!(saved["version"], version);
    upstream.stop();
    assert_eq!(server.get("/x").status, 502);
    loop {
        let event = events.next();
        if event.event == "problem" {
            assert!(event.data.contains("refuses connections"), "{}", event.data);
            break;
        }
    }
    upstream.start();
    let back = loop {
        let event = events.next();
        if event.event == "change" {
            break event;
        }
    };
    assert!(back.data.contains("/?savecast"));
    server.expect_complaint("answers again");
    drop(events);
    server.wait_for_status(|status| status["watched_dirs"] == 0 && status["watched_files"] == 0);
}

/// The version that a load had, as the client of a page learns it.
fn load(server: &Server, url: &str) -> (String, String) {
    let answer = server.request("GET", url, &[("sec-fetch-dest", "style"), ("cookie", "s=1")]);
    let timing = answer.header("server-timing").to_owned();
    let (load, place) =
        timing.split_once('~').and_then(|(_, load)| load.trim_end_matches('"').split_once(' ')).expect(&timing);
    let versions = server.post("/_savecast/loaded", &[], &format!("[\"{load}\"]")).text;
    (place.to_owned(), versions.trim_matches(['[', ']', '"']).to_owned())
}

#[test]
fn what_a_page_uses_is_asked_for_again_after_a_save_and_told_if_it_is_another() {
    let style = Arc::new(Mutex::new("p {}".to_owned()));
    let said = style.clone();
    let upstream = Upstream::new(move |asked, stream| match asked.url.as_str() {
        "/style.css?v=1" => answer(stream, "200 OK", &[("content-type", "text/css")], &said.lock().unwrap()),
        // Another one each time, without a save.
        "/time.json" => {
            static COUNT: AtomicUsize = AtomicUsize::new(0);
            let text = format!("{{\"time\":{},\"word\":\"x\"}}", 1_795_248_000 + COUNT.fetch_add(1, Ordering::Relaxed));
            answer(stream, "200 OK", &[JSON], &text)
        }
        _ => answer(stream, "200 OK", &[("content-type", "text/css"), ("etag", "\"e\"")], "same"),
    });
    let (site, server) = before(&upstream);
    server.request("GET", "/", &NAVIGATION);
    let loads = ["/style.css?v=1", "/time.json", "/same.css"].map(|url| load(&server, url));
    assert_eq!(loads[0].0, "/style.css?v=1");
    let uses = loads.iter().map(|(place, version)| format!("\"{place}\": \"{version}\"")).collect::<Vec<_>>().join(",");
    let events = server.follow_with("POST", "/_savecast/events", &[], &format!("{{\"uses\": {{{uses}}}}}"));
    server.wait_for_status(|status| status["watched_dirs"].as_u64() > Some(0));
    while upstream.asked.try_recv().is_ok() {}
    *style.lock().unwrap() = "p { color: red }".into();
    site.write("templates/other.html", "saved");
    let event = events.expect_event("change");
    assert_eq!(event["path"], "/style.css?v=1");
    let asked = upstream.expect("/same.css");
    assert_eq!(asked.header("if-none-match"), "\"e\"", "with the validators that it had");
    assert_eq!((asked.header("cookie"), asked.header("sec-fetch-dest")), ("s=1".into(), "style".into()));
    assert_eq!(load(&server, "/style.css?v=1").1, event["version"].as_str().unwrap());
    // Nothing else is told: the next event is that of the next change.
    *style.lock().unwrap() = "p { color: blue }".into();
    site.write("templates/other.html", "saved again");
    assert_eq!(events.expect_event("change")["path"], "/style.css?v=1");
}

#[test]
fn a_page_hears_of_a_save_between_its_loading_and_its_following() {
    let style = Arc::new(Mutex::new("p {}".to_owned()));
    let said = style.clone();
    let upstream = Upstream::saying("text/css", move |_| said.lock().unwrap().clone());
    let site = Site::with(&[("app.py", "1")]);
    let proxies = ["a", "b"].map(|name| format!("/{name}={}", upstream.url()));
    let server = site.serve_with(&["--proxy", &proxies[0], "--proxy", &proxies[1]]);
    let follow = |load: &(String, String)| {
        let wish = format!("{{\"uses\": {{\"{}\": \"{}\"}}}}", load.0, load.1);
        server.follow_with("POST", "/_savecast/events", &[], &wish)
    };
    // It is watched while it is loaded, by another page, which then leaves.
    let other = follow(&load(&server, "/b/style.css"));
    let before = follow(&load(&server, "/a/style.css"));
    server.wait_for_status(|status| status["watched_dirs"].as_u64() > Some(0));
    drop(before);
    server.wait_for_status(|status| status["streams"] == 1);
    let loaded = load(&server, "/a/style.css");
    *style.lock().unwrap() = "p { color: red }".into();
    site.write("app.py", "2");
    assert_eq!(other.expect_event("change")["path"], "/b/style.css");
    assert_eq!(follow(&loaded).expect_event("change")["path"], "/a/style.css");
}

#[test]
fn a_server_that_is_slow_comes_back_too() {
    let handler = |asked: &Asked, stream: &mut TcpStream| {
        if asked.url == "/slow" {
            thread::sleep(Duration::from_millis(1200));
        }
        answer(stream, "200 OK", &[HTML], "<p>slow")
    };
    let mut upstream = Upstream::new(handler);
    let (_site, server) = before(&upstream);
    server.request("GET", "/slow", &NAVIGATION);
    let events = server.follow_with("POST", "/_savecast/events", &[], "{\"uses\": {\"/?savecast\": null}}");
    server.wait_for_status(|status| status["watched_dirs"].as_u64() > Some(0));
    upstream.stop();
    assert_eq!(server.get("/x").status, 502);
    upstream.start();
    let mut others = std::iter::from_fn(|| Some(events.next().event)).take_while(|event| event != "change");
    assert!(others.all(|event| event == "problem"));
}

#[test]
fn a_request_that_ends_connections_is_not_sent_for_ever() {
    let upstream = Upstream::new(|_, stream| {
        drop(stream.shutdown(std::net::Shutdown::Both));
        false
    });
    let (_site, server) = before(&upstream);
    assert_eq!(server.request("GET", "/crash", &NAVIGATION).status, 502);
    let asked = std::iter::from_fn(|| upstream.asked.try_recv().ok()).filter(|asked| asked.url == "/crash").count();
    assert!(asked <= 4, "{asked}");
}

#[test]
fn what_a_browser_has_hides_nothing_that_is_undone() {
    let word = Arc::new(Mutex::new("one"));
    let said = word.clone();
    let upstream = Upstream::new(move |asked, stream| {
        let word = *said.lock().unwrap();
        let tag = format!("\"{word}\"");
        let headers = [("content-type", "text/css"), ("etag", tag.as_str())];
        if asked.header("if-none-match") == tag {
            return answer(stream, "304 Not Modified", &headers[1..], "");
        }
        answer(stream, "200 OK", &headers, word)
    });
    let (site, server) = before(&upstream);
    let has = [("sec-fetch-dest", "style"), ("if-none-match", "\"one\"")];
    // Which version that is, nobody knows yet.
    assert_eq!(server.request("GET", "/a.css", &has).status, 304);
    *word.lock().unwrap() = "two";
    let answer = server.request("GET", "/a.css", &has);
    let timing = answer.header("server-timing").to_owned();
    let load = timing.split('~').nth(1).and_then(|load| load.split(' ').next()).unwrap();
    let versions = server.post("/_savecast/loaded", &[], &format!("[\"{load}\"]")).text;
    let wish = format!("{{\"uses\": {{\"/a.css\": {}}}}}", versions.trim_matches(['[', ']']));
    let events = server.follow_with("POST", "/_savecast/events", &[], &wish);
    server.wait_for_status(|status| status["watched_dirs"].as_u64() > Some(0));
    *word.lock().unwrap() = "one";
    site.write("app.py", "one");
    assert_eq!(events.expect_event("change")["path"], "/a.css");
}

#[test]
fn contents_are_for_those_who_ask_in_the_same_way() {
    let upstream = Upstream::new(|asked, stream| match asked.header("x-api-key").as_str() {
        "" => answer(stream, "401 Unauthorized", &[], ""),
        key => answer(stream, "200 OK", &[JSON], &format!("\"{key}\"")),
    });
    let (_site, server) = before(&upstream);
    let first = server.follow_with("GET", "/me", &[("x-api-key", "a")], "");
    first.expect("\"a\"");
    server.follow_with("GET", "/me", &[("x-api-key", "b")], "").expect("\"b\"");
    assert_eq!(server.follow("/me").head.status, 401);
}

#[test]
fn what_is_mounted_below_a_server_is_ours() {
    let upstream = Upstream::new(|asked, stream| match asked.url.as_str() {
        "/vendor/x.css" => answer(stream, "404 Not Found", &[], ""),
        _ => answer(stream, "200 OK", &[HTML], "<p>page"),
    });
    let site = Site::with(&[("app.py", "1"), ("lib/x.css", "p {}")]);
    let mount = format!("/vendor={}", site.path("lib").display());
    let server = site.serve_with(&["--proxy", &upstream.url(), "--mount", &mount]);
    assert!(paths(&server).contains("servers = \"!/vendor/ /\""));
    let tag = server.get("/vendor/x.css").header("etag").trim_matches('"').to_owned();
    let wish = format!("{{\"uses\": {{\"/vendor/x.css\": \"{tag}\"}}}}");
    let events = server.follow_with("POST", "/_savecast/events", &[], &wish);
    server.wait_for_status(|status| status["watched_files"] == 1);
    site.write("lib/x.css", "p { color: red }");
    let change = events.expect_event("change");
    assert_eq!(change["path"], "/vendor/x.css");
    // Pages that were loaded from the server itself may ask it through us, and nothing else.
    let origin = upstream.url();
    let of_server = [("origin", origin.as_str()), ("sec-fetch-site", "cross-site")];
    assert_eq!(server.post("/form", &of_server, "a=b").status, 200);
    assert_eq!(server.post("/vendor/x.css", &of_server, "").status, 403);
    assert_eq!(server.post("/_savecast/channels/news", &of_server, "\"x\"").status, 403);
}

#[test]
fn pages_of_an_origin_that_is_let_in_may_ask_a_server_anything() {
    let upstream = Upstream::saying("application/json", |_| "{}".into());
    let (_site, server) = before_with(&upstream, &["--cors", "http://app.example"]);
    let asked = [
        ("origin", "http://app.example"),
        ("access-control-request-method", "DELETE"),
        ("access-control-request-headers", "authorization,x-own"),
    ];
    let allowed = server.request("OPTIONS", "/api/1", &asked);
    assert_eq!(allowed.header("access-control-allow-methods"), "DELETE");
    assert_eq!(allowed.header("access-control-allow-headers"), "authorization,x-own");
    let ours = server.request("OPTIONS", "/_savecast/status", &asked);
    assert!(!ours.header("access-control-allow-methods").contains("DELETE"));
}

#[test]
fn nothing_is_asked_because_of_what_nobody_has_written() {
    let site = Site::with(&[("app.py", "1"), (".gitignore", "ignored.txt\n")]);
    let log = site.path("written.txt");
    // It writes a file whenever it is asked.
    let upstream = Upstream::new(move |asked, stream| {
        fs::write(&log, format!("{}\n", asked.url)).unwrap();
        answer(stream, "200 OK", &[("content-type", "text/css")], "p {}")
    });
    let server = site.serve_with(&["--proxy", &upstream.url()]);
    server.request("GET", "/", &NAVIGATION);
    let (place, version) = load(&server, "/a.css");
    let _events =
        server.follow_with("POST", "/_savecast/events", &[], &format!("{{\"uses\": {{\"{place}\": \"{version}\"}}}}"));
    server.wait_for_status(|status| status["watched_dirs"].as_u64() > Some(0));
    site.write("app.py", "2");
    server.expect_complaint("written.txt");
    // It has come to an end: what nobody writes by hand asks for nothing, and then somebody saves.
    for name in ["ignored.txt", "app.log", "app.py~", ".hidden", "node_modules/a.js"] {
        site.write(name, "x");
    }
    while upstream.asked.try_recv().is_ok() {}
    site.write("app.py", "3");
    upstream.expect("/a.css");
}

#[test]
fn what_has_no_stream_is_a_stream_of_its_answers() {
    let price = Arc::new(AtomicUsize::new(1));
    let said = price.clone();
    let upstream = Upstream::new(move |asked, stream| match asked.url.as_str() {
        "/refuses" if asked.header("accept").starts_with("text/event-stream") => {
            answer(stream, "406 Not Acceptable", &[], "")
        }
        "/missing" => answer(stream, "404 Not Found", &[], ""),
        _ => {
            let who = asked.header("cookie");
            answer(
                stream,
                "200 OK",
                &[JSON],
                &format!(
                    "{{\"who\": \"{who}\", \"price\": {}.50, \"rest\": [{}0]}}",
                    said.load(Ordering::Relaxed),
                    "0, ".repeat(50)
                ),
            )
        }
    });
    let (site, server) = before(&upstream);
    let document =
        |who: &str, price: usize| format!("{{\"who\":\"{who}\",\"price\":{price}.50,\"rest\":[{}0]}}", "0,".repeat(50));
    let events = server.follow("/api/prices?of=btc");
    assert_eq!(events.head.header("content-type"), "text/event-stream");
    events.expect(&document("", 1));
    let one = server.follow("/api/prices?of=btc&at=/price");
    one.expect("1.50");
    let patches = server.follow("/api/prices?as=patch");
    patches.expect(&document("", 1));
    // Whoever has other cookies gets other contents.
    let other = server.follow_with("GET", "/api/prices?of=btc", &[("cookie", "user=2")], "");
    other.expect(&document("user=2", 1));
    server.follow("/refuses").expect(&document("", 1));
    assert_eq!(server.follow("/missing").head.status, 404);
    assert_eq!(server.follow("/api/prices?as=lines").head.status, 400);
    price.store(2, Ordering::Relaxed);
    site.write("app.py", "2");
    events.expect(&document("", 2));
    one.expect("2.50");
    assert_eq!(patches.expect_event("patch")[0]["path"], "/price");
    other.expect(&document("user=2", 2));
    // A page that follows it gets it with its cookies.
    let page = server.follow_with(
        "POST",
        "/_savecast/events",
        &[("cookie", "user=2")],
        "{\"reads\": {\"/api/prices?of=btc\": null}}",
    );
    assert_eq!(page.expect_event("message")["document"]["who"], "user=2");
    assert!(server.get("/api/prices").text.starts_with("{\"who\": \"\", \"price\": 2.50,"), "a GET stays what it is");
}

#[test]
fn a_stream_is_asked_for_by_time_while_somebody_listens() {
    let count = Arc::new(AtomicUsize::new(0));
    let said = count.clone();
    let upstream = Upstream::new(move |_, stream| {
        answer(stream, "200 OK", &[JSON], &said.fetch_add(1, Ordering::Relaxed).to_string())
    });
    let (_site, server) = before_with(&upstream, &["--proxy-poll", "20"]);
    let events = server.follow("/n");
    let numbers = (0..5).map(|_| events.next().data.parse::<usize>().unwrap()).collect::<Vec<_>>();
    assert!(numbers.is_sorted() && numbers[4] >= numbers[0] + 4, "{numbers:?}");
    drop(events);
    server.wait_for_status(|status| status["streams"] == 0 && status["watched_files"] == 0);
    while upstream.asked.try_recv().is_ok() {}
    // To show that nothing is asked any more, something else is.
    server.get("/marker");
    assert_eq!(upstream.next().url, "/marker");
}

#[test]
fn an_answer_is_waited_for() {
    let text = Arc::new(Mutex::new("1".to_owned()));
    let said = text.clone();
    let upstream = Upstream::new(move |asked, stream| {
        let text = said.lock().unwrap().clone();
        let etag = format!("\"{text}\"");
        if asked.header("if-none-match") == etag {
            return answer(stream, "304 Not Modified", &[("etag", &etag)], "");
        }
        answer(stream, "200 OK", &[JSON, ("etag", &etag)], &text)
    });
    let (site, server) = before(&upstream);
    let poll = |etag: &str| server.request("GET", "/data", &[("if-none-match", etag), ("prefer", "wait=20")]);
    let first = poll("");
    assert_eq!((first.text.as_str(), first.header("preference-applied")), ("1", "wait=20"));
    let second = server.open(
        "GET /data HTTP/1.1\r\nHost: HOST\r\nIf-None-Match: \"1\"\r\nPrefer: wait=20\r\nConnection: close\r\n\r\n",
    );
    server.wait_for_status(|status| status["watched_dirs"].as_u64() > Some(0));
    *text.lock().unwrap() = "2".into();
    site.write("app.py", "2");
    let second = rest(second);
    assert!(
        second.starts_with("HTTP/1.1 200") && second.contains("etag: \"2\"") && second.ends_with("\r\n\r\n2"),
        "{second}"
    );
}

#[test]
fn the_servers_own_streams_pass_and_end_with_their_listeners() {
    let (gone, has_gone) = mpsc::channel();
    let upstream = Upstream::new(move |_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nid: 7\ndata: own\n\n").unwrap();
        // Until the other side is gone.
        drop(stream.read(&mut [0]));
        let _ = gone.send(());
        false
    });
    let (_site, server) = before(&upstream);
    let events = server.follow("/events");
    let event = events.next();
    assert_eq!((event.id.as_str(), event.data.as_str()), ("7", "own"));
    drop(events);
    has_gone.recv_timeout(DEADLINE).expect("it hears that nobody listens any more");
}

#[test]
fn web_sockets_pass_byte_by_byte() {
    let upstream = Upstream::new(|asked, stream| {
        if asked.url == "/none" {
            return answer(stream, "200 OK", &[JSON], "[1]");
        }
        assert_eq!(
            (asked.header("upgrade"), asked.header("connection").to_lowercase()),
            ("websocket".into(), "upgrade".into())
        );
        assert_eq!(asked.header("sec-websocket-protocol"), "chat");
        let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\nsec-websocket-protocol: chat\r\n\r\nhello";
        stream.write_all(head.as_bytes()).unwrap();
        let mut bytes = vec![0; 64 << 10];
        loop {
            match stream.read(&mut bytes) {
                Ok(length @ 1..) => stream.write_all(&bytes[..length]).unwrap(),
                _ => return false,
            }
        }
    });
    let (_site, server) = before(&upstream);
    let request = "GET /chat HTTP/1.1\r\nHost: HOST\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
    let mut stream = server.open(request);
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let until = |stream: &mut TcpStream, end: &[u8]| {
        let mut come = Vec::new();
        while !come.ends_with(end) {
            let mut byte = vec![0; 1 << 16];
            let length = stream.read(&mut byte).unwrap();
            assert!(length > 0, "{}", String::from_utf8_lossy(&come));
            come.extend_from_slice(&byte[..length]);
        }
        come
    };
    let head = String::from_utf8(until(&mut stream, b"hello")).unwrap();
    assert!(head.starts_with("HTTP/1.1 101") && head.contains("sec-websocket-protocol: chat"), "{head}");
    // Whatever the bytes are.
    let mut sent = (0..=255_u8).cycle().take(300_000).collect::<Vec<_>>();
    sent.extend(b"the end");
    let mut other = stream.try_clone().unwrap();
    let bytes = sent.clone();
    thread::spawn(move || other.write_all(&bytes).unwrap());
    assert!(until(&mut stream, b"the end") == sent);
    // Where the server has none, its answers come as messages.
    let mut stream = server.open(&request.replace("/chat", "/none").replace("Sec-WebSocket-Protocol: chat\r\n", ""));
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let come = String::from_utf8_lossy(&until(&mut stream, b"\"}")).into_owned();
    assert!(come.starts_with("HTTP/1.1 101") && come.contains("\"data\":\"[1]\""), "{come}");
    // An upgrade to anything else is a plain request.
    let answer = server
        .raw_until("GET /none HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", Some("[1]"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn files_and_servers_stand_side_by_side() {
    let upstream = Upstream::saying("text/plain", |asked| asked.url.clone());
    let site = Site::with(&[
        ("index.html", "<p>file"),
        ("api/file.txt", "hidden"),
        ("other/a.txt", "mounted"),
        ("other/b/c.txt", "c"),
    ]);
    let other = site.path("other").display().to_string();
    let proxy = |path: &str, to: &str| format!("{path}={}{to}", upstream.url());
    let server = site.serve_with(&[
        "--proxy",
        &proxy("/api", ""),
        "--proxy",
        &proxy("/cut", "/"),
        "--proxy",
        &proxy("/api/v2", "/two/"),
        "--mount",
        &format!("/cut/files={other}"),
        "--mount",
        &format!("/both={other}"),
        "--proxy",
        &proxy("/both", ""),
    ]);
    for (url, text) in [
        ("/api/file.txt", "/api/file.txt"),
        ("/api?x", "/api?x"),
        ("/api/v2/x", "/two/x"),
        ("/cut/x?y", "/x?y"),
        ("/cut/files/a.txt", "mounted"),
        ("/both/a.txt", "mounted"),
        ("/both/none.txt", "/both/none.txt"),
        ("/other/a.txt", "mounted"),
    ] {
        assert_eq!(server.get(url).text, text, "{url}");
    }
    assert_eq!(server.get("/apiary").status, 404);
    let page = server.request("GET", "/", &NAVIGATION).text;
    assert!(page.contains("<p>file") && page.contains("/_savecast/client.js"), "{page}");
    // Whoever reads data in a page knows where it comes from.
    let paths = paths(&server);
    assert!(paths.contains("export let servers = \"!/cut/files/ /api/v2/ /both/ /api/ /cut/\";"), "{paths}");
}

#[test]
fn without_asking_a_save_reloads_and_swaps_stylesheets_by_name() {
    let upstream = Upstream::saying("text/css", |_| "p {}".into());
    let (site, server) = before_with(&upstream, &["--proxy-ask", "off"]);
    let page = server.request("GET", "/page", &NAVIGATION);
    assert!(page.status == 200);
    let (place, version) = load(&server, "/assets/main.css?v=2");
    let wish = format!("{{\"uses\": {{\"{place}\": \"{version}\", \"/?savecast\": null}}}}");
    let events = server.follow_with("POST", "/_savecast/events", &[], &wish);
    server.wait_for_status(|status| status["watched_dirs"].as_u64() > Some(0));
    while upstream.asked.try_recv().is_ok() {}
    site.write("src/main.css", "p { color: red }");
    let swapped = loop {
        let event = events.expect_event("change");
        if event["path"] != "/?savecast" {
            break event;
        }
    };
    assert_eq!(swapped["path"], "/assets/main.css?v=2");
    site.write("app.py", "2");
    assert_eq!(events.expect_event("change")["path"], "/?savecast");
    server.get("/marker");
    assert_eq!(upstream.next().url, "/marker", "nothing was asked");
}

#[cfg(unix)]
#[test]
fn a_server_may_be_at_a_socket_of_the_file_system() {
    use std::os::unix::net::UnixListener;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.sock");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut come = [0; 4096];
            let length = stream.read(&mut come).unwrap();
            assert!(String::from_utf8_lossy(&come[..length]).contains("host: localhost\r\n"));
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").unwrap();
        }
    });
    let site = Site::with(&[]);
    let server = site.serve_with(&["--proxy", &format!("unix:{}", path.display())]);
    assert_eq!(server.get("/").text, "hi");
}

#[test]
fn a_server_behind_itself_is_noticed() {
    let upstream = Upstream::away(|_, _| false);
    let site = Site::with(&[]);
    let port = upstream.port.to_string();
    let server = site.serve_with(&["--proxy", &upstream.url(), "--port", &port]);
    assert_eq!(server.get("/").status, 508);
}

#[test]
fn wrong_options_say_what_is_right() {
    let site = Site::with(&[("savecast.toml", "proxy = \"http://localhost:5000\"\n")]);
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_savecast"));
        let output = command.current_dir(site.path("")).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (arguments, words) in [
        (&["."][..], "can't set a proxy"),
        (&[".", "--config", "/dev/null", "--proxy", "ftp://a"], "only http://, https:// and unix:"),
        (&["--proxy", "http://a", "--proxy", "http://b"], "cannot put two servers at /"),
        (&["--proxy", "http://a", "--watch", "nowhere"], "cannot watch nowhere"),
        (&["--watch", "."], "--watch has nothing to do"),
        (&["--proxy", "http://a", "--proxy-poll", "x"], "a number of milliseconds is needed"),
    ] {
        fs::write(site.path("savecast.toml"), if arguments == ["."] { "proxy = \"http://a\"\n" } else { "" }).unwrap();
        let (status, said) = run(arguments);
        assert_eq!(status, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    fs::write(site.path("own.toml"), "watch = [\".\"]\n[proxy]\n\"/api\" = \"http://localhost:1\"\n").unwrap();
    let config = site.path("own.toml").display().to_string();
    let server = site.serve_with(&["--config", &config]);
    assert_eq!(server.post("/api/x", &[], "").status, 502);
}

#[test]
fn over_https_the_server_hears_so_and_pages_are_live_the_same() {
    let upstream = Upstream::new(|asked, stream| match asked.url.as_str() {
        "/stream" => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: its own\n\n";
            drop(stream.write_all(head.as_bytes()));
            // Until the listener has gone.
            stream.read(&mut [0; 1]).is_ok_and(|length| length > 0)
        }
        "/moved" => {
            let to = format!("http://{}/login", asked.header("host"));
            answer(stream, "303 See Other", &[("location", &to), ("set-cookie", "a=b; Secure; HttpOnly")], "")
        }
        _ => answer(stream, "200 OK", &[HTML], "<!doctype html><head><title>a</title>"),
    });
    let (site, home) = (Site::with(&[("app.py", "1")]), Home::new());
    let secure = home.serve(&site, &["--proxy", &upstream.url()]);
    let origin = format!("https://localhost:{}", secure.server.port());
    let mut connection = secure.http2();
    let page = connection.get("/", &NAVIGATION);
    assert!(page.text().contains("/_savecast/client.js"), "{}", page.text());
    let asked = upstream.next();
    assert_eq!((asked.header("x-forwarded-proto"), asked.header("host")), ("https".into(), upstream.url()[7..].into()));
    assert!(asked.header("via").starts_with("2.0 savecast-"), "{asked:?}");
    let body = "a".repeat(60_000);
    let posted = connection
        .request("POST", "/moved", &[("origin", &origin), ("cookie", "a=1"), ("cookie", "b=2")], &body)
        .finish();
    assert_eq!((posted.status, posted.header("location")), (303, "/login"));
    assert_eq!(posted.header("set-cookie"), "a=b; Secure; HttpOnly");
    let asked = upstream.next();
    assert_eq!(
        (asked.header("origin"), asked.header("cookie"), asked.body.len()),
        (upstream.url(), "a=1; b=2".into(), 60_000)
    );
    let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    assert_eq!(connection.request("POST", "/moved", &foreign, "").status, 403);
    let mut stream = connection.follow("/stream");
    stream.expect("data: its own");
    secure.wait_for_status(|status| status["watched_dirs"].as_u64() > Some(0));
    let page = connection.get("/", &NAVIGATION);
    let version = page.text().split_once("data-version=\"").unwrap().1[..32].to_owned();
    let wish = format!("{{\"uses\": {{\"/?savecast\": \"{version}\"}}}}");
    let accept = [("accept", "text/event-stream")];
    let mut events = connection.request("POST", "/_savecast/events", &accept, &wish);
    site.write("app.py", "2");
    events.expect("/?savecast");
}

#[test]
fn a_server_with_a_certificate_is_believed_if_the_system_or_the_person_does() {
    let (site, home) = (Site::with(&[("index.html", "<!doctype html><head><title>a</title>")]), Home::new());
    let upstream = home.serve(&site, &[]);
    let url = format!("https://localhost:{}", upstream.server.port());
    let elsewhere = Site::with(&[]);
    let start = |options: &[&str], environment: &[(&str, &str)]| {
        let mut command = home.command();
        command.arg(elsewhere.path("")).envs(environment.iter().copied());
        Server::start(command, &[&["--proxy", &url], options].concat()).unwrap()
    };
    let refused = start(&[], &[]).request("GET", "/", &NAVIGATION);
    assert_eq!(refused.status, 502);
    for words in ["has a certificate that this system does not trust", "--proxy-insecure"] {
        assert!(refused.text.contains(words), "{}", refused.text);
    }
    let authority = home.path("savecast/authority.pem");
    for (options, environment) in
        [(["--proxy-insecure"].as_slice(), [].as_slice()), (&[], &[("SSL_CERT_FILE", authority.to_str().unwrap())])]
    {
        let server = start(options, environment);
        let answer = server.request("GET", "/", &NAVIGATION);
        assert_eq!(answer.status, 200, "{options:?}: {}", answer.text);
        assert!(answer.text.contains("<title>a</title>"), "{}", answer.text);
    }
    // Something else that listens there.
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("/tls=https://{}", plain.local_addr().unwrap());
    let server = elsewhere.serve_with(&["--proxy", &to]);
    let answering = thread::spawn(move || {
        let (mut stream, _) = plain.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        stream
    });
    let answer = server.request("GET", "/tls/a", &[]);
    assert_eq!(answer.status, 502);
    assert!(answer.text.contains("does not speak TLS"), "{}", answer.text);
    drop(answering.join());
}
