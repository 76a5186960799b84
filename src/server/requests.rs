//! A line for each request.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Instant;

use actix_web::Error;
use actix_web::body::BodySize;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Bytes;

use crate::notice::Notice;

/// Tells the person who runs the server.
pub(super) type Say = Arc<dyn Fn(&Notice<'_>) + Send + Sync>;

/// Says what was answered when all of it is on its way, or the other side has gone.
pub(super) async fn tell<B: MessageBody + 'static>(
    say: Say,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<Counted<B>>, Error> {
    let start = Instant::now();
    let (method, url) = (request.method().to_string(), request.uri().to_string());
    let response = next.call(request).await?;
    let status = response.status().as_u16();
    let is_counted = response.request().method() != Method::HEAD;
    Ok(response.map_body(|_, body| Counted {
        body: Box::pin(body),
        entry: Entry { say, method, url, status, bytes: 0, is_counted, start },
    }))
}

/// A body, and what is said at its end.
pub(super) struct Counted<B> {
    body: Pin<Box<B>>,
    entry: Entry,
}

struct Entry {
    say: Say,
    method: String,
    url: String,
    status: u16,
    bytes: u64,
    /// Whether the body is sent.
    is_counted: bool,
    start: Instant,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Self { say, method, url, status, bytes, start, .. } = self;
        say(&Notice::Request { method, url, status: *status, bytes: *bytes, elapsed: start.elapsed() });
    }
}

impl<B: MessageBody> MessageBody for Counted<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let part = self.body.as_mut().poll_next(context);
        if let Poll::Ready(Some(Ok(bytes))) = &part
            && self.entry.is_counted
        {
            self.entry.bytes += bytes.len() as u64;
        }
        part
    }
}
