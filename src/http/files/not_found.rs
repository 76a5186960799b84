//! 404, as a page that is live, and the icon that browsers ask for where there is none.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::http::header::EntityTag;
use bytes::Bytes;
use mime_guess::mime;

use crate::content::Version;
use crate::http::files::own_headers::OurPage;
use crate::http::files::resource;
use crate::http::files::resource::Resource;
use crate::http::html::inject::Tag;
use crate::http::html::page;
use crate::http::negotiate;
use crate::site::SitePath;

/// Where browsers look for the icon of a site.
pub(crate) const ICON_PATH: &str = "/favicon.ico";

const ICON: &str = include_str!("../../../static/ui/icon.svg");

/// 503, as a page that comes alive by itself: what is here is not known now.
pub(crate) fn away(request: &HttpRequest, base: &str, path: &SitePath, why: &str) -> HttpResponse {
    let mut response = HttpResponse::ServiceUnavailable();
    response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::RETRY_AFTER, "1"));
    if !negotiate::destination_of(request).is_document() {
        return response.content_type("text/plain; charset=utf-8").body(format!("{path} can't be served now: {why}\n"));
    }
    let (name, why) = (page::escape(path.as_str()), page::escape(why));
    let body = format!("<h1>{name} can’t be served now</h1>\n<p>Because {why}. This page shows it as soon as it can.");
    let version = Version::of(b"away");
    let tag = Tag { base, path, version, nonce: None, also: &[], loaded: None };
    let html = page::write(Some(tag), "Not now", "", &body);
    let mut response = response.content_type("text/html; charset=utf-8").body(html);
    response.extensions_mut().insert(OurPage);
    response
}

/// 404. `version` is that of what is missing, which has none if it is a file. `path` is `None` for what is never shown, whether it exists or not. `leads_out` says that a link to elsewhere is there.
pub(crate) fn answer(
    request: &HttpRequest,
    base: &str,
    path: Option<&SitePath>,
    version: Version,
    leads_out: bool,
    also: &[(SitePath, Version)],
) -> HttpResponse {
    let mut response = HttpResponse::NotFound();
    response.insert_header((header::CACHE_CONTROL, "no-cache"));
    for header in path.into_iter().flat_map(|path| resource::headers(request, path, version)) {
        response.insert_header(header);
    }
    if !negotiate::destination_of(request).is_document() {
        return response.content_type("text/plain; charset=utf-8").body("no such file\n");
    }
    let (heading, words) = match path {
        Some(path) if leads_out => (
            format!("{} isn’t served", page::escape(path.as_str())),
            "<p>It is a link that leads out of the served directory.",
        ),
        Some(path) => (
            format!("{} isn’t there", page::escape(path.as_str())),
            "<p>Not yet, perhaps: this page shows it as soon as it is saved.",
        ),
        None => ("There is nothing here".to_owned(), ""),
    };
    let body = format!("<h1>{heading}</h1>\n{words}\n<p><a href=\"{base}/\">Go to the start page</a>");
    let html = page::write(
        path.map(|path| Tag { base, path, version, nonce: None, also, loaded: None }),
        "Not found",
        "",
        &body,
    );
    let mut response = response.content_type("text/html; charset=utf-8").body(html);
    response.extensions_mut().insert(OurPage);
    response
}

/// The icon that browsers ask for on every page, where the project has none. `path` is that of the one it may get.
pub(crate) fn icon(request: &HttpRequest, path: &SitePath) -> HttpResponse {
    let etag = EntityTag::new_strong(Version::of(ICON.as_bytes()).to_string());
    let whole =
        Resource { path, content_type: mime::IMAGE_SVG.as_ref(), etag, version: Version::ABSENT, modified: None };
    whole.respond(request, Bytes::from_static(ICON.as_bytes()))
}
