//! A place becomes the response with its file, or with the page that stands for it.

use std::time::SystemTime;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::http::header::EntityTag;
use actix_web::http::header::HeaderValue;
use actix_web::web::Data;
use bytes::Bytes;
use memchr::memchr;
use mime_guess::Mime;
use mime_guess::mime;

use crate::content::Version;
use crate::content::kind;
use crate::content::kind::Kind;
use crate::http::files::body::Body;
#[cfg(feature = "cli")]
use crate::http::files::elsewhere;
use crate::http::files::find;
use crate::http::files::find::Finding;
use crate::http::files::find::Found;
use crate::http::files::find::Question;
use crate::http::files::listing;
use crate::http::files::not_found;
use crate::http::files::own_headers;
use crate::http::files::own_headers::LivePage;
use crate::http::files::redirect;
use crate::http::files::resource;
use crate::http::files::resource::Resource;
use crate::http::guard::verdict::host_of;
use crate::http::html::csp;
use crate::http::html::inject;
use crate::http::html::inject::Tag;
use crate::http::html::page;
use crate::http::html::viewer;
use crate::http::html::viewer::View;
use crate::http::negotiate;
use crate::http::negotiate::Destination;
use crate::http::state::AppState;
use crate::notice::Notice;
use crate::site::SitePath;
use crate::site::rules::FILES;
use crate::source::CurrentRules;
use crate::source::FileContent;
use crate::source::ReadError;
use crate::source::directory::large::Large;

/// The largest text that a page of ours shows, in bytes.
const LARGEST_VIEW: u64 = 8 << 20;

/// What is answered, and what is known of it.
pub(crate) struct Serving<'a> {
    pub(crate) request: &'a HttpRequest,
    pub(crate) state: &'a AppState,
    pub(crate) url: &'a SitePath,
    pub(crate) rules: &'a CurrentRules,
}

/// `GET` and `HEAD` for everything that has contents.
pub(crate) async fn serve(
    request: &HttpRequest,
    state: Data<AppState>,
    url: SitePath,
    rules: &CurrentRules,
) -> HttpResponse {
    let question = Question::new(request, url);
    let finding = match find::now(&state, &state.conventions(rules), &question) {
        Some(finding) => finding,
        // What is not cached waits for the disk, and that does not happen on the server's own threads.
        None => match find::on_disk(&state, &question).await {
            Some(finding) => finding,
            // The pool is gone when the server stops.
            None => return HttpResponse::ServiceUnavailable().finish(),
        },
    };
    #[cfg(feature = "cli")]
    if let Ok(Found::Elsewhere) = finding.found
        && let Some(answer) = Box::pin(elsewhere::fetch(request, &state)).await
    {
        return answer;
    }
    answer(&Serving { request, state: &state, url: &question.url, rules }, finding)
}

/// The response to a request, where this was found.
pub(crate) fn answer(serving: &Serving<'_>, finding: Finding) -> HttpResponse {
    finding.tell(serving.state);
    let Finding { found, is_missing, missing, .. } = finding;
    let Serving { request, state, url, rules } = *serving;
    let also = also(url, rules, &missing, is_missing);
    // A part of a page has no use for a page.
    let is_for_page = || negotiate::wants_page(request.headers(), request.query_string(), url.name());
    if is_missing && !negotiate::destination_of(request).is_document() && !is_for_page() {
        let leads_out = matches!(found, Err(ReadError::Outside));
        if url.as_str() == not_found::ICON_PATH && matches!(found, Err(ReadError::Missing) | Ok(_)) {
            return not_found::icon(request, url);
        }
        tell_missing(serving);
        return not_found::answer(request, &state.base, Some(url), absent(serving), leads_out, &also);
    }
    match found {
        Ok(Found::File(path, FileContent { bytes, modified, .. }, version)) => {
            file(serving, &Place { path, version, is_missing, also }, bytes, modified)
        }
        Ok(Found::Large(path, file, head)) => {
            let version = file.version;
            large(serving, &Place { path, version, is_missing, also }, file, head)
        }
        Ok(Found::Listing(place, entries, readme)) => listing::page(request, state, &place, entries, readme),
        Ok(Found::Redirect(redirection)) => redirect::to(&state.base, &redirection),
        // Who asks waits for nobody here.
        Ok(Found::Elsewhere) => not_found::away(request, &state.base, url, "it is only at the origin"),
        Err(ReadError::Away(why)) => not_found::away(request, &state.base, url, &why),
        Err(ReadError::Missing) if url.as_str() == not_found::ICON_PATH => not_found::icon(request, url),
        Err(ReadError::Missing) => not_found::answer(request, &state.base, Some(url), absent(serving), false, &also),
        Err(ReadError::Outside) => not_found::answer(request, &state.base, Some(url), absent(serving), true, &also),
        Err(ReadError::Unreadable(error)) => HttpResponse::Forbidden()
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .content_type("text/plain; charset=utf-8")
            .body(format!("{url} cannot be read: {error}\n")),
    }
}

/// Says that a page of this server asks for what is not there. Nobody misses what a tool looks for.
fn tell_missing(serving: &Serving<'_>) {
    let Serving { request, state, url, .. } = *serving;
    let page = request.headers().get(header::REFERER).and_then(|value: &HeaderValue| value.to_str().ok());
    let (Some(page), Some(host)) = (page, host_of(request.uri(), request.headers())) else { return };
    let page = page.split_once("://").and_then(|(_, rest)| rest.strip_prefix(host.as_str()));
    let Some(page) = page.filter(|page| page.starts_with('/')) else { return };
    let is_look = negotiate::is_of_client(request.headers(), request.query_string());
    if !is_look && state.remarked.is_first_missing(url) {
        (state.say)(&Notice::Missing { path: url, page: page.split(['?', '#']).next().unwrap_or_default() });
    }
}

/// The version of what is missing. Where pages are rendered, nobody knows whether one of them will be there.
fn absent(serving: &Serving<'_>) -> Version {
    match &serving.state.rendered {
        Some(rendered) if serving.state.prefix == SitePath::root() => rendered.version(serving.url),
        _ => Version::ABSENT,
    }
}

/// On what else a page depends, each with its version: what was looked for in vain, and the rules.
pub(crate) fn also(
    url: &SitePath,
    rules: &CurrentRules,
    missing: &[SitePath],
    is_missing: bool,
) -> Vec<(SitePath, Version)> {
    // A directory of this name would be an answer, too.
    let directory = (is_missing && !url.is_directory()).then(|| url.as_directory());
    let missing = missing.iter().cloned().chain(directory).map(|place| (place, Version::ABSENT));
    let rules = FILES.iter().zip(rules.versions).filter_map(|(name, version)| {
        // Where something is missing, a new rule may lead to it.
        let version = version.or((is_missing && rules.are_read).then_some(Version::ABSENT))?;
        Some((SitePath::from_url(name)?, version))
    });
    missing.chain(rules).collect()
}

/// A file that is answered.
pub(crate) struct Place {
    pub(crate) path: SitePath,
    pub(crate) version: Version,
    /// Whether it is the page for what is missing.
    pub(crate) is_missing: bool,
    /// On what else a page depends.
    pub(crate) also: Vec<(SitePath, Version)>,
}

/// A file with this content.
pub(crate) fn file(serving: &Serving<'_>, place: &Place, bytes: Bytes, modified: Option<SystemTime>) -> HttpResponse {
    let Place { path, version, .. } = place;
    let mut media_type = kind::media_type_of(path, &bytes);
    let is_utf8 = || std::str::from_utf8(&bytes).is_ok();
    // The bytes are looked at only where something depends on them.
    if may_be_plain(serving.request, path, &media_type) && memchr(0, &bytes).is_none() && is_utf8() {
        media_type = mime::TEXT_PLAIN;
    }
    let content_type = resource::content_type(&media_type, is_utf8);
    if let Some(page) = viewer::page(serving.request, &serving.state.base, path, &media_type, *version) {
        return page;
    }
    let is_document = find::is_html(&media_type) && becomes_document(serving.request, &bytes);
    let injected = if is_document { with_client(serving, place, &bytes) } else { None };
    let is_live = injected.is_some();
    let etag = if is_live { live_etag(serving, place) } else { EntityTag::new_strong(version.to_string()) };
    let bytes = injected.map_or(bytes, Bytes::from);
    let whole = Resource { path, content_type: &content_type, etag, version: *version, modified };
    finish(whole.respond_as(serving.request, bytes, place.is_missing), is_live)
}

/// A file that is sent in parts.
fn large(serving: &Serving<'_>, place: &Place, large: Box<Large>, head: Vec<u8>) -> HttpResponse {
    let Serving { request, state, .. } = *serving;
    let Place { path, version, .. } = place;
    let Ok(permit) = state.downloads.clone().try_acquire_owned() else {
        return HttpResponse::ServiceUnavailable()
            .insert_header((header::RETRY_AFTER, "1"))
            .body("too many large files are on their way\n");
    };
    let modified = large.metadata.modified().ok();
    let mut media_type = kind::media_type_of(path, &head);
    if large.is_text && may_be_plain(request, path, &media_type) {
        media_type = mime::TEXT_PLAIN;
    }
    let content_type = resource::content_type(&media_type, || large.is_utf8);
    // The browser itself shows larger texts best. Pictures and logs may have any size.
    let is_shown =
        large.length() <= LARGEST_VIEW || matches!(View::of(path, &media_type), Some(View::Picture | View::Log));
    if is_shown && let Some(page) = viewer::page(request, &state.base, path, &media_type, *version) {
        return page;
    }
    let mut etag = EntityTag::new_strong(version.to_string());
    let mut sent = Bytes::new();
    let mut head = Bytes::from(head);
    let mut is_live = false;
    if find::is_html(&media_type) && becomes_document(request, &head) {
        // All that comes before the place of the client is in the head, and so are the policies.
        match with_client(serving, place, &head) {
            Some(injected) => (sent, etag, is_live) = (injected.into(), live_etag(serving, place), true),
            None => head.clear(),
        }
    } else {
        head.clear();
    }
    let whole = Resource { path, content_type: &content_type, etag, version: *version, modified };
    finish(whole.respond_as(request, Body::File { large, head, sent, permit }, place.is_missing), is_live)
}

fn finish(mut response: HttpResponse, is_live: bool) -> HttpResponse {
    if is_live {
        response.extensions_mut().insert(LivePage);
    }
    response
}

/// What a page depends on belongs to it, and so do its headers: with others, it may do other things.
fn live_etag(serving: &Serving<'_>, place: &Place) -> EntityTag {
    let headers = serving.rules.versions[1];
    if place.also.is_empty() && headers.is_none() {
        return page::etag(place.version);
    }
    page::etag(Version::of(format!("{} {headers:?} {:?}", place.version, place.also).as_bytes()))
}

/// Whether a text is sent as plain text, which browsers show, where they would download what has its own type: `LICENSE`,
/// `Makefile` and `events.ndjson`.
fn may_be_plain(request: &HttpRequest, path: &SitePath, media_type: &Mime) -> bool {
    let is_nameless = *media_type == mime::APPLICATION_OCTET_STREAM;
    (is_nameless || negotiate::is_for_person(request)) && kind::of(path) == Kind::Unknown
}

/// A page, or its head, with the client in it; `None` if there is no place for it.
fn with_client(serving: &Serving<'_>, place: &Place, bytes: &[u8]) -> Option<Vec<u8>> {
    let Place { path, version, also, .. } = place;
    let mut policy = csp::verdict(bytes);
    if !serving.rules.rules.headers.is_empty() {
        // What the headers forbid is allowed to the client, but a nonce is what a browser looks at first.
        let declared = own_headers::policies(&serving.rules.rules.headers, serving.url.as_str());
        policy.nonce = policy.nonce.or(csp::judge(declared).nonce);
    }
    let nonce = policy.nonce.as_deref();
    let injected = inject::inject(
        bytes,
        &Tag { base: &serving.state.base, path, version: *version, nonce, also, loaded: None }.write(),
    );
    let say = &serving.state.say;
    if injected.is_none() {
        say(&Notice::NotLive { path, reason: "UTF-16", hint: "save it as UTF-8" });
    } else if let Some(directive) = &policy.forbids {
        say(&Notice::Forbidden { path, directive });
    }
    injected
}

/// The same where the content is known: a service worker that keeps a whole page will answer with it.
fn becomes_document(request: &HttpRequest, html: &[u8]) -> bool {
    let destination = negotiate::destination_of(request);
    destination.is_document() || (destination == Destination::Worker && inject::is_whole(html))
}
