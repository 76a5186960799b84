//! Something to send, with what HTTP says of it.

use std::time::SystemTime;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::header;
use actix_web::http::header::EntityTag;
use actix_web::http::header::HttpDate;
use mime_guess::Mime;

use crate::content::Version;
use crate::http::files::body::Body;
use crate::http::files::conditional;
use crate::http::files::conditional::Answer;
use crate::http::files::own_headers::OurPage;
use crate::site::SitePath;

/// What is sent, or not, if the client has it.
pub(crate) struct Resource<'a> {
    pub(crate) path: &'a SitePath,
    pub(crate) media_type: &'a Mime,
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
            response.content_type(self.media_type.as_ref());
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
        builder.content_type(self.media_type.as_ref()).insert_header((header::ACCEPT_RANGES, "bytes"));
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
pub(crate) fn headers(request: &HttpRequest, path: &SitePath, version: Version) -> [(&'static str, String); 3] {
    // A service worker finds what it keeps only where all of these headers are the same as in the first request. What a
    // script asks for is no stream unless it says so, and then nothing keeps it.
    let is_of_script = request.headers().get("sec-fetch-dest").is_some_and(|dest| dest == "empty");
    let vary = if is_of_script { "Sec-Fetch-Dest" } else { "Accept, Sec-Fetch-Dest" };
    [
        // Kept by the browser, but asked for again each time: that is a 304 as long as nothing has changed.
        ("cache-control", "no-cache".into()),
        ("vary", vary.into()),
        // How the client learns which version of each file its page has loaded.
        ("server-timing", format!("savecast;desc=\"{version} {}\"", path.to_url())),
    ]
}

/// `Sat, 21 Nov 2026 09:05:03 GMT`; `None` for a time that can't be written so: before 1970 and from the year 10,000 on,
/// where httpdate would panic.
pub(crate) fn http_date(time: SystemTime) -> Option<String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    (since.as_secs() < 253_402_300_800).then(|| HttpDate::from(time).to_string())
}

pub(crate) fn with_utf8(media_type: &Mime) -> Mime {
    format!("{media_type}; charset=utf-8").parse().expect("a media type with a parameter is one")
}
