//! A follower becomes the body of a response: a stream of server-sent events.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::body::BodySize;
use actix_web::body::MessageBody;
use actix_web::http::Method;
use actix_web::http::Version;
use actix_web::http::header;
use actix_web::rt::time::Instant;
use actix_web::rt::time::Sleep;
use actix_web::rt::time::sleep;
use actix_web::web::Data;
use bytes::Bytes;

use crate::event::Encoding;
use crate::event::sse;
#[cfg(feature = "cli")]
use crate::http::files::elsewhere;
use crate::http::files::find::Question;
use crate::http::files::redirect;
use crate::http::live::channel::Forgotten;
use crate::http::live::clients::Turn;
use crate::http::live::feed::Feed;
use crate::http::live::feed::Representation;
use crate::http::live::guided;
use crate::http::live::guided::Guided;
use crate::http::live::open::Opened;
use crate::http::live::open::Tab;
use crate::http::live::open::Transport;
use crate::http::negotiate;
use crate::http::state::AppState;
use crate::http::urls::OVERVIEW;
use crate::site::SitePath;
use crate::site::resolve::Answer;
use crate::source::CurrentRules;

/// A stream that was quiet for so long says that it is alive. WHATWG HTML advises "every 15 seconds or so", because some
/// proxies close quiet connections.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many bytes are handed to the connection at once. They are copied, and who does not read makes us keep so many.
const PART: usize = 64 << 10;

/// `GET` or `POST` with `Accept: text/event-stream`: the contents of one file, now and after every save.
pub(crate) async fn file(
    request: &HttpRequest,
    state: Data<AppState>,
    url: SitePath,
    rules: &Arc<CurrentRules>,
) -> HttpResponse {
    if request.method() == Method::HEAD {
        return head();
    }
    let question = Question::new(request, url);
    let Some(meaning) = guided::meaning(&state, &question, rules).await else {
        // The pool is gone when the server stops.
        return HttpResponse::ServiceUnavailable().finish();
    };
    if let Answer::Redirect(redirection) = &meaning.resolution.answer {
        return redirect::to(&state.base, redirection);
    }
    let path = meaning.resolution.place.clone();
    let representation = match Representation::parse(request.query_string(), &path) {
        Ok(representation) => representation,
        Err(error) => return HttpResponse::BadRequest().body(format!("{error}\n")),
    };
    #[cfg(feature = "cli")]
    if matches!(representation, Representation::Lines(_)) && state.is_edge() {
        let lines = Box::pin(elsewhere::stream(request, &state)).await;
        return lines.unwrap_or_else(|| {
            HttpResponse::ServiceUnavailable().body("lines come from the origin, which can't be reached\n")
        });
    }
    let has = negotiate::last_event_id(request);
    let feed = Feed::file(&state, path, representation.clone(), Encoding::Sse, has.as_deref());
    let feed = Guided::new(&state, question, meaning, feed, {
        let state = state.clone();
        move |place| Feed::file(&state, place, representation.clone(), Encoding::Sse, None)
    });
    answer(request, feed)
}

/// There are no new streams.
pub(crate) fn draining() -> HttpResponse {
    HttpResponse::ServiceUnavailable()
        .insert_header((header::RETRY_AFTER, "1"))
        .body("this instance is about to end, and takes no new streams\n")
}

/// What a stream says of itself.
pub(crate) fn head() -> HttpResponse {
    builder().finish()
}

/// A stream of what the feed sends.
pub(crate) fn answer(request: &HttpRequest, feed: impl Into<Guided>) -> HttpResponse {
    for_tabs(request, feed, None, "", Vec::new())
}

/// A stream of what the feed sends to these tabs of a browser, for as long as it is the turn of their client.
pub(crate) fn for_tabs(
    request: &HttpRequest,
    feed: impl Into<Guided>,
    turn: Option<Turn>,
    client: &str,
    tabs: Vec<Tab>,
) -> HttpResponse {
    let state = request.app_data::<Data<AppState>>();
    if state.is_some_and(|state| state.is_draining.load(Ordering::Relaxed)) {
        return draining();
    }
    let sent = state.map(|state| state.sent.clone()).unwrap_or_default();
    // Who only looks at the others is none of them.
    let noted = state.filter(|_| request.path() != OVERVIEW);
    let opened = noted.and_then(|state| state.open.note(request, Transport::EventStream, client, tabs));
    let stream = EventStream { turn, _opened: opened, ..EventStream::new(feed.into(), sent) };
    let mut response = builder().body(stream);
    // HTTP/1.0 knows no chunks, and a proxy may still speak it. There, the stream ends with the connection.
    response.head_mut().no_chunking(request.version() < Version::HTTP_11);
    response
}

/// The head of every stream. Proxies are asked not to hold it back: `no-transform` and `identity` against compression,
/// `X-Accel-Buffering` against the buffer of nginx.
fn builder() -> HttpResponseBuilder {
    let mut builder = HttpResponse::Ok();
    builder
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-cache, no-transform"))
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header((header::VARY, "Accept"))
        .insert_header(("x-accel-buffering", "no"))
        // How the client tells, among the resources that a page has loaded, a stream from a file.
        .insert_header(("server-timing", "savecast;desc=stream"));
    builder
}

/// The body of a stream. Dropped when the browser goes away, and the follower with it.
struct EventStream {
    feed: Guided,
    /// When it has to make room, if its client may open another one.
    turn: Option<Turn>,
    _opened: Option<Opened>,
    /// What is still to be sent of an event. Its listeners share it.
    rest: Bytes,
    keep_alive: Pin<Box<Sleep>>,
    progress: Progress,
    /// How many bytes all streams have sent.
    sent: Arc<AtomicU64>,
}

#[derive(Clone, Copy)]
enum Progress {
    Opening,
    Open,
    Ended,
}

impl EventStream {
    fn new(feed: Guided, sent: Arc<AtomicU64>) -> Self {
        let keep_alive = Box::pin(sleep(KEEP_ALIVE));
        Self { feed, turn: None, _opened: None, rest: Bytes::new(), keep_alive, progress: Progress::Opening, sent }
    }
}

impl MessageBody for EventStream {
    type Error = Forgotten;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Forgotten>>> {
        let this = self.get_mut();
        if this.turn.as_mut().is_some_and(|turn| turn.poll_over(context).is_ready()) {
            return Poll::Ready(None);
        }
        let mut text = match this.progress {
            _ if !this.rest.is_empty() => std::mem::take(&mut this.rest),
            Progress::Ended => return Poll::Ready(None),
            Progress::Opening => {
                this.progress = Progress::Open;
                Bytes::from_static(sse::OPENING.as_bytes())
            }
            Progress::Open => match this.feed.poll_next(context) {
                Poll::Ready(Some(Ok(text))) => text.bytes,
                Poll::Ready(Some(Err(forgotten))) => return Poll::Ready(Some(Err(forgotten))),
                Poll::Ready(None) => {
                    this.progress = Progress::Ended;
                    Bytes::from_static(sse::END.as_bytes())
                }
                Poll::Pending => {
                    std::task::ready!(this.keep_alive.as_mut().poll(context));
                    Bytes::from_static(sse::KEEP_ALIVE.as_bytes())
                }
            },
        };
        this.rest = text.split_off(text.len().min(PART));
        this.keep_alive.as_mut().reset(Instant::now() + KEEP_ALIVE);
        this.sent.fetch_add(text.len() as u64, Ordering::Relaxed);
        Poll::Ready(Some(Ok(text)))
    }
}
