//! The bodies of requests, as far as they are kept: each up to its limit, all of them up to one for all, and not for ever.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::rt::time::timeout;
use actix_web::web::Payload;
use bytes::Bytes;
use bytes::BytesMut;
use futures_util::StreamExt;
use tokio::sync::Semaphore;

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bodies up to this many bytes always have room, because most are that small.
const SMALL: usize = 64 << 10;

/// How many bytes of larger ones are kept at most while they come, in KiB.
const ROOM: usize = 64 << 10;

/// The room for all bodies that are still coming.
#[derive(Debug)]
pub struct Room(Semaphore);

impl Default for Room {
    fn default() -> Self {
        Self(Semaphore::new(ROOM))
    }
}

impl Room {
    /// The body of a request, which has at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// What to answer if it can't be had; `too_large` says so of one that is.
    pub(super) async fn read(
        &self,
        request: &HttpRequest,
        payload: Payload,
        limit: usize,
        too_large: &'static str,
    ) -> Result<Bytes, HttpResponse> {
        let announced =
            request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let length = announced.unwrap_or(limit);
        if length > limit {
            return Err(HttpResponse::PayloadTooLarge().body(too_large));
        }
        let kibibytes = if length > SMALL { u32::try_from(length.div_ceil(1024)).unwrap_or(u32::MAX) } else { 0 };
        let Ok(_room) = self.0.try_acquire_many(kibibytes) else {
            return Err(HttpResponse::ServiceUnavailable().body("too many large bodies are on their way: try again\n"));
        };
        match timeout(PATIENCE, collect(payload, announced.unwrap_or(0), limit)).await {
            Ok(Ok(Some(body))) => Ok(body),
            Ok(Err(_)) => Err(HttpResponse::BadRequest().body("the body can't be read\n")),
            Ok(Ok(None)) => Err(HttpResponse::PayloadTooLarge().body(too_large)),
            Err(_) => Err(HttpResponse::RequestTimeout().body("the body did not come\n")),
        }
    }
}

/// The whole body; `None` if it has more than `limit` bytes. What is announced is reserved at once: a body that grows would be
/// copied again and again, and take twice the room meanwhile.
async fn collect(mut payload: Payload, announced: usize, limit: usize) -> Result<Option<Bytes>, PayloadError> {
    let mut body = BytesMut::with_capacity(announced.min(limit));
    while let Some(part) = payload.next().await {
        let part = part?;
        if body.len() + part.len() > limit {
            return Ok(None);
        }
        body.extend_from_slice(&part);
    }
    Ok(Some(body.freeze()))
}
