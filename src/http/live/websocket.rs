//! A follower becomes a WebSocket (RFC 6455): the same events as on a stream, as JSON text messages `{"id","event","data"}`.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::FromRequest;
use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::dev;
use actix_web::rt;
use actix_web::rt::time::Instant;
use actix_web::rt::time::sleep_until;
use actix_web::web::Data;
use actix_web::web::Payload;
use actix_ws::CloseCode;
use actix_ws::Closed;
use actix_ws::Item;
use actix_ws::Session;
use bytes::Bytes;
use futures_util::StreamExt;

use crate::event::Encoding;
use crate::event::websocket;
use crate::http::files::find::Question;
use crate::http::live::channel::Forgotten;
use crate::http::live::feed::Feed;
use crate::http::live::feed::Representation;
use crate::http::live::guided;
use crate::http::live::guided::Guided;
use crate::http::live::open::Transport;
use crate::http::live::received::FrameError;
use crate::http::live::received::Reader;
use crate::http::live::received::Received;
use crate::http::live::sse;
use crate::http::negotiate;
use crate::http::state::AppState;
use crate::site::SitePath;
use crate::source::CurrentRules;

/// A socket that was quiet for so long asks whether the other side is there.
const PING: Duration = Duration::from_secs(15);

/// How much is sent before the other side has to show that it reads, in bytes. A listener that is slower than the writer
/// skips versions and has no queue.
const WINDOW: usize = 32 << 10;

/// The largest part of a message that is sent at once, in bytes.
const PART: usize = 8 << 10;

/// The contents of one file, now and after every save. Of what the other side sends, nothing is kept.
pub(crate) async fn file(
    request: &HttpRequest,
    state: &Data<AppState>,
    url: SitePath,
    rules: &Arc<CurrentRules>,
    payload: Payload,
) -> HttpResponse {
    let question = Question::new(request, url);
    let Some(meaning) = guided::meaning(state, &question, rules).await else {
        return HttpResponse::ServiceUnavailable().finish();
    };
    let path = meaning.resolution.place.clone();
    let representation = match Representation::parse(request.query_string(), &path) {
        Ok(representation) => representation,
        Err(error) => return HttpResponse::BadRequest().body(format!("{error}\n")),
    };
    if matches!(representation, Representation::Lines(_)) && state.is_edge() {
        return HttpResponse::NotImplemented()
            .body("lines come from the origin, and not by WebSocket: use an EventSource\n");
    }
    let has = negotiate::last_event_id(request);
    let feed = Feed::file(state, path, representation.clone(), Encoding::WebSocket, has.as_deref());
    let feed = Guided::new(state, question, meaning, feed, {
        let state = state.clone();
        move |place| Feed::file(&state, place, representation.clone(), Encoding::WebSocket, None)
    });
    answer(request, payload, feed)
}

/// A WebSocket for what the feed tells.
pub(crate) fn answer(request: &HttpRequest, payload: Payload, feed: impl Into<Guided>) -> HttpResponse {
    let state = request.app_data::<Data<AppState>>();
    if state.is_some_and(|state| state.is_draining.load(Ordering::Relaxed)) {
        return sse::draining();
    }
    let opened = state.and_then(|state| state.open.note(request, Transport::WebSocket, "", Vec::new()));
    // Its stream of messages would keep whatever is sent, so it gets nothing to read.
    let nothing = Payload::from_request(request, &mut dev::Payload::None).into_inner();
    match nothing.and_then(|nothing| actix_ws::handle(request, nothing)) {
        Ok((response, session, _)) => {
            let serve = serve(feed.into(), session, payload);
            rt::spawn(async move {
                serve.await;
                drop(opened);
            });
            response
        }
        Err(error) => error.error_response(),
    }
}

/// Until one side goes away.
async fn serve(feed: Guided, mut session: Session, payload: Payload) {
    let mut outgoing = Outgoing { feed, rest: Bytes::new(), is_end: true, is_begun: false };
    let mut other = OtherSide { payload, reader: Reader::default(), bytes: Bytes::new() };
    let mut quiet = Instant::now() + PING;
    // What was sent since the other side has last shown that it reads, and whether it was asked to.
    let (mut unread, mut is_asked) = (0, false);
    let code = loop {
        let sent = tokio::select! {
            part = outgoing.next(), if !is_asked => {
                let part = match part {
                    Some(Ok(part)) => part,
                    // It has a half of a message. When it comes back, it gets what there is then.
                    Some(Err(_)) => return,
                    None => {
                        // If it has gone meanwhile, it needs no farewell.
                        drop(session.text(websocket::write(&websocket::end())).await);
                        break CloseCode::Away;
                    }
                };
                unread += part.length();
                is_asked = unread > WINDOW;
                match part.send(&mut session).await {
                    Ok(()) if is_asked => session.ping(b"").await,
                    sent => sent,
                }
            }
            received = other.next() => match received {
                Ok(Some(Received::Ping(data))) => session.pong(&data).await,
                Ok(Some(Received::Pong)) => {
                    (unread, is_asked) = (0, false);
                    continue;
                }
                Ok(Some(Received::Close) | None) => break CloseCode::Normal,
                Err(FrameError::Malformed) => break CloseCode::Protocol,
                Err(FrameError::TooLarge) => break CloseCode::Size,
            },
            () = sleep_until(quiet) => session.ping(b"").await,
        };
        if sent.is_err() {
            return;
        }
        quiet = Instant::now() + PING;
    };
    drop(session.close(Some(code.into())).await);
}

/// What the other side sends.
struct OtherSide {
    payload: Payload,
    reader: Reader,
    /// What has come and was not yet looked at.
    bytes: Bytes,
}

impl OtherSide {
    /// The next thing that is worth an answer; `None` when it has gone.
    async fn next(&mut self) -> Result<Option<Received>, FrameError> {
        loop {
            let mut rest = &*self.bytes;
            let received = self.reader.next(&mut rest)?;
            self.bytes = self.bytes.slice(self.bytes.len() - rest.len()..);
            if received.is_some() {
                return Ok(received);
            }
            match self.payload.next().await {
                Some(Ok(bytes)) => self.bytes = bytes,
                Some(Err(_)) | None => return Ok(None),
            }
        }
    }
}

/// What is sent, in parts of messages: a large message would be kept for each who does not read it.
struct Outgoing {
    feed: Guided,
    /// What is still to be sent of a text, and whether the message ends with it.
    rest: Bytes,
    is_end: bool,
    /// Whether some of the message was sent.
    is_begun: bool,
}

enum Part {
    Message(Bytes),
    Fragment(Item),
}

impl Outgoing {
    /// The next part; `None` when the server stops.
    async fn next(&mut self) -> Option<Result<Part, Forgotten>> {
        if self.rest.is_empty() {
            match poll_fn(|context| self.feed.poll_next(context)).await? {
                Ok(text) => (self.rest, self.is_end) = (text.bytes, text.is_end),
                Err(forgotten) => return Some(Err(forgotten)),
            }
        }
        let bytes = self.rest.split_to(self.rest.len().min(PART));
        let is_last = self.is_end && self.rest.is_empty();
        let was_begun = std::mem::replace(&mut self.is_begun, !is_last);
        Some(Ok(match (was_begun, is_last) {
            (false, true) => Part::Message(bytes),
            (false, false) => Part::Fragment(Item::FirstText(bytes)),
            (true, false) => Part::Fragment(Item::Continue(bytes)),
            (true, true) => Part::Fragment(Item::Last(bytes)),
        }))
    }
}

impl Part {
    fn length(&self) -> usize {
        match self {
            Self::Message(bytes)
            | Self::Fragment(
                Item::FirstText(bytes) | Item::FirstBinary(bytes) | Item::Continue(bytes) | Item::Last(bytes),
            ) => bytes.len(),
        }
    }

    async fn send(self, session: &mut Session) -> Result<(), Closed> {
        match self {
            Self::Message(bytes) => session.text(String::from_utf8_lossy(&bytes).into_owned()).await,
            Self::Fragment(item) => session.continuation(item).await,
        }
    }
}
