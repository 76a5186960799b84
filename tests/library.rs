//! The crate as somebody uses it in an app of their own: from outside, over HTTP.

#![expect(clippy::unwrap_used, clippy::format_collect, reason = "a test that fails shows itself by its line")]

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
#[cfg(target_os = "linux")]
use std::time::Instant;

use actix_web::App;
use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::HttpServer;
use actix_web::http::header::ContentType;
use actix_web::web;
use actix_web::web::Bytes;
use futures::stream;
use savecast::Live;

const DEADLINE: Duration = Duration::from_secs(10);

/// An app with a few pages and a live directory.
struct Site {
    directory: tempfile::TempDir,
    live: Live,
    address: SocketAddr,
    stop: Box<dyn FnOnce() + Send>,
}

async fn home() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header(("etag", "\"home\""))
        .body("<!doctype html><head><title>Home</title><body>home")
}

async fn trickle() -> HttpResponse {
    let parts = ["<!doctype html><ht", "ml><head", "><title>T</title>", "<body>slow"]
        .map(|part| Ok::<_, actix_web::Error>(Bytes::from(part)));
    HttpResponse::Ok().content_type("text/html").streaming(stream::iter(parts))
}

async fn bytes() -> HttpResponse {
    let page = format!("<!-- {} --><!doctype html><head><title>T</title>", "x".repeat(50_000));
    let parts = page.into_bytes().into_iter().map(|byte| Ok::<_, actix_web::Error>(Bytes::from(vec![byte])));
    HttpResponse::Ok().content_type("text/html").streaming(stream::iter(parts.collect::<Vec<_>>()))
}

async fn data() -> HttpResponse {
    HttpResponse::Ok().content_type("text/html").insert_header(("content-encoding", "gzip")).body(vec![0x1f, 0x8b, 8])
}

async fn strict() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html")
        .insert_header(("content-security-policy", "script-src 'nonce-abc'; connect-src 'self'"))
        .body("<p>strict")
}

async fn etag(request: HttpRequest) -> HttpResponse {
    if request.headers().contains_key("if-none-match") {
        HttpResponse::NotModified().finish()
    } else {
        HttpResponse::Ok().body("{}")
    }
}

async fn download() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html")
        .insert_header(("content-disposition", "attachment; filename=a.html"))
        .body("<p>a file")
}

async fn utf16() -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=UTF-16LE").body(vec![b'h', 0, b'i', 0])
}

async fn nobody() -> HttpResponse {
    HttpResponse::NotFound().content_type("text/html").body("<h1>My own 404</h1>")
}

impl Site {
    fn new(prefix: &'static str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("style.css"), "p {}").unwrap();
        std::fs::write(directory.path().join("data.json"), "[1]").unwrap();
        std::fs::write(directory.path().join("page.html"), "<!doctype html><p>a file").unwrap();
        let live = Live::new(directory.path()).unwrap();
        Self::serve(directory, live, prefix)
    }

    fn serve(directory: tempfile::TempDir, live: Live, prefix: &'static str) -> Self {
        let (sender, started) = mpsc::channel();
        let app = live.clone();
        let thread = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    let routes = App::new()
                        .wrap(app.inject())
                        .route("/", web::get().to(home))
                        .route("/trickle", web::get().to(trickle))
                        .route("/bytes", web::get().to(bytes))
                        .route("/data", web::get().to(data))
                        .route("/strict", web::get().to(strict))
                        .route("/etag", web::get().to(etag))
                        .route("/download", web::get().to(download))
                        .route("/utf16", web::get().to(utf16))
                        .configure(app.mount(prefix));
                    if prefix == "/" { routes } else { routes.default_service(web::route().to(nobody)) }
                });
                let server = server.workers(2).disable_signals().bind(("127.0.0.1", 0)).unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                sender.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = started.recv_timeout(DEADLINE).unwrap();
        let stop = move || {
            actix_web::rt::System::new().block_on(handle.stop(false));
            thread.join().unwrap();
        };
        Self { directory, live, address, stop: Box::new(stop) }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).unwrap();
    }

    fn request(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        let mut connection = TcpStream::connect(self.address).unwrap();
        connection.set_read_timeout(Some(DEADLINE)).unwrap();
        let headers = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<String>();
        let (host, length) = (self.address, body.len());
        write!(connection, "{method} {url} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n{body}").unwrap();
        connection
    }

    /// Head and body.
    fn get(&self, url: &str, headers: &[(&str, &str)]) -> (String, String) {
        let mut answer = String::new();
        let mut bytes = Vec::new();
        self.request("GET", url, headers, "").read_to_end(&mut bytes).unwrap();
        answer.push_str(&String::from_utf8_lossy(&bytes));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_ascii_lowercase(), body.to_owned())
    }

    /// The version with which a page was sent.
    fn version(&self, url: &str) -> String {
        let (_, page) = self.get(url, &[("sec-fetch-dest", "document")]);
        page.split("data-version=\"").nth(1).expect("a live page").split('"').next().unwrap().to_owned()
    }

    fn stream(&self, method: &str, url: &str, body: &str) -> Stream {
        let accept = [("accept", "text/event-stream")];
        Stream { lines: BufReader::new(self.request(method, url, &accept, body)) }
    }

    /// The stream of a page that has these files in these versions.
    fn page(&self, uses: &str) -> Stream {
        let mut stream = self.stream("POST", "/_savecast/events", &format!("{{\"uses\": {{{uses}}}}}"));
        stream.expect("retry: 500");
        stream
    }
}

struct Stream {
    lines: BufReader<TcpStream>,
}

impl Stream {
    /// Reads on until there is a line with this text, and returns it.
    #[track_caller]
    fn expect(&mut self, text: &str) -> String {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            let length =
                self.lines.read_line(&mut line).unwrap_or_else(|error| panic!("{error} instead of {text}: {seen}"));
            assert!(length > 0, "the end instead of {text}: {seen}");
            if line.contains(text) {
                return line;
            }
            seen.push_str(&line);
        }
    }
}

/// The threads are those of the whole process, so the tests take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(target_os = "linux")]
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks
        .filter(|task| std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "savecast"))
        .count()
}

#[test]
fn handlers_pages_are_live_and_everything_else_is_theirs() {
    let _alone = alone();
    let site = Site::new("/assets");
    let document = [("sec-fetch-dest", "document")];
    let (head, body) = site.get("/", &document);
    assert!(body.starts_with("<!doctype html><head><script src=\"/_savecast/client.js\" data-path=\"/\""), "{body}");
    assert!(head.contains("server-timing: savecast;desc=") && !head.contains("etag"), "{head}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    // What the browser has is of another program, perhaps.
    let (head, _) = site.get("/", &[("sec-fetch-dest", "document"), ("if-none-match", "\"home\"")]);
    assert!(head.starts_with("http/1.1 200"), "{head}");
    // A script that asks for a part of a page gets what was written.
    let (head, body) = site.get("/", &[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors")]);
    assert!(!body.contains("_savecast") && head.contains("etag: \"home\""), "{head}{body}");
    // A program that asks for data, a download, and the client that asks whether the page is there.
    let (head, _) = site.get("/etag", &[("if-none-match", "\"1\"")]);
    assert!(head.starts_with("http/1.1 304"), "{head}");
    let (_, body) = site.get("/download", &document);
    assert!(!body.contains("client.js"), "{body}");
    assert_eq!(site.get("/utf16", &document).1, "h\0i\0");
    let (_, body) = site.get("/", &[("hx-request", "true")]);
    assert!(!body.contains("client.js"), "{body}");
    let look = |headers: &[(&str, &str)]| {
        let mut answer = String::new();
        site.request("HEAD", "/", headers, "").read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(look(&[]).starts_with("HTTP/1.1 404"), "their routes are for GET alone");
    let answer = look(&[("savecast-look", "")]);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n"), "{answer}");
    // Their own 404, live, and ours below the directory.
    let (head, body) = site.get("/nowhere", &document);
    assert!(head.starts_with("http/1.1 404") && body.contains("client.js") && body.contains("My own 404"), "{body}");
    let (head, body) = site.get("/assets/nowhere", &document);
    assert!(head.starts_with("http/1.1 404") && body.contains("/assets/nowhere isn’t there"), "{body}");
    let (head, _) = site.get("/assets", &document);
    assert!(head.starts_with("http/1.1 307") && head.contains("location: /assets/"), "{head}");
    // Files are as they are anywhere: with one client, and not sent again.
    let (head, body) = site.get("/assets/page.html", &document);
    assert_eq!(body.matches("client.js").count(), 1);
    let etag = head.split("etag: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let (head, _) = site.get("/assets/page.html", &[("sec-fetch-dest", "document"), ("if-none-match", &etag)]);
    assert!(head.starts_with("http/1.1 304"), "{head}");
    let (_, body) = site.get("/data", &document);
    assert!(!body.contains("client.js"), "what is compressed is left alone");
    let (_, body) = site.get("/strict", &document);
    assert!(body.contains("nonce=\"abc\""), "{body}");
    // No page of somebody else's.
    let mut answer = String::new();
    let mut connection = TcpStream::connect(site.address).unwrap();
    write!(connection, "GET /assets/data.json HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n").unwrap();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[test]
fn a_page_that_trickles_goes_on_trickling() {
    let _alone = alone();
    let site = Site::new("/assets");
    let (head, body) = site.get("/trickle", &[("sec-fetch-dest", "document")]);
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    let text =
        body.lines().filter(|line| !line.chars().all(|c| c.is_ascii_hexdigit())).map(str::trim_end).collect::<String>();
    assert!(text.starts_with("<!doctype html><html><head><script src=\"/_savecast/client.js\""), "{text}");
    assert!(text.ends_with("</script><title>T</title><body>slow"), "{text}");
    let (_, body) = site.get("/bytes", &[("sec-fetch-dest", "document")]);
    let client = body.find("<script src=\"/_savecast/client.js\"").expect("the client");
    assert!(body[..client].contains("<!doctype html><head>"), "it comes too early");
}

#[test]
fn files_pages_and_channels_are_heard_of() {
    let _alone = alone();
    let site = Site::new("/assets");
    let mut file = site.stream("GET", "/assets/data.json", "");
    file.expect("data: [1]");
    site.write("data.json", "[2]");
    file.expect("data: [2]");

    let home = site.version("/");
    let (head, _) = site.get("/assets/style.css", &[]);
    let style = head.split("etag: \"").nth(1).unwrap().split('"').next().unwrap();
    let mut page = site.page(&format!("\"/\": \"{home}\", \"/assets/style.css\": \"{style}\""));
    let mut channel = site.stream("GET", "/_savecast/channels/users/42", "");
    channel.expect("retry");
    let publish = || site.live.channel("users/42").unwrap().publish("push", "{\"n\":1}");
    assert_eq!(publish(), 1);
    channel.expect("event: push");
    channel.expect("data: {\"n\":1}");
    site.write("style.css", "p { color: red }");
    page.expect("\"path\":\"/assets/style.css\"");
    site.live.reload();
    page.expect("event: reload");
    site.live.changed("/?q=1");
    let changed = page.expect("\"path\":\"/\"");
    assert!(!changed.contains(&home), "{changed}");
    // Who loads it now has it.
    let now = site.version("/");
    assert!(changed.contains(&now), "{changed}");
    let mut late = site.page(&format!("\"/\": \"{now}\""));
    site.live.reload();
    late.expect("event: reload");
    assert!(site.live.channel("").is_err());
}

#[test]
fn the_options_are_those_of_the_command_line() {
    let _alone = alone();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("data.json"), "[1]").unwrap();
    std::fs::write(directory.path().join("large.txt"), "x".repeat(101)).unwrap();
    let (sender, notices) = mpsc::channel();
    let live = Live::builder(directory.path())
        .max_push(100)
        .poll(Duration::from_millis(20))
        .allow_host("Demo.Test")
        .allow_origin("http://localhost:5173/")
        .on_notice(move |notice| drop(sender.send(notice.to_string())))
        .build()
        .unwrap();
    let site = Site::serve(directory, live, "/assets");
    let mut file = site.stream("GET", "/assets/data.json", "");
    file.expect("data: [1]");
    site.write("data.json", "[1,]");
    file.expect("event: problem");
    let said = notices.recv_timeout(DEADLINE).unwrap();
    assert!(said.contains("/assets/data.json:1:3: trailing comma"), "{said}");
    site.stream("GET", "/assets/large.txt", "").expect("too large to push");
    let mut answer = String::new();
    let mut connection = TcpStream::connect(site.address).unwrap();
    let request = "GET /assets/data.json HTTP/1.1\r\nhost: demo.test\r\norigin: http://localhost:5173\r\nconnection: close\r\n\r\n";
    connection.write_all(request.as_bytes()).unwrap();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("access-control-allow-origin: http://localhost:5173"), "{answer}");
    assert!(
        Live::new(site.directory.path().join("nowhere")).is_err_and(|error| error.to_string().contains("cannot serve"))
    );
}

#[test]
fn pages_of_a_program_that_has_started_again_are_others() {
    let _alone = alone();
    let first = Site::new("/assets");
    let home = first.version("/");
    drop(first.live);
    (first.stop)();
    let second = Site::new("/assets");
    let mut page = second.page(&format!("\"/\": \"{home}\""));
    page.expect("event: change");
    page.expect("\"path\":\"/\"");
}

#[test]
fn a_directory_may_be_the_root_of_an_app() {
    let _alone = alone();
    let site = Site::new("/");
    let document = [("sec-fetch-dest", "document")];
    let (_, body) = site.get("/", &document);
    assert!(body.contains("home") && body.matches("client.js").count() == 1, "{body}");
    let (_, body) = site.get("/page.html", &document);
    assert!(body.contains("a file") && body.matches("client.js").count() == 1, "{body}");
    let home = site.version("/");
    let missing = site.version("/missing.html");
    let mut page = site.page(&format!("\"/\": \"{home}\", \"/missing.html\": \"{missing}\""));
    site.write("missing.html", "<p>here");
    // Neither of them was news before, although there is a directory at `/`, too.
    let path = page.expect("\"path\":");
    assert!(path.contains("/missing.html"), "{path}");
    site.live.changed("/");
    let path = page.expect("\"path\":");
    assert!(path.contains("\"/\""), "{path}");
    // What another program has rendered is another one, whether this one has rendered it or not.
    let mut old =
        site.page("\"/\": \"00000000000000000000000000000001\", \"/trickle\": \"00000000000000000000000000000001\"");
    old.expect("event: change");
    old.expect("event: change");
}

#[test]
fn closing_ends_streams_so_that_a_server_can_stop() {
    let _alone = alone();
    let site = Site::new("/assets");
    let mut stream = site.stream("GET", "/assets/data.json", "");
    stream.expect("data: [1]");
    site.live.close();
    stream.expect("event: end");
    stream.lines.read_to_end(&mut Vec::new()).unwrap();
}

#[test]
#[should_panic(expected = "no path such as")]
fn nothing_is_mounted_where_our_own_resources_are() {
    let directory = tempfile::tempdir().unwrap();
    drop(Live::new(directory.path()).unwrap().mount("/_savecast/assets"));
}

#[cfg(target_os = "linux")]
#[test]
fn the_last_clone_takes_all_of_it_along() {
    let _alone = alone();
    let others = [(); 2].map(|()| Site::new("/assets"));
    let mut streams = others.each_ref().map(|site| {
        let mut stream = site.stream("GET", "/assets/data.json", "");
        stream.expect("data: [1]");
        stream
    });
    let [first, second] = others;
    let before = threads();
    assert!(before >= 2);
    // The other one goes on.
    let clone = first.live.clone();
    drop(first.live);
    let [stream, other] = &mut streams;
    std::fs::write(first.directory.path().join("data.json"), "[2]").unwrap();
    stream.expect("data: [2]");
    drop(clone);
    (first.stop)();
    stream.lines.read_to_end(&mut Vec::new()).unwrap();
    second.write("data.json", "[3]");
    other.expect("data: [3]");
    let end = Instant::now() + DEADLINE;
    while threads() >= before {
        assert!(Instant::now() < end, "the thread goes on");
        thread::yield_now();
    }
}
