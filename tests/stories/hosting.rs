//! A site is served as hosts serve it: pages without endings, `404.html`, `_redirects` and `_headers`, and all of it live.

use std::fs;
use std::io::Read;

use crate::support::Answer;
use crate::support::DEADLINE;
use crate::support::Server;
use crate::support::Site;

const TREE: [(&str, &str); 9] = [
    ("index.html", "start"),
    ("file.html", "file"),
    ("folder/index.html", "folder"),
    ("both.html", "both"),
    ("both/index.html", "both, index"),
    ("about.html", "about"),
    ("news/1.html", "news 1"),
    ("404.html", "lost"),
    ("blog/404.html", "lost in the blog"),
];

fn site(redirects: &str, headers: &str) -> Site {
    let site = Site::with(&TREE);
    site.write("app.js", "1");
    for (name, text) in [("_redirects", redirects), ("_headers", headers)] {
        if !text.is_empty() {
            site.write(name, text);
        }
    }
    site
}

fn navigate(server: &Server, url: &str) -> Answer {
    server.request(
        "GET",
        url,
        &[("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate"), ("accept", "text/html,*/*")],
    )
}

#[track_caller]
fn check(answer: &Answer, status: u16, words: &str) {
    let found = (answer.status, answer.header("location"), answer.text.as_str());
    assert!(
        answer.status == status && (answer.text.contains(words) || answer.header("location") == words),
        "{found:?}"
    );
}

#[test]
fn pages_need_no_ending_and_what_is_missing_has_a_page() {
    let site = site("", "");
    let server = site.serve();
    for (url, status, words) in [
        ("/file", 200, "file"),
        ("/file/", 307, "/file"),
        ("/file/?a=1", 307, "/file?a=1"),
        ("/file.html", 200, "file"),
        ("/folder", 307, "/folder/"),
        ("/both", 200, "both"),
        ("/both/", 200, "both, index"),
        ("/nothing", 404, "lost"),
        ("/blog/nothing", 404, "lost in the blog"),
    ] {
        let answer = navigate(&server, url);
        check(&answer, status, words);
        // Pages for what is missing are live, too.
        assert_eq!(answer.text.contains("/_savecast/client.js"), status != 307, "{url}");
        assert_eq!(answer.header("cache-control"), "no-cache");
    }
    // A part of a page gets no page.
    let part = server.request("GET", "/nothing.js", &[("sec-fetch-dest", "script")]);
    assert_eq!((part.status, part.text.as_str()), (404, "no such file\n"));
    // A stream is of what is shown.
    server.follow("/file").expect("file");
}

#[test]
fn what_a_page_lacks_is_told_once() {
    let site = site("", "");
    let server = site.serve();
    let referer = format!("{}/about?x=1", server.url);
    for _ in 0..2 {
        server.request("GET", "/img/logo.png", &[("sec-fetch-dest", "image"), ("referer", &referer)]);
    }
    server.request("GET", "/other.js", &[("sec-fetch-dest", "script"), ("referer", &referer)]);
    server.expect_complaint("/about requests /img/logo.png, which does not exist");
    // Once: the next line is about the next file.
    assert!(server.next_complaint().contains("/other.js"));
}

#[test]
fn apps_answer_for_their_pages_and_for_nothing_else() {
    let site = Site::with(&[("index.html", "start"), ("data/a.json", "1")]);
    let server = site.serve_with(&["--spa"]);
    check(&navigate(&server, "/user/jane.doe"), 200, "start");
    check(&server.request("GET", "/user/1", &[("accept", "text/html")]), 200, "start");
    check(&server.request("GET", "/user/1", &[("accept", "*/*")]), 200, "start");
    check(&navigate(&server, "/data/"), 200, "start");
    for (url, headers) in [
        ("/no.js", &[("sec-fetch-dest", "script")][..]),
        ("/no", &[("sec-fetch-dest", "empty")]),
        ("/no.json", &[("accept", "application/json")]),
        ("/no.png", &[("accept", "*/*")]),
    ] {
        assert_eq!(server.request("GET", url, headers).status, 404, "{url}");
    }
    drop(server);
    site.write("200.html", "fallback");
    check(&navigate(&site.serve(), "/user/1"), 200, "fallback");
}

#[test]
fn redirects_lead_where_they_say() {
    let site =
        site("/a /about\n/blog/* /news/:splat 200\n/x /about 404\n/about /file 301\n/s id=:id /news/:id 308\n", "");
    let server = site.serve();
    for (url, status, words) in [
        ("/a", 301, "/about"),
        ("/a?x=1", 301, "/about?x=1"),
        ("/blog/1", 200, "news 1"),
        ("/blog/9", 404, "lost in the blog"),
        ("/x", 404, "about"),
        ("/about", 200, "about"),
        ("/s?u=2&id=1", 308, "/news/1?u=2"),
    ] {
        check(&navigate(&server, url), status, words);
    }
    server.expect_complaint("/_redirects:4: hidden by /about.html");
    // Neither the file of rules nor what it leads to by a trick.
    for url in ["/_redirects", "/_headers", "/_redirects/", "/%5Fredirects"] {
        assert_eq!(server.get(url).status, 404, "{url}");
        assert_eq!(server.request("GET", url, &[("accept", "text/event-stream")]).status, 404, "{url}");
    }
    assert!(!server.get("/news/").text.contains("_redirects"));
    // Streams and long polls are of what is shown.
    let events = server.follow("/blog/1");
    events.expect("news 1");
    site.write("news/1.html", "news 1, again");
    events.expect("news 1, again");
    let etag = navigate(&server, "/blog/1").header("etag").to_owned();
    assert_eq!(
        server
            .request(
                "GET",
                "/blog/1",
                &[("if-none-match", &etag), ("prefer", "wait=1"), ("sec-fetch-dest", "document")]
            )
            .status,
        304
    );
}

#[test]
fn nothing_that_was_asked_for_leads_to_another_server() {
    let site = site("/* /:splat 301!\n/go/* /:splat 302\n", "");
    let server = site.serve();
    for url in [
        "//evil.example",
        "/%2F%2Fevil.example",
        "/..%2f",
        "/go//evil.example",
        "/%5Cevil.example",
        "/a%0d%0aLocation:%20b",
    ] {
        let answer = server.raw(&format!("GET {url} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"));
        let location = answer.lines().find(|line| line.to_ascii_lowercase().starts_with("location:"));
        assert!(location.is_none_or(|location| !location.contains("//")), "{url}: {answer}");
    }
}

#[test]
fn rules_are_live_and_the_last_good_ones_stay() {
    let site = site("/a /about 301\n", "");
    let server = site.serve();
    check(&navigate(&server, "/a"), 301, "/about");
    site.write("_redirects", "/a /file 301\n");
    check(&navigate(&server, "/a"), 301, "/file");
    site.write("_redirects", "/a /file 418\n");
    check(&navigate(&server, "/a"), 301, "/file");
    // What is broken for longer than a save takes is said.
    let page = server.follow_with("POST", "/_savecast/events", &[], r#"{"uses": {"/_redirects": ""}}"#);
    let problem = page.expect_event("problem");
    assert_eq!((&problem["path"], &problem["line"]), (&"/_redirects".into(), &1.into()));
    server.expect_complaint("/_redirects:1: \"418\" is no status");
    check(&navigate(&server, "/a"), 301, "/file");
    site.write("_redirects", "/a /both 301\n");
    assert_eq!(page.expect_event("change")["path"], "/_redirects");
    check(&navigate(&server, "/a"), 301, "/both");
    site.remove("_redirects");
    check(&navigate(&server, "/a"), 404, "lost");
    // Its contents are for nobody.
    let reader =
        server.follow_with("POST", "/_savecast/events", &[], r#"{"reads": {"/_headers": null, "/app.js": null}}"#);
    assert_eq!(reader.expect_event("message")["path"], "/app.js");
    // What takes the place of the file is said, and what it was stays.
    site.write("_redirects", "/a /about 301\n");
    check(&navigate(&server, "/a"), 301, "/about");
    fs::rename(site.path("_redirects"), site.path("old")).expect("a rename");
    fs::create_dir(site.path("_redirects")).expect("a directory");
    check(&navigate(&server, "/a"), 301, "/about");
    server.expect_complaint("/_redirects: this is a directory");
}

#[test]
fn headers_are_set_and_ours_stay_true() {
    let rules = "/*\n  X-A: 1\n  ETag: x\n  Cache-Control: max-age=9\n  Vary: Cookie\n/news/*\n  X-A: 2\n/file\n  ! X-A\n/app.js\n  Content-Type: text/plain\n";
    let site = site("/a /about 301\n", rules);
    let server = site.serve();
    server.expect_complaint("/_headers:3: etag is set by the server itself");
    for (url, expected) in [("/about", "1"), ("/news/1", "1, 2"), ("/a", "1"), ("/nothing", "1"), ("/file", "")] {
        let answer = navigate(&server, url);
        assert_eq!((answer.header("x-a"), answer.header("cache-control")), (expected, "no-cache"), "{url}");
    }
    let answer = server.get("/app.js");
    assert_eq!(answer.header("content-type"), "text/plain");
    let etag = answer.header("etag").to_owned();
    let again = server.request("GET", "/app.js", &[("if-none-match", &etag)]);
    assert_eq!((again.status, again.header("x-a"), again.has("content-type")), (304, "1", false));
    let stream = server.follow("/app.js");
    assert_eq!((stream.head.header("content-type"), stream.head.header("x-a")), ("text/event-stream", "1"));
    assert!(stream.head.header("cache-control").contains("no-transform"));
    assert!(!server.get("/_savecast/client.js").has("x-a"));
}

#[test]
fn a_policy_of_the_site_allows_the_client_and_no_more() {
    let policy = "default-src 'none'; script-src 'nonce-abc'";
    let site = site("", &format!("/*\n  Content-Security-Policy: {policy}\n"));
    let server = site.serve();
    let page = navigate(&server, "/about");
    let ours = format!("{}/_savecast/", server.url.trim_start_matches("http://"));
    let widened = page.header("content-security-policy");
    assert!(
        widened.starts_with(policy) && widened.contains(&ours) && widened.contains("connect-src 'self'"),
        "{widened}"
    );
    assert!(page.text.contains(" nonce=\"abc\""), "{}", page.text);
    assert_eq!(server.get("/app.js").header("content-security-policy"), policy);
}

#[test]
fn directories_are_mounted() {
    let site =
        Site::with(&[("index.html", "start"), ("vendor/own.js", "own"), ("lib/lib.js", "1"), ("deep/deep.js", "2")]);
    let other = Site::with(&[("a.json", "1"), (".env", "secret"), ("_redirects", "text")]);
    fs::write(other.path("../outside.txt"), "secret").expect("a file");
    #[cfg(unix)]
    std::os::unix::fs::symlink(other.path("../outside.txt"), other.path("link.txt")).expect("a link");
    let mounts = [
        format!("/vendor={}", site.path("lib").display()),
        format!("/vendor/x/deep={}", site.path("deep").display()),
        format!("/other:{}", other.path("").display()),
    ];
    let mounts = mounts.iter().flat_map(|mount| ["--mount", mount]).collect::<Vec<_>>();
    let server = site.serve_with(&mounts);
    for (url, status, words) in [
        ("/vendor/lib.js", 200, "1"),
        ("/vendor/own.js", 404, ""),
        ("/vendor/x/deep/deep.js", 200, "2"),
        ("/vendor/x/", 200, "deep/"),
        ("/vendor", 307, "/vendor/"),
        ("/other/a.json", 200, "1"),
        ("/other/.env", 404, ""),
        ("/other/link.txt", 404, ""),
        ("/other/../outside.txt", 404, ""),
        // It is a file like others, where it is not in the root.
        ("/other/_redirects", 200, "text"),
    ] {
        check(&server.get(url), status, words);
    }
    let listing = server.follow("/").expect_event("message");
    let names = listing.as_array().expect("a list").iter().map(|entry| entry["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names, ["deep", "index.html", "lib", "other", "vendor"]);
    // It is watched in the same way.
    let events = server.follow("/other/a.json");
    events.expect("1");
    other.write("a.json", "2");
    events.expect("2");
    fs::remove_dir_all(other.path("")).expect("no directory");
    events.expect_event("removed");
    other.write("a.json", "3");
    events.expect("3");
}

#[test]
fn what_is_ignored_never_changes_a_page() {
    let site = site("", "");
    let server = site.serve_with(&["--ignore", "*.js", "--ignore", "news/**"]);
    let page = r#"{"uses": {"/app.js": null, "/news/1.html": null, "/about.html": null}}"#;
    let page = server.follow_with("POST", "/_savecast/events", &[], page);
    let data = server.follow("/app.js");
    data.expect("1");
    site.write("app.js", "2");
    data.expect("2");
    site.write("news/1.html", "2");
    site.write("about.html", "2");
    assert_eq!(page.expect_event("change")["path"], "/about.html");
}

#[test]
fn a_stream_goes_where_its_url_leads() {
    let site = Site::with(&[
        ("one.json", "1"),
        ("two.json", "2"),
        ("about.html", "page"),
        ("_redirects", "/rw /one.json 200\n"),
    ]);
    let server = site.serve();
    let [rewritten, about, missing, late] = ["/rw", "/about", "/new", "/late"].map(|url| server.follow(url));
    rewritten.expect("1");
    about.expect("page");
    missing.expect_event("removed");
    late.expect_event("removed");
    server.wait_for_status(|status| status["streams"] == 4);
    site.write("_redirects", "/rw /two.json 200\n");
    rewritten.expect("2");
    site.write("two.json", "22");
    rewritten.expect("22");
    site.write("one.json", "11");
    // A file comes before a page, and before a rule.
    site.write("about", "plain");
    about.expect("plain");
    site.write("rw", "file");
    rewritten.expect("file");
    // Without it, the URL means what it meant before.
    for (name, stream, before) in [("about", &about, "page"), ("rw", &rewritten, "22")] {
        fs::remove_file(site.path(name)).expect("no file");
        stream.expect(before);
    }
    site.write("new.html", "new");
    missing.expect("new");
    site.write("_redirects", "/late /one.json 200\n");
    late.expect("11");
    // A long poll ends with a rule, too.
    let etag = server.get("/late").header("etag").to_owned();
    let request = format!(
        "GET /late HTTP/1.1\r\nHost: HOST\r\nIf-None-Match: {etag}\r\nPrefer: wait=20\r\nConnection: close\r\n\r\n"
    );
    let mut poll = server.open(&request);
    poll.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    server.wait_for_status(|status| status["streams"] == 5);
    site.write("_redirects", "/late /two.json 200\n");
    let mut answer = String::new();
    poll.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("22"), "{answer}");
    late.expect("22");
    // With the streams, all of it goes.
    drop((rewritten, about, missing, late));
    server.wait_for_status(|status| status["followed"] == 0 && status["streams"] == 0);
}

#[test]
fn what_the_rules_say_is_read_by_nobody() {
    let site = Site::with(&[("_redirects", "/secret /x 301\n"), ("savecast.conf", "spa = true\n")]);
    #[cfg(unix)]
    for (link, target) in [("alias.txt", "_redirects"), ("self", "."), ("404.html", "_redirects")] {
        std::os::unix::fs::symlink(target, site.path(link)).expect("a link");
    }
    let root = site.path("").display().to_string();
    let config = site.path("savecast.conf").display().to_string();
    let server = site.serve_with(&["--mount", &format!("/m={root}"), "--config", &config]);
    for url in [
        "/alias.txt",
        "/self/_redirects",
        "/m/_redirects",
        "/m/alias.txt",
        "/x",
        "/m/savecast.conf",
        "/self/savecast.conf",
    ] {
        let answer = server.request("GET", url, &[("accept", "*/*"), ("sec-fetch-dest", "empty")]);
        assert!(answer.status == 404 && !answer.text.contains("secret"), "{url}: {answer:?}");
    }
    for url in ["/", "/m/", "/self/"] {
        let listing = server.follow(url).next().data;
        assert!(
            !listing.contains("_redirects") && !listing.contains("savecast.conf") && !listing.contains("alias"),
            "{url}: {listing}"
        );
    }
}

#[test]
fn rules_of_any_size_hold_nobody_up() {
    let site = Site::with(&[("a.json", "1")]);
    let server = site.serve();
    let lines =
        (0..5000).fold(String::new(), |text, n| text + &format!("/s{n}/* /t{n}/:splat 301\n/c{n} /c{} 301\n", n + 1));
    for text in [lines, "x\n".repeat(400_000), "x".repeat(2 << 20)] {
        site.write("_redirects", &text);
        let start = std::time::Instant::now();
        assert_eq!(server.get("/a.json").text, "1");
        assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
    }
    server.expect_complaint("/_redirects: this is larger than 1 MiB");
}
