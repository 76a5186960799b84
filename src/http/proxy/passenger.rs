//! A request on its way to another server: how it is sent, and how its answer comes back.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::Version;
use actix_web::http::header;
use actix_web::rt::time::sleep;
use actix_web::web::Data;
use actix_web::web::Payload;
use bytes::Bytes;
use futures_util::StreamExt;
use hyper::HeaderMap;
use hyper::Request;
use hyper::Response;

use crate::content;
use crate::http::guard::reached::Reached;
use crate::http::guard::verdict::host_of;
use crate::http::negotiate;
use crate::http::negotiate::Destination;
use crate::http::proxy::answer;
use crate::http::proxy::answer::Passage;
use crate::http::proxy::passing::Head;
use crate::http::proxy::passing::Passing;
use crate::http::proxy::request;
use crate::http::proxy::request::Came;
use crate::http::state::AppState;
use crate::source::Upstream;
use crate::source::upstream::client::Answer;
use crate::source::upstream::client::Client;
use crate::source::upstream::delivery::Delivery;
use crate::source::upstream::failure::Failure;
use crate::source::upstream::outgoing::Outgoing;
use crate::source::upstream::server::Asking;

/// How long a page that somebody opens waits for a server that starts again, and how long what a script asks for.
const PAGE: Duration = Duration::from_secs(10);
const SCRIPT: Duration = Duration::from_secs(2);

/// The shortest pause until it is asked once more.
const PAUSE: Duration = Duration::from_millis(50);

/// How often it is asked once more after it has closed the connection instead of answering.
const LOST: u32 = 2;

/// A request on its way.
pub(super) struct Passenger<'a> {
    pub(super) request: &'a HttpRequest,
    pub(super) state: &'a Data<AppState>,
    pub(super) server: &'a Arc<Upstream>,
    pub(super) client: Client,
    /// The URL without what is ours in it.
    pub(super) url: String,
    pub(super) destination: Destination,
    /// Whether somebody is going to see the answer as a page.
    pub(super) is_page: bool,
    /// Whether the client of a page asks, for the page as it is.
    pub(super) is_of_client: bool,
    host: String,
    is_secure: bool,
    /// When it came.
    pub(super) at: Instant,
    /// The generation of the server's pages at that time: what comes is not sure to be newer.
    generation: u64,
}

impl<'a> Passenger<'a> {
    pub(super) fn new(
        request: &'a HttpRequest,
        state: &'a Data<AppState>,
        server: &'a Arc<Upstream>,
        client: Client,
    ) -> Self {
        let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
        Self {
            request,
            state,
            server,
            client,
            url: own_url(request),
            destination: negotiate::destination_of(request),
            is_page: is_get && negotiate::is_for_person(request),
            is_of_client: is_get && negotiate::is_of_client(request.headers(), request.query_string()),
            host: host_of(request.uri(), request.headers()).unwrap_or_default(),
            is_secure: Reached::of_request(request).is_secure,
            at: Instant::now(),
            generation: server.generation(),
        }
    }

    /// The headers with which the other server is asked.
    pub(super) fn headers(&self) -> HeaderMap {
        let came = Came {
            host: &self.host,
            is_secure: self.is_secure,
            version: self.request.version(),
            peer: self.request.peer_addr().map(|peer| peer.ip().to_canonical()),
            may_be_page: self.is_page || self.is_of_client,
            name: self.state.proxies.name(),
        };
        request::headers(&came, self.server.server(), self.request.headers())
    }

    /// How the answer gets from there to here.
    pub(super) fn passage(&self) -> Passage<'_> {
        Passage {
            server: self.server.server(),
            directory: self.server.directory(),
            host: &self.host,
            is_secure: self.is_secure,
            base: &self.state.base,
        }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The version of the page that is answered.
    pub(super) fn page_version(&self) -> content::Version {
        self.server.version(self.generation)
    }

    /// The request line for the other server.
    fn line(&self) -> Result<(hyper::Method, hyper::Uri), Failure> {
        // Who asks whether a page is there may not be understood.
        let is_look = self.is_of_client && *self.request.method() == Method::HEAD;
        let method = if is_look { "GET" } else { self.request.method().as_str() };
        let url = self.server.server().of_ours(self.server.directory(), &self.url);
        let line = method.parse().ok().zip(url.parse().ok());
        line.ok_or(Failure::Cancelled)
    }

    /// Sends the request, again if it changes nothing and the server is about to start again.
    pub(super) async fn send(&self, headers: &HeaderMap, payload: Payload) -> Result<Response<Answer>, Failure> {
        let length = self.request.headers().get(header::CONTENT_LENGTH);
        let has_body = length.is_some_and(|length| length != "0")
            || self.request.headers().contains_key(header::TRANSFER_ENCODING)
            || (self.request.version() >= Version::HTTP_2 && !is_safe(self.request.method()) && length.is_none());
        if has_body || !is_safe(self.request.method()) {
            let mut request = made(&self.line()?, headers);
            if let Some(length) = length {
                request::append(request.headers_mut(), "content-length", length.as_bytes());
            }
            if has_body {
                *request.body_mut() = Outgoing::of(Box::pin(payload.map(|part| part.map_err(Into::into))));
            }
            let sent = self.client.send(request).await;
            if let Err(failure @ (Failure::Connect(_) | Failure::Lost(_))) = &sent {
                self.server.failed(&failure.to_string());
            }
            return sent;
        }
        drop(payload);
        self.send_patiently(headers).await
    }

    /// Sends a request without a body. While the server starts again, it waits.
    pub(super) async fn send_patiently(&self, headers: &HeaderMap) -> Result<Response<Answer>, Failure> {
        let line = self.line()?;
        let end = self.at + if self.is_page { PAGE } else { SCRIPT };
        let mut lost = 0;
        loop {
            let sent = self.client.ask(|| made(&line, headers)).await;
            let why = match &sent {
                Ok(response) if self.is_page && is_away(response.status()) && self.server.is_restless() => {
                    format!("answers {}", response.status())
                }
                // It ends connections for this request, and not because it starts again.
                Err(Failure::Lost(_)) if lost == LOST => return sent,
                Err(failure @ (Failure::Connect(_) | Failure::Lost(_))) => {
                    lost += u32::from(matches!(failure, Failure::Lost(_)));
                    failure.to_string()
                }
                Err(failure @ Failure::Tls(_)) => {
                    self.server.failed(&failure.to_string());
                    return sent;
                }
                _ => return sent,
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return sent;
            }
            drop(sent);
            let pause = sleep(PAUSE);
            self.server.wait(&why, left).await;
            pause.await;
        }
    }

    /// An answer that is no page, or of which nobody wants to know.
    pub(super) fn as_it_is(
        &self,
        response: Response<Answer>,
        headers: &HeaderMap,
        asking: Option<Asking>,
    ) -> HttpResponse {
        let mut builder = self.begin(&response);
        let (head, answer) = response.into_parts();
        let is_head = *self.request.method() == Method::HEAD;
        let is_used = matches!(self.destination, Destination::Part | Destination::Worker)
            && self.request.headers().contains_key("sec-fetch-dest")
            && *self.request.method() == Method::GET;
        let delivery = (is_used && !self.is_of_client)
            .then(|| Delivery::begin(self.server, &self.url, headers, self.at, head.status, &head.headers))
            .flatten();
        if let Some(delivery) = &delivery {
            builder.append_header(("server-timing", delivery.description()));
        }
        if self.is_of_client {
            let (version, pages) = (self.page_version(), self.server.pages().to_url());
            builder.append_header(("server-timing", format!("savecast;desc=\"{version} {pages}\"")));
        }
        let said = head.headers.get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
        if is_head {
            return builder.body(Head(said));
        }
        match head.status.as_u16() {
            204 | 304 => builder.finish(),
            _ => {
                let left = said.or_else(|| answer.length());
                let mut delivery = delivery;
                if answer.is_over() {
                    delivery.iter_mut().for_each(Delivery::end);
                }
                let body = Passing { answer, left, delivery, asking, rest: Bytes::new() };
                let mut response = builder.body(body);
                // HTTP/1.0 knows no chunks. There, what has no length ends with the connection.
                response.head_mut().no_chunking(self.request.version() < Version::HTTP_11);
                response
            }
        }
    }

    /// An answer with this status. The client of a page gets an error as a header, because it would stand in the console of the page.
    pub(super) fn build(&self, status: StatusCode) -> HttpResponseBuilder {
        if !self.is_of_client || status.as_u16() < 400 {
            return HttpResponse::build(status);
        }
        let mut builder = HttpResponse::Ok();
        builder.append_header(("savecast-status", status.as_str()));
        builder
    }

    /// The status and the headers of an answer.
    pub(super) fn begin(&self, response: &Response<Answer>) -> HttpResponseBuilder {
        let status = StatusCode::from_u16(response.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
        let mut builder = self.build(status);
        for header in answer::headers(&self.passage(), response.headers()) {
            builder.append_header(header);
        }
        builder
    }
}

/// The URL as the other server is to see it.
fn own_url(request: &HttpRequest) -> String {
    let url = request.uri().path_and_query().map_or("/", |url| url.as_str());
    let Some((path, query)) = url.split_once('?').filter(|(_, query)| query.contains("savecast")) else {
        return url.to_owned();
    };
    let is_ours = |part: &&str| ["savecast", "savecast-source"].contains(&part.split('=').next().unwrap_or_default());
    let kept = query.split('&').filter(|part| !is_ours(part)).collect::<Vec<_>>();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

/// A request without a body.
fn made((method, url): &(hyper::Method, hyper::Uri), headers: &HeaderMap) -> Request<Outgoing> {
    let mut request = Request::new(Outgoing::default());
    request.method_mut().clone_from(method);
    request.uri_mut().clone_from(url);
    request.headers_mut().clone_from(headers);
    request
}

/// Whether a method changes nothing (RFC 9110, section 9.2.1).
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn is_away(status: hyper::StatusCode) -> bool {
    matches!(status.as_u16(), 502..=504)
}
