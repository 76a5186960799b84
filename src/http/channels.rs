//! Channels over HTTP: `EventSource` and `WebSocket` listen, `POST` publishes.

use std::collections::HashMap;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::web::Path;
use actix_web::web::Payload;
use actix_web::web::Query;
use serde_json::Value;
use serde_json::json;

use crate::http::Site;
use crate::http::channel_feed::ChannelFeed;
use crate::http::channel_feed::Write;
use crate::http::feed::Feed;
use crate::http::frame;
use crate::http::negotiate;
use crate::http::negotiate::Wanted;
use crate::http::socket;
use crate::http::stream;
use crate::hub::ChannelName;
use crate::hub::Subscriber;
use crate::hub::TooManyChannels;

/// Where they are.
pub(super) const CHANNELS: &str = "/_savecast/channels/";

/// The largest event, in bytes.
const LARGEST: usize = 1 << 20;

/// The longest name of an event, in bytes.
const NAME: usize = 100;

/// The events that nobody else publishes.
const OURS: [&str; 2] = ["end", "gap"];

/// `GET /_savecast/channels/`: all of them, as a JSON array of `{"name","listeners","events","last"}`.
pub(super) async fn list(request: HttpRequest, site: Data<Site>) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return not_allowed("GET, HEAD", "this is the list of channels; a channel has a name behind it\n");
    }
    let channels = site.hub.channels().into_iter().map(|channel| {
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
    site: Data<Site>,
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
        return publish(&request, &site, &name, payload).await;
    }
    match negotiate::wanted(request.method(), request.headers()) {
        Ok(Wanted::Events) if request.method() == Method::HEAD => stream::head(),
        Ok(Wanted::Events) => match subscribe(&request, &site, name, frame::frame_part) {
            Ok(feed) => stream::answer(&request, feed),
            Err(error) => too_many(error),
        },
        Ok(Wanted::Socket) => match subscribe(&request, &site, name, frame::message_part) {
            Ok(feed) => socket::answer(&request, payload, feed),
            Err(error) => too_many(error),
        },
        Ok(Wanted::File) => HttpResponse::NotAcceptable().body("this is a stream: send Accept: text/event-stream\n"),
        Err(_) => not_allowed("GET, HEAD, POST", "this method is not for channels\n"),
    }
}

fn subscribe(request: &HttpRequest, site: &Site, name: ChannelName, write: Write) -> Result<Feed, TooManyChannels> {
    let last = stream::last_event_id(request);
    // An id that was never ours is one of long ago.
    let last = last.map(|id| id.parse().unwrap_or(0));
    Subscriber::new(&site.hub, name, last).map(|subscriber| Feed::Channel(ChannelFeed::new(subscriber, write)))
}

async fn publish(request: &HttpRequest, site: &Site, name: &ChannelName, payload: Payload) -> HttpResponse {
    let Ok(query) = Query::<HashMap<String, String>>::from_query(request.query_string()) else {
        return HttpResponse::BadRequest().body("the query makes no sense\n");
    };
    let event = query.get("event").map_or(frame::MESSAGE, String::as_str);
    if event.is_empty()
        || event.len() > NAME
        || event.chars().any(|letter| letter.is_control() || letter == char::REPLACEMENT_CHARACTER)
    {
        return HttpResponse::BadRequest().body("the name of an event has 1 to 100 bytes without control characters\n");
    }
    if OURS.contains(&event) {
        return HttpResponse::BadRequest().body("end and gap are what the server itself says\n");
    }
    let data = match site.room.read(request, payload, LARGEST, "an event has at most 1 MiB\n").await {
        Ok(data) => data,
        Err(answer) => return answer,
    };
    let Ok(data) = String::from_utf8(data.into()) else {
        return HttpResponse::BadRequest().body("an event is text, in UTF-8\n");
    };
    match site.hub.publish_to(name, event, data) {
        Ok((id, listeners)) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .content_type("application/json")
            .body(json!({ "id": id.to_string(), "listeners": listeners }).to_string()),
        Err(error) => too_many(error),
    }
}

fn too_many(TooManyChannels: TooManyChannels) -> HttpResponse {
    HttpResponse::ServiceUnavailable().body("there are too many channels that somebody listens to\n")
}

fn not_allowed(allow: &'static str, words: &'static str) -> HttpResponse {
    HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, allow)).body(words)
}
