//! Ways around the rules of what may be seen, and by whom.

use std::fs;

use crate::secure::Home;
use crate::support::Site;

#[test]
fn what_is_hidden_is_hidden_behind_links_too() {
    let site = Site::with(&[
        (".npmrc", "SECRET"),
        (".aws/credentials", "SECRET"),
        ("sub/.cache/a.txt", "SECRET"),
        ("..2026_11_21_09_05_03.123/map.txt", "config"),
        ("index.html", "<p>hi"),
    ]);
    site.shell("ln -s .npmrc a.txt && ln -s .aws aws && ln -s aws/credentials c && ln -s ../.aws sub/aws && ln -s sub/.cache cache");
    site.shell("ln -s ..2026_11_21_09_05_03.123 ..data && ln -s ..data/map.txt map.txt");
    let server = site.serve();
    for path in ["/a.txt", "/aws/credentials", "/c", "/sub/aws/credentials", "/cache/a.txt"] {
        assert_eq!(server.get(path).status, 404, "{path}");
        assert_eq!(server.follow(path).expect_event("removed")["path"], path);
        assert_eq!(server.follow(&format!("{path}?as=lines")).expect_event("removed")["path"], path);
    }
    for path in ["/aws/", "/cache/"] {
        assert_eq!(server.get(path).status, 404, "{path}");
        assert_eq!(server.follow(path).expect_event("removed")["path"], path);
    }
    let wish = r#"{"reads":{"/a.txt":null,"/aws/credentials":null}}"#;
    let page = server.follow_with("POST", "/_savecast/events", &[], wish);
    assert_eq!([page.next().event, page.next().event], ["removed", "removed"]);
    fs::remove_file(site.path("index.html")).expect("a file");
    let names = server.follow("/").expect_event("message");
    let names = names.as_array().expect("a listing").iter().map(|entry| entry["name"].as_str().expect("a name"));
    assert_eq!(names.collect::<Vec<_>>(), ["map.txt", "sub"]);

    assert_eq!(server.get("/map.txt").text, "config");
    let map = server.follow("/map.txt");
    map.expect("config");
    site.write("..2026_11_21_09_05_04.456/map.txt", "new");
    site.shell("ln -s ..2026_11_21_09_05_04.456 ..data_tmp && mv -T ..data_tmp ..data");
    map.expect("new");
    // What becomes hidden is gone.
    site.shell("ln -sfn .npmrc map.txt");
    map.expect_event("removed");
}

#[test]
fn what_reaches_the_terminal_is_one_line_of_letters() {
    let page = "<meta http-equiv=Content-Security-Policy content=\"script-src 'none\x1b[31m\u{202e}'\">";
    let site = Site::with(&[("a\nsavecast: all is well\x1b[2J\u{202e}.json", "{"), ("page.html", page)]);
    site.shell("mkdir -p \"$(printf 'b\\033[2J')\" && printf '\\377\\376<' > \"$(printf 'b\\033[2J')/c.html\"");
    let server = site.serve();
    let broken = server.follow("/a%0Asavecast:%20all%20is%20well%1B%5B2J%E2%80%AE.json");
    broken.expect_event("problem");
    server.expect_complaint(r"/a\nsavecast: all is well\u{1b}[2J\u{202e}.json");
    server.get("/page.html");
    server.expect_complaint(r"script-src 'none\u{1b}[31m\u{202e}'");
    server.get("/b%1B%5B2J/c.html");
    server.expect_complaint(r"/b\u{1b}[2J/c.html is UTF-16");
}

#[test]
fn every_answer_says_what_it_is_and_who_may_embed_it() {
    let site = Site::with(&[
        ("data.json", "1"),
        ("index.html", "<p>hi"),
        ("dir/a.txt", "a"),
        ("large.txt", &"x".repeat(300_000)),
    ]);
    site.shell("mkfifo fifo.txt");
    let server = site.serve_with(&["--cors", "http://app.test"]);
    let etag = server.get("/data.json").header("etag").to_owned();
    let preflight = [("origin", "http://app.test"), ("access-control-request-method", "GET")];
    for (status, method, url, headers) in [
        (200, "GET", "/", &[][..]),
        (200, "GET", "/large.txt", &[]),
        (200, "GET", "/dir/", &[]),
        (200, "GET", "/_savecast/status", &[]),
        (200, "GET", "/_savecast/", &[]),
        (200, "GET", "/_savecast/client.js", &[]),
        (200, "GET", "/_savecast/channels/", &[]),
        (200, "HEAD", "/data.json", &[("accept", "text/event-stream")]),
        (204, "OPTIONS", "/data.json", &preflight),
        (206, "GET", "/data.json", &[("range", "bytes=0-0")]),
        (304, "GET", "/data.json", &[("if-none-match", &*etag)]),
        (307, "GET", "/dir", &[]),
        (400, "GET", "/data.json?as=what", &[("accept", "text/event-stream")]),
        (403, "GET", "/fifo.txt", &[]),
        (403, "GET", "/", &[("host", "evil.example")]),
        (403, "POST", "/_savecast/events", &[("origin", "http://evil.example")]),
        (404, "GET", "/nothing", &[]),
        (404, "GET", "/.env", &[]),
        (404, "GET", "/_savecast/nothing", &[]),
        (405, "DELETE", "/data.json", &[]),
        (405, "DELETE", "/_savecast/events", &[]),
        (406, "GET", "/_savecast/events", &[]),
        (412, "GET", "/data.json", &[("if-match", "\"other\"")]),
        (416, "GET", "/data.json", &[("range", "bytes=9-")]),
    ] {
        let answer = server.request(method, url, headers);
        let policies = (answer.header("x-content-type-options"), answer.header("cross-origin-resource-policy"));
        assert_eq!((answer.status, policies), (status, ("nosniff", "same-site")), "{method} {url} {headers:?}");
    }
    let large = server.post("/_savecast/channels/a", &[], &"x".repeat(2 << 20));
    assert_eq!((large.status, large.header("x-content-type-options")), (413, "nosniff"));
    for url in ["/data.json", "/_savecast/channels/a"] {
        let events = server.follow(url);
        let head = &events.head;
        let policies = (head.header("x-content-type-options"), head.header("cross-origin-resource-policy"));
        assert_eq!(policies, ("nosniff", "same-site"), "{url}");
    }
}

#[test]
fn a_foreign_page_can_not_tell_which_files_there_are() {
    let site = Site::with(&[("page.html", "<p>hi"), ("data.json", "1"), ("app.zip", "PK")]);
    let (server, home) = (site.serve(), Home::new());
    let secure = home.serve(&site, &[]);
    let ask = |url: &str, mode, destination, more: &[(&str, &str)]| {
        let fetch = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode), ("sec-fetch-dest", destination)];
        let headers = [fetch.as_slice(), more].concat();
        let (answer, over_http2) = (server.request("GET", url, &headers), secure.http2().get(url, &headers));
        assert_eq!((answer.status, &answer.text), (over_http2.status, &over_http2.text()), "{url} {headers:?}");
        answer
    };
    for (mode, destination) in
        [("no-cors", "image"), ("no-cors", "script"), ("navigate", "object"), ("navigate", "embed"), ("cors", "empty")]
    {
        let answers = ["/page.html", "/data.json", "/nothing"].map(|url| ask(url, mode, destination, &[]));
        assert!(answers.iter().all(|answer| answer.status == 403 && answer.text == answers[0].text), "{destination}");
    }
    // A link leads anywhere. A frame shows pages, and what would be downloaded is no page.
    assert_eq!(ask("/app.zip", "navigate", "document", &[]).status, 200);
    assert_eq!(ask("/page.html", "navigate", "iframe", &[]).status, 200);
    assert_eq!(ask("/nothing", "navigate", "iframe", &[]).status, 404);
    assert_eq!(ask("/app.zip", "navigate", "iframe", &[]).status, 403);
    // What a sandboxed frame of our own pages embeds: Chromium and Firefox say no more of it than this.
    let embedded = ask("/data.json", "no-cors", "style", &[("origin", "null")]);
    assert_eq!((embedded.status, embedded.header("cross-origin-resource-policy")), (200, "cross-origin"));
}
