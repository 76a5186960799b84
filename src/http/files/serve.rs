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
use crate::http::files::readme;
use crate::http::files::readme::Readme;
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
use crate::site::resolve::Answer;
use crate::site::resolve::Look;
use crate::site::resolve::Resolution;
use crate::site::resolve::Standing;
use crate::site::resolve::resolve;
use crate::source::Fetched;
use crate::source::FileContent;
use crate::source::ReadError;
use crate::source::Sources;
use crate::source::directory::large::Large;

/// How much of a large file is read to put the client into the head of a page, or to know what it is, in bytes.
const HEAD: u64 = 64 << 10;

/// The largest text that a page of ours shows, in bytes.
const LARGEST_VIEW: u64 = 8 << 20;

/// What a request finds.
pub(crate) enum Found {
    File(SitePath, FileContent, Version),
    /// With its first bytes, if they decide what is sent.
    Large(SitePath, Box<Large>, Vec<u8>),
    Listing(Vec<Entry>, Option<Readme>),
    NeedsSlash,
}

/// `GET` and `HEAD` for everything that has contents.
pub(crate) async fn serve(request: &HttpRequest, state: Data<AppState>, url: SitePath) -> HttpResponse {
    let found = match find_now(&state.sources, &url) {
        Some(file) => Ok(file),
        // What is not cached waits for the disk, and that does not happen on the server's own threads.
        None => match web::block({
            let (state, url) = (state.clone(), url.clone());
            move || find(&state.sources, &url)
        })
        .await
        {
            Ok(found) => found,
            // The pool is gone when the server stops.
            Err(_) => return HttpResponse::ServiceUnavailable().finish(),
        },
    };
    answer(request, &state, &url, found)
}

/// The response to a request for this URL, where this was found.
pub(crate) fn answer(
    request: &HttpRequest,
    state: &AppState,
    url: &SitePath,
    found: Result<Found, ReadError>,
) -> HttpResponse {
    // Where pages are rendered, nobody knows whether one of them will be there.
    let missing = || match &state.rendered {
        Some(rendered) if state.prefix == SitePath::root() => rendered.version(url),
        _ => Version::ABSENT,
    };
    match found {
        Ok(Found::File(path, FileContent { bytes, modified, .. }, version)) => {
            file(request, state, &path, bytes.into(), modified, version)
        }
        Ok(Found::Large(path, file, head)) => large(request, state, &path, file, head),
        Ok(Found::Listing(entries, readme)) => listing::page(request, &state.name, url, entries, readme),
        Ok(Found::NeedsSlash) => redirect::to_slash(request, url),
        Err(ReadError::Missing) if url.as_str() == not_found::ICON_PATH => not_found::icon(request, url),
        Err(ReadError::Missing) => not_found::answer(request, Some(url), missing(), false),
        Err(ReadError::Outside) => not_found::answer(request, Some(url), missing(), true),
        Err(ReadError::Unreadable(error)) => HttpResponse::Forbidden()
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .content_type("text/plain; charset=utf-8")
            .body(format!("{url} cannot be read: {error}\n")),
    }
}

/// Looks by reading, and keeps what was read last.
struct Reader<F> {
    read: F,
    last: Option<Result<Fetched, ReadError>>,
}

impl<F: FnMut(&SitePath) -> Option<Result<Fetched, ReadError>>> Look for Reader<F> {
    fn look(&mut self, place: &SitePath) -> Option<Standing> {
        self.last = (self.read)(place);
        Some(match self.last.as_ref()? {
            Ok(Fetched::File(_) | Fetched::Large(_)) | Err(ReadError::Unreadable(_)) => Standing::File,
            Ok(Fetched::Directory) => Standing::Directory,
            Err(ReadError::Missing | ReadError::Outside) => Standing::Missing,
        })
    }
}

/// What this URL is answered with, if the system has it in memory.
fn find_now(sources: &Sources, url: &SitePath) -> Option<Found> {
    let read = |place: &SitePath| sources.find_now(place).map(|content| Ok(Fetched::File(content)));
    let mut reader = Reader { read, last: None };
    let Resolution { place, .. } = resolve(url, &mut reader)?;
    match reader.last {
        Some(Ok(Fetched::File(content))) => {
            let version = Version::of(&content.bytes);
            Some(Found::File(place, content, version))
        }
        _ => None,
    }
}

/// What this URL is answered with. May wait.
pub(crate) fn find(sources: &Sources, url: &SitePath) -> Result<Found, ReadError> {
    let mut reader = Reader { read: |place: &SitePath| Some(sources.fetch(place)), last: None };
    let Some(Resolution { place, answer }) = resolve(url, &mut reader) else { return Err(ReadError::Missing) };
    match (answer, reader.last) {
        (Answer::Slash, _) => Ok(Found::NeedsSlash),
        (Answer::Listing, _) => Ok(listing(sources, &place, sources.entries(&place)?)),
        (_, Some(Ok(Fetched::File(content)))) => {
            let version = Version::of(&content.bytes);
            Ok(Found::File(place, content, version))
        }
        (_, Some(Ok(Fetched::Large(large)))) => {
            let is_wanted = is_html(&kind::media_type(&place)) || kind::may_be_stream(&place);
            let head = if is_wanted { large.head(HEAD)? } else { Vec::new() };
            Ok(Found::Large(place, large, head))
        }
        (_, Some(Err(error))) => Err(error),
        (_, Some(Ok(Fetched::Directory)) | None) => Err(ReadError::Missing),
    }
}

/// The listing of a directory with these entries. May wait.
pub(crate) fn listing(sources: &Sources, directory: &SitePath, entries: Vec<Entry>) -> Found {
    let readme = readme::find(sources, directory, &entries);
    Found::Listing(entries, readme)
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
    let mut media_type = kind::media_type_of(path, &bytes);
    let mut etag = EntityTag::new_strong(version.to_string());
    if let Ok(text) = std::str::from_utf8(&bytes) {
        if !text.contains('\0') {
            media_type = shown(request, path, media_type);
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
    let mut media_type = kind::media_type_of(path, &head);
    if large.is_text {
        media_type = shown(request, path, media_type);
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

/// The media type with which browsers show a text, where they would download it with its own: `LICENSE`, `Makefile` and
/// `events.ndjson`.
fn shown(request: &HttpRequest, path: &SitePath, media_type: Mime) -> Mime {
    let is_nameless = media_type == mime::APPLICATION_OCTET_STREAM;
    if kind::of(path) == Kind::Unknown && (is_nameless || negotiate::is_for_person(request)) {
        mime::TEXT_PLAIN
    } else {
        media_type
    }
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
