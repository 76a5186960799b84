//! Which of the ways to get a file a request wants. Pure.

use std::collections::HashMap;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderName;
use actix_web::web::Query;

/// What a URL of a file answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Negotiated {
    /// The file, now.
    File,
    /// A stream of its contents.
    EventStream,
    /// A WebSocket with its contents.
    WebSocket,
}

/// The method can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAllowed {
    /// The value of the `Allow` header.
    pub allow: &'static str,
}

/// Reads what is wanted from the method and the `Accept` and `Upgrade` headers. A POST is for clients that can't stream a GET.
///
/// # Errors
///
/// If there is no such way.
pub fn negotiate(method: &Method, headers: &HeaderMap) -> Result<Negotiated, NotAllowed> {
    let events = accepts_events(headers);
    match *method {
        Method::GET if upgrades(headers) => Ok(Negotiated::WebSocket),
        Method::GET | Method::HEAD | Method::POST if events => Ok(Negotiated::EventStream),
        Method::GET | Method::HEAD => Ok(Negotiated::File),
        Method::POST => Err(NotAllowed { allow: "GET, HEAD" }),
        _ => Err(NotAllowed { allow: "GET, HEAD, POST" }),
    }
}

/// Whether the connection is to become a WebSocket (RFC 6455, section 4.1).
fn upgrades(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|upgrade| upgrade.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Whether `text/event-stream` is asked for by name: `*/*` is no wish for a stream.
fn accepts_events(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).filter_map(|accept| accept.to_str().ok()).flat_map(|accept| accept.split(',')).any(
        |range| range.split(';').next().is_some_and(|range| range.trim().eq_ignore_ascii_case("text/event-stream")),
    )
}

/// The query with which the client asks for a file as its author has written it.
const SOURCE: &str = "savecast-source";

/// The header with which the client asks for its own page, so that a service worker renews what it keeps of it.
static DOCUMENT: HeaderName = HeaderName::from_static("savecast-document");

/// The header with which the client asks whether its page is there.
pub(crate) static LOOK: HeaderName = HeaderName::from_static("savecast-look");

/// The header in which a browser says what becomes of the answer (Fetch Metadata Request Headers, section 2.1).
pub(crate) static DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Headers of libraries that say that their script asks: htmx, Turbo, Inertia, pjax, React.
static OF_SCRIPTS: [HeaderName; 5] = [
    HeaderName::from_static("hx-request"),
    HeaderName::from_static("turbo-frame"),
    HeaderName::from_static("x-inertia"),
    HeaderName::from_static("x-pjax"),
    HeaderName::from_static("rsc"),
];

/// That of jQuery and its likes. Android's web views say the name of their app in it, also with navigations.
static REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// Whether the client of a page asks, for something that is not to have the client in it.
pub(crate) fn is_of_client(headers: &HeaderMap, query: &str) -> bool {
    query.contains(SOURCE) || headers.contains_key(&LOOK)
}

/// What becomes of the answer, as far as the browser says (Fetch Metadata Request Headers, section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A document in a tab, because somebody has opened this URL.
    Tab,
    /// A document in a frame, or nobody says: browsers tell it to this machine and over HTTPS only.
    Document,
    /// What a service worker keeps. It asks for documents and for everything else in the same way.
    Worker,
    /// A part of a page, or something for a script.
    Part,
}

/// Reads what becomes of the answer.
#[must_use]
pub fn destination(headers: &HeaderMap, query: &str) -> Destination {
    if query.contains(SOURCE) {
        return Destination::Part;
    }
    if headers.contains_key(&DOCUMENT) {
        return Destination::Tab;
    }
    match headers.get(&DEST).map(header::HeaderValue::as_bytes) {
        Some(b"document") => Destination::Tab,
        // Scripts say it so, where browsers don't.
        None if is_said_by_script(headers) => Destination::Part,
        None | Some(b"iframe" | b"frame" | b"embed" | b"object") => Destination::Document,
        // A service worker that passes a navigation on. Browsers send this header with navigations only, and not where a
        // link says that it is a download.
        Some(b"empty") if headers.contains_key(header::UPGRADE_INSECURE_REQUESTS) => Destination::Tab,
        Some(b"empty") if is_sent_by_script(headers) => Destination::Worker,
        Some(_) => Destination::Part,
    }
}

impl Destination {
    /// Whether the answer becomes a document of its own, and not a fragment that a script puts somewhere.
    #[must_use]
    pub fn is_document(self) -> bool {
        matches!(self, Self::Tab | Self::Document)
    }
}

/// Whether a page is wanted, and not a script, a picture, or data. `name` is that of the file.
#[must_use]
pub fn wants_page(headers: &HeaderMap, query: &str, name: &str) -> bool {
    if is_of_client(headers, query) {
        return true;
    }
    if let Some(dest) = headers.get(&DEST).map(header::HeaderValue::as_bytes) {
        if dest != b"empty" || destination(headers, query).is_document() {
            return destination(headers, query).is_document() && !matches!(dest, b"embed" | b"object");
        }
        // A script that changes the page itself says so.
        return headers.get_all(header::ACCEPT).any(|accept| accept.as_bytes().starts_with(b"text/html"));
    }
    let accepts = |media_type: &str| {
        headers.get_all(header::ACCEPT).any(|accept| accept.to_str().is_ok_and(|accept| accept.contains(media_type)))
    };
    let accepts_all = || !headers.contains_key(header::ACCEPT) || accepts("*/*");
    accepts("text/html") || (!name.contains('.') && accepts_all())
}

/// The same of a request.
#[must_use]
pub fn destination_of(request: &HttpRequest) -> Destination {
    destination(request.headers(), request.query_string())
}

/// Whether a browser is going to show the answer to somebody: it becomes a document, and a page is welcome.
pub(crate) fn is_for_person(request: &HttpRequest) -> bool {
    let mut accepts = request.headers().get_all(header::ACCEPT);
    destination_of(request).is_document()
        && accepts.any(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html")))
}

/// Whether a library says that its script asks.
fn is_said_by_script(headers: &HeaderMap) -> bool {
    OF_SCRIPTS.iter().any(|name| headers.contains_key(name))
        || headers.get(&REQUESTED_WITH).is_some_and(|with| with.as_bytes().eq_ignore_ascii_case(b"xmlhttprequest"))
}

/// Whether the request comes from a worker: its referrer is not a page, but the script of the worker.
fn is_sent_by_script(headers: &HeaderMap) -> bool {
    let referrer = headers.get(header::REFERER).and_then(|referrer| referrer.to_str().ok());
    let path = referrer.and_then(|referrer| referrer.split(['?', '#']).next());
    path.is_some_and(|path| [".js", ".mjs", ".ts"].iter().any(|ending| path.ends_with(ending)))
}

/// The id of the last event that a listener has seen. A browser sends it when it connects again; who can't set headers
/// may write it into the query.
pub(crate) fn last_event_id(request: &HttpRequest) -> Option<String> {
    let header = request.headers().get("last-event-id").and_then(|id| id.to_str().ok());
    // The second spelling is that of polyfills.
    let query = || {
        let mut query = Query::<HashMap<String, String>>::from_query(request.query_string()).ok()?;
        query.remove("last-event-id").or_else(|| query.remove("lastEventId"))
    };
    // Who has seen nothing yet may say so with an empty one.
    header.map(str::to_owned).or_else(query).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, accept: &'static str, expected: Result<Negotiated, &'static str>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, header::HeaderValue::from_static(accept));
        assert_eq!(negotiate(&method, &headers).map_err(|error| error.allow), expected, "{method} {accept}");
    }

    #[test]
    fn the_accept_header_decides() {
        check(Method::GET, "text/html,*/*;q=0.8", Ok(Negotiated::File));
        check(Method::GET, "*/*", Ok(Negotiated::File));
        check(Method::GET, "text/event-stream", Ok(Negotiated::EventStream));
        check(Method::GET, "application/json, Text/Event-Stream;q=0.9", Ok(Negotiated::EventStream));
        check(Method::HEAD, "*/*", Ok(Negotiated::File));
        check(Method::POST, "text/event-stream", Ok(Negotiated::EventStream));
        check(Method::POST, "*/*", Err("GET, HEAD"));
        check(Method::DELETE, "text/event-stream", Err("GET, HEAD, POST"));
        check(Method::OPTIONS, "*/*", Err("GET, HEAD, POST"));
    }

    #[track_caller]
    fn becomes(headers: &[(&'static str, &'static str)], expected: Destination) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(header::HeaderName::from_static(name), header::HeaderValue::from_static(value));
        }
        assert_eq!(destination(&map, ""), expected, "{headers:?}");
        assert_eq!(destination(&map, "savecast-source="), Destination::Part);
    }

    #[test]
    fn browsers_say_what_becomes_of_the_answer() {
        let (dest, mode) = ("sec-fetch-dest", "sec-fetch-mode");
        becomes(&[], Destination::Document);
        becomes(&[("hx-request", "true")], Destination::Part);
        becomes(&[("x-requested-with", "XMLHttpRequest")], Destination::Part);
        becomes(&[("x-requested-with", "com.example.browser")], Destination::Document);
        becomes(&[(dest, "document"), (mode, "navigate")], Destination::Tab);
        becomes(&[(dest, "iframe"), (mode, "navigate")], Destination::Document);
        becomes(&[(dest, "image")], Destination::Part);
        becomes(&[(dest, "empty"), (mode, "cors"), ("referer", "http://localhost/app.html")], Destination::Part);
        becomes(&[(dest, "empty"), (mode, "navigate")], Destination::Part);
    }

    #[test]
    fn service_workers_ask_for_documents() {
        let (dest, mode) = ("sec-fetch-dest", "sec-fetch-mode");
        let upgrade = ("upgrade-insecure-requests", "1");
        becomes(&[(dest, "empty"), (mode, "navigate"), upgrade], Destination::Tab);
        becomes(&[(dest, "empty"), (mode, "same-origin"), upgrade], Destination::Tab);
        becomes(&[(dest, "empty"), (mode, "cors"), ("referer", "http://localhost/sw.js")], Destination::Worker);
        becomes(&[(dest, "empty"), (mode, "cors"), ("referer", "http://localhost/sw.js?v=1")], Destination::Worker);
        becomes(&[(dest, "image"), (mode, "cors"), ("referer", "http://localhost/sw.js")], Destination::Part);
        becomes(&[(dest, "empty"), (mode, "cors"), ("savecast-document", "")], Destination::Tab);
    }
}
