//! Over TLS: the same server, for both versions of HTTP.

use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::IsCa;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use time::OffsetDateTime;
use x509_parser::extensions::GeneralName;

use crate::secure::Home;
use crate::secure::Secure;
use crate::support::DEADLINE;
use crate::support::Site;

fn site() -> Site {
    let large = (0..).map(|number| format!("{number:06} ")).take((3 << 20) / 7 + 1).collect::<String>();
    Site::with(&[("index.html", "<h1>hello</h1>"), ("data.json", "{\"n\":0}"), ("large.txt", &large[..3 << 20])])
}

fn streams(count: u64) -> impl Fn(&Value) -> bool {
    move |status| status["streams"] == count && (count > 0 || status["watched_dirs"] == 0)
}

#[test]
fn both_versions_have_the_same() {
    let (site, home) = (site(), Home::new());
    let secure = home.serve(&site, &[]);
    assert!(secure.server.url.starts_with("https://127.0.0.1:"), "{}", secure.server.url);
    for name in ["localhost", "127.0.0.1"] {
        secure.try_http1(name).expect("a name of this machine");
    }
    secure.try_http1("example.com").expect_err("a name of another machine");
    let old = secure.http1("GET /data.json HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n", None);
    let mut connection = secure.http2();
    let new = connection.get("/data.json", &[]);
    assert_eq!((new.status, new.text().as_str()), (200, "{\"n\":0}"));
    assert!(old.ends_with("{\"n\":0}"), "{old}");
    for name in ["etag", "content-type", "content-length", "cache-control", "cross-origin-resource-policy"] {
        assert!(!new.header(name).is_empty(), "{name}");
        assert!(
            old.to_lowercase().contains(&format!("{name}: {}", new.header(name)).to_lowercase()),
            "{name} in {old}"
        );
    }
    assert!(new.header("date").ends_with("GMT"));
    let page = connection.get("/", &[("accept", "text/html")]);
    assert!(page.text().contains("/_savecast/client.js"), "{}", page.text());
    let part = connection.get("/large.txt", &[("range", "bytes=0-9")]);
    assert_eq!((part.status, part.bytes.len(), part.header("content-range")), (206, 10, "bytes 0-9/3145728"));
    // Whatever the client takes at once.
    for window in [1000, 16_384, 65_535, 6 << 20] {
        let whole = secure.http2_with(window).get("/large.txt", &[]).bytes;
        assert!(whole == fs::read(site.path("large.txt")).expect("a file"), "{window}: {}", whole.len());
    }
    let known = connection.get("/data.json", &[("if-none-match", new.header("etag"))]);
    assert_eq!((known.status, known.bytes.len()), (304, 0));
    let head = connection.request("HEAD", "/large.txt", &[], "").finish();
    assert_eq!((head.status, head.header("content-length"), head.bytes.len()), (200, "3145728", 0));
    assert_eq!(connection.get("/missing", &[]).status, 404);
    assert_eq!(connection.request("DELETE", "/data.json", &[], "").status, 405);
}

#[test]
fn who_comes_without_tls_is_sent_to_it() {
    let (site, home) = (site(), Home::new());
    let secure = home.serve(&site, &[]);
    let plain = |request: &str| secure.server.raw(&format!("{request}\r\nConnection: close\r\n\r\n"));
    let answer = plain("GET /a%20b?c=d HTTP/1.1\r\nHost: HOST");
    assert!(answer.starts_with("HTTP/1.1 307 "), "{answer}");
    assert!(
        answer.contains(&format!("location: https://127.0.0.1:{}/a%20b?c=d\r\n", secure.server.port())),
        "{answer}"
    );
    // Also a stream, and a form, of which nothing is published.
    let stream = plain("GET /data.json HTTP/1.1\r\nHost: HOST\r\nAccept: text/event-stream");
    assert!(stream.starts_with("HTTP/1.1 307 "), "{stream}");
    let posted = plain("POST /_savecast/channels/a HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0");
    assert!(posted.starts_with("HTTP/1.1 307 "), "{posted}");
    // Nobody is sent to another machine.
    for request in ["GET / HTTP/1.1\r\nHost: evil.example", "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example"] {
        let answer = plain(request);
        assert!(answer.starts_with("HTTP/1.1 403 ") && !answer.contains("location"), "{answer}");
    }
    assert!(plain("GET / HTTP/1.1\r\nHost: localhost@evil.example").starts_with("HTTP/1.1 400 "));
    // Who does not know the authority can't get it otherwise.
    let file = plain("GET /_savecast/ca.pem HTTP/1.1\r\nHost: HOST");
    assert!(file.contains("content-type: application/x-x509-ca-cert"), "{file}");
    assert!(file.ends_with(&home.read("savecast/authority.pem")), "{file}");
    let page = plain("GET /_savecast/ca.pem HTTP/1.1\r\nHost: HOST\r\nAccept: text/html,*/*;q=0.8");
    assert!(page.contains("href=\"/_savecast/ca.pem?file\"") && page.contains("Certificate Trust Settings"), "{page}");
    let file = plain("GET /_savecast/ca.pem?file HTTP/1.1\r\nHost: HOST\r\nAccept: text/html,*/*;q=0.8");
    assert!(file.contains("application/x-x509-ca-cert"), "{file}");
    assert!(plain("GET /_savecast/ca.pem HTTP/1.1\r\nHost: evil.example").starts_with("HTTP/1.1 403 "));
    assert!(!plain("GET /_savecast/ca.pem/../status HTTP/1.1\r\nHost: HOST").contains("streams"));
}

#[test]
fn streams_end_when_nobody_listens_any_more() {
    let (site, home) = (site(), Home::new());
    let secure = home.serve(&site, &[]);
    let mut connection = secure.http2();
    let mut kept = connection.follow("/index.html");
    let mut events = connection.follow("/data.json");
    events.expect("data: {\"n\":0}");
    site.write("data.json", "{\"n\":1}");
    events.expect("data: {\"n\":1}");
    kept.expect("hello");
    secure.wait_for_status(streams(2));
    drop(events);
    let reset = secure.wait_for_status(streams(1));
    // A long poll, of which the client thinks better.
    let tag = connection.get("/data.json", &[]).header("etag").to_owned();
    let mut poll = || {
        let headers = [("prefer", "wait=60"), ("if-none-match", tag.as_str())];
        let here = format!("localhost:{}", secure.server.port());
        let poll = connection.begin(&here, "GET", "/data.json", &headers, "");
        secure.wait_for_status(|status| status["followed"] == 2);
        poll
    };
    poll().answer.abort();
    let thought_better = secure.wait_for_status(|status| status["followed"] == 1);
    assert!(thought_better < Duration::from_secs(1), "{thought_better:?}");
    let answered = poll();
    site.write("data.json", "{\"n\":2}");
    assert_eq!(answered.finish().expect("an answer").finish().text(), "{\"n\":2}");
    // The connection is closed without a word.
    drop(connection);
    let closed = secure.wait_for_status(streams(0));
    assert!(reset < Duration::from_secs(1) && closed < Duration::from_secs(1), "{reset:?} {closed:?}");
    drop(kept);
    // Over HTTP/1.1, too.
    let mut stream = secure.try_http1("localhost").expect("a connection");
    let host = format!("localhost:{}", secure.server.port());
    write!(stream, "GET /data.json HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n").expect("a request");
    assert!(stream.read(&mut [0; 100]).expect("an answer") > 0);
    secure.wait_for_status(streams(1));
    drop(stream);
    assert!(secure.wait_for_status(streams(0)) < Duration::from_secs(1));
}

#[test]
fn a_thousand_streams_of_one_connection_hear_of_a_save() {
    let (site, home) = (site(), Home::new());
    let secure = home.serve(&site, &[]);
    let mut connection = secure.http2();
    let mut all = (0..1000).map(|_| connection.follow("/data.json")).collect::<Vec<_>>();
    all.iter_mut().for_each(|events| events.expect("{\"n\":0}"));
    site.write("data.json", "{\"n\":1}");
    all.iter_mut().for_each(|events| events.expect("{\"n\":1}"));
    assert_eq!(connection.get("/", &[]).status, 200);
    drop(all);
    assert!(secure.wait_for_status(streams(0)) < Duration::from_secs(2));
}

#[test]
fn who_does_not_read_holds_up_nobody() {
    let (site, home) = (site(), Home::new());
    let text = |n: usize| format!("{{\"n\":{n},\"text\":\"{}\"}}", "x".repeat(300_000));
    site.write("data.json", text(0));
    let secure = home.serve(&site, &[]);
    let mut connection = secure.http2_with(65_535);
    let mut slow = connection.follow("/data.json");
    let mut fast = connection.follow("/data.json");
    for n in 1..=20 {
        site.write("data.json", text(n));
        fast.expect(&format!("{{\"n\":{n},"));
    }
    // It has skipped what it had no room for, and ends on the newest.
    slow.expect("{\"n\":20,");
    assert_eq!(connection.get("/", &[]).status, 200);
}

#[test]
fn what_is_published_over_http_2_is_heard() {
    let (site, home) = (site(), Home::new());
    let secure = home.serve(&site, &[]);
    let mut connection = secure.http2();
    let mut events = connection.follow("/_savecast/channels/news");
    let body = format!("{{\"text\":\"{}\"}}", "y".repeat(200_000));
    let headers = [("content-type", "application/json")];
    let answer = connection.request("POST", "/_savecast/channels/news", &headers, &body).finish();
    assert_eq!(answer.status / 100, 2, "{answer:?}");
    events.expect("yyyy\"}");
}

#[test]
fn the_guard_judges_every_name_over_http_2() {
    let (site, home) = (site(), Home::new());
    let secure = home.serve(&site, &["--allow-host", "demo.test"]);
    let port = secure.server.port();
    let mut connection = secure.http2();
    let mut status = |authority: &str, headers: &[(&str, &str)]| {
        connection.try_request(authority, "GET", "/data.json", headers, "").map_or(0, |open| open.status)
    };
    let here = format!("localhost:{port}");
    for (authority, headers, expected) in [
        (here.as_str(), &[][..], 200),
        ("demo.test", &[], 200),
        ("127.0.0.1", &[], 200),
        (&here, &[("host", here.as_str())], 200),
        ("evil.example", &[], 403),
        (&here, &[("host", "evil.example")], 400),
        ("evil.example", &[("host", here.as_str())], 400),
        ("evil.example", &[("host", "evil.example")], 403),
        (&here, &[("host", here.as_str()), ("host", here.as_str())], 400),
        ("me@localhost", &[], 400),
        (&here, &[("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")], 200),
    ] {
        assert_eq!(status(authority, headers), expected, "{authority} {headers:?}");
    }
    // Streams, by the origin of the page.
    let own = format!("https://{here}");
    for (origin, site, expected) in [
        (own.as_str(), "same-origin", 200),
        (&own.replace("https", "http"), "", 403),
        ("https://evil.example", "cross-site", 403),
        ("https://evil.example", "", 403),
        ("null", "cross-site", 403),
    ] {
        let mut headers = vec![("accept", "text/event-stream"), ("origin", origin)];
        if !site.is_empty() {
            headers.push(("sec-fetch-site", site));
        }
        assert_eq!(status(&here, &headers), expected, "{origin} {site}");
    }
    let mut publish = |headers: &[(&str, &str)]| {
        let body = "{\"n\":1}";
        connection.try_request(&here, "POST", "/_savecast/channels/a", headers, body).map_or(0, |open| open.status)
    };
    assert_eq!(publish(&[("origin", "https://evil.example"), ("content-type", "text/plain")]), 403);
    assert_eq!(publish(&[("origin", own.as_str()), ("content-type", "application/json")]) / 100, 2);
    for url in ["/..%2fsavecast", "/%2e%2e/", "/.env", "/x/../../etc/passwd", "/savecast.toml", "/key.pem"] {
        assert_eq!(secure.http2().get(url, &[]).status, 404, "{url}");
    }
}

/// The names in the certificate of the server.
fn names(secure: &Secure) -> Vec<String> {
    let certificates = secure.certificates();
    let (_, certificate) = x509_parser::parse_x509_certificate(&certificates[0]).expect("a certificate");
    let names = certificate.subject_alternative_name().expect("names").expect("names");
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => (*name).to_owned(),
        other => other.to_string(),
    };
    names.value.general_names.iter().map(text).collect()
}

#[test]
fn certificates_are_made_when_they_are_needed() {
    let (site, home) = (site(), Home::new());
    let secure = home.serve(&site, &[]);
    let first = secure.certificates();
    assert_eq!(first.len(), 2);
    for file in ["savecast/authority-key.pem", "savecast/localhost.pem"] {
        let mode = fs::metadata(home.path(file)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(fs::metadata(home.path("savecast")).expect("a folder").permissions().mode() & 0o777, 0o700);
    let authority = home.read("savecast/authority.pem");
    drop(secure);
    // It is kept for the next start.
    let secure = home.serve(&site, &[]);
    assert_eq!(secure.certificates(), first);
    drop(secure);
    // Other names need another one, by the same authority.
    let secure = home.serve(&site, &["--allow-host", "demo.test", "--allow-host", "www.example.com"]);
    secure.server.expect_complaint("not for www.example.com");
    let second = secure.certificates();
    assert!(names(&secure).contains(&"demo.test".to_owned()), "{:?}", names(&secure));
    assert!(!names(&secure).contains(&"www.example.com".to_owned()));
    assert_ne!(second[0], first[0]);
    assert_eq!((home.read("savecast/authority.pem"), &second[1]), (authority, &first[1]));
    drop(secure);
    // What is broken is made anew.
    for text in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        fs::write(home.path("savecast/localhost.pem"), text).expect("a file");
        assert_eq!(home.serve(&site, &[]).certificates().len(), 2);
    }
    // But the authority is not: it may be trusted.
    fs::write(home.path("savecast/authority.pem"), "nonsense").expect("a file");
    let (status, words) = home.try_serve(&site, &["--https"]).err().expect("an end");
    assert_eq!(status.code(), Some(1));
    assert!(words.contains("authority.pem") && words.contains("savecast trust --remove"), "{words}");
}

#[test]
fn two_who_make_the_authority_at_once_make_one() {
    let (site, home) = (site(), Home::new());
    let serve = || home.try_serve(&site, &["--https"]).expect("a server");
    let (first, second) = std::thread::scope(|scope| {
        let (first, second) = (scope.spawn(serve), scope.spawn(serve));
        (first.join().expect("a server"), second.join().expect("a server"))
    });
    for server in [first, second] {
        Secure::new(server, &home.path("savecast/authority.pem")).try_http1("localhost").expect("a certificate");
    }
}

#[test]
fn the_authority_of_mkcert_is_used_where_there_is_one() {
    let (site, home) = (site(), Home::new());
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    fs::create_dir(home.path("mkcert")).expect("a folder");
    let file = home.path("mkcert/rootCA.pem");
    fs::write(&file, params.self_signed(&key).expect("a certificate").pem()).expect("a file");
    fs::write(home.path("mkcert/rootCA-key.pem"), key.serialize_pem()).expect("a file");
    let server = home.try_serve(&site, &["--https", "--allow-host", "www.example.com"]).expect("a server");
    let secure = Secure::new(server, &file);
    secure.try_http1("www.example.com").expect("any name");
    assert!(!home.path("savecast/authority.pem").exists());
    drop(secure);
    // One without its key can't sign.
    fs::remove_file(home.path("mkcert/rootCA-key.pem")).expect("a file");
    home.serve(&site, &[]).try_http1("localhost").expect("our own");
}

/// A certificate of one's own, from this many days ago to this many from now, with that of its authority; and its key.
fn own(days: (i64, i64)) -> (String, String) {
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, authority_key).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let now = OffsetDateTime::now_utc();
    params.not_before = now + time::Duration::days(days.0);
    params.not_after = now + time::Duration::days(days.1);
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    (certificate.pem() + &authority.pem(), key.serialize_pem())
}

#[test]
fn a_certificate_of_ones_own_is_read_again_when_it_is_saved() {
    let (site, home) = (site(), Home::new());
    let (certificate, key) = own((-1, 10));
    let save = |certificate: &str, key: &str| {
        site.write("tls/own.crt", certificate);
        site.write("tls/own-key.txt", key);
    };
    save(&certificate, &key);
    let paths = ["tls/own.crt", "tls/own-key.txt"].map(|name| site.path(name).display().to_string());
    let server = home.try_serve(&site, &["--https", &paths[0], &paths[1]]).expect("a server");
    let first = Secure::new(server, &site.path("tls/own.crt"));
    let mut open = first.http2();
    let sent = first.certificates();
    assert_eq!(sent.len(), 2);
    // The key is in the site, and no part of it, under whatever name.
    site.shell("ln tls/own-key.txt hard.txt; ln -s tls/own-key.txt soft.txt");
    for name in ["/tls/own-key.txt", "/hard.txt", "/soft.txt"] {
        assert_eq!(open.get(name, &[]).status, 404, "{name}");
    }
    assert_eq!(open.get("/_savecast/ca.pem", &[]).status, 404);
    assert!(!home.path("savecast").exists());
    // What can't be used is told, and changes nothing.
    let (expired, expired_key) = own((-10, -1));
    let (later, later_key) = own((1, 10));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (certificate, key, words) in [
        (certificate.as_str(), own((-1, 10)).1.as_str(), "is for another key"),
        (&expired, &expired_key, "expired on"),
        (&later, &later_key, "is good from"),
        (
            &format!("{certificate}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            &key,
            "no certificate",
        ),
        (&certificate, encrypted, "passphrase"),
        (&certificate, "", "no private key"),
        ("nonsense", &key, "no certificate"),
    ] {
        save(certificate, key);
        first.server.expect_complaint(words);
        assert_eq!(first.certificates(), sent, "{words}");
    }
    let (certificate, key) = own((-1, 20));
    save(&certificate, &key);
    first.server.expect_complaint("from now on");
    // Who is connected stays so.
    assert_eq!(open.get("/data.json", &[]).status, 200);
    drop(open);
    let Secure { server, .. } = first;
    let second = Secure::new(server, &site.path("tls/own.crt"));
    assert_ne!(second.certificates(), sent);
    // By rename, and through a link, as certbot does it.
    let (certificate, key) = own((-1, 30));
    site.write("archive/2.crt", &certificate);
    site.write("archive/2.key", &key);
    site.shell("ln -s ../archive/2.crt tls/a && mv -T tls/a tls/own.crt; ln -s ../archive/2.key tls/b && mv -T tls/b tls/own-key.txt");
    second.server.expect_complaint("from now on");
    let Secure { server, .. } = second;
    let third = Secure::new(server, &site.path("tls/own.crt"));
    third.try_http1("localhost").expect("the third");
    // Where the way leads to now, it is seen as well; also in a directory that has taken the place of another.
    let mut before = third.certificates();
    let Secure { mut server, .. } = third;
    for command in [
        ":",
        "mv archive old && mkdir archive",
        "rm -r archive && mkdir archive",
        "mkdir v3 && rm -r archive && ln -s v3 archive",
        "mkdir v4 && ln -s v4 next && mv -T next archive",
        ":",
    ] {
        site.shell(command);
        let (certificate, key) = own((-1, 40));
        site.write("archive/2.crt", &certificate);
        site.write("archive/2.key", &key);
        server.expect_complaint("from now on");
        let next = Secure::new(server, &site.path("tls/own.crt"));
        assert_ne!(next.certificates(), before, "{command}");
        before = next.certificates();
        server = next.server;
    }
}

#[test]
fn a_certificate_that_is_none_is_refused_at_the_start() {
    let (site, home) = (site(), Home::new());
    let ((good, key), (expired, expired_key)) = (own((-1, 10)), own((-10, -1)));
    let (of_server, of_authority) = good.split_at(good.rfind("-----BEGIN").expect("two certificates"));
    let reversed = format!("{of_authority}{of_server}");
    let encrypted = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----\n";
    for (name, text) in [
        ("good", good.as_str()),
        ("key", &key),
        ("other", &own((-1, 10)).1),
        ("expired", &expired),
        ("expired-key", &expired_key),
        ("encrypted", encrypted),
        ("first", &format!("\u{feff}Name: M\u{fc}ller, ENCRYPTED\n{key}{good}")),
        ("order", &reversed),
        ("der", "\0\u{1}\u{2}"),
    ] {
        site.write(name, text);
    }
    drop(
        home.try_serve(
            &site,
            &["--https", &site.path("first").display().to_string(), &site.path("first").display().to_string()],
        )
        .expect("both in one"),
    );
    site.shell("mkfifo fifo; mkdir directory");
    let path = |name: &str| site.path(name).display().to_string();
    for (certificate, key, words) in [
        ("good", "other", ["another key", "hint: name the key"]),
        ("expired", "expired-key", ["expired on", "hint: have it renewed"]),
        ("good", "encrypted", ["passphrase", "openssl pkey"]),
        ("good", "missing", ["cannot read", "missing"]),
        ("key", "good", ["no certificate", "first the certificate"]),
        ("order", "key", ["its first certificate is not the one", "first, then"]),
        ("der", "key", ["it is not in PEM", "openssl"]),
        ("fifo", "key", ["cannot read", "fifo"]),
        ("good", "directory", ["cannot read", "directory"]),
    ] {
        let end = home.try_serve(&site, &["--https", &path(certificate), &path(key)]).err();
        let (status, text) = end.expect("an end");
        assert_eq!(status.code(), Some(1), "{text}");
        words.iter().for_each(|part| assert!(text.contains(part), "{certificate} {key} lacks {part:?}: {text}"));
    }
    let (status, text) = home.try_serve(&site, &["--https", &path("good")]).err().expect("an end");
    assert_eq!(status.code(), Some(2), "{text}");
}

#[test]
fn who_says_nothing_delays_nobody() {
    let (site, home) = (site(), Home::new());
    let secure = home.serve(&site, &[]);
    let connect = || TcpStream::connect(("127.0.0.1", secure.server.port())).expect("a connection");
    let mut silent = Vec::new();
    for first in [&b""[..], &[0x16], &[0x16, 3, 1, 255, 255], &[0], b"\x16\x03\x01\x00\x05hello"] {
        let mut connection = connect();
        connection.write_all(first).expect("some bytes");
        connection.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        silent.push(connection);
    }
    assert_eq!(secure.http2().get("/data.json", &[]).status, 200);
    // They are not waited for.
    for mut connection in silent {
        let mut rest = Vec::new();
        drop(connection.read_to_end(&mut rest));
    }
}

#[test]
fn it_stops_at_once_whatever_is_open() {
    let (site, home) = (site(), Home::new());
    let mut secure = home.serve(&site, &[]);
    let mut connection = secure.http2();
    let mut all = (0..100).map(|_| connection.follow("/data.json")).collect::<Vec<_>>();
    all[0].expect("{\"n\":0}");
    secure.server.signal("TERM");
    for events in &mut all {
        events.expect("event: end");
    }
    drop(all);
    drop(connection);
    let (status, took) = secure.server.wait_for_end();
    assert!(status.success() && took < Duration::from_secs(1), "{status} {took:?}");
}

/// Stands in for programs that change the system: it writes down what it was asked for. `certutil` keeps a name in a file.
const STAND_IN: &str = r#"#!/bin/sh
echo "$(basename "$0") $*" >> "$HOME/asked"
[ "$(basename "$0")" = certutil ] || exit 0
database=${2#sql:}
case "$3" in
  -N) : > "$database/cert9.db" ;;
  -A) echo "$7" > "$database/name" ;;
  -D) /bin/rm "$database/name" ;;
  -L) [ ! -f "$database/name" ] || echo "$(cat "$database/name")                         C,,  " ;;
esac
"#;

#[test]
fn trust_is_given_and_taken_back_when_somebody_asks_for_it() {
    let (site, home) = (site(), Home::new());
    let profile = home.path(".mozilla/firefox/abc.default");
    fs::create_dir_all(&profile).expect("a folder");
    fs::write(profile.join("cert9.db"), "").expect("a file");
    fs::create_dir(home.path("programs")).expect("a folder");
    for program in ["certutil", "install", "rm", "sudo", "update-ca-certificates", "update-ca-trust", "trust"] {
        let file = home.path("programs").join(program);
        fs::write(&file, STAND_IN).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a program");
    }
    let path = format!("{}:/usr/bin:/bin", home.path("programs").display());
    let run = |arguments: &[&str]| {
        let output = home.command().args(arguments).env("PATH", &path).output().expect("the built binary");
        let words = [output.stdout, output.stderr].concat();
        (String::from_utf8_lossy(&words).into_owned(), home.path("asked"))
    };
    let (words, asked) = run(&["trust", "--remove"]);
    assert!(words.contains("was not trusted by") && !home.path("savecast").exists(), "{words}");
    assert!(!fs::read_to_string(&asked).unwrap_or_default().contains(" -D "), "{words}");
    let hint = "run savecast trust once";
    home.serve(&site, &[]).server.expect_complaint(hint);
    assert!(!fs::read_to_string(&asked).unwrap_or_default().contains(" -A "));
    let (words, _) = run(&["trust"]);
    for store in ["Chromium and Chrome", "Firefox (abc.default)"] {
        assert!(words.contains(&format!("trusted from now on by {store}")), "{words}");
    }
    assert!(profile.join("name").exists() && home.path(".pki/nssdb/name").exists());
    let (words, _) = run(&["trust"]);
    assert!(words.contains("already trusted by Firefox"), "{words}");
    // Nobody needs the hint any more: the first thing that is said is another.
    let secure = home.serve(&site, &["--allow-host", "www.example.com"]);
    assert!(secure.server.next_complaint().contains("www.example.com"));
    assert!(!secure.server.next_complaint().contains(hint));
    secure.http1("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", None);
    assert!(secure.server.next_complaint().contains("evil.example"));
    let (words, _) = run(&["trust", "--remove"]);
    assert!(words.contains("no longer trusted by Firefox (abc.default)"), "{words}");
    assert!(!profile.join("name").exists() && !home.path(".pki/nssdb/name").exists());
    // Chromium would forget what it knows from where it has it now.
    fs::remove_dir_all(home.path(".pki")).expect("a folder");
    fs::create_dir_all(home.path("pki/nssdb")).expect("a folder");
    fs::write(home.path("pki/nssdb/cert9.db"), "").expect("a file");
    run(&["trust"]);
    assert!(home.path("pki/nssdb/name").exists() && !home.path(".pki").exists());
    // Whatever has become of the authority.
    fs::remove_dir_all(home.path("savecast")).expect("a folder");
    run(&["trust", "--remove"]);
    assert!(!home.path("pki/nssdb/name").exists() && !home.path("savecast").exists());
    home.serve(&site, &[]).server.expect_complaint(hint);
}

#[test]
fn who_does_not_believe_the_certificate_is_told_of_once() {
    let (site, home) = (site(), Home::new());
    let (stranger, _) = own((-1, 10));
    site.write("stranger.crt", stranger);
    let secure = home.serve(&site, &[]);
    secure.server.expect_complaint("run savecast trust once");
    let stranger = Secure::new(secure.server, &site.path("stranger.crt"));
    stranger.try_http1("localhost").expect_err("an authority that it does not know");
    stranger.server.expect_complaint("has refused the certificate");
    assert!(stranger.server.next_complaint().contains("savecast trust"));
    stranger.try_http1("localhost").expect_err("the same");
    stranger.server.raw("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert!(stranger.server.next_complaint().contains("evil.example"));
}

#[test]
fn an_answer_reaches_who_is_still_sending() {
    let (site, home) = (site(), Home::new());
    let secure = home.serve(&site, &[]);
    let large = "x".repeat(3 << 20);
    let mut connection = secure.http2();
    for (url, expected) in [("/_savecast/channels/a", 413), ("/data.json", 405), ("/_savecast/ca.pem", 405)] {
        let answer = connection.request("POST", url, &[], &large).finish();
        assert_eq!(answer.status, expected, "{url}: {answer:?}");
    }
    assert_eq!(connection.get("/data.json", &[]).status, 200);
}

#[test]
fn a_machine_with_the_name_of_a_domain_signs_for_none_of_it() {
    let (site, home) = (site(), Home::new());
    drop(home.serve(&site, &[]));
    let pem = home.read("savecast/authority.pem");
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).expect("a certificate");
    let constraints = certificate.name_constraints().expect("constraints").expect("constraints").value;
    let names = constraints.permitted_subtrees.iter().flatten().filter_map(|subtree| match &subtree.base {
        GeneralName::DNSName(name) => Some(*name),
        _ => None,
    });
    let expected = ["localhost", "local", "test", "internal", "lan", "home.arpa"];
    assert_eq!(names.collect::<Vec<_>>(), expected);
}
