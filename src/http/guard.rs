//! Who may ask: `Host` and `Origin` → verdict (pure), and the middleware that asks.
//!
//! The server sits on the person's own machine, behind every firewall. Any page that they visit can send requests to it.
//! Three rules keep such pages out: a foreign name in `Host` is DNS rebinding, which would let the page read the answers;
//! streams and everything that isn't a plain GET are not for pages of other origins; and pages of other sites get nothing
//! that they could embed, because whether a picture, a script or an object loads tells them which files there are.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

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

use crate::console::Notice;
use crate::http::EVENTS;
use crate::http::Site;
use crate::http::negotiate;
use crate::http::negotiate::Wanted;

/// The names under which this server may be reached.
#[derive(Clone, Debug)]
pub struct Guard {
    address: SocketAddr,
    allowed: Vec<String>,
    cors: Option<Vec<String>>,
    /// The origins whose pages were refused, as far as it was told.
    refused: Arc<Mutex<BTreeSet<String>>>,
}

/// How many refused origins are told at most.
const REFUSED: usize = 100;

/// All origins.
const ANY: &str = "*";

/// Whether a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Allow,
    /// It is, and the answer may be a part of a page that is not of this site.
    Embed,
    /// It is, if the answer is a page.
    AllowPage,
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
    pub fn new(address: SocketAddr, allowed: Vec<String>, cors: Option<Vec<String>>) -> Self {
        Self { address, allowed, cors, refused: Arc::default() }
    }

    /// Whether this origin is refused for the first time.
    fn is_first(&self, origin: &str) -> bool {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.len() < REFUSED && refused.insert(origin.to_owned())
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
        if self.allowed_origin(headers).is_some() || (!is_plain && self.is_own_origin(&host, headers)) {
            Verdict::Allow
        } else if is_plain {
            self.judge_plain(&host, headers)
        } else {
            Verdict::ForeignOrigin
        }
    }

    /// Judges a plain GET by what browsers say of the page that asks (Fetch Metadata). Pages of other ports of this machine
    /// are of the same site, and programs say nothing.
    fn judge_plain(&self, host: &str, headers: &HeaderMap) -> Verdict {
        let is = |name: &str, word: &str| {
            headers.get_all(name).any(|value| value.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
        };
        if !is("sec-fetch-site", "cross-site") {
            return Verdict::Allow;
        }
        if is("sec-fetch-mode", "navigate") {
            // Somebody has followed a link.
            if is("sec-fetch-dest", "document") {
                return Verdict::Allow;
            }
            // The preview of an editor is a frame of another site. What is no page is not for frames: it would be downloaded
            // if it is there. An `<object>` tells by its fallback whether something is there.
            if is("sec-fetch-dest", "iframe") || is("sec-fetch-dest", "frame") {
                return Verdict::AllowPage;
            }
        }
        // A sandboxed frame is of no site at all. Within a page of this site, browsers send `Origin: null` with what it embeds;
        // within a page of another site they send no origin, and no page can make them.
        let is_in_our_sandbox = is("sec-fetch-mode", "no-cors") && is("origin", "null");
        let referer =
            headers.get(header::REFERER).and_then(|referer| referer.to_str().ok()).map(str::to_ascii_lowercase);
        let referer = referer.as_deref().and_then(origin_of);
        let may_embed = |origin: &str| {
            self.is_origin_of(host, origin)
                || self.cors.as_ref().is_some_and(|cors| cors.iter().any(|one| one == origin))
        };
        let is_for_all = self.cors.as_ref().is_some_and(Vec::is_empty);
        if is_in_our_sandbox || is_for_all || referer.is_some_and(may_embed) {
            Verdict::Embed
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
        address.is_ok_and(|address| address == self.address.ip() || self.address.ip().is_unspecified())
    }

    /// Whether the page that asks, if it is a page, came from here. A page of another port of this machine did not.
    fn is_own_origin(&self, host: &str, headers: &HeaderMap) -> bool {
        // A program other than a browser sends neither header; a page can't leave out or forge them.
        let is = |site: &HeaderValue, words: &[&str]| {
            words.iter().any(|word| site.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
        };
        // A proxy may change the host on the way, and then the origin is none that we know. But the browser knows that it has
        // asked the page's own origin, and what reaches us through a proxy was sent to that.
        let mut sites = headers.get_all("sec-fetch-site");
        if let (Some(site), None) = (sites.next(), sites.next())
            && is(site, &["same-origin"])
        {
            return true;
        }
        let mut sites = headers.get_all("sec-fetch-site");
        let mut origins = headers.get_all(header::ORIGIN);
        let Some(origin) = origins.next() else {
            // A page of another port asks without an origin, too, if it does not want to read the answer.
            return sites.all(|site| is(site, &["same-origin", "none"]));
        };
        if sites.any(|site| is(site, &["cross-site"])) {
            return false;
        }
        let origin = origin.to_str().ok().map(str::to_ascii_lowercase);
        origins.next().is_none() && origin.is_some_and(|origin| self.is_origin_of(host, &origin))
    }

    /// Whether pages that are reached at this host have this origin. We speak HTTP only: HTTPS is spoken by a proxy, which is
    /// known by its port, or by the name that was allowed for it.
    fn is_origin_of(&self, host: &str, origin: &str) -> bool {
        let name = without_port(host);
        let port = host[name.len()..].strip_prefix(':').map_or(Some(80), |port| port.parse().ok());
        let is_proxy = || port != Some(self.address.port()) || self.allowed.iter().any(|allowed| allowed == name);
        match origin.strip_prefix("https://") {
            Some(authority) => authority == host && is_proxy(),
            None => origin.strip_prefix("http://") == Some(host),
        }
    }
}

/// The origin of a URL, as far as it is written in it: `http://localhost:3000/a` → `http://localhost:3000`.
fn origin_of(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |end| start + end);
    Some(&url[..end])
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
    let origin = site.guard.allowed_origin(request.headers()).map(str::to_owned);
    let mut response = match verdict {
        Verdict::Allow | Verdict::Embed | Verdict::AllowPage => {
            if origin.is_some() && is_preflight(request.method(), request.headers()) {
                request.into_response(HttpResponse::NoContent())
            } else {
                next.call(request).await?.map_into_boxed_body()
            }
        }
        Verdict::NoHost => request.into_response(HttpResponse::BadRequest().body("the request must name one host\n")),
        Verdict::ForeignHost => request.into_response(
            HttpResponse::Forbidden()
                .body("this server does not go by that name; start it with --allow-host NAME to allow it\n"),
        ),
        Verdict::ForeignOrigin => {
            tell(site, &request);
            request.into_response(foreign_origin())
        }
    };
    if verdict == Verdict::AllowPage && !is_page(&response) {
        response = response.into_response(foreign_origin());
    }
    if verdict == Verdict::Allow
        && let Some(origin) = origin
    {
        share(&origin, response.headers_mut());
    }
    protect(verdict, response.headers_mut());
    Ok(response)
}

fn foreign_origin() -> HttpResponse {
    HttpResponse::Forbidden()
        .body("pages of other origins may not ask for this; start the server with --cors ORIGIN to allow it\n")
}

/// Says why a page that has loaded is not live: a proxy has changed the host on the way. Where a browser tells of whose site
/// the page is, it is a page of somebody else's, and nobody is advised to let it in.
fn tell(site: &Site, request: &ServiceRequest) {
    let text = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST)) else { return };
    let is_of_page = request.path() == EVENTS && !request.headers().contains_key("sec-fetch-site");
    if is_of_page && site.guard.is_first(origin) {
        (site.say)(&Notice::Refused { origin, host });
    }
}

/// Whether it is HTML, or has no content of its own.
fn is_page(response: &ServiceResponse<BoxBody>) -> bool {
    let media_type = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    response.status().is_redirection() || media_type.is_some_and(|media_type| media_type.starts_with(b"text/html"))
}

/// What every answer says: that it is what it says, and who may embed it. Pages of other sites may not; other ports of this
/// machine may.
fn protect(verdict: Verdict, headers: &mut HeaderMap) {
    let policy = if verdict == Verdict::Embed { "cross-origin" } else { "same-site" };
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
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
#[path = "guard_tests.rs"]
mod tests;
