//! The head of another server's answer becomes that of ours. Pure.

use actix_web::http::header;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;

use crate::http::guard::verdict::without_port;
use crate::http::proxy::request::OF_CONNECTION;
use crate::http::proxy::request::named_by_connection;
use crate::site::ServerUrl;
use crate::site::SitePath;

/// What holds for the other server's address, and would hold for every project that has this port some day; and the length, which is that
/// of what is sent.
const OF_ADDRESS: [&str; 3] = ["strict-transport-security", "alt-svc", "content-length"];

/// Where an answer comes from, and where it goes.
pub(super) struct Passage<'a> {
    pub(super) server: &'a ServerUrl,
    pub(super) directory: &'a SitePath,
    /// The host that the request names.
    pub(super) host: &'a str,
    pub(super) is_secure: bool,
    /// The path at which a proxy has put us.
    pub(super) base: &'a str,
}

/// The headers for the browser: what the other server calls by its own address is called by ours.
pub(super) fn headers(passage: &Passage<'_>, headers: &hyper::HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    let named = headers.get_all("connection").iter().filter_map(|value| value.to_str().ok());
    let named = named_by_connection(named);
    let mut passed = Vec::with_capacity(headers.len() + 2);
    for (name, value) in headers {
        let word = name.as_str();
        if OF_CONNECTION.contains(&word) || OF_ADDRESS.contains(&word) || named.iter().any(|named| named == word) {
            continue;
        }
        let text = || value.to_str().ok();
        let changed = match word {
            "location" | "content-location" => text().and_then(|url| passage.ours(url)),
            "refresh" => text().and_then(|refresh| passage.refresh(refresh)),
            "link" => text().map(|link| passage.link(link)),
            "set-cookie" => text().map(|cookie| passage.cookie(cookie)),
            "access-control-allow-origin" => text().and_then(|origin| passage.origin(origin)),
            _ => None,
        };
        let bytes = changed.as_ref().map_or(value.as_bytes(), |changed| changed.as_bytes());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(word.as_bytes()), HeaderValue::from_bytes(bytes)) {
            passed.push((name, value));
        }
    }
    passed
}

impl Passage<'_> {
    /// Its own URL as ours; `None` if it stays as it is.
    fn ours(&self, url: &str) -> Option<String> {
        let ours = self.server.to_ours(self.directory, url)?;
        // What it writes as a path is right already, unless it has another place here.
        (ours != url).then(|| format!("{}{ours}", self.base))
    }

    /// `5; url=http://localhost:5000/`
    fn refresh(&self, refresh: &str) -> Option<String> {
        let at = refresh.to_ascii_lowercase().find("url=")? + "url=".len();
        let (before, url) = refresh.split_at(at);
        let bare = url.trim_matches(['"', '\'']);
        self.ours(bare).map(|ours| format!("{before}{ours}"))
    }

    /// `<http://localhost:5000/style.css>; rel=preload, …` (RFC 8288).
    fn link(&self, link: &str) -> String {
        let mut passed = String::new();
        let mut rest = link;
        while let Some((before, behind)) = rest.split_once('<') {
            let Some((url, behind)) = behind.split_once('>') else { break };
            let ours = self.ours(url);
            passed += before;
            passed += "<";
            passed += ours.as_deref().unwrap_or(url);
            passed += ">";
            rest = behind;
        }
        passed + rest
    }

    /// A cookie is edited as it is written, because what is between its quotes is nobody's business.
    fn cookie(&self, cookie: &str) -> String {
        let name = cookie.split('=').next().unwrap_or_default().trim();
        // Those want to be secure, and browsers believe it of this machine.
        let is_prefixed = name.starts_with("__Host-") || name.starts_with("__Secure-");
        let loses_tls = self.server.is_secure && !self.is_secure && !is_prefixed;
        let mut parts = cookie.split(';');
        let mut kept = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "domain" if !self.is_domain(value.trim()) => {}
                "path" if self.server.has_path() => {
                    let its = format!("{}/", value.trim().trim_end_matches('/'));
                    let ours = self.server.to_ours(self.directory, &its);
                    // A cookie of a directory above is one for all that we have of it.
                    let ours = ours.unwrap_or_else(|| self.directory.as_directory().to_url());
                    let path = format!("{}{}", self.base, ours.trim_end_matches('/'));
                    kept += "; Path=";
                    kept += if path.is_empty() { "/" } else { &path };
                }
                "secure" | "partitioned" if loses_tls => {}
                "samesite" if loses_tls && value.trim().eq_ignore_ascii_case("none") => kept += "; SameSite=Lax",
                _ => {
                    kept.push(';');
                    kept += part;
                }
            }
        }
        kept
    }

    /// Whether we are in this domain (RFC 6265, section 5.1.3).
    fn is_domain(&self, domain: &str) -> bool {
        let domain = domain.trim_start_matches('.').to_ascii_lowercase();
        let host = without_port(self.host);
        host == domain || host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
    }

    fn origin(&self, origin: &str) -> Option<String> {
        let (scheme, authority) = origin.split_once("://")?;
        let is_own = self.server.is_own_origin(scheme, authority);
        is_own.then(|| format!("{}://{}", if self.is_secure { "https" } else { "http" }, self.host))
    }
}

/// What is said of a body that is another one with the client in it.
pub(super) const OF_BODY: [HeaderName; 8] = [
    header::ETAG,
    header::LAST_MODIFIED,
    header::ACCEPT_RANGES,
    header::CONTENT_ENCODING,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(server: &str, given: &[(&'static str, &'static str)], expected: &[(&str, &str)]) {
        let server = ServerUrl::parse(server).unwrap();
        let directory = SitePath::root();
        let passage =
            Passage { server: &server, directory: &directory, host: "localhost:3000", is_secure: false, base: "" };
        let mut map = hyper::HeaderMap::new();
        for (name, value) in given {
            map.append(*name, hyper::header::HeaderValue::from_static(value));
        }
        let passed = headers(&passage, &map);
        let passed = passed.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect::<Vec<_>>();
        assert_eq!(passed, expected, "{given:?}");
    }

    #[test]
    fn its_own_address_becomes_ours() {
        let server = "http://localhost:5000";
        for (name, given, expected) in [
            ("location", "http://localhost:5000/login?next=%2F", "/login?next=%2F"),
            ("location", "http://127.0.0.1:5000/", "/"),
            ("location", "/login", "/login"),
            (
                "location",
                "https://accounts.example/?to=http://localhost:5000/",
                "https://accounts.example/?to=http://localhost:5000/",
            ),
            ("refresh", "3; URL=http://localhost:5000/a", "3; URL=/a"),
            ("refresh", "3", "3"),
            (
                "link",
                "<http://localhost:5000/a.css>; rel=preload, <https://cdn.example/b>; rel=x",
                "</a.css>; rel=preload, <https://cdn.example/b>; rel=x",
            ),
            ("access-control-allow-origin", "http://localhost:5000", "http://localhost:3000"),
            ("access-control-allow-origin", "*", "*"),
            ("access-control-allow-origin", "https://other.example", "https://other.example"),
        ] {
            check(server, &[(name, given)], &[(name, expected)]);
        }
    }

    #[test]
    fn cookies_are_those_of_our_address() {
        for (server, given, expected) in [
            ("http://localhost:5000", "a=\"b;c\"; Path=/; HttpOnly", "a=\"b;c\"; Path=/; HttpOnly"),
            ("http://localhost:5000", "a=b; Secure; SameSite=None", "a=b; Secure; SameSite=None"),
            ("http://app.test", "a=b; Domain=app.test; Path=/", "a=b; Path=/"),
            ("http://app.test", "a=b; domain=.localhost; Path=/", "a=b; domain=.localhost; Path=/"),
            ("https://app.test", "a=b; Secure; SameSite=None; Path=/", "a=b; SameSite=Lax; Path=/"),
            ("http://a:1/context", "a=b; Path=/context; HttpOnly", "a=b; Path=/; HttpOnly"),
            ("http://a:1/context/", "a=b; path=/context/admin/", "a=b; Path=/admin"),
            ("http://a:1/context", "a=b; Path=/", "a=b; Path=/"),
            ("https://app.test", "__Host-a=b; Secure; Path=/", "__Host-a=b; Secure; Path=/"),
        ] {
            check(server, &[("set-cookie", given)], &[("set-cookie", expected)]);
        }
        check(
            "http://a:1",
            &[("set-cookie", "a=b"), ("set-cookie", "c=d")],
            &[("set-cookie", "a=b"), ("set-cookie", "c=d")],
        );
    }

    #[test]
    fn what_is_about_its_address_stays_there() {
        check(
            "https://app.test",
            &[
                ("strict-transport-security", "max-age=1"),
                ("alt-svc", "h3"),
                ("connection", "x-a"),
                ("x-a", "1"),
                ("x-b", "1"),
            ],
            &[("x-b", "1")],
        );
    }
}
