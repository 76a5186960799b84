//! The head of a request to us becomes that of a request to another server. Pure.

use std::net::IpAddr;

use actix_web::http::Version;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use hyper::header::HeaderName;
use hyper::header::HeaderValue;

use crate::site::ServerUrl;
use crate::source::upstream::known::OF_KEPT;

/// Headers that are about a connection, and end with it (RFC 9110, section 7.6.1).
pub(super) const OF_CONNECTION: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What is said anew, or by us alone: whom to believe is decided here. `Expect` was answered already.
const OURS: [&str; 13] = [
    "host",
    "content-length",
    "expect",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
    "via",
    "savecast-look",
    "savecast-document",
];

/// Codings that can be undone here.
const CODINGS: [&str; 7] = ["gzip", "x-gzip", "deflate", "br", "zstd", "identity", "*"];

/// How a request has come.
pub(super) struct Came<'a> {
    /// The host that it names.
    pub(super) host: &'a str,
    pub(super) is_secure: bool,
    pub(super) version: Version,
    pub(super) peer: Option<IpAddr>,
    /// Whether the answer may be a page that gets the client.
    pub(super) may_be_page: bool,
    /// What we call ourselves.
    pub(super) name: &'a str,
}

impl Came<'_> {
    /// What stands behind our own origin in a URL; `None` if it is another one. Without TLS, a proxy in front of us may speak it.
    fn behind_origin<'u>(&self, url: &'u str) -> Option<&'u str> {
        let (scheme, rest) = url.split_once("://")?;
        let is_ours = scheme.eq_ignore_ascii_case("https") || (scheme.eq_ignore_ascii_case("http") && !self.is_secure);
        let host = rest.get(..self.host.len()).filter(|_| is_ours)?;
        let behind = &rest[host.len()..];
        (host.eq_ignore_ascii_case(self.host) && (behind.is_empty() || behind.starts_with('/'))).then_some(behind)
    }
}

/// The headers for the other server. Its own host is named, so that names that it knows and origins that it believes are right.
pub(super) fn headers(came: &Came<'_>, server: &ServerUrl, headers: &HeaderMap) -> hyper::HeaderMap {
    let named = named_by_connection(headers.get_all(header::CONNECTION).filter_map(|value| value.to_str().ok()));
    let mut sent = hyper::HeaderMap::with_capacity(headers.len() + 4);
    let authority = server.authority();
    append(&mut sent, "host", authority.as_bytes());
    let mut has_own_origin = false;
    for (name, value) in headers {
        let word = name.as_str();
        let is_left_out = OF_CONNECTION.contains(&word)
            || OURS.contains(&word)
            || named.iter().any(|named| named == word)
            // A page is asked for anew and as a whole: what the browser has may be without the client, or of another server that had
            // this port.
            || (came.may_be_page && OF_KEPT.contains(&word));
        if is_left_out {
            continue;
        }
        match word {
            // Only what is ours: for somebody else's pages, the other server decides.
            "origin" | "referer" => match came.behind_origin(value.to_str().unwrap_or_default()) {
                Some(rest) => {
                    has_own_origin |= word == "origin";
                    append(&mut sent, word, format!("{}{rest}", server.origin()).as_bytes());
                }
                None => append(&mut sent, word, value.as_bytes()),
            },
            // HTTP/2 may cut it into parts, which other servers don't know (RFC 9113, section 8.2.3).
            "cookie" if !sent.contains_key("cookie") => {
                let parts = headers.get_all(header::COOKIE).map(header::HeaderValue::as_bytes).collect::<Vec<_>>();
                append(&mut sent, word, &parts.join(b"; ".as_slice()));
            }
            "cookie" => {}
            "accept-encoding" if came.may_be_page => {
                append(&mut sent, word, known_codings(value.to_str().unwrap_or_default()).as_bytes());
            }
            _ => append(&mut sent, word, value.as_bytes()),
        }
    }
    if let Some(peer) = came.peer {
        append(&mut sent, "x-forwarded-for", peer.to_string().as_bytes());
    }
    // Servers that believe it compare the origin with it, and those that don't with how they are reached: a form needs both to agree.
    let is_secure = server.is_secure || (came.is_secure && !has_own_origin);
    append(&mut sent, "x-forwarded-proto", if is_secure { b"https" } else { b"http" });
    let before = headers.get_all(header::VIA).filter_map(|value| value.to_str().ok()).map(|value| format!("{value}, "));
    let version = match came.version {
        Version::HTTP_2 => "2.0",
        Version::HTTP_10 => "1.0",
        _ => "1.1",
    };
    append(&mut sent, "via", format!("{}{version} {}", before.collect::<String>(), came.name).as_bytes());
    sent
}

/// Whether the request has passed here already.
pub(super) fn is_loop(name: &str, headers: &HeaderMap) -> bool {
    headers.get_all(header::VIA).any(|via| via.to_str().is_ok_and(|via| via.split([',', ' ']).any(|word| word == name)))
}

/// Other headers that are about a connection, as it says itself.
pub(super) fn named_by_connection<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect()
}

/// The codings that can be undone here, as they are accepted.
fn known_codings(accepted: &str) -> String {
    let is_known = |coding: &&str| {
        let name = coding.split(';').next().unwrap_or_default().trim();
        CODINGS.iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    accepted.split(',').filter(is_known).map(str::trim).collect::<Vec<_>>().join(", ")
}

pub(super) fn append(headers: &mut hyper::HeaderMap, name: &str, value: &[u8]) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
        headers.append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(may_be_page: bool, given: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
        let mut map = HeaderMap::new();
        for (name, value) in given {
            map.append(header::HeaderName::from_static(name), header::HeaderValue::from_static(value));
        }
        let came = Came {
            host: "localhost:3000",
            is_secure: false,
            version: Version::HTTP_11,
            peer: Some([127, 0, 0, 1].into()),
            may_be_page,
            name: "savecast-1",
        };
        let server = ServerUrl::parse("http://localhost:5000").unwrap();
        let sent = headers(&came, &server, &map);
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let mut sent = sent.iter().map(|(name, value)| (name.to_string(), text(value))).collect::<Vec<_>>();
        sent.sort();
        sent
    }

    #[track_caller]
    fn check(may_be_page: bool, given: &[(&'static str, &'static str)], expected: &[(&str, &str)]) {
        let always = [
            ("host", "localhost:5000"),
            ("via", "1.1 savecast-1"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", "http"),
        ];
        let mut expected =
            expected.iter().chain(&always).map(|(a, b)| (a.to_string(), b.to_string())).collect::<Vec<_>>();
        expected.sort();
        assert_eq!(sent(may_be_page, given), expected, "{given:?}");
    }

    #[test]
    fn what_is_about_the_connection_stays_here() {
        check(
            false,
            &[("connection", "keep-alive, X-Own"), ("keep-alive", "1"), ("x-own", "1"), ("x-other", "1")],
            &[("x-other", "1")],
        );
        check(
            false,
            &[("te", "trailers"), ("upgrade", "h2c"), ("transfer-encoding", "chunked"), ("expect", "100-continue")],
            &[],
        );
        check(false, &[("cookie", "a=b"), ("cookie", "c=d")], &[("cookie", "a=b; c=d")]);
    }

    #[test]
    fn nobody_is_believed_about_who_asks() {
        check(
            false,
            &[("x-forwarded-for", "1.2.3.4"), ("forwarded", "for=1.2.3.4"), ("x-forwarded-host", "bank.example")],
            &[],
        );
        check(false, &[("host", "localhost:3000")], &[]);
    }

    #[test]
    fn our_origin_becomes_that_of_the_server_and_no_other_one_does() {
        for (given, expected) in [
            ("http://localhost:3000", "http://localhost:5000"),
            ("http://LOCALHOST:3000", "http://localhost:5000"),
            ("http://localhost:3001", "http://localhost:3001"),
            ("http://localhost:30001", "http://localhost:30001"),
            // A proxy in front of us speaks it.
            ("https://localhost:3000", "http://localhost:5000"),
            ("http://localhost:3000.evil.example", "http://localhost:3000.evil.example"),
            ("null", "null"),
        ] {
            check(false, &[("origin", given)], &[("origin", expected)]);
        }
        check(false, &[("referer", "http://localhost:3000/a?b")], &[("referer", "http://localhost:5000/a?b")]);
    }

    #[test]
    fn a_page_is_asked_for_as_a_whole() {
        let given =
            [("if-none-match", "\"a\""), ("range", "bytes=0-"), ("accept-encoding", "gzip, dcb, br;q=0.5, zstd")];
        check(true, &given, &[("accept-encoding", "gzip, br;q=0.5, zstd")]);
        check(
            false,
            &given,
            &[("if-none-match", "\"a\""), ("range", "bytes=0-"), ("accept-encoding", "gzip, dcb, br;q=0.5, zstd")],
        );
    }

    #[test]
    fn a_circle_is_seen() {
        let via = |value| {
            let mut headers = HeaderMap::new();
            headers.insert(header::VIA, header::HeaderValue::from_static(value));
            is_loop("savecast-1", &headers)
        };
        assert!(via("1.1 savecast-1") && via("1.1 other, 1.1 savecast-1, 2 third"));
        assert!(!via("1.1 savecast-12") && !via("1.1 savecast-2"));
    }
}
