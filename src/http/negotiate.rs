//! Which of the ways to get a file a request wants. Pure.

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;

/// What a URL of a file answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The file, now.
    File,
    /// A stream of its contents.
    Events,
    /// A WebSocket with its contents.
    Socket,
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
pub fn wanted(method: &Method, headers: &HeaderMap) -> Result<Wanted, NotAllowed> {
    let events = accepts_events(headers);
    match *method {
        Method::GET if upgrades(headers) => Ok(Wanted::Socket),
        Method::GET | Method::HEAD | Method::POST if events => Ok(Wanted::Events),
        Method::GET | Method::HEAD => Ok(Wanted::File),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, accept: &'static str, expected: Result<Wanted, &'static str>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, header::HeaderValue::from_static(accept));
        assert_eq!(wanted(&method, &headers).map_err(|error| error.allow), expected, "{method} {accept}");
    }

    #[test]
    fn the_accept_header_decides() {
        check(Method::GET, "text/html,*/*;q=0.8", Ok(Wanted::File));
        check(Method::GET, "*/*", Ok(Wanted::File));
        check(Method::GET, "text/event-stream", Ok(Wanted::Events));
        check(Method::GET, "application/json, Text/Event-Stream;q=0.9", Ok(Wanted::Events));
        check(Method::HEAD, "*/*", Ok(Wanted::File));
        check(Method::POST, "text/event-stream", Ok(Wanted::Events));
        check(Method::POST, "*/*", Err("GET, HEAD"));
        check(Method::DELETE, "text/event-stream", Err("GET, HEAD, POST"));
        check(Method::OPTIONS, "*/*", Err("GET, HEAD, POST"));
    }
}
