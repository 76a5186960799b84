//! Something to send, with what HTTP says of it.

use std::time::SystemTime;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::header;
use actix_web::http::header::EntityTag;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;
use actix_web::http::header::HttpDate;
use mime_guess::Mime;

use crate::content::Version;
use crate::content::kind;
use crate::http::files::body::Body;
use crate::http::files::conditional;
use crate::http::files::conditional::Answer;
use crate::http::files::own_headers::OurPage;
use crate::http::negotiate;
use crate::site::SitePath;

/// The header with what a client should know of an answer.
pub(crate) static SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What is sent, or not, if the client has it.
pub(crate) struct Resource<'a> {
    pub(crate) path: &'a SitePath,
    pub(crate) content_type: &'a str,
    pub(crate) etag: EntityTag,
    pub(crate) version: Version,
    pub(crate) modified: Option<SystemTime>,
}

impl Resource<'_> {
    pub(crate) fn respond(&self, request: &HttpRequest, body: impl Into<Body>) -> HttpResponse {
        self.respond_as(request, body, false)
    }

    /// The same, perhaps as the page for what is missing. Of that, no part is asked for, and none is kept.
    pub(crate) fn respond_as(&self, request: &HttpRequest, body: impl Into<Body>, is_missing: bool) -> HttpResponse {
        let body = body.into();
        if is_missing {
            let mut response = HttpResponse::NotFound();
            response.content_type(self.content_type);
            for header in headers(request, self.path, self.version) {
                response.insert_header(header);
            }
            let length = body.length();
            return response.body(body.send(0..length));
        }
        let length = body.length();
        match conditional::answer(request, &self.etag, self.modified, length) {
            Answer::PreconditionFailed => HttpResponse::PreconditionFailed().finish(),
            Answer::NotSatisfiable => HttpResponse::RangeNotSatisfiable()
                .insert_header((header::CONTENT_RANGE, format!("bytes */{length}")))
                .finish(),
            Answer::NotModified => self.head(request, HttpResponse::NotModified()).finish(),
            Answer::Whole => self.with_type(request, HttpResponse::Ok()).body(body.send(0..length)),
            Answer::Part(span) => self
                .with_type(request, HttpResponse::PartialContent())
                .insert_header((header::CONTENT_RANGE, format!("bytes {}-{}/{length}", span.start, span.end - 1)))
                .body(body.send(span)),
        }
    }

    /// The same as a page of ours, and none of the site's.
    pub(crate) fn respond_as_ours(&self, request: &HttpRequest, body: impl Into<Body>) -> HttpResponse {
        let mut response = self.respond(request, body);
        response.extensions_mut().insert(OurPage);
        response
    }

    fn with_type(&self, request: &HttpRequest, builder: HttpResponseBuilder) -> HttpResponseBuilder {
        let mut builder = self.head(request, builder);
        builder.content_type(self.content_type).insert_header((header::ACCEPT_RANGES, "bytes"));
        builder
    }

    fn head(&self, request: &HttpRequest, mut builder: HttpResponseBuilder) -> HttpResponseBuilder {
        builder.insert_header((header::ETAG, self.etag.to_string()));
        if let Some(modified) = self.modified.and_then(http_date) {
            builder.insert_header((header::LAST_MODIFIED, modified));
        }
        for header in headers(request, self.path, self.version) {
            builder.insert_header(header);
        }
        builder
    }
}

/// What all files have in common.
///
/// `path` is that of the file, which is not that of the URL where an index stands for its directory.
pub(crate) fn headers(request: &HttpRequest, path: &SitePath, version: Version) -> [(HeaderName, HeaderValue); 3] {
    // A service worker finds what it keeps only where all of these headers are the same as in the first request. What a
    // script asks for is no stream unless it says so, and then nothing keeps it.
    let is_of_script = request.headers().get(&negotiate::DEST).is_some_and(|dest| dest == "empty");
    let vary = if is_of_script { "Sec-Fetch-Dest" } else { "Accept, Sec-Fetch-Dest" };
    let timing = format!("savecast;desc=\"{version} {}\"", path.to_url());
    [
        // Kept by the browser, but asked for again each time: that is a 304 as long as nothing has changed.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::VARY, HeaderValue::from_static(vary)),
        // How the client learns which version of each file its page has loaded.
        (SERVER_TIMING.clone(), HeaderValue::try_from(timing).expect("a version and a URL are ASCII")),
    ]
}

/// `Sat, 21 Nov 2026 09:05:03 GMT`; `None` for a time that can't be written so: before 1970 and from the year 10,000 on,
/// where httpdate would panic.
pub(crate) fn http_date(time: SystemTime) -> Option<String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    (since.as_secs() < 253_402_300_800).then(|| HttpDate::from(time).to_string())
}

/// The value of `Content-Type`. Other charsets than UTF-8 are left to what the file says of itself.
pub(crate) fn content_type(media_type: &Mime, is_utf8: impl FnOnce() -> bool) -> String {
    let charset = if kind::is_text(media_type) && is_utf8() { "; charset=utf-8" } else { "" };
    [media_type.as_ref(), charset].concat()
}
