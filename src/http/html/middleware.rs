//! Puts the client into the pages that other people's handlers render.

use std::future::Ready;
use std::future::ready;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::OnceLock;
use std::task::Context;
use std::task::Poll;

use actix_web::Error;
use actix_web::body::BodySize;
use actix_web::body::BoxBody;
use actix_web::body::MessageBody;
use actix_web::dev::Service;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::dev::Transform;
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderValue;
use actix_web::web::Data;
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;

use crate::content::Version;
use crate::http::files::resource::SERVER_TIMING;
use crate::http::html::csp;
use crate::http::html::inject;
use crate::http::html::inject::Injector;
use crate::http::html::inject::Tag;
use crate::http::negotiate;
use crate::http::negotiate::Destination;
use crate::http::state::AppState;
use crate::http::urls;
use crate::notice::Notice;
use crate::site::SitePath;

/// Middleware that makes the pages live that the handlers of an app render. See [`Live::inject`](crate::Live::inject).
#[derive(Clone)]
pub struct Inject {
    /// There from the time when something is mounted.
    state: Arc<OnceLock<Data<AppState>>>,
}

impl Inject {
    pub(crate) fn new(state: Arc<OnceLock<Data<AppState>>>) -> Self {
        Self { state }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Inject
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = InjectService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(InjectService { service: Rc::new(service), state: self.state.clone() }))
    }
}

/// The service of [`Inject`].
pub struct InjectService<S> {
    service: Rc<S>,
    state: Arc<OnceLock<Data<AppState>>>,
}

impl<S, B> Service<ServiceRequest> for InjectService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.service.poll_ready(context)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let page = self.state.get().and_then(|state| Page::of(state, &request));
        if page.is_some() {
            ask_for_all(&mut request);
        }
        let response = self.service.call(request);
        Box::pin(async move {
            let response = response.await?.map_into_boxed_body();
            Ok(match page {
                Some(page) if is_rendered(&response) => page.make_live(response),
                _ => response,
            })
        })
    }
}

/// The handler renders all of a page: what the browser has may be right for the handler, and of another program all the same.
/// It need not know `HEAD`, with which the client asks whether the page is there.
fn ask_for_all(request: &mut ServiceRequest) {
    let is_for_page = |accept: &HeaderValue| accept.to_str().is_ok_and(|accept| accept.contains("text/html"));
    let headers = request.headers_mut();
    if headers.get(header::ACCEPT).is_some_and(is_for_page) {
        headers.remove(header::IF_NONE_MATCH);
        headers.remove(header::IF_MODIFIED_SINCE);
    }
    if is_look(request) {
        request.head_mut().method = Method::GET;
    }
}

/// Whether the client asks if its page is there.
fn is_look(request: &ServiceRequest) -> bool {
    request.method() == Method::HEAD && request.headers().contains_key(&negotiate::LOOK)
}

/// A request for what may be a page.
struct Page {
    state: Data<AppState>,
    path: SitePath,
    version: Version,
    /// Whether the client belongs into it.
    destination: Destination,
}

impl Page {
    fn of(state: &Data<AppState>, request: &ServiceRequest) -> Option<Self> {
        let destination = negotiate::destination(request.headers(), request.query_string());
        let is_ours = request.path().starts_with(urls::PREFIX);
        // To load the answer to a form again would be to send the form again.
        let may_be_page = request.method() == Method::GET || is_look(request);
        let is_wanted =
            destination != Destination::Part || negotiate::is_of_client(request.headers(), request.query_string());
        if is_ours || !may_be_page || !is_wanted {
            return None;
        }
        let path = SitePath::from_url(request.uri().path())?;
        // Files have the client already.
        let is_file = state.prefix != SitePath::root() && path.below(&state.prefix).is_some();
        if is_file {
            return None;
        }
        // Before the handler begins: what changes meanwhile makes another one of it.
        let version = state.rendered.as_ref()?.version(&path);
        Some(Self { state: state.clone(), path, version, destination })
    }

    fn make_live(self, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        let encoding = response.headers().get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
        if encoding.is_some_and(|encoding| encoding != b"identity") {
            (self.state.say)(&Notice::NotLive {
                path: &self.path,
                reason: "compressed",
                hint: "let the app compress what has the client already: .wrap(live.inject()).wrap(Compress::default())",
            });
            return response;
        }
        let policy = csp::judge(policies(response.headers()));
        if let Some(directive) = &policy.forbids {
            (self.state.say)(&Notice::Forbidden { path: &self.path, directive });
        }
        if let Some(rendered) = &self.state.rendered {
            rendered.note(&self.path);
        }
        let tag = Tag {
            base: &self.state.base,
            path: &self.path,
            version: self.version,
            nonce: policy.nonce.as_deref(),
            also: &[],
            loaded: None,
        };
        let tag = tag.write();
        let destination = self.destination;
        let mut response = response.map_body(|_, body| match body.try_into_bytes() {
            Ok(html) => {
                let is_page =
                    destination.is_document() || (destination == Destination::Worker && inject::is_whole(&html));
                let injected = if is_page { inject::inject(&html, &tag) } else { None };
                BoxBody::new(injected.map_or(html, Bytes::from))
            }
            Err(body) if destination.is_document() => {
                BoxBody::new(InjectedBody { body, injector: Injector::new(tag, false), is_over: false })
            }
            Err(body) => body,
        });
        let timing = format!("savecast;desc=\"{} {}\"", self.version, self.path.to_url());
        let headers = response.headers_mut();
        if let Ok(timing) = HeaderValue::from_str(&timing) {
            headers.append(SERVER_TIMING.clone(), timing);
        }
        // These are of the page without the client.
        for name in
            ["etag", "last-modified", "content-length", "content-md5", "digest", "content-digest", "repr-digest"]
        {
            headers.remove(name);
        }
        if !headers.contains_key(header::CACHE_CONTROL) {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        response
    }
}

/// Whether it is HTML of a handler, and not a file that has the client already.
fn is_rendered(response: &ServiceResponse<BoxBody>) -> bool {
    let headers = response.headers();
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|media_type| media_type.to_str().ok());
    let media_type = media_type.map(str::to_ascii_lowercase).unwrap_or_default();
    // The client is made of ASCII, which UTF-16 and UTF-32 are not.
    let is_html = media_type.trim_start().starts_with("text/html")
        && !media_type.contains("utf-16")
        && !media_type.contains("utf-32");
    let is_ours = headers
        .get_all(&SERVER_TIMING)
        .any(|timing| timing.to_str().is_ok_and(|timing| timing.starts_with("savecast;")));
    let is_download =
        headers.get(header::CONTENT_DISPOSITION).is_some_and(|it| it.as_bytes().starts_with(b"attachment"));
    let is_whole = response.status() != StatusCode::PARTIAL_CONTENT && !response.status().is_redirection();
    is_html && is_whole && !is_ours && !is_download
}

/// The policies that the headers declare.
fn policies(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::CONTENT_SECURITY_POLICY).filter_map(|policy| policy.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::to_owned).collect()
}

/// A page that comes in parts, with the client in it.
struct InjectedBody {
    body: BoxBody,
    injector: Injector,
    is_over: bool,
}

impl MessageBody for InjectedBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        match self.body.size() {
            // Whether there is a place for the client is not known yet.
            BodySize::Sized(_) => BodySize::Stream,
            size => size,
        }
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        while !this.is_over {
            let injected = match std::task::ready!(Pin::new(&mut this.body).poll_next(context)) {
                Some(Ok(part)) => this.injector.take(part),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    this.is_over = true;
                    this.injector.finish()
                }
            };
            // Nothing is no part: it would be the end.
            if !injected.is_empty() {
                return Poll::Ready(Some(Ok(injected)));
            }
        }
        Poll::Ready(None)
    }
}
