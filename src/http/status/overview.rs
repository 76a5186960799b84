//! All that the page for people shows, as one document, and as a stream of it.

use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::rt::time::sleep;
use actix_web::web;
use actix_web::web::Data;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::http::live::feed::Feed;
use crate::http::live::open::OpenStream;
use crate::http::live::open::Transport;
use crate::http::live::sse;
use crate::http::negotiate;
use crate::http::negotiate::Negotiated;
use crate::http::state::AppState;
use crate::http::status::answer;
use crate::http::status::edition::PAUSE;
use crate::http::status::not_allowed;
use crate::http::status::numbers;
use crate::hub::Followed;
use crate::hub::Follower;
use crate::hub::Report;

/// How many tabs are shown, of all browsers together.
const TABS: usize = 500;

/// `GET /_savecast/overview`: the numbers of `/_savecast/status`, and besides, each in an object:
///
/// - `tabs` by number, at most 500: `{"page","since","browser","address"}`
/// - `connections`, other open streams by number, at most 500: `{"url","transport","since","browser","address"}`
/// - `files` that are followed by path, at most 1,000: `{"listeners","size","removed","problem","updated","ms"}`
/// - `events`, the last 200 updates by number: `{"path","event","at","listeners","ms"}`
/// - `channels` by name: `{"listeners","events","last"}`
/// - `network`: `{"urls","code"}`, where `code` are the rows of a QR code
///
/// Times are in milliseconds since 1970. As a stream, it is sent again when it has changed, at most five times a second:
/// as a `patch` (RFC 6902) to what was sent before, where that is smaller.
///
/// An edge has no such thing: whoever visits a site would see who else does.
pub(crate) async fn serve(request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    if state.is_edge() {
        return HttpResponse::Forbidden().body("an edge shows nobody who its visitors are\n");
    }
    match negotiate::negotiate(request.method(), request.headers()) {
        Ok(Negotiated::EventStream) if request.method() == Method::HEAD => sse::head(),
        Ok(Negotiated::EventStream) => sse::answer(&request, Feed::Texts(Box::pin(events(state)))),
        Ok(Negotiated::File) => {
            let shared = state.clone();
            let overview = web::block(move || overview(&shared)).await;
            overview.map_or_else(|_| HttpResponse::ServiceUnavailable().finish(), |overview| answer(&overview))
        }
        Ok(Negotiated::WebSocket) => HttpResponse::NotImplemented().body("this is no WebSocket: use an EventSource\n"),
        Err(_) => not_allowed("GET, HEAD"),
    }
}

/// The texts of the stream, until the server stops.
fn events(state: Data<AppState>) -> impl Stream<Item = Bytes> {
    // Who follows nothing is told of the end.
    let end = Follower::aside(&state.hub, Vec::new());
    stream::unfold((state, end, None::<u64>), |(state, mut end, mut has)| async move {
        loop {
            if has.is_some() {
                tokio::select! {
                    () = sleep(PAUSE) => {}
                    _ = end.next() => return None,
                }
            }
            // It takes its time, and the pool is gone when the server stops.
            let shared = state.clone();
            let edition = web::block(move || shared.editions.newest(Instant::now(), || overview(&shared).to_string()))
                .await
                .ok()?;
            if has == Some(edition.number) {
                continue;
            }
            let event = edition.event(has);
            has = Some(edition.number);
            return Some((event, (state, end, has)));
        }
    })
}

fn overview(state: &AppState) -> Value {
    let mut overview = numbers(state);
    let (mut tabs, mut connections) = (Map::new(), Map::new());
    for (number, stream) in state.open.all() {
        for (place, tab) in stream.tabs.iter().enumerate() {
            let tab =
                json!({ "page": tab.page, "since": tab.since, "browser": stream.browser, "address": stream.address });
            if tabs.len() < TABS {
                tabs.insert(format!("{number}.{place}"), tab);
            }
        }
        if stream.tabs.is_empty() {
            connections.insert(number.to_string(), connection(&stream));
        }
    }
    let files = state.hub.followed();
    let files = files.into_iter().map(|file| (file.path.as_str().to_owned(), followed(&file))).collect::<Map<_, _>>();
    let events = state.hub.reports();
    let events = events.into_iter().map(|(number, report)| (number.to_string(), event(&report))).collect::<Map<_, _>>();
    let channels = state.hub.channels().into_iter().map(|channel| {
        let last = channel.last.map(|id| id.to_string());
        let told = json!({ "listeners": channel.listeners, "events": channel.events, "last": last });
        (channel.name.as_str().to_owned(), told)
    });
    let network = state.network.get().cloned().unwrap_or_default();
    let more = [
        ("tabs", tabs.into()),
        ("connections", connections.into()),
        ("files", files.into()),
        ("events", events.into()),
        ("channels", Value::Object(channels.collect())),
        ("network", json!({ "urls": network.urls, "code": network.code })),
    ];
    if let Some(overview) = overview.as_object_mut() {
        overview.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    overview
}

fn connection(stream: &OpenStream) -> Value {
    let OpenStream { url, transport, since, browser, address, .. } = stream;
    let transport = match transport {
        Transport::EventStream => "event stream",
        Transport::WebSocket => "websocket",
    };
    json!({ "url": url, "transport": transport, "since": since_1970(*since), "browser": browser, "address": address })
}

fn followed(file: &Followed) -> Value {
    let problem = file.problem.as_ref().map(|problem| {
        let (line, column) = problem.place.unzip();
        json!({ "message": problem.message, "line": line, "column": column })
    });
    json!({
        "listeners": file.listeners,
        "size": file.size,
        "removed": file.is_removed,
        "problem": problem,
        "updated": file.sent.map(|(at, _)| since_1970(at)),
        "ms": file.sent.map(|(_, elapsed)| milliseconds(elapsed)),
    })
}

fn event(report: &Report) -> Value {
    let event = match report {
        Report { is_removed: true, .. } => "removed",
        Report { is_broken: true, .. } => "problem",
        _ => "message",
    };
    json!({
        "path": report.path.as_str(),
        "event": event,
        "at": since_1970(report.at),
        "listeners": report.listeners,
        "ms": milliseconds(report.elapsed),
    })
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// In milliseconds.
fn since_1970(time: SystemTime) -> u64 {
    let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(time.as_millis()).unwrap_or_default()
}
