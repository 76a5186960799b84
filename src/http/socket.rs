//! A follower becomes a WebSocket (RFC 6455): the same events as on a stream, as JSON text messages `{"id","event","data"}`.

use std::future::poll_fn;
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
use actix_ws::Session;
use bytes::Bytes;
use futures_util::StreamExt;

use crate::http::Site;
use crate::http::feed::Feed;
use crate::http::feed::Form;
use crate::http::feed::Wire;
use crate::http::frame;
use crate::http::received::Reader;
use crate::http::received::Received;
use crate::http::received::Refusal;
use crate::http::stream;
use crate::site_path::SitePath;

/// A socket that was quiet for so long asks whether the other side is there.
const PING: Duration = Duration::from_secs(15);

/// How much is sent before the other side has to show that it reads, in bytes. A listener that is slower than the writer
/// skips versions and has no queue.
const WINDOW: usize = 64 << 10;

/// The contents of one file, now and after every save. Of what the other side sends, nothing is kept.
pub(super) fn file(request: &HttpRequest, site: &Data<Site>, path: SitePath, payload: Payload) -> HttpResponse {
    match Form::parse(request.query_string(), &path) {
        Ok(form) => {
            let has = stream::last_event_id(request);
            answer(request, payload, Feed::file(site, path, form, Wire::Socket, has.as_deref()))
        }
        Err(error) => HttpResponse::BadRequest().body(format!("{error}\n")),
    }
}

/// A WebSocket for what the feed tells.
pub(super) fn answer(request: &HttpRequest, payload: Payload, feed: Feed) -> HttpResponse {
    // Its stream of messages would keep whatever is sent, so it gets nothing to read.
    let nothing = Payload::from_request(request, &mut dev::Payload::None).into_inner();
    match nothing.and_then(|nothing| actix_ws::handle(request, nothing)) {
        Ok((response, session, _)) => {
            rt::spawn(serve(feed, session, payload));
            response
        }
        Err(error) => error.error_response(),
    }
}

/// Until one side goes away.
async fn serve(mut feed: Feed, mut session: Session, payload: Payload) {
    let mut other = OtherSide { payload, reader: Reader::default(), bytes: Bytes::new() };
    let mut quiet = Instant::now() + PING;
    // What was sent since the other side has last shown that it reads, and whether it was asked to.
    let (mut unread, mut is_asked) = (0, false);
    let code = loop {
        let sent = tokio::select! {
            text = poll_fn(|context| feed.poll_next(context)), if !is_asked => {
                let Some(text) = text else {
                    // If it has gone meanwhile, it needs no farewell.
                    drop(session.text(frame::end().to_message()).await);
                    break CloseCode::Away;
                };
                unread += text.len();
                is_asked = unread > WINDOW;
                match session.text(string(&text)).await {
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
                Err(Refusal::Malformed) => break CloseCode::Protocol,
                Err(Refusal::TooLarge) => break CloseCode::Size,
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
    async fn next(&mut self) -> Result<Option<Received>, Refusal> {
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

fn string(text: &Bytes) -> String {
    String::from_utf8_lossy(text).into_owned()
}
