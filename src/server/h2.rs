//! HTTP/2 (RFC 9113) between a connection and the app.
//!
//! That of actix looks whether a client is still there when there is something to send, which for a quiet stream may be never,
//! and announces no number of streams, so that browsers stop at 100. Here, a request ends as soon as its stream is reset or its
//! connection closed.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;
use std::time::SystemTime;

use actix_http::BoxedPayloadStream;
use actix_http::Payload;
use actix_http::Request;
use actix_http::Response;
use actix_http::body::BodySize;
use actix_http::body::BoxBody;
use actix_http::body::MessageBody;
use actix_http::error::PayloadError;
use actix_http::header;
use actix_http::header::HeaderName;
use actix_http::header::HeaderValue;
use actix_http::header::HttpDate;
use actix_web::rt::time::sleep;
use actix_web::rt::time::timeout;
use bytes::Buf;
use bytes::Bytes;
use futures_util::Stream;
use h2::Reason;
use h2::RecvStream;
use h2::SendStream;
use h2::server::Builder;
use h2::server::SendResponse;
use http::Method;
use http::StatusCode;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What answers requests.
pub(super) type App = Rc<dyn Fn(Request) -> Answering>;

/// An answer that is being made.
pub(super) type Answering = Pin<Box<dyn Future<Output = Response<BoxBody>>>>;

/// How many requests may be open in one connection. Browsers open a stream for each `EventSource`, and hold back what is beyond:
/// Firefox opens as many as that, Chromium no more than 256.
const STREAMS: u32 = 2000;

/// How many of them may be answered at once that are neither streams nor long polls. Each may keep a whole file until the client
/// reads it.
const ANSWERS: usize = 100;

/// How many may be in all connections: of streams, which take some kilobytes each; of long polls, which wait, and then may keep a whole
/// file, too; and of the others.
const ALL_STREAMS: usize = 20_000;
const ALL_POLLS: usize = 1_000;
const ALL_ANSWERS: usize = 4_000;

/// How long the head of a request may be, in bytes: as long as over HTTP/1.1.
const HEAD: u32 = 128 << 10;

/// How much of a request may come before it is read, and of all requests in a connection, in bytes.
const WINDOW: u32 = 256 << 10;
const WINDOWS: u32 = 1 << 20;

/// How much of an answer waits for the client, in bytes.
const WAITING: usize = 64 << 10;

/// How much of it goes into a frame, in bytes: with its head, it just fills a record of TLS (RFC 8446, section 5.1).
const FRAME: usize = (16 << 10) - 9;

/// How much is read of a request that is answered already, in bytes.
const REST: usize = 8 << 20;

/// How long a client may take for the first word.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a connection without a request is kept. Browsers keep theirs a little longer than this.
const IDLE: Duration = Duration::from_secs(75);

/// Headers that are about a connection, of which HTTP/2 has its own notion (RFC 9113, section 8.2.2).
const OF_CONNECTION: [HeaderName; 5] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Room for the requests of all connections.
#[derive(Clone)]
pub(super) struct Room {
    streams: Arc<Semaphore>,
    polls: Arc<Semaphore>,
    answers: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Self {
        let [streams, polls, answers] =
            [ALL_STREAMS, ALL_POLLS, ALL_ANSWERS].map(|requests| Arc::new(Semaphore::new(requests)));
        Self { streams, polls, answers }
    }
}

/// Answers all requests of a connection, until the client closes it, or until `stopping` says so and the last one is answered.
pub(super) async fn serve(
    io: impl AsyncRead + AsyncWrite + Unpin,
    app: App,
    peer: Option<SocketAddr>,
    room: Room,
    mut stopping: watch::Receiver<bool>,
) {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD)
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOWS)
        .max_send_buffer_size(WAITING);
    let Ok(Ok(mut connection)) = timeout(PATIENCE, builder.handshake::<_, Part>(io)).await else { return };
    // They end with the connection.
    let mut answers = JoinSet::new();
    let turns = Arc::new(Semaphore::new(ANSWERS));
    let mut idle = Box::pin(sleep(IDLE));
    let mut is_ending = false;
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    let (app, room, turns) = (app.clone(), room.clone(), turns.clone());
                    answers.spawn_local(async move { answer(&app, request, respond, peer, &room, turns).await });
                }
                // What the client did wrong, it was told.
                Some(Err(_)) | None => return,
            },
            Some(_) = answers.join_next() => if answers.is_empty() {
                idle.set(sleep(IDLE));
            },
            _ = stopping.changed(), if !is_ending => {
                is_ending = true;
                connection.graceful_shutdown();
            }
            () = &mut idle, if answers.is_empty() => {
                // It was told before, and does not go.
                if is_ending {
                    return;
                }
                is_ending = true;
                connection.graceful_shutdown();
                idle.set(sleep(PATIENCE));
            }
        }
    }
}

async fn answer(
    app: &App,
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Part>,
    peer: Option<SocketAddr>,
    room: &Room,
    turns: Arc<Semaphore>,
) {
    let kept = if is_stream(&request) {
        room.streams.clone().try_acquire_owned().map(|room| (room, None))
    } else if is_poll(&request) {
        room.polls.clone().try_acquire_owned().map(|room| (room, None))
    } else {
        let turn = tokio::select! {
            turn = turns.acquire_owned() => turn.ok(),
            _ = poll_fn(|context| respond.poll_reset(context)) => return,
        };
        room.answers.clone().try_acquire_owned().map(|room| (room, turn))
    };
    let Ok(kept) = kept else { return refuse(respond) };
    let kept: Kept = Arc::new(kept);
    let is_head = request.method() == Method::HEAD;
    let (parts, body) = request.into_parts();
    let body = Rc::new(RefCell::new(body));
    let mut call = app(actix_request(parts, Received(body.clone()), peer));
    let response = poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(response) => Poll::Ready(Some(response)),
        // Who has gone needs no answer.
        Poll::Pending => respond.poll_reset(context).map(|_| None),
    });
    let Some(response) = response.await else { return };
    drop(call);
    let (head, answer) = (head_of(&response), response.into_body());
    let is_bodiless = is_head || matches!(head.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let is_empty = is_bodiless || matches!(answer.size(), BodySize::None | BodySize::Sized(0));
    let Ok(stream) = respond.send_response(head, is_empty) else { return };
    if !is_empty {
        send(answer, stream, kept).await;
    }
    // Some clients take an answer for lost if the stream is reset before they have sent all.
    drop(timeout(PATIENCE, read_rest(&body)).await);
}

/// Whether a request may be open for long, and keeps little meanwhile.
fn is_stream(request: &http::Request<RecvStream>) -> bool {
    has(request, &header::ACCEPT, "text/event-stream")
}

/// Whether a request may wait for its answer (RFC 7240, section 4.3).
fn is_poll(request: &http::Request<RecvStream>) -> bool {
    has(request, &HeaderName::from_static("prefer"), "wait")
}

fn has(request: &http::Request<RecvStream>, name: &HeaderName, word: &str) -> bool {
    let mut values = request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| value.to_ascii_lowercase().contains(word))
}

/// Says that there is no room.
fn refuse(mut respond: SendResponse<Part>) {
    let mut head = http::Response::new(());
    *head.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    head.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    let words = Bytes::from_static(b"too many requests are open on this server: try again, or close some\n");
    // Fails if the client has gone.
    if let Ok(mut stream) = respond.send_response(head, false) {
        drop(stream.send_data(Part { bytes: words, _kept: None }, true));
    }
}

/// Reads what the client still sends, up to a bound.
async fn read_rest(body: &RefCell<RecvStream>) {
    let mut left = REST;
    while let Some(Ok(part)) = poll_fn(|context| body.borrow_mut().poll_data(context)).await {
        drop(body.borrow_mut().flow_control().release_capacity(part.len()));
        left = left.saturating_sub(part.len());
        if left == 0 {
            return;
        }
    }
}

/// The room that an answer has, until all of it has left.
type Kept = Arc<(OwnedSemaphorePermit, Option<OwnedSemaphorePermit>)>;

/// A part of an answer on its way.
struct Part {
    bytes: Bytes,
    _kept: Option<Kept>,
}

impl Buf for Part {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}

/// The request as actix has it.
fn actix_request(parts: http::request::Parts, body: Received, peer: Option<SocketAddr>) -> Request {
    let payload: BoxedPayloadStream = Box::pin(body);
    let mut request = Request::with_payload(Payload::Stream { payload });
    let head = request.head_mut();
    head.method = parts.method;
    head.uri = parts.uri;
    head.version = parts.version;
    head.headers = parts.headers.into();
    head.peer_addr = peer;
    request
}

/// The head of an answer, in the form of HTTP/2.
fn head_of(response: &Response<BoxBody>) -> http::Response<()> {
    let mut head = http::Response::new(());
    *head.status_mut() = response.status();
    let headers = head.headers_mut();
    for (name, value) in response.headers() {
        if !OF_CONNECTION.contains(name) {
            headers.append(name, value.clone());
        }
    }
    if let BodySize::Sized(size) = response.body().size()
        && response.status() != StatusCode::NO_CONTENT
        && response.status() != StatusCode::NOT_MODIFIED
    {
        headers.insert(header::CONTENT_LENGTH, size.into());
    }
    let now = HttpDate::from(SystemTime::now()).to_string();
    headers.entry(header::DATE).or_insert(HeaderValue::try_from(now).expect("plain ASCII"));
    head
}

/// Sends a body as fast as the client takes it, and stops when it has gone.
async fn send(body: BoxBody, mut stream: SendStream<Part>, kept: Kept) {
    let mut body = pin!(body);
    let mut left = match body.size() {
        BodySize::Sized(size) => Some(size),
        BodySize::None | BodySize::Stream => None,
    };
    loop {
        let part = poll_fn(|context| match body.as_mut().poll_next(context) {
            Poll::Ready(part) => Poll::Ready(Some(part)),
            Poll::Pending => stream.poll_reset(context).map(|_| None),
        });
        let mut part = match part.await {
            Some(Some(Ok(part))) => part,
            Some(Some(Err(_))) => return stream.send_reset(Reason::INTERNAL_ERROR),
            Some(None) => return drop(stream.send_data(Part { bytes: Bytes::new(), _kept: Some(kept) }, true)),
            None => return,
        };
        while !part.is_empty() {
            stream.reserve_capacity(part.len().min(WAITING));
            // What is there is not announced again.
            let capacity = match stream.capacity() {
                0 => poll_fn(|context| stream.poll_capacity(context)).await,
                capacity => Some(Ok(capacity)),
            };
            let Some(Ok(capacity)) = capacity else { return };
            let mut now = part.split_to(part.len().min(capacity));
            while !now.is_empty() {
                let frame = now.split_to(now.len().min(FRAME));
                left = left.map(|left| left.saturating_sub(frame.len() as u64));
                let frame = Part { bytes: frame, _kept: Some(kept.clone()) };
                if stream.send_data(frame, left == Some(0)).is_err() || left == Some(0) {
                    return;
                }
            }
        }
    }
}

/// The body of a request. What was read makes room for more.
struct Received(Rc<RefCell<RecvStream>>);

impl Stream for Received {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut body = self.0.borrow_mut();
        let part = ready!(body.poll_data(context));
        Poll::Ready(part.map(|part| {
            let part = part.map_err(|error| PayloadError::Io(io::Error::other(error)))?;
            // Fails if the client has gone.
            drop(body.flow_control().release_capacity(part.len()));
            Ok(part)
        }))
    }
}
