//! Files as files.

use std::fs::File;

use crate::support::Server;
use crate::support::Site;

#[track_caller]
fn media_type(server: &Server, url: &str, expected: &str) {
    assert_eq!(server.get(url).header("content-type"), expected, "{url}");
}

#[test]
fn files_have_their_type() {
    let site = Site::with(&[
        ("a.json", "{}"),
        ("a.css", "p {}"),
        ("a.mjs", "1"),
        ("a.txt", "é"),
        ("a.svg", "<svg/>"),
        ("a.wasm", ""),
        ("a.ts", "let a"),
        ("LICENSE", "free"),
    ]);
    site.write("a.png", [0x89, b'P', b'N', b'G']);
    site.write("latin.txt", b"caf\xe9");
    site.write("core", [0x7f, b'E', 0]);
    let server = site.serve();
    media_type(&server, "/a.json", "application/json; charset=utf-8");
    media_type(&server, "/a.css", "text/css; charset=utf-8");
    media_type(&server, "/a.mjs", "text/javascript; charset=utf-8");
    media_type(&server, "/a.txt", "text/plain; charset=utf-8");
    media_type(&server, "/a.svg", "image/svg+xml; charset=utf-8");
    media_type(&server, "/a.wasm", "application/wasm");
    media_type(&server, "/a.ts", "text/plain; charset=utf-8");
    media_type(&server, "/LICENSE", "text/plain; charset=utf-8");
    media_type(&server, "/a.png", "image/png");
    media_type(&server, "/latin.txt", "text/plain");
    media_type(&server, "/core", "application/octet-stream");
}

#[test]
fn lines_of_json_are_shown_to_people_and_named_to_programs() {
    let site = Site::with(&[("a.ndjson", "{}\n{}\n"), ("a.jsonl", "{}\n")]);
    let server = site.serve();
    for url in ["/a.ndjson", "/a.jsonl"] {
        media_type(&server, url, "application/x-ndjson; charset=utf-8");
        let shown = server.request("GET", url, &[("accept", "text/html,*/*;q=0.8")]);
        assert_eq!(shown.header("content-type"), "text/plain; charset=utf-8");
        let fetched = [("accept", "text/html"), ("sec-fetch-dest", "empty")];
        assert_eq!(server.request("GET", url, &fetched).header("content-type"), "application/x-ndjson; charset=utf-8");
    }
}

#[test]
fn television_is_told_from_typescript() {
    let site = Site::with(&[("app.ts", "G")]);
    let packets = |count| [&b"G@\x11\x10"[..], &[0xff; 184]].concat().repeat(count);
    site.write("film.ts", packets(10));
    // In parts, and larger than what is looked through.
    site.write("long.mts", packets(1000));
    site.write("longer.ts", packets(6000));
    site.write("long-app.mts", "let Game = 'é'\n".repeat(12_000));
    site.write("longer-app.ts", "let Game = 'é'\n".repeat(80_000));
    let server = site.serve_with(&["--max-push", "1M"]);
    for (url, expected) in [
        ("/film.ts", "video/mp2t"),
        ("/long.mts", "video/mp2t"),
        ("/longer.ts", "video/mp2t"),
        ("/app.ts", "text/plain; charset=utf-8"),
        ("/long-app.mts", "text/plain; charset=utf-8"),
        ("/longer-app.ts", "text/plain; charset=utf-8"),
    ] {
        assert_eq!(server.request("HEAD", url, &[]).header("content-type"), expected, "{url}");
    }
    let film = server.follow("/film.ts").expect_event("message");
    assert_eq!((&film["size"], &film["type"]), (&1880.into(), &"video/mp2t".into()));
}

#[test]
fn a_browser_asks_again_and_gets_what_is_new() {
    let site = Site::with(&[("a.json", "{ \"a\": 1 }")]);
    let server = site.serve();
    let first = server.get("/a.json");
    assert_eq!((first.status, first.text.as_str()), (200, "{ \"a\": 1 }"));
    assert_eq!(first.header("cache-control"), "no-cache");
    assert!(first.has("last-modified"));
    assert!(!first.has("access-control-allow-origin"));

    let again = |etag: &str| server.request("GET", "/a.json", &[("if-none-match", etag)]);
    let same = again(first.header("etag"));
    assert_eq!((same.status, same.text.as_str()), (304, ""));
    assert_eq!(same.header("etag"), first.header("etag"));

    site.write("a.json", "{ \"a\": 2 }");
    let new = again(first.header("etag"));
    assert_eq!((new.status, new.text.as_str()), (200, "{ \"a\": 2 }"));
}

#[test]
fn the_etag_is_the_event_id() {
    let site = Site::with(&[("a.json", "{}")]);
    let server = site.serve();
    let id = server.follow("/a.json").next().id;
    assert_eq!(server.get("/a.json").header("etag"), format!("\"{id}\""));
}

#[test]
fn head_is_get_without_the_body() {
    let site = Site::with(&[("a.txt", "hello")]);
    let server = site.serve();
    let head = server.request("HEAD", "/a.txt", &[]);
    assert_eq!((head.status, head.text.as_str(), head.header("content-length")), (200, "", "5"));
    let head = server.request("HEAD", "/a.txt", &[("accept", "text/event-stream")]);
    assert_eq!((head.status, head.header("content-type")), (200, "text/event-stream"));
}

#[test]
fn ranges() {
    let site = Site::with(&[("a.txt", "0123456789")]);
    // Larger than what is kept in memory, with a page of its own in the page cache and no bytes on disk.
    let large = std::fs::File::create(site.path("large.bin")).expect("a file");
    large.set_len(20 << 20).expect("room");
    let server = site.serve();
    for (url, length) in [("/a.txt", 10), ("/large.bin", 20 << 20)] {
        let part = server.request("GET", url, &[("range", "bytes=2-4")]);
        assert_eq!((part.status, part.bytes.len()), (206, 3));
        assert_eq!(part.header("content-range"), format!("bytes 2-4/{length}"));
        let beyond = server.request("GET", url, &[("range", "bytes=99999999-")]);
        assert_eq!((beyond.status, beyond.header("content-range")), (416, format!("bytes */{length}").as_str()));
        let whole = server.get(url);
        assert_eq!((whole.status, whole.bytes.len(), whole.header("accept-ranges")), (200, length, "bytes"));
        assert!(whole.has("etag") && whole.has("last-modified"));
    }
    assert_eq!(server.request("GET", "/a.txt", &[("range", "bytes=2-4")]).text, "234");
}

#[test]
fn other_methods_are_not_allowed() {
    let site = Site::with(&[("a.txt", "hello")]);
    let server = site.serve();
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = server.request(method, "/a.txt", &[]);
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD, POST"), "{method}");
    }
    let answer = server.request("POST", "/a.txt", &[]);
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"));
}

#[test]
fn a_directory_shows_its_index_or_its_entries() {
    let site = Site::with(&[
        ("index.html", "<h1>Home"),
        ("photos/Tea & cake.jpg", "x"),
        ("photos/sub/a", "x"),
        ("photos/.b", "x"),
    ]);
    #[cfg(unix)]
    site.shell("mkfifo photos/fifo && ln -s ../.. photos/up && ln -s nowhere photos/dangling");
    let server = site.serve();
    assert!(server.get("/").text.ends_with("<h1>Home"));

    let redirect = server.get("/photos?a=b");
    assert_eq!((redirect.status, redirect.header("location")), (307, "/photos/?a=b"));
    assert_eq!(redirect.header("cache-control"), "no-cache");

    let listing = server.get("/photos/");
    assert_eq!((listing.status, listing.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(
        listing.text.contains("<a href=\"/photos/Tea%20%26%20cake.jpg\">Tea &amp; cake.jpg</a>"),
        "{}",
        listing.text
    );
    assert!(listing.text.contains("<a href=\"/photos/sub/\">sub/</a>"));
    for hidden in [".b", "fifo", "up", "dangling"] {
        assert!(!listing.text.contains(&format!(">{hidden}")), "{hidden}");
    }
}

#[test]
fn a_directory_shows_its_readme() {
    let site = Site::with(&[("both/README.txt", "two"), ("both/README.md", "one <b>"), ("none/readme.rst", "other")]);
    site.write("large/README", "x".repeat((256 << 10) + 1));
    site.write("large/readme.md", "y".repeat(256 << 10));
    site.write("picture/README", [0xff, 0]);
    #[cfg(unix)]
    site.shell("mkdir dir && mkdir dir/README.md && mkdir linked && ln -s /etc/hosts linked/README");
    let server = site.serve();
    let readme = |url: &str| {
        let text = server.get(url).text;
        text.split_once("<pre>\n").map(|(_, rest)| rest.split("</pre>").next().unwrap_or_default().to_owned())
    };
    assert_eq!(readme("/both/").as_deref(), Some("one &lt;b&gt;"));
    assert_eq!(readme("/large/").map(|text| text.len()), Some(256 << 10));
    for url in ["/none/", "/picture/", "/dir/", "/linked/"] {
        assert_eq!(readme(url), None, "{url}");
    }
    // Of the same size and time, it is another page all the same.
    let etag = || server.get("/both/").header("etag").to_owned();
    let file = || File::options().write(true).open(site.path("both/README.md")).expect("a file");
    let modified = file().metadata().and_then(|found| found.modified()).expect("a time");
    let before = etag();
    site.write("both/README.md", "six <b>");
    file().set_modified(modified).expect("a time that is set");
    assert_ne!(etag(), before);
    assert_eq!(readme("/both/").as_deref(), Some("six &lt;b&gt;"));
}

#[test]
fn every_page_has_the_client() {
    let site = Site::with(&[
        ("full.html", "<!doctype html><html><head><title>a</title></head><body>b"),
        ("bare.html", "hello"),
        ("empty.html", ""),
        ("sub/file", ""),
        ("other.txt", "<head>"),
    ]);
    site.write("latin.html", b"<!doctype html><meta charset=windows-1252>caf\xe9");
    site.write("utf16.html", b"\xff\xfe<\0p\0>\0");
    let server = site.serve();
    let client = "<script src=\"/_savecast/client.js\" data-path=\"";

    assert!(server.get("/full.html").text.starts_with(&format!("<!doctype html><html><head>{client}/full.html\"")));
    assert!(server.get("/bare.html").text.starts_with(client));
    assert!(server.get("/empty.html").text.starts_with(client));
    assert!(server.get("/sub/").text.contains(&format!("<head>{client}/sub/\"")));
    let missing = server.get("/missing.html");
    assert_eq!(missing.status, 404);
    assert!(missing.text.contains(&format!("<head>{client}/missing.html\"")));

    assert_eq!(server.get("/other.txt").text, "<head>");
    let latin = server.get("/latin.html");
    assert!(latin.bytes.ends_with(b"<meta charset=windows-1252>caf\xe9"));
    assert_eq!(latin.header("content-type"), "text/html");
    assert_eq!(server.get("/utf16.html").bytes, b"\xff\xfe<\0p\0>\0");
}

#[test]
fn a_fragment_that_a_script_fetches_stays_as_it_is() {
    let site = Site::with(&[("part.html", "<li>a")]);
    let server = site.serve();
    let to = |destination| server.request("GET", "/part.html", &[("sec-fetch-dest", destination)]);
    assert_eq!(to("empty").text, "<li>a");
    for document in ["document", "iframe", "frame", "embed", "object"] {
        assert!(to(document).text.contains("client.js"), "{document}");
    }
    assert_ne!(to("empty").header("etag"), to("document").header("etag"));
    assert_eq!(server.request("GET", "/missing", &[("sec-fetch-dest", "empty")]).text, "no such file\n");
}

#[test]
fn the_client_is_served() {
    let site = Site::with(&[]);
    let server = site.serve();
    let asset_at = |name: &str, kept: &str| {
        let asset = server.get(&format!("/_savecast/{name}"));
        assert_eq!((asset.status, asset.header("cache-control")), (200, kept), "{name}");
        assert!(asset.header("content-type").contains("javascript; charset=utf-8"));
        let again = server.request("GET", &format!("/_savecast/{name}"), &[("if-none-match", asset.header("etag"))]);
        assert_eq!((again.status, again.header("cache-control")), (304, kept), "{name}");
        asset.text
    };
    let script = asset_at("client.js", "no-cache");
    let version = script.split_once("MODULES = \"").unwrap().1.split_once("/\"").unwrap().0;
    // A module of a version stays as it is, and whoever asks for it without one is led to it.
    for (name, up) in [("live.js", "./"), ("page/start.js", "./../"), ("apply/morph/plan.js", "./../../")] {
        assert_eq!(asset_at(name, "no-cache"), format!("export * from \"{up}{version}/{name}\";\n"));
        let module = asset_at(&format!("{version}/{name}"), "max-age=31536000, immutable");
        assert!(module.len() > 100, "{module}");
    }
    for name in [
        "nothing",
        "0123456789abcdef/live.js",
        version,
        &format!("{version}/"),
        &format!("{version}/{version}/live.js"),
    ] {
        assert_eq!(server.get(&format!("/_savecast/{name}")).status, 404, "{name}");
    }
    assert_eq!(server.request("DELETE", "/_savecast/client.js", &[]).status, 405);
}

#[test]
fn a_service_worker_gets_documents_with_the_client() {
    let site = Site::with(&[("index.html", "<!doctype html><p>a"), ("part.html", "<li>a"), ("data.json", "{}")]);
    let server = site.serve();
    let empty = ("sec-fetch-dest", "empty");
    let (navigate, upgrade) = (("sec-fetch-mode", "navigate"), ("upgrade-insecure-requests", "1"));
    assert!(server.request("GET", "/", &[empty, navigate, upgrade]).text.contains("client.js"));
    // A link with `download`.
    assert!(!server.request("GET", "/", &[empty, navigate]).text.contains("client.js"));
    // What it keeps by itself, it must find again without the headers of the page that asks for it.
    let worker = [empty, ("sec-fetch-mode", "cors"), ("referer", "http://localhost/sw.js")];
    let kept = server.request("GET", "/", &worker);
    assert!(kept.text.contains("client.js"));
    assert!(!kept.header("vary").contains("Accept"));
    assert_eq!(server.request("GET", "/part.html", &worker).text, "<li>a");
    assert_eq!(server.request("GET", "/data.json", &worker).text, "{}");
}

#[test]
fn a_file_that_is_opened_in_a_tab_is_shown_by_a_page() {
    let site = Site::with(&[("data.json", "{}"), ("server.log", "a\n"), ("photo.png", "PNG?"), ("film.mp4", "film")]);
    let server = site.serve();
    let tab = [("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate")];
    for (url, view) in [("/data.json", "json"), ("/server.log", "log"), ("/photo.png", "picture")] {
        let page = server.request("GET", url, &tab);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.text.contains(&format!("<body data-kind=\"{view}\" data-path=\"{url}\">")), "{}", page.text);
        assert_ne!(page.header("etag"), server.get(url).header("etag"));
        assert!(!server.get(url).text.contains("client.js"));
        assert!(!server.request("GET", url, &[("sec-fetch-dest", "iframe")]).text.contains("client.js"));
    }
    assert_eq!(server.request("GET", "/film.mp4", &tab).text, "film");
    assert_eq!(server.request("GET", "/data.json?savecast-source", &tab).text, "{}");
    site.write("large.log", "line\n".repeat(2 << 20));
    site.write("large.txt", "line\n".repeat(2 << 20));
    assert!(server.request("GET", "/large.log", &tab).text.contains("data-kind=\"log\""));
    assert!(server.request("GET", "/large.txt", &tab).text.starts_with("line\n"));
}

#[test]
fn a_project_without_an_icon_gets_one() {
    let site = Site::with(&[]);
    let server = site.serve();
    let icon = server.get("/favicon.ico");
    assert_eq!((icon.status, icon.header("content-type")), (200, "image/svg+xml"));
    site.write("favicon.ico", "mine");
    assert_eq!(server.get("/favicon.ico").text, "mine");
}

#[test]
fn a_page_that_forbids_the_client_is_named() {
    let page = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">";
    let site = Site::with(&[("index.html", page)]);
    let server = site.serve();
    server.get("/");
    server.expect_complaint("the Content Security Policy of /index.html forbids live reload: default-src 'none'");
    server.expect_complaint("hint: allow 'self' there");
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_out_is_said_to() {
    let site = Site::with(&[]);
    std::os::unix::fs::symlink("/etc", site.path("elsewhere")).expect("a link");
    let server = site.serve();
    let page = server.get("/elsewhere/");
    assert!(page.status == 404 && page.text.contains("leads out of the served directory"), "{}", page.text);
    assert!(server.get("/nothing").text.contains("Not yet, perhaps"));
}
