//! A follower becomes the body of a response: a stream of server-sent events.

use std::any::Any;
use std::collections::HashMap;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::body::BodySize;
use actix_web::body::MessageBody;
use actix_web::dev::Extensions;
use actix_web::http::Method;
use actix_web::http::Version;
use actix_web::http::header;
use actix_web::rt::net::TcpStream;
use actix_web::rt::time::Instant;
use actix_web::rt::time::Sleep;
use actix_web::rt::time::sleep;
use actix_web::web;
use actix_web::web::Data;
use actix_web::web::Payload;
use actix_web::web::Query;
use bytes::Bytes;
use serde_json::Value;
use socket2::SockRef;
use socket2::TcpKeepalive;

use crate::http::Site;
use crate::http::channel_feed::Forgotten;
use crate::http::clients::Turn;
use crate::http::feed::Feed;
use crate::http::feed::Form;
use crate::http::feed::Wire;
use crate::http::files;
use crate::http::frame;
use crate::http::negotiate;
use crate::http::negotiate::Wanted;
use crate::hub::Audience;
use crate::hub::Interest;
use crate::hub::Known;
use crate::hub::Need;
use crate::site_path::SitePath;

/// A stream that was quiet for so long says that it is alive. WHATWG HTML advises "every 15 seconds or so", because some
/// proxies close quiet connections.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many bytes are handed to the connection at once. They are copied, and who does not read makes us keep so many.
const PART: usize = 64 << 10;

/// What a page may ask for at once: so many files, in so many bytes of JSON. Each of them is looked at, and is kept for as long
/// as the stream is open.
const FILES: usize = 20_000;
const LARGEST_WISH: usize = 4 << 20;

/// A machine that went away without a word (asleep, unplugged) is given up after this time.
const USER_TIMEOUT: Duration = Duration::from_secs(30);

/// `GET` or `POST` with `Accept: text/event-stream`: the contents of one file, now and after every save.
pub(super) async fn file(request: &HttpRequest, site: Data<Site>, path: SitePath) -> HttpResponse {
    if request.method() == Method::HEAD {
        return head();
    }
    // What others follow was looked at.
    if !path.is_directory() && !site.hub.has_content(&path) {
        let (site, place) = (site.clone(), path.clone());
        // A stat waits for the disk. If the pool is gone, the server is stopping, and so does the stream.
        if web::block(move || site.root.is_directory(&place)).await.unwrap_or(false) {
            return files::redirect(request, &path);
        }
    }
    let form = match Form::parse(request.query_string(), &path) {
        Ok(form) => form,
        Err(error) => return HttpResponse::BadRequest().body(format!("{error}\n")),
    };
    let has = last_event_id(request);
    answer(request, Feed::file(&site, path, form, Wire::Stream, has.as_deref()))
}

/// The id of the last event that a listener has seen. A browser sends it when it connects again; who can't set headers
/// may write it into the query.
pub(super) fn last_event_id(request: &HttpRequest) -> Option<String> {
    let header = request.headers().get("last-event-id").and_then(|id| id.to_str().ok());
    // The second spelling is that of polyfills.
    let query = || {
        let mut query = Query::<HashMap<String, String>>::from_query(request.query_string()).ok()?;
        query.remove("last-event-id").or_else(|| query.remove("lastEventId"))
    };
    // Who has seen nothing yet may say so with an empty one.
    header.map(str::to_owned).or_else(query).filter(|id| !id.is_empty())
}

/// What a stream says of itself.
pub(super) fn head() -> HttpResponse {
    builder().finish()
}

/// `POST /_savecast/events`: one stream for all that a page uses. A `GET`, which has no body, is a page that uses nothing.
///
/// The body is JSON: `{"uses": {PATH: VERSION}, "reads": {PATH: VERSION}}`, where a version is that of what the page has
/// already, or null. For `uses`, null means that the page has the present one; for `reads`, that it has none. Of what it
/// reads, the page gets the contents; of what it uses, that it changed. With `"patches": true`, a document that it has in
/// the version before may come as a `patch` event: `{"path","version","before","patch"}`. With `"client": NAME`, the stream
/// takes the place of the one of that client, which `{"client": NAME, "over": true}` ends.
pub(super) async fn page(request: HttpRequest, site: Data<Site>, payload: Payload) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "GET, POST")).finish();
    }
    // The guard knows a stream by this header, too.
    if negotiate::wanted(request.method(), request.headers()) != Ok(Wanted::Events) {
        return HttpResponse::NotAcceptable().body("this is a stream: send Accept: text/event-stream\n");
    }
    let too_large = "a page may ask for its files in at most 4 MiB\n";
    let body = match site.room.read(&request, payload, LARGEST_WISH, too_large).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let wish = if body.is_empty() { Some(Wish::default()) } else { Wish::parse(&body) };
    let Some(Wish { interests, takes_patches, client, is_over }) = wish else {
        return HttpResponse::BadRequest().body("expected {\"uses\": {PATH: VERSION}, \"reads\": {PATH: VERSION}}\n");
    };
    if is_over {
        site.clients.end(&client);
        return HttpResponse::NoContent().finish();
    }
    if interests.len() > FILES {
        return HttpResponse::PayloadTooLarge().body(format!("a page may ask for at most {FILES} files\n"));
    }
    let feed = Feed::page(&site.hub, interests, takes_patches);
    respond(&request, EventStream { turn: site.clients.begin(&client), ..EventStream::new(feed) })
}

/// What a page asks for.
#[derive(Debug, Default)]
struct Wish {
    interests: Vec<Interest>,
    takes_patches: bool,
    /// The name of the client; empty if it has none.
    client: String,
    /// Whether its stream is to end.
    is_over: bool,
}

impl Wish {
    /// Places that are never shown are passed over; they never change either. `None` if it is no wish.
    fn parse(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let is = |name: &str| body.get(name) == Some(&Value::Bool(true));
        let client = body.get("client").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut wish = Self { interests: Vec::new(), takes_patches: is("patches"), client, is_over: is("over") };
        for (list, audience, unknown) in
            [("uses", Audience::User, Known::Present), ("reads", Audience::Reader, Known::Nothing)]
        {
            let Some(files) = body.get(list) else { continue };
            for (url, version) in files.as_object()? {
                let has = match version {
                    Value::Null => unknown,
                    // Whatever it is, it shall be told.
                    Value::String(version) if version.is_empty() => Known::Nothing,
                    version => version.as_str()?.parse().map_or(unknown, Known::Version),
                };
                let interest = |path| Interest { path, has, audience, need: Need::Nothing };
                wish.interests.extend(SitePath::from_url(url).map(interest));
            }
        }
        Some(wish)
    }
}

/// A stream of what the feed tells.
pub(super) fn answer(request: &HttpRequest, feed: Feed) -> HttpResponse {
    respond(request, EventStream::new(feed))
}

fn respond(request: &HttpRequest, stream: EventStream) -> HttpResponse {
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
    feed: Feed,
    /// When it has to make room, if its client may open another one.
    turn: Option<Turn>,
    /// What is still to be sent of an event. Its listeners share it.
    rest: Bytes,
    keep_alive: Pin<Box<Sleep>>,
    progress: Progress,
}

#[derive(Clone, Copy)]
enum Progress {
    Opening,
    Open,
    Ended,
}

impl EventStream {
    fn new(feed: Feed) -> Self {
        let keep_alive = Box::pin(sleep(KEEP_ALIVE));
        Self { feed, turn: None, rest: Bytes::new(), keep_alive, progress: Progress::Opening }
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
                Bytes::from_static(frame::OPENING.as_bytes())
            }
            Progress::Open => match this.feed.poll_next(context) {
                Poll::Ready(Some(Ok(text))) => text.bytes,
                Poll::Ready(Some(Err(forgotten))) => return Poll::Ready(Some(Err(forgotten))),
                Poll::Ready(None) => {
                    this.progress = Progress::Ended;
                    Bytes::from_static(frame::END.as_bytes())
                }
                Poll::Pending => {
                    std::task::ready!(this.keep_alive.as_mut().poll(context));
                    Bytes::from_static(frame::KEEP_ALIVE.as_bytes())
                }
            },
        };
        this.rest = text.split_off(text.len().min(PART));
        this.keep_alive.as_mut().reset(Instant::now() + KEEP_ALIVE);
        Poll::Ready(Some(Ok(text)))
    }
}

/// Makes the system notice machines that have gone without a word.
pub fn on_connect(connection: &dyn Any, _: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    let socket = SockRef::from(stream);
    // Without these the connection works all the same, and is given up later.
    drop(socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE)));
    #[cfg(any(target_os = "linux", target_os = "android"))]
    drop(socket.set_tcp_user_timeout(Some(USER_TIMEOUT)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change;

    #[test]
    fn a_page_says_what_it_has() {
        let version = change::Version::of(b"1");
        let body = format!(
            r#"{{"uses": {{"/a.css": "{version}", "/b.css": null, "/e.css": "", "/.env": null}}, "reads": {{"/c%20d.json": null}}}}"#
        );
        let wish = Wish::parse(body.as_bytes()).unwrap();
        assert!(!wish.takes_patches && !wish.is_over && wish.client.is_empty());
        let found = wish.interests.iter().map(|interest| (interest.path.as_str(), interest.has, interest.audience));
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                ("/a.css", Known::Version(version), Audience::User),
                ("/b.css", Known::Present, Audience::User),
                ("/e.css", Known::Nothing, Audience::User),
                ("/c d.json", Known::Nothing, Audience::Reader),
            ]
        );
    }

    #[test]
    fn nonsense_is_no_wish() {
        assert!(Wish::parse(b"{}").is_some_and(|wish| wish.interests.is_empty()));
        for nonsense in ["", "{", "[]x", r#"{"uses": []}"#, r#"{"uses": {"/a": 1}}"#] {
            assert!(Wish::parse(nonsense.as_bytes()).is_none(), "{nonsense}");
        }
    }
}
