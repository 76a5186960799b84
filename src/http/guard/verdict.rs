//! Method and headers → whether a request is answered. Pure.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use actix_web::http::Method;
use actix_web::http::Uri;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;

use crate::http::guard::reached::Reached;
use crate::http::negotiate;
use crate::http::negotiate::Negotiated;
use crate::http::urls::CONSOLE;
use crate::http::urls::OVERVIEW;
use crate::http::urls::RELOAD;
use crate::http::urls::TABS;

/// The names under which this server may be reached.
#[derive(Clone, Debug)]
pub struct Guard {
    allowed: Vec<String>,
    cors: Option<Vec<String>>,
    /// The origins whose pages were refused, and the names of hosts, as far as it was told.
    refused: Arc<Mutex<BTreeSet<String>>>,
}

/// How many of them are told at most.
const REFUSED: usize = 100;

/// What only pages of this server itself may ask for, whatever other origins may use: it is of other visitors, or for the terminal.
const FOR_US: [&str; 4] = [OVERVIEW, RELOAD, TABS, CONSOLE];

/// The header in which a browser says of whose site the page that asks is (Fetch Metadata Request Headers, section 2.4).
static SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// That in which it says how it asks (section 2.2).
static MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// All origins.
pub(super) const ANY: &str = "*";

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
    /// `allowed` are further names, in lower case, under which the server may be reached. `cors` are the other origins that
    /// may ask for everything, as browsers write them; all of them, if the list is empty.
    #[must_use]
    pub fn new(allowed: Vec<String>, cors: Option<Vec<String>>) -> Self {
        Self { allowed, cors, refused: Arc::default() }
    }

    /// Whether this origin or host is refused for the first time.
    pub(super) fn is_first(&self, origin: &str) -> bool {
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

    /// Judges a request by its head, and how it has come.
    #[must_use]
    pub fn judge(&self, reached: Reached, method: &Method, uri: &Uri, headers: &HeaderMap) -> Verdict {
        let Some(host) = host_of(uri, headers) else { return Verdict::NoHost };
        if !self.is_this_server(reached.address, without_port(&host)) {
            return Verdict::ForeignHost;
        }
        let is_for_us = FOR_US.contains(&uri.path());
        let is_plain = matches!(*method, Method::GET | Method::HEAD)
            && !is_for_us
            && negotiate::negotiate(method, headers) == Ok(Negotiated::File)
            && !headers.contains_key(header::UPGRADE);
        if (!is_for_us && self.allowed_origin(headers).is_some())
            || (!is_plain && self.is_own_origin(reached, &host, headers))
        {
            Verdict::Allow
        } else if is_plain {
            self.judge_plain(reached, &host, headers)
        } else {
            Verdict::ForeignOrigin
        }
    }

    /// Judges a plain GET by what browsers say of the page that asks (Fetch Metadata). Pages of other ports of this machine
    /// are of the same site, and programs say nothing.
    fn judge_plain(&self, reached: Reached, host: &str, headers: &HeaderMap) -> Verdict {
        let is = |name: &HeaderName, word: &str| {
            headers.get_all(name).any(|value| value.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
        };
        if !is(&SITE, "cross-site") {
            return Verdict::Allow;
        }
        if is(&MODE, "navigate") {
            // Somebody has followed a link.
            if is(&negotiate::DEST, "document") {
                return Verdict::Allow;
            }
            // The preview of an editor is a frame of another site. What is no page is not for frames: it would be downloaded
            // if it is there. An `<object>` tells by its fallback whether something is there.
            if is(&negotiate::DEST, "iframe") || is(&negotiate::DEST, "frame") {
                return Verdict::AllowPage;
            }
        }
        // A sandboxed frame is of no site at all. Within a page of this site, browsers send `Origin: null` with what it embeds;
        // within a page of another site they send no origin, and no page can make them.
        let is_in_our_sandbox = is(&MODE, "no-cors") && is(&header::ORIGIN, "null");
        let referer =
            headers.get(header::REFERER).and_then(|referer| referer.to_str().ok()).map(str::to_ascii_lowercase);
        let referer = referer.as_deref().and_then(origin_of);
        let may_embed = |origin: &str| {
            self.is_origin_of(reached, host, origin)
                || self.cors.as_ref().is_some_and(|cors| cors.iter().any(|one| one == origin))
        };
        let is_for_all = self.cors.as_ref().is_some_and(Vec::is_empty);
        if is_in_our_sandbox || is_for_all || referer.is_some_and(may_embed) {
            Verdict::Embed
        } else {
            Verdict::ForeignOrigin
        }
    }

    fn is_this_server(&self, address: SocketAddr, host: &str) -> bool {
        if host == "localhost" || self.allowed.iter().any(|allowed| allowed == host) {
            return true;
        }
        // A name can be made to mean this machine, an address can't: rebinding needs a name.
        let named = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        named.is_ok_and(|named| named == address.ip() || address.ip().is_unspecified())
    }

    /// Whether the page that asks, if it is a page, came from here. A page of another port of this machine did not.
    fn is_own_origin(&self, reached: Reached, host: &str, headers: &HeaderMap) -> bool {
        // A program other than a browser sends neither header; a page can't leave out or forge them.
        let is = |site: &HeaderValue, words: &[&str]| {
            words.iter().any(|word| site.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
        };
        // A proxy may change the host on the way, and then the origin is none that we know. But the browser knows that it has
        // asked the page's own origin, and what reaches us through a proxy was sent to that.
        let mut sites = headers.get_all(&SITE);
        if let (Some(state), None) = (sites.next(), sites.next())
            && is(state, &["same-origin"])
        {
            return true;
        }
        let mut sites = headers.get_all(&SITE);
        let mut origins = headers.get_all(header::ORIGIN);
        let Some(origin) = origins.next() else {
            // A page of another port asks without an origin, too, if it does not want to read the answer.
            return sites.all(|site| is(site, &["same-origin", "none"]));
        };
        if sites.any(|site| is(site, &["cross-site"])) {
            return false;
        }
        let origin = origin.to_str().ok().map(str::to_ascii_lowercase);
        origins.next().is_none() && origin.is_some_and(|origin| self.is_origin_of(reached, host, &origin))
    }

    /// Whether pages that are reached at this host have this origin. Without TLS, HTTPS is spoken by a proxy, which is known by its
    /// port, or by the name that was allowed for it.
    fn is_origin_of(&self, reached: Reached, host: &str, origin: &str) -> bool {
        let name = without_port(host);
        let port = host[name.len()..].strip_prefix(':').map_or(Some(80), |port| port.parse().ok());
        let is_proxy = || port != Some(reached.address.port()) || self.allowed.iter().any(|allowed| allowed == name);
        match origin.strip_prefix("https://") {
            Some(authority) => authority == host && (reached.is_secure || is_proxy()),
            None => origin.strip_prefix("http://") == Some(host) && !reached.is_secure,
        }
    }
}

/// The one host that a request names, in lower case: in HTTP/2 the `:authority`, which stands in the URL as that of an
/// absolute URL does; else the `Host` header. Both have to agree (RFC 9110, section 7.2; RFC 9113, section 8.3.1), and neither
/// names a user (RFC 9110, section 4.2.4).
///
/// Not `connection_info()`: it believes `Forwarded` headers, which any page can send.
pub(crate) fn host_of(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let mut hosts = headers.get_all(header::HOST);
    let header = match (hosts.next(), hosts.next()) {
        (host, None) => host.map(|host| host.to_str().map(str::to_ascii_lowercase)).transpose().ok()?,
        (_, Some(_)) => return None,
    };
    let authority = uri.authority().map(|authority| authority.as_str().to_ascii_lowercase());
    let host = match (authority, header) {
        (Some(authority), Some(header)) if authority != header => return None,
        (authority, header) => authority.or(header)?,
    };
    (!host.contains('@')).then_some(host)
}

/// The origin of a URL, as far as it is written in it: `http://localhost:3000/a` → `http://localhost:3000`.
fn origin_of(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |end| start + end);
    Some(&url[..end])
}

/// `[::1]:3000` → `[::1]`, `localhost:3000` → `localhost`. What is malformed stays so and matches nothing.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests;
