use actix_web::http::header::HeaderName;

use super::*;

fn judge((address, guard): &(SocketAddr, Guard), method: &Method, headers: &[(&str, &str)]) -> Verdict {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    guard.judge(Reached { address: *address, is_secure: false }, method, &Uri::from_static("/"), &map)
}

#[track_caller]
fn host(bound: &str, host: &str, expected: Verdict) {
    let address = SocketAddr::new(bound.parse().unwrap(), 3000);
    let guard = (address, Guard::new(vec!["demo.test".into()], None));
    assert_eq!(judge(&guard, &Method::GET, &[("host", host)]), expected, "{host} at {bound}");
}

#[track_caller]
fn origin(headers: &[(&str, &str)], expected: Verdict) {
    origin_at("localhost:3000", headers, expected);
}

#[track_caller]
fn origin_at(host: &str, headers: &[(&str, &str)], expected: Verdict) {
    let guard = ("127.0.0.1:3000".parse().unwrap(), Guard::new(vec!["demo.test".into()], None));
    let mut all = vec![("host", host), ("accept", "text/event-stream")];
    all.extend(headers);
    assert_eq!(judge(&guard, &Method::GET, &all), expected, "{headers:?}");
}

#[test]
fn answers_to_its_own_names_only() {
    for name in ["localhost", "localhost:3000", "LOCALHOST", "127.0.0.1", "127.0.0.1:81", "demo.test", "Demo.Test:9"] {
        host("127.0.0.1", name, Verdict::Allow);
    }
    for name in [
        "evil.example",
        "evil.example:3000",
        "localhost.evil.example",
        "notlocalhost",
        "sub.demo.test",
        "127.0.0.2",
        "192.168.0.7",
        "127.0.0.1.nip.io",
        "2130706433",
        "[::1]",
        "",
        ":3000",
        "localhost:x",
        "[",
    ] {
        host("127.0.0.1", name, Verdict::ForeignHost);
    }
    host("::1", "[::1]:3000", Verdict::Allow);
    host("::1", "[::1]", Verdict::Allow);
    host("::1", "127.0.0.1", Verdict::ForeignHost);
    host("0.0.0.0", "192.168.0.7:3000", Verdict::Allow);
    host("0.0.0.0", "[fe80::1]", Verdict::Allow);
    host("0.0.0.0", "evil.example", Verdict::ForeignHost);
}

#[test]
fn a_request_names_one_host() {
    let guard = ("127.0.0.1:3000".parse().unwrap(), Guard::new(vec![], None));
    assert_eq!(judge(&guard, &Method::GET, &[]), Verdict::NoHost);
    let two = [("host", "localhost"), ("host", "evil.example")];
    assert_eq!(judge(&guard, &Method::GET, &two), Verdict::NoHost);
    let forwarded = [("host", "evil.example"), ("x-forwarded-host", "localhost"), ("forwarded", "host=localhost")];
    assert_eq!(judge(&guard, &Method::GET, &forwarded), Verdict::ForeignHost);
}

#[test]
fn streams_are_for_own_pages_and_for_programs() {
    origin(&[], Verdict::Allow);
    origin(&[("sec-fetch-site", "same-origin")], Verdict::Allow);
    // Through a proxy that sends its own host.
    origin(&[("sec-fetch-site", "same-origin"), ("origin", "https://work.example:8443")], Verdict::Allow);
    origin(&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], Verdict::ForeignOrigin);
    origin(&[("origin", "https://work.example:8443")], Verdict::ForeignOrigin);
    origin(&[("origin", "http://localhost:3000")], Verdict::Allow);
    origin(&[("origin", "https://demo.test")], Verdict::ForeignOrigin);
    origin(&[("origin", "https://localhost:3000")], Verdict::ForeignOrigin);
    origin(&[("sec-fetch-site", "cross-site")], Verdict::ForeignOrigin);
    origin(&[("origin", "http://localhost:5173"), ("sec-fetch-site", "same-site")], Verdict::ForeignOrigin);
    origin(&[("origin", "http://localhost")], Verdict::ForeignOrigin);
    origin(&[("origin", "http://127.0.0.1:3000")], Verdict::ForeignOrigin);
    origin(&[("origin", "https://evil.example")], Verdict::ForeignOrigin);
    origin(&[("origin", "null")], Verdict::ForeignOrigin);
    origin(&[("origin", "http://localhost:3000.evil.example")], Verdict::ForeignOrigin);
    origin(&[("origin", "http://localhost:3000"), ("origin", "null")], Verdict::ForeignOrigin);
}

#[test]
fn a_name_that_is_allowed_is_one_origin_and_not_all_of_its_ports() {
    for (host, page, expected) in [
        ("demo.test", "http://demo.test", Verdict::Allow),
        ("demo.test", "https://demo.test", Verdict::Allow),
        ("demo.test:3000", "https://demo.test:3000", Verdict::Allow),
        ("demo.test", "http://demo.test:8080", Verdict::ForeignOrigin),
        ("demo.test", "https://demo.test:8443", Verdict::ForeignOrigin),
        ("demo.test:3000", "http://demo.test", Verdict::ForeignOrigin),
        // Behind a proxy on this machine, without any flag.
        ("localhost", "https://localhost", Verdict::Allow),
        ("localhost:8443", "https://localhost:8443", Verdict::Allow),
        ("localhost:8443", "https://localhost", Verdict::ForeignOrigin),
    ] {
        origin_at(host, &[("origin", page)], expected);
    }
    let guard = ("127.0.0.1:80".parse().unwrap(), Guard::new(vec![], None));
    let stream = [("host", "localhost"), ("accept", "text/event-stream")];
    let judge = |page| judge(&guard, &Method::GET, &[stream.as_slice(), &[("origin", page)]].concat());
    assert_eq!(judge("http://localhost"), Verdict::Allow);
    assert_eq!(judge("https://localhost"), Verdict::ForeignOrigin);
}

#[track_caller]
fn plain(cors: Option<&[&str]>, site: &str, mode: &str, destination: &str, others: &[(&str, &str)], expected: Verdict) {
    let cors = cors.map(|cors| cors.iter().map(ToString::to_string).collect());
    let guard = ("127.0.0.1:3000".parse().unwrap(), Guard::new(vec![], cors));
    let headers = [
        ("host", "localhost:3000"),
        ("sec-fetch-site", site),
        ("sec-fetch-mode", mode),
        ("sec-fetch-dest", destination),
    ];
    assert_eq!(
        judge(&guard, &Method::GET, &[headers.as_slice(), others].concat()),
        expected,
        "{site} {mode} {others:?}"
    );
}

#[test]
fn pages_of_other_sites_may_lead_here_and_embed_nothing() {
    for site in ["none", "same-origin", "same-site"] {
        plain(None, site, "no-cors", "image", &[], Verdict::Allow);
        plain(None, site, "navigate", "object", &[], Verdict::Allow);
    }
    let foreign = |mode: &str, destination: &str, more: &[(&str, &str)], expected| {
        plain(None, "cross-site", mode, destination, more, expected);
    };
    foreign("navigate", "document", &[], Verdict::Allow);
    foreign("navigate", "iframe", &[], Verdict::AllowPage);
    foreign("navigate", "object", &[], Verdict::ForeignOrigin);
    foreign("navigate", "embed", &[], Verdict::ForeignOrigin);
    foreign("no-cors", "image", &[], Verdict::ForeignOrigin);
    foreign("no-cors", "script", &[("referer", "https://evil.example/")], Verdict::ForeignOrigin);
    foreign("no-cors", "script", &[("referer", "http://localhost:3000.evil.example/")], Verdict::ForeignOrigin);
    foreign("cors", "empty", &[("origin", "https://evil.example")], Verdict::ForeignOrigin);
    // A sandboxed frame of a foreign page sends this, too.
    foreign("cors", "script", &[("origin", "null")], Verdict::ForeignOrigin);
    // And only one of ours sends these.
    foreign("no-cors", "style", &[("origin", "null")], Verdict::Embed);
    foreign("no-cors", "style", &[("referer", "http://localhost:3000/a/b?c")], Verdict::Embed);
}

#[test]
fn who_may_ask_from_elsewhere_may_embed_too() {
    let image = |cors: &[&str], referer, expected| {
        plain(Some(cors), "cross-site", "no-cors", "image", &[("referer", referer)], expected);
    };
    image(&[], "https://app.test/", Verdict::Embed);
    image(&["https://app.test"], "https://app.test/", Verdict::Embed);
    image(&["https://app.test"], "https://other.test/", Verdict::ForeignOrigin);
}

#[test]
fn nothing_can_be_posted_from_elsewhere() {
    let guard = ("127.0.0.1:3000".parse().unwrap(), Guard::new(vec![], None));
    let foreign = [("host", "localhost"), ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    assert_eq!(judge(&guard, &Method::GET, &foreign), Verdict::ForeignOrigin);
    assert_eq!(judge(&guard, &Method::GET, &foreign[..2]), Verdict::Allow);
    assert_eq!(judge(&guard, &Method::POST, &foreign), Verdict::ForeignOrigin);
    assert_eq!(judge(&guard, &Method::OPTIONS, &foreign), Verdict::ForeignOrigin);
}

#[test]
fn the_authority_is_the_host_of_http_2() {
    let guard = Guard::new(vec![], None);
    let address = "127.0.0.1:3000".parse().unwrap();
    let judge = |uri: &'static str, host: Option<&str>| {
        let mut headers = HeaderMap::new();
        host.into_iter().for_each(|host| headers.append(header::HOST, HeaderValue::from_str(host).unwrap()));
        guard.judge(Reached { address, is_secure: true }, &Method::GET, &Uri::from_static(uri), &headers)
    };
    assert_eq!(judge("https://localhost:3000/a", None), Verdict::Allow);
    assert_eq!(judge("https://LOCALHOST:3000/a", Some("localhost:3000")), Verdict::Allow);
    assert_eq!(judge("https://evil.example:3000/a", None), Verdict::ForeignHost);
    assert_eq!(judge("https://evil.example/a", Some("localhost:3000")), Verdict::NoHost);
    assert_eq!(judge("https://localhost:3000/a", Some("evil.example")), Verdict::NoHost);
}
