//! A place becomes the response with its file, or with the page that stands for it.

use std::time::SystemTime;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::header;
use actix_web::http::header::EntityTag;
use actix_web::http::header::HttpDate;
use actix_web::web;
use actix_web::web::Data;
use bytes::Bytes;
use mime_guess::Mime;
use mime_guess::mime;

use crate::change::Version;
use crate::change::kind;
use crate::change::kind::Kind;
use crate::change::listing::Entry;
use crate::console::Notice;
use crate::http::Site;
use crate::http::body::Body;
use crate::http::conditional;
use crate::http::conditional::Answer;
use crate::http::inject;
use crate::http::negotiate;
use crate::http::negotiate::Destination;
use crate::http::pages;
use crate::http::policy;
use crate::http::viewer;
use crate::http::viewer::View;
use crate::root::Content;
use crate::root::Fetched;
use crate::root::Large;
use crate::root::Refusal;
use crate::root::Root;
use crate::site_path::SitePath;

/// The page of a directory.
pub(super) const INDEX: &str = "index.html";

/// How much of a large page is read to put the client into its head, in bytes.
const HEAD: u64 = 64 << 10;

/// The largest text that a page of ours shows, in bytes.
const LARGEST_VIEW: u64 = 8 << 20;

/// What a request for a place finds.
pub(super) enum Answered {
    File(SitePath, Content, Version),
    /// With its first bytes, if it is a page.
    Large(SitePath, Box<Large>, Vec<u8>),
    Listing(Vec<Entry>),
    /// A directory that was asked for without its slash: relative URLs in it would go wrong.
    NeedsSlash,
}

/// `GET` and `HEAD` for everything under the root.
pub(super) async fn serve(request: &HttpRequest, site: Data<Site>, path: SitePath) -> HttpResponse {
    let asked = path.clone();
    let found = match find_now(&site.root, &path) {
        Some(file) => Ok(file),
        // What is not at hand waits for the disk, and that does not happen on the server's own threads.
        None => match web::block({
            let site = site.clone();
            move || find(&site.root, &path)
        })
        .await
        {
            Ok(found) => found,
            // The pool is gone when the server stops.
            Err(_) => return HttpResponse::ServiceUnavailable().finish(),
        },
    };
    answer(request, &site, &asked, found)
}

/// The response to a request for the place `asked`, where this was found.
pub(super) fn answer(
    request: &HttpRequest,
    site: &Site,
    asked: &SitePath,
    found: Result<Answered, Refusal>,
) -> HttpResponse {
    match found {
        Ok(Answered::File(path, Content { bytes, metadata, .. }, version)) => {
            file(request, site, &path, bytes.into(), metadata.modified().ok(), version)
        }
        Ok(Answered::Large(path, file, head)) => large(request, site, &path, file, head),
        Ok(Answered::Listing(entries)) => pages::listing(request, &site.root.name(), asked, entries),
        Ok(Answered::NeedsSlash) => redirect(request, asked),
        Err(Refusal::Missing) if asked.as_str() == pages::ICON_PATH => pages::icon(request, asked),
        Err(Refusal::Missing) => pages::not_found(request, Some(asked), false),
        Err(Refusal::Outside) => pages::not_found(request, Some(asked), true),
        Err(Refusal::Unreadable(error)) => HttpResponse::Forbidden()
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .content_type("text/plain; charset=utf-8")
            .body(format!("{asked} cannot be read: {error}\n")),
    }
}

/// The file, or the index of the directory, if it is at hand.
fn find_now(root: &Root, path: &SitePath) -> Option<Answered> {
    let path = if path.is_directory() { path.file(INDEX)? } else { path.clone() };
    let content = root.find_now(&path)?;
    let version = Version::of(&content.bytes);
    Some(Answered::File(path, content, version))
}

pub(super) fn find(root: &Root, path: &SitePath) -> Result<Answered, Refusal> {
    match root.fetch(path)? {
        Fetched::Content(content) => {
            let version = Version::of(&content.bytes);
            Ok(Answered::File(path.clone(), content, version))
        }
        Fetched::Large(large) => {
            let head = if is_html(&kind::media_type(path)) { large.head(HEAD)? } else { Vec::new() };
            Ok(Answered::Large(path.clone(), large, head))
        }
        Fetched::Directory if !path.is_directory() => Ok(Answered::NeedsSlash),
        Fetched::Directory => {
            let index = path.file(INDEX).expect("an index may be shown");
            match find(root, &index) {
                Ok(Answered::NeedsSlash) | Err(Refusal::Missing | Refusal::Outside) => {
                    root.entries(path).map(Answered::Listing)
                }
                found => found,
            }
        }
    }
}

/// A file with this content.
pub(super) fn file(
    request: &HttpRequest,
    site: &Site,
    path: &SitePath,
    mut bytes: Bytes,
    modified: Option<SystemTime>,
    version: Version,
) -> HttpResponse {
    let mut media_type = kind::media_type(path);
    let mut etag = EntityTag::new_strong(version.to_string());
    if let Ok(text) = std::str::from_utf8(&bytes) {
        // `LICENSE`, `Makefile` and `events.ndjson` are shown, and not downloaded.
        if kind::of(path) == Kind::Unknown && !text.contains('\0') {
            media_type = mime::TEXT_PLAIN;
        }
        // Other charsets than UTF-8 are left to what the file says of itself.
        if kind::is_text(&media_type) {
            media_type = with_utf8(&media_type);
        }
    }
    if let Some(page) = viewer::page(request, path, &media_type, version) {
        return page;
    }
    if is_html(&media_type)
        && becomes_document(request, &bytes)
        && let Some(injected) = with_client(site, path, version, &bytes)
    {
        (bytes, etag) = (injected.into(), pages::etag(version));
    }
    let whole = Whole { path, media_type: &media_type, etag, version, modified };
    whole.respond(request, bytes)
}

/// A file that is sent in parts.
fn large(request: &HttpRequest, site: &Site, path: &SitePath, large: Box<Large>, head: Vec<u8>) -> HttpResponse {
    let Ok(permit) = site.downloads.clone().try_acquire_owned() else {
        return HttpResponse::ServiceUnavailable()
            .insert_header((header::RETRY_AFTER, "1"))
            .body("too many large files are on their way\n");
    };
    let (version, modified) = (large.version, large.metadata.modified().ok());
    let mut media_type = kind::media_type(path);
    if large.is_text && kind::of(path) == Kind::Unknown {
        media_type = mime::TEXT_PLAIN;
    }
    if large.is_utf8 && kind::is_text(&media_type) {
        media_type = with_utf8(&media_type);
    }
    // The browser itself shows larger texts best. Pictures and logs may have any size.
    let is_shown =
        large.length() <= LARGEST_VIEW || matches!(View::of(path, &media_type), Some(View::Picture | View::Log));
    if is_shown && let Some(page) = viewer::page(request, path, &media_type, version) {
        return page;
    }
    let mut etag = EntityTag::new_strong(version.to_string());
    let mut sent = Bytes::new();
    let mut head = Bytes::from(head);
    if is_html(&media_type) && becomes_document(request, &head) {
        // All that comes before the place of the client is in the head, and so are the policies.
        match with_client(site, path, version, &head) {
            Some(injected) => (sent, etag) = (injected.into(), pages::etag(version)),
            None => head.clear(),
        }
    } else {
        head.clear();
    }
    let whole = Whole { path, media_type: &media_type, etag, version, modified };
    whole.respond(request, Body::File { large, head, sent, permit })
}

/// A page, or its head, with the client in it; `None` if there is no place for it.
fn with_client(site: &Site, path: &SitePath, version: Version, bytes: &[u8]) -> Option<Vec<u8>> {
    let policy = policy::verdict(bytes);
    let injected = inject::inject(bytes, &inject::tag(path, version, policy.nonce.as_deref()));
    if injected.is_none() {
        (site.say)(&Notice::NotLive { path, reason: "UTF-16", hint: "save it as UTF-8" });
    } else if let Some(directive) = &policy.forbids {
        (site.say)(&Notice::Forbidden { path, directive });
    }
    injected
}

/// Something to send, or not.
pub(super) struct Whole<'a> {
    pub(super) path: &'a SitePath,
    pub(super) media_type: &'a Mime,
    pub(super) etag: EntityTag,
    pub(super) version: Version,
    pub(super) modified: Option<SystemTime>,
}

impl Whole<'_> {
    pub(super) fn respond(&self, request: &HttpRequest, body: impl Into<Body>) -> HttpResponse {
        let body = body.into();
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
pub(super) fn headers(request: &HttpRequest, path: &SitePath, version: Version) -> [(&'static str, String); 3] {
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
pub(super) fn http_date(time: SystemTime) -> Option<String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    (since.as_secs() < 253_402_300_800).then(|| HttpDate::from(time).to_string())
}

/// The same URL with the slash that a directory has.
pub(super) fn redirect(request: &HttpRequest, path: &SitePath) -> HttpResponse {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    HttpResponse::TemporaryRedirect()
        .insert_header((header::LOCATION, format!("{}{query}", path.as_directory().to_url())))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .finish()
}

pub(super) fn with_utf8(media_type: &Mime) -> Mime {
    format!("{media_type}; charset=utf-8").parse().expect("a media type with a parameter is one")
}

fn is_html(media_type: &Mime) -> bool {
    media_type.type_() == mime::TEXT && media_type.subtype() == mime::HTML
}

/// Whether the answer becomes a document of its own, and not a fragment that a script puts somewhere.
pub(super) fn is_document(request: &HttpRequest) -> bool {
    matches!(destination(request), Destination::Tab | Destination::Document)
}

/// The same where the content is known: a service worker that keeps a whole page will answer with it.
fn becomes_document(request: &HttpRequest, html: &[u8]) -> bool {
    is_document(request) || (destination(request) == Destination::Worker && inject::is_whole(html))
}

pub(super) fn destination(request: &HttpRequest) -> Destination {
    negotiate::destination(request.headers(), request.query_string())
}
