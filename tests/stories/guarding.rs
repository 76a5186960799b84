//! Nothing outside of the root, nothing hidden, nobody from elsewhere.

use crate::secure::Home;
use crate::support::Site;

/// A site in the midst of what must not be seen.
fn site() -> Site {
    let site =
        Site::with(&[("index.html", "hello"), (".env", "SECRET"), (".git/config", "SECRET"), ("server.key", "SECRET")]);
    std::fs::write(site.path("../secret.txt"), "SECRET").expect("a file");
    std::fs::create_dir(site.path("../site2")).expect("a folder");
    std::fs::write(site.path("../site2/secret.txt"), "SECRET").expect("a file");
    site
}

/// Neither the file nor its stream can be had. The path is sent as it is, which no client library would do.
#[track_caller]
fn refused(path: &str) {
    let site = site();
    let server = site.serve();
    for accept in ["*/*", "text/event-stream"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nAccept: {accept}\r\n\r\n");
        let answer = server.raw(&request);
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
        assert!(!answer.contains("SECRET") && !answer.contains("root:"), "{path}: {answer}");
    }
    assert_eq!(server.get("/").status, 200);
    // Over HTTP/2, too, as far as its client lets such a path through.
    if format!("https://localhost{path}").parse::<http::Uri>().is_err() {
        return;
    }
    let home = Home::new();
    let secure = home.serve(&site, &[]);
    for accept in ["*/*", "text/event-stream"] {
        let answer = secure.http2().get(path, &[("accept", accept)]);
        assert_eq!(answer.status / 100, 4, "{path}: {answer:?}");
        assert!(!answer.text().contains("SECRET") && !answer.text().contains("root:"), "{path}: {answer:?}");
    }
}

#[test]
fn nothing_outside_of_the_root() {
    refused("/../secret.txt");
    refused("/../../../../../../etc/passwd");
    refused("/%2e%2e/secret.txt");
    refused("/..%2fsecret.txt");
    refused("/..%5csecret.txt");
    refused("/..\\secret.txt");
    refused("/../site2/secret.txt");
    refused("//etc/passwd");
    refused("/%2fetc/passwd");
    refused("/index.html/../../secret.txt");
    refused("/index.html%00.txt");
    refused("/./index.html");
    refused("/%23/../../secret.txt");
    refused("/%ff%fe");
}

#[cfg(unix)]
#[test]
fn no_links_that_lead_out() {
    let site = site();
    site.shell("ln -s ../secret.txt link.txt && ln -s .. up && ln -s .env innocent.txt && ln -s /etc etc");
    let server = site.serve();
    for path in ["/link.txt", "/up/secret.txt", "/up/site2/secret.txt", "/etc/passwd", "/innocent.txt"] {
        let answer = server.get(path);
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        // As for any other name without a file, one may come.
        assert_eq!(server.follow(path).expect_event("removed")["path"], path);
    }
}

#[test]
fn nothing_hidden() {
    refused("/.env");
    refused("/.env/.");
    refused("/.env?raw");
    refused("/%2eenv");
    refused("/.git/config");
    refused("/.git/");
    refused("/server.key");
    refused("/server.KEY");
}

#[test]
fn what_is_hidden_looks_like_what_is_not_there() {
    let site = Site::with(&[(".env", "SECRET")]);
    let server = site.serve();
    let (hidden, missing) = (server.get("/.env"), server.get("/.nothing"));
    assert_eq!((hidden.status, &hidden.text), (missing.status, &missing.text));
}

#[test]
fn foreign_names_are_refused() {
    let site = Site::with(&[("data.json", "1")]);
    let server = site.serve();
    let host = |host: &str, more: &str| {
        let request = format!("GET /data.json HTTP/1.1\r\n{host}{more}Connection: close\r\n\r\n");
        server.raw(&request).split(' ').nth(1).map(str::to_owned).unwrap_or_default()
    };
    assert_eq!(host("Host: HOST\r\n", ""), "200");
    assert_eq!(host("Host: localhost\r\n", ""), "200");
    assert_eq!(host("Host: evil.example\r\n", ""), "403");
    assert_eq!(host("Host: evil.example\r\n", "X-Forwarded-Host: localhost\r\nForwarded: host=localhost\r\n"), "403");
    assert_eq!(host("", ""), "400");
    assert_eq!(host("Host: localhost\r\n", "Host: evil.example\r\n"), "400");
    assert_eq!(host("Host: a:b:c\r\n", ""), "403");
    assert_eq!(host("Host: \r\n", ""), "403");
}

#[test]
fn another_name_can_be_allowed() {
    let site = Site::with(&[("data.json", "1")]);
    let server = site.serve_with(&["--allow-host", "Demo.Test"]);
    let host = |host| server.request("GET", "/data.json", &[("host", host)]).status;
    assert_eq!((host("demo.test:8080"), host("evil.example")), (200, 403));
}

#[test]
fn streams_are_not_for_foreign_pages() {
    let site = Site::with(&[("data.json", "1")]);
    let server = site.serve();
    let status =
        |method: &str, url: &str, header: (&str, &str)| server.follow_with(method, url, &[header], "").head.status;
    for url in ["/data.json", "/_savecast/events"] {
        assert_eq!(status("GET", url, ("origin", "https://evil.example")), 403);
        assert_eq!(status("POST", url, ("origin", "null")), 403);
        assert_eq!(status("GET", url, ("sec-fetch-site", "cross-site")), 403);
        assert_eq!(status("GET", url, ("origin", &server.url)), 200);
    }
    assert_eq!(server.get("/_savecast/status").status, 200);
}

#[test]
fn who_is_behind_a_proxy_that_sends_another_host_is_told() {
    let site = Site::with(&[]);
    let server = site.serve();
    let origin = ("origin", "http://work.example:8080");
    let ask = |headers: &[_]| server.post("/_savecast/events", headers, "{}");
    let accept = ("accept", "text/event-stream");
    // A page of somebody else's is refused without a word.
    assert_eq!(ask(&[accept, origin, ("sec-fetch-site", "cross-site")]).status, 403);
    let answer = ask(&[accept, ("origin", "http://other.example"), ("sec-fetch-site", "same-site")]);
    assert!(answer.status == 403 && answer.text.contains("--cors ORIGIN"));
    assert_eq!(ask(&[accept, origin]).status, 403);
    server.expect_complaint("pages of http://work.example:8080 are not live");
    server.expect_complaint("hint: start it with --cors http://work.example:8080");
}
