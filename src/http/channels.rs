//! Channels over HTTP: `EventSource` and `WebSocket` listen, `POST` publishes.

use std::collections::HashMap;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::rt;
use actix_web::web::Data;
use actix_web::web::Path;
use actix_web::web::Payload;
use actix_web::web::Query;
use serde_json::Value;
use serde_json::json;

use crate::event::Encoding;
use crate::event::MESSAGE;
use crate::http::live::channel::ChannelFeed;
use crate::http::live::feed::Feed;
use crate::http::live::sse;
use crate::http::live::websocket;
use crate::http::negotiate;
use crate::http::negotiate::Negotiated;
use crate::http::publishing::refusal;
use crate::http::state::AppState;
use crate::hub::ChannelEvent;
use crate::hub::ChannelName;
use crate::hub::EVENT_DATA;
use crate::hub::EventId;
use crate::hub::Last;
use crate::hub::Subscriber;
use crate::hub::TooManyChannels;

/// How long a new listener waits at most until Redis has said which events there are. After that, it waits with an open stream.
const PATIENCE: Duration = Duration::from_secs(1);

/// `GET /_savecast/channels/`: all of them, as a JSON array of `{"name","listeners","events","last"}`.
pub(super) async fn list(request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return not_allowed("GET, HEAD", "this is the list of channels; a channel has a name behind it\n");
    }
    let channels = state.hub.channels().into_iter().map(|channel| {
        let last = channel.last.map(|id| id.to_string());
        json!({ "name": channel.name.as_str(), "listeners": channel.listeners, "events": channel.events, "last": last })
    });
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .body(channels.collect::<Value>().to_string())
}

/// `/_savecast/channels/NAME`: `GET` listens, `POST` publishes.
pub(super) async fn channel(
    request: HttpRequest,
    state: Data<AppState>,
    name: Path<String>,
    payload: Payload,
) -> HttpResponse {
    // What is not UTF-8 comes as this character, and would be one channel for many names.
    let name = ChannelName::new(&name).filter(|name| !name.as_str().contains(char::REPLACEMENT_CHARACTER));
    let Some(name) = name else {
        return HttpResponse::BadRequest()
            .body("the name of a channel has 1 to 200 bytes of UTF-8 without control characters\n");
    };
    // What is posted is published, whatever is accepted in return.
    if request.method() == Method::POST {
        if let Some(refusal) = refusal(&request, &state.publishing) {
            return refusal;
        }
        return publish(&request, &state, &name, payload).await;
    }
    match negotiate::negotiate(request.method(), request.headers()) {
        Ok(Negotiated::EventStream) if request.method() == Method::HEAD => sse::head(),
        Ok(Negotiated::EventStream) => match subscribe(&request, &state, name, Encoding::Sse).await {
            Ok(feed) => sse::answer(&request, feed),
            Err(error) => too_many(error),
        },
        Ok(Negotiated::WebSocket) => match subscribe(&request, &state, name, Encoding::WebSocket).await {
            Ok(feed) => websocket::answer(&request, payload, feed),
            Err(error) => too_many(error),
        },
        Ok(Negotiated::File) => {
            HttpResponse::NotAcceptable().body("this is a stream: send Accept: text/event-stream\n")
        }
        Err(_) => not_allowed("GET, HEAD, POST", "this method is not for channels\n"),
    }
}

async fn subscribe(
    request: &HttpRequest,
    state: &AppState,
    name: ChannelName,
    encoding: Encoding,
) -> Result<Feed, TooManyChannels> {
    let last = negotiate::last_event_id(request);
    let last = last.map_or(Last::Now, |id| EventId::parse(&id).map_or(Last::Unknown, Last::Event));
    let mut subscriber = Subscriber::new(&state.hub, name, last)?;
    // What is published after the answer has begun is heard.
    drop(rt::time::timeout(PATIENCE, subscriber.ready()).await);
    Ok(Feed::Channel(ChannelFeed::new(subscriber, encoding)))
}

async fn publish(request: &HttpRequest, state: &AppState, name: &ChannelName, payload: Payload) -> HttpResponse {
    let Ok(query) = Query::<HashMap<String, String>>::from_query(request.query_string()) else {
        return HttpResponse::BadRequest().body("the query makes no sense\n");
    };
    let event = query.get("event").map_or(MESSAGE, String::as_str);
    if !ChannelEvent::may_be_named(event) || event.contains(char::REPLACEMENT_CHARACTER) {
        return HttpResponse::BadRequest().body("the name of an event has 1 to 100 bytes without control characters\n");
    }
    if ChannelEvent::is_ours(event) {
        return HttpResponse::BadRequest().body("end and gap are what the server itself says\n");
    }
    let data = match state.room.read(request, payload, EVENT_DATA, "an event has at most 1 MiB\n").await {
        Ok(data) => data,
        Err(answer) => return answer,
    };
    let Ok(data) = String::from_utf8(data.into()) else {
        return HttpResponse::BadRequest().body("an event is text, in UTF-8\n");
    };
    #[cfg(feature = "cli")]
    if let Some(relay) = &state.relay {
        return match relay.publish(name, event, &data).await {
            Ok((id, listeners)) => published(id, listeners),
            Err(error) => HttpResponse::ServiceUnavailable().body(format!("{error}\n")),
        };
    }
    match state.hub.publish_to(name, event, data) {
        Ok((id, listeners)) => published(id, listeners),
        Err(error) => too_many(error),
    }
}

fn published(id: EventId, listeners: usize) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .body(json!({ "id": id.to_string(), "listeners": listeners }).to_string())
}

fn too_many(TooManyChannels: TooManyChannels) -> HttpResponse {
    HttpResponse::ServiceUnavailable().body("there are too many channels that somebody listens to\n")
}

fn not_allowed(allow: &'static str, words: &'static str) -> HttpResponse {
    HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, allow)).body(words)
}
