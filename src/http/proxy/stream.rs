//! A stream of a URL of another server: its own, if it has one; else what it answers, whenever that is something else.

use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use hyper::HeaderMap;
use hyper::Response;
use hyper::StatusCode;
use hyper::header;
use hyper::header::HeaderValue;

use crate::event::Encoding;
use crate::http::guard::reached::Reached;
use crate::http::guard::verdict::host_of;
use crate::http::live::feed::Feed;
use crate::http::live::feed::Representation;
use crate::http::live::sse;
use crate::http::negotiate;
use crate::http::proxy::away;
use crate::http::proxy::passenger::Passenger;
use crate::http::proxy::request;
use crate::http::proxy::request::Came;
use crate::http::state::AppState;
use crate::site::SitePath;
use crate::source::Upstream;
use crate::source::upstream::client::Answer;
use crate::source::upstream::known::OF_KEPT;

/// What a stream of ours is made from.
const CONTENTS: &str = "application/json, text/plain;q=0.9, */*;q=0.8";

/// What a stream is of, and how it is sent.
pub(super) struct Stream {
    pub(super) place: SitePath,
    pub(super) representation: Representation,
}

pub(super) async fn serve(passenger: &Passenger<'_>) -> HttpResponse {
    let headers = passenger.headers();
    let ours = Stream::of(passenger, &headers);
    // It is known that the server has none.
    if let Ok(stream) = &ours
        && passenger.server.has_contents(&stream.place)
    {
        return answer(passenger, stream);
    }
    let sent = passenger.send_patiently(&headers).await;
    let response = match sent {
        Ok(response) => response,
        Err(failure) => return away::answer(passenger, &failure),
    };
    if !has_none(&response, "text/event-stream") {
        return passenger.as_it_is(response, &headers, None);
    }
    match ours {
        Ok(stream) => {
            stream.ask(passenger, headers);
            answer(passenger, &stream)
        }
        Err(wrong) => HttpResponse::BadRequest().body(format!("{wrong}\n")),
    }
}

fn answer(passenger: &Passenger<'_>, stream: &Stream) -> HttpResponse {
    let has = negotiate::last_event_id(passenger.request);
    let feed = stream.feed(passenger, Encoding::Sse, has.as_deref());
    sse::answer(passenger.request, feed)
}

/// Whether the answer is that the server has contents there, but no stream of them.
pub(super) fn has_none(response: &Response<Answer>, media_type: &str) -> bool {
    let is_stream = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().to_ascii_lowercase().starts_with(media_type.as_bytes()));
    let is_there = response.status() == StatusCode::OK && !is_stream;
    is_there || matches!(response.status(), StatusCode::NOT_ACCEPTABLE | StatusCode::UPGRADE_REQUIRED)
}

impl Stream {
    /// What is asked for, if the server has no stream of its own. `Err` says what is wrong with the query.
    pub(super) fn of(passenger: &Passenger<'_>, headers: &HeaderMap) -> Result<Self, String> {
        let (path, query) = passenger.url.split_once('?').unwrap_or((&passenger.url, ""));
        // What says how it is sent is for us.
        let is_ours = |part: &&str| match part.split_once('=').unwrap_or((part, "")) {
            ("as", how) => ["patch", "lines"].contains(&how),
            ("at", pointer) => pointer.is_empty() || pointer.starts_with('/') || pointer.starts_with("%2F"),
            ("last-event-id" | "lastEventId", _) => true,
            _ => false,
        };
        let (ours, others): (Vec<_>, Vec<_>) = query.split('&').filter(|part| !part.is_empty()).partition(is_ours);
        let url = if others.is_empty() { path.to_owned() } else { format!("{path}?{}", others.join("&")) };
        let place = SitePath::answer_to(&url, credentials(headers)).ok_or("this URL is too long to be followed")?;
        let representation = Representation::parse(&ours.join("&"), &place)?;
        Ok(Self { place, representation })
    }

    /// Says how the contents are asked for.
    pub(super) fn ask(&self, passenger: &Passenger<'_>, headers: HeaderMap) {
        let url = self.place.to_url();
        passenger.server.ask_with(&self.place, &url, &for_contents(headers), passenger.at.elapsed());
    }

    pub(super) fn feed(&self, passenger: &Passenger<'_>, encoding: Encoding, has: Option<&str>) -> Feed {
        Feed::file(passenger.state, self.place.clone(), self.representation.clone(), encoding, has)
    }
}

/// The place of the contents of a URL, for the page that sends this request. They are asked for with its cookies.
pub(crate) fn follow(request: &HttpRequest, state: &AppState, server: &Arc<Upstream>, url: &str) -> Option<SitePath> {
    let came = Came {
        host: &host_of(request.uri(), request.headers()).unwrap_or_default(),
        is_secure: Reached::of_request(request).is_secure,
        version: request.version(),
        peer: request.peer_addr().map(|peer| peer.ip().to_canonical()),
        may_be_page: true,
        name: state.proxies.name(),
    };
    let headers = for_contents(request::headers(&came, server.server(), request.headers()));
    let place = SitePath::answer_to(url, credentials(&headers))?;
    server.ask_with(&place, url, &headers, Duration::ZERO);
    Some(place)
}

/// With which headers contents are asked for that somebody wants as a stream.
fn for_contents(mut headers: HeaderMap) -> HeaderMap {
    for name in ["connection", "upgrade", "content-type", "last-event-id"] {
        headers.remove(name);
    }
    let of_handshake = headers.keys().filter(|name| name.as_str().starts_with("sec-websocket-")).cloned();
    of_handshake.collect::<Vec<_>>().iter().for_each(|name| drop(headers.remove(name)));
    headers.insert(header::ACCEPT, HeaderValue::from_static(CONTENTS));
    headers
}

/// Headers that differ between the pages and browsers of one person, and that no server takes for somebody's credentials.
const OF_BROWSER: [&str; 11] = [
    "accept",
    "accept-encoding",
    "cache-control",
    "dnt",
    "origin",
    "pragma",
    "prefer",
    "priority",
    "referer",
    "user-agent",
    "x-forwarded-proto",
];

/// Who asks, and how: contents are shared by those alone who send the same. A server may take any header for credentials.
fn credentials(headers: &HeaderMap) -> u64 {
    let is_of_browser = |name: &str| {
        OF_BROWSER.contains(&name)
            || OF_KEPT.contains(&name)
            || name.starts_with("sec-fetch-")
            || name.starts_with("sec-ch-")
            || name.starts_with("sec-websocket-")
    };
    // In one order, whoever sends them.
    let mut named = headers.keys().filter(|name| !is_of_browser(name.as_str())).collect::<Vec<_>>();
    named.sort_unstable_by_key(|name| name.as_str());
    let mut hasher = DefaultHasher::new();
    for name in named {
        name.as_str().hash(&mut hasher);
        headers.get_all(name).iter().for_each(|value| value.as_bytes().hash(&mut hasher));
    }
    hasher.finish()
}
