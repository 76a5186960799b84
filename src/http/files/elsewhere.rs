//! What an edge passes on from the origin as it comes: files that are too large to be told, and lines.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::body::BodySize;
use actix_web::body::MessageBody;
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::rt::time::timeout;
use actix_web::web::Data;
use bytes::Bytes;
use futures_util::Stream;
use hyper::Request;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

use crate::http::state::AppState;
use crate::hub::Follower;
use crate::site::ServerUrl;
use crate::source::upstream::client::Answer;
use crate::source::upstream::client::Client;
use crate::source::upstream::outgoing::Outgoing;
use crate::source::upstream::tls;

/// Says that an edge asks. An origin that has told it a wrong address would be itself.
const OURS: &str = "savecast-edge";

/// How long the head of the answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the origin is asked with.
const ASKED: [&str; 10] = [
    "accept",
    "accept-language",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-event-id",
    "range",
    "sec-fetch-dest",
];

/// What of its answer is passed on.
const ANSWERED: [&str; 12] = [
    "accept-ranges",
    "cache-control",
    "content-disposition",
    "content-range",
    "content-type",
    "etag",
    "last-modified",
    "server-timing",
    "vary",
    "x-accel-buffering",
    "x-content-type-options",
    "content-security-policy",
];

/// What the origin answers to this request; `None` if this is no edge, or the origin can't be reached.
pub(crate) async fn fetch(request: &HttpRequest, state: &Data<AppState>) -> Option<HttpResponse> {
    // As many as files that are read from a disk.
    fetch_with(request, state, &state.downloads, None).await
}

/// The same of a stream.
pub(crate) async fn stream(request: &HttpRequest, state: &Data<AppState>) -> Option<HttpResponse> {
    // It ends with all streams, and is counted as one.
    let stream = Follower::new(&state.hub, Vec::new());
    fetch_with(request, state, &state.passed_streams, Some(stream)).await
}

async fn fetch_with(
    request: &HttpRequest,
    state: &Data<AppState>,
    permits: &Arc<Semaphore>,
    stream: Option<Follower>,
) -> Option<HttpResponse> {
    let address = state.relay.as_ref()?.edge()?.origin().filter(|_| !request.headers().contains_key(OURS))?;
    let server = ServerUrl::parse(&address).ok()?;
    let Ok(permit) = permits.clone().try_acquire_owned() else {
        let mut busy = HttpResponse::ServiceUnavailable();
        return Some(busy.insert_header((header::RETRY_AFTER, "1")).body("too many come from the origin already\n"));
    };
    let client = Client::new(server.clone(), server.is_secure.then(|| tls::connector(false)));
    let is_head = request.method() == Method::HEAD;
    let make = || {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let mut asked = Request::builder().method(if is_head { "HEAD" } else { "GET" }).uri(path);
        asked = asked.header("host", server.authority()).header(OURS, "1");
        for name in ASKED {
            for value in request.headers().get_all(name) {
                asked = asked.header(name, value.as_bytes());
            }
        }
        asked.body(Outgoing::default()).unwrap_or_default()
    };
    let answer = timeout(PATIENCE, client.ask(make)).await.ok()?.ok()?;
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status().as_u16()).ok()?);
    for name in ANSWERED {
        for value in answer.headers().get_all(name) {
            response.append_header((name, value.as_bytes()));
        }
    }
    // It is not to be compressed again, because it has a length.
    response.insert_header((header::CONTENT_ENCODING, "identity"));
    let left = answer.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    let answer = answer.into_body();
    Some(response.body(Passing {
        answer: (!is_head).then_some(answer),
        stream,
        left,
        rest: Bytes::new(),
        _permit: permit,
    }))
}

/// How many bytes are handed to the connection at once. They are copied, and who does not read makes us keep so many.
const PART: usize = 64 << 10;

/// A body that passes as it comes.
struct Passing {
    answer: Option<Answer>,
    /// What ends a stream before its time.
    stream: Option<Follower>,
    left: Option<u64>,
    rest: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl MessageBody for Passing {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.left.map_or(BodySize::Stream, BodySize::Sized)
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = &mut *self;
        if this.stream.as_mut().is_some_and(|stream| matches!(stream.poll_next(context), Poll::Ready(None))) {
            return Poll::Ready(None);
        }
        if this.rest.is_empty() {
            let Some(answer) = &mut this.answer else { return Poll::Ready(None) };
            match ready!(Pin::new(answer).poll_next(context)) {
                Some(Ok(part)) => this.rest = part,
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => return Poll::Ready(None),
            }
        }
        Poll::Ready(Some(Ok(this.rest.split_to(this.rest.len().min(PART)))))
    }
}
