//! A place becomes the response with its file, or with the page that stands for it.

use std::time::SystemTime;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::http::header::EntityTag;
use actix_web::web;
use actix_web::web::Data;
use bytes::Bytes;
use mime_guess::Mime;
use mime_guess::mime;

use crate::content::Version;
use crate::content::kind;
use crate::content::kind::Kind;
use crate::content::listing::Entry;
use crate::http::files::body::Body;
use crate::http::files::listing;
use crate::http::files::not_found;
use crate::http::files::redirect;
use crate::http::files::resource;
use crate::http::files::resource::Resource;
use crate::http::html::csp;
use crate::http::html::inject;
use crate::http::html::page;
use crate::http::html::viewer;
use crate::http::html::viewer::View;
use crate::http::negotiate;
use crate::http::negotiate::Destination;
use crate::http::state::AppState;
use crate::notice::Notice;
use crate::site::SitePath;
use crate::source::directory::Directory;
use crate::source::directory::Fetched;
use crate::source::directory::FileContent;
use crate::source::directory::Large;
use crate::source::directory::ReadError;

/// The page of a directory.
pub(crate) const INDEX: &str = "index.html";

/// How much of a large page is read to put the client into its head, in bytes.
const HEAD: u64 = 64 << 10;

/// The largest text that a page of ours shows, in bytes.
const LARGEST_VIEW: u64 = 8 << 20;

/// What a request for a place finds.
pub(crate) enum Answered {
    File(SitePath, FileContent, Version),
    /// With its first bytes, if it is a page.
    Large(SitePath, Box<Large>, Vec<u8>),
    Listing(Vec<Entry>),
    /// A directory that was asked for without its slash: relative URLs in it would go wrong.
    NeedsSlash,
}

/// `GET` and `HEAD` for everything under the root.
pub(crate) async fn serve(request: &HttpRequest, state: Data<AppState>, path: SitePath) -> HttpResponse {
    let asked = path.clone();
    let found = match find_now(&state.root, &path) {
        Some(file) => Ok(file),
        // What is not at hand waits for the disk, and that does not happen on the server's own threads.
        None => match web::block({
            let state = state.clone();
            move || find(&state.root, &path)
        })
        .await
        {
            Ok(found) => found,
            // The pool is gone when the server stops.
            Err(_) => return HttpResponse::ServiceUnavailable().finish(),
        },
    };
    answer(request, &state, &asked, found)
}

/// The response to a request for the place `asked`, where this was found.
pub(crate) fn answer(
    request: &HttpRequest,
    state: &AppState,
    asked: &SitePath,
    found: Result<Answered, ReadError>,
) -> HttpResponse {
    match found {
        Ok(Answered::File(path, FileContent { bytes, metadata, .. }, version)) => {
            file(request, state, &path, bytes.into(), metadata.modified().ok(), version)
        }
        Ok(Answered::Large(path, file, head)) => large(request, state, &path, file, head),
        Ok(Answered::Listing(entries)) => listing::page(request, &state.root.name(), asked, entries),
        Ok(Answered::NeedsSlash) => redirect::to_slash(request, asked),
        Err(ReadError::Missing) if asked.as_str() == not_found::ICON_PATH => not_found::icon(request, asked),
        Err(ReadError::Missing) => not_found::answer(request, Some(asked), false),
        Err(ReadError::Outside) => not_found::answer(request, Some(asked), true),
        Err(ReadError::Unreadable(error)) => HttpResponse::Forbidden()
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .content_type("text/plain; charset=utf-8")
            .body(format!("{asked} cannot be read: {error}\n")),
    }
}

/// The file, or the index of the directory, if it is at hand.
fn find_now(root: &Directory, path: &SitePath) -> Option<Answered> {
    let path = if path.is_directory() { path.file(INDEX)? } else { path.clone() };
    let content = root.find_now(&path)?;
    let version = Version::of(&content.bytes);
    Some(Answered::File(path, content, version))
}

pub(crate) fn find(root: &Directory, path: &SitePath) -> Result<Answered, ReadError> {
    match root.fetch(path)? {
        Fetched::File(content) => {
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
                Ok(Answered::NeedsSlash) | Err(ReadError::Missing | ReadError::Outside) => {
                    root.entries(path).map(Answered::Listing)
                }
                found => found,
            }
        }
    }
}

/// A file with this content.
pub(crate) fn file(
    request: &HttpRequest,
    state: &AppState,
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
            media_type = resource::with_utf8(&media_type);
        }
    }
    if let Some(page) = viewer::page(request, path, &media_type, version) {
        return page;
    }
    if is_html(&media_type)
        && becomes_document(request, &bytes)
        && let Some(injected) = with_client(state, path, version, &bytes)
    {
        (bytes, etag) = (injected.into(), page::etag(version));
    }
    let whole = Resource { path, media_type: &media_type, etag, version, modified };
    whole.respond(request, bytes)
}

/// A file that is sent in parts.
fn large(request: &HttpRequest, state: &AppState, path: &SitePath, large: Box<Large>, head: Vec<u8>) -> HttpResponse {
    let Ok(permit) = state.downloads.clone().try_acquire_owned() else {
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
        media_type = resource::with_utf8(&media_type);
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
        match with_client(state, path, version, &head) {
            Some(injected) => (sent, etag) = (injected.into(), page::etag(version)),
            None => head.clear(),
        }
    } else {
        head.clear();
    }
    let whole = Resource { path, media_type: &media_type, etag, version, modified };
    whole.respond(request, Body::File { large, head, sent, permit })
}

/// A page, or its head, with the client in it; `None` if there is no place for it.
fn with_client(state: &AppState, path: &SitePath, version: Version, bytes: &[u8]) -> Option<Vec<u8>> {
    let policy = csp::verdict(bytes);
    let injected = inject::inject(bytes, &inject::tag(path, version, policy.nonce.as_deref()));
    if injected.is_none() {
        (state.say)(&Notice::NotLive { path, reason: "UTF-16", hint: "save it as UTF-8" });
    } else if let Some(directive) = &policy.forbids {
        (state.say)(&Notice::Forbidden { path, directive });
    }
    injected
}

fn is_html(media_type: &Mime) -> bool {
    media_type.type_() == mime::TEXT && media_type.subtype() == mime::HTML
}

/// The same where the content is known: a service worker that keeps a whole page will answer with it.
fn becomes_document(request: &HttpRequest, html: &[u8]) -> bool {
    let destination = negotiate::destination_of(request);
    destination.is_document() || (destination == Destination::Worker && inject::is_whole(html))
}
