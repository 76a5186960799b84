//! Who may ask: `Host` and `Origin` → verdict (pure), and the middleware that asks.
//!
//! The server sits on the person's own machine, behind every firewall. Any page that they visit can send requests to it.
//! Two rules keep such pages out: a foreign name in `Host` is DNS rebinding, which would let the page read the answers;
//! and streams and everything that isn't a plain GET are not for pages of other origins.

use std::net::IpAddr;

use actix_web::Error;
use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::http::Site;
use crate::http::negotiate;
use crate::http::negotiate::Wanted;

/// The names under which this server may be reached.
#[derive(Clone, Debug)]
pub struct Guard {
    address: IpAddr,
    allowed: Vec<String>,
    cors: Option<Vec<String>>,
}

/// All origins.
const ANY: &str = "*";

/// Whether a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Allow,
    /// It names no host, or more than one.
    NoHost,
    /// It names a host that is not this server.
    ForeignHost,
    /// It comes from a page of somebody else's.
    ForeignOrigin,
}

impl Guard {
    /// `address` is where the server listens, `allowed` are further names in lower case. `cors` are the other origins that
    /// may ask for everything, as browsers write them; all of them, if the list is empty.
    #[must_use]
    pub fn new(address: IpAddr, allowed: Vec<String>, cors: Option<Vec<String>>) -> Self {
        Self { address, allowed, cors }
    }

    /// What is answered to a page of another origin that may ask: its origin, or `*` for all of them. Only who is allowed by
    /// name may send credentials (Fetch Standard, section 3.2.5).
    #[must_use]
    pub fn allowed_origin<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let cors = self.cors.as_ref()?;
        let mut origins = headers.get_all(header::ORIGIN);
        let (Some(origin), None) = (origins.next()?.to_str().ok(), origins.next()) else { return None };
        if cors.is_empty() {
            return Some(ANY);
        }
        cors.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)).then_some(origin)
    }

    /// Judges a request by its headers alone.
    #[must_use]
    pub fn judge(&self, method: &Method, headers: &HeaderMap) -> Verdict {
        // Not `connection_info()`: it believes `Forwarded` headers, which any page can send.
        let mut hosts = headers.get_all(header::HOST);
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return Verdict::NoHost };
        let Some(host) = host.to_str().ok().map(str::to_ascii_lowercase) else { return Verdict::NoHost };
        if !self.is_this_server(without_port(&host)) {
            return Verdict::ForeignHost;
        }
        let is_plain = matches!(*method, Method::GET | Method::HEAD)
            && negotiate::wanted(method, headers) == Ok(Wanted::File)
            && !headers.contains_key(header::UPGRADE);
        if is_plain || self.allowed_origin(headers).is_some() || self.is_own_origin(&host, headers) {
            Verdict::Allow
        } else {
            Verdict::ForeignOrigin
        }
    }

    fn is_this_server(&self, host: &str) -> bool {
        if host == "localhost" || self.allowed.iter().any(|allowed| allowed == host) {
            return true;
        }
        // A name can be made to mean this machine, an address can't: rebinding needs a name.
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address.is_ok_and(|address| address == self.address || self.address.is_unspecified())
    }

    /// Whether the page that asks, if it is a page, came from here. A page of another port of this machine did not.
    fn is_own_origin(&self, host: &str, headers: &HeaderMap) -> bool {
        // A program other than a browser sends neither header; a page can't leave out or forge them.
        let is = |site: &HeaderValue, words: &[&str]| {
            words.iter().any(|word| site.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
        };
        let mut sites = headers.get_all("sec-fetch-site");
        let mut origins = headers.get_all(header::ORIGIN);
        let Some(origin) = origins.next() else {
            // A page of another port asks without an origin, too, if it does not want to read the answer.
            return sites.all(|site| is(site, &["same-origin", "none"]));
        };
        if sites.any(|site| is(site, &["cross-site"])) {
            return false;
        }
        let Some(origin) = origin.to_str().ok().map(str::to_ascii_lowercase) else { return false };
        let Some(authority) = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) else {
            return false;
        };
        let is_allowed = || self.allowed.iter().any(|allowed| allowed == without_port(authority));
        origins.next().is_none() && (authority == host || is_allowed())
    }
}

/// `[::1]:3000` → `[::1]`, `localhost:3000` → `localhost`. What is malformed stays so and matches nothing.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Answers what the verdict allows.
pub(super) async fn middleware(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let site = request.app_data::<Data<Site>>().expect("routes() sets the site");
    let verdict = site.guard.judge(request.method(), request.headers());
    let answer = match verdict {
        Verdict::Allow => {
            let origin = site.guard.allowed_origin(request.headers()).map(str::to_owned);
            let Some(origin) = origin else {
                return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
            };
            let mut response = if is_preflight(request.method(), request.headers()) {
                request.into_response(HttpResponse::NoContent())
            } else {
                next.call(request).await?.map_into_boxed_body()
            };
            share(&origin, response.headers_mut());
            return Ok(response);
        }
        Verdict::NoHost => HttpResponse::BadRequest().body("the request must name one host\n"),
        Verdict::ForeignHost => HttpResponse::Forbidden()
            .body("this server does not go by that name; start it with --allow-host NAME to allow it\n"),
        Verdict::ForeignOrigin => HttpResponse::Forbidden().body("pages of other origins may not ask for this\n"),
    };
    Ok(request.into_response(answer))
}

/// Whether a browser asks if a page of another origin may ask (Fetch Standard, section 3.2.2).
fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Lets a page of this origin see the answer.
fn share(origin: &str, headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(name, value);
        }
    };
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    set(header::VARY, "Origin");
    if origin != ANY {
        set(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    set(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST");
    set(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Accept, Cache-Control, Content-Type, If-Modified-Since, If-None-Match, Last-Event-ID, Prefer, Range",
    );
    set(header::ACCESS_CONTROL_EXPOSE_HEADERS, "Content-Range, ETag, Preference-Applied, Server-Timing");
    // Browsers ask before a page of the network reaches this machine (Private Network Access).
    set(HeaderName::from_static("access-control-allow-private-network"), "true");
    set(header::ACCESS_CONTROL_MAX_AGE, "600");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(guard: &Guard, method: &Method, headers: &[(&str, &str)]) -> Verdict {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        guard.judge(method, &map)
    }

    #[track_caller]
    fn host(bound: &str, host: &str, expected: Verdict) {
        let guard = Guard::new(bound.parse().unwrap(), vec!["demo.test".into()], None);
        assert_eq!(judge(&guard, &Method::GET, &[("host", host)]), expected, "{host} at {bound}");
    }

    #[track_caller]
    fn origin(headers: &[(&str, &str)], expected: Verdict) {
        let guard = Guard::new("127.0.0.1".parse().unwrap(), vec!["demo.test".into()], None);
        let mut all = vec![("host", "localhost:3000"), ("accept", "text/event-stream")];
        all.extend(headers);
        assert_eq!(judge(&guard, &Method::GET, &all), expected, "{headers:?}");
    }

    #[test]
    fn answers_to_its_own_names_only() {
        for name in
            ["localhost", "localhost:3000", "LOCALHOST", "127.0.0.1", "127.0.0.1:81", "demo.test", "Demo.Test:9"]
        {
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
            "localhost@evil.example",
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
        let guard = Guard::new("127.0.0.1".parse().unwrap(), vec![], None);
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
        origin(&[("origin", "http://localhost:3000")], Verdict::Allow);
        origin(&[("origin", "https://demo.test")], Verdict::Allow);
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
    fn files_can_be_asked_for_from_anywhere_but_not_posted_to() {
        let guard = Guard::new("127.0.0.1".parse().unwrap(), vec![], None);
        let foreign = [("host", "localhost"), ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
        assert_eq!(judge(&guard, &Method::GET, &foreign), Verdict::Allow);
        assert_eq!(judge(&guard, &Method::POST, &foreign), Verdict::ForeignOrigin);
        assert_eq!(judge(&guard, &Method::OPTIONS, &foreign), Verdict::ForeignOrigin);
    }
}
