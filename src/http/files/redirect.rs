//! A directory that was asked for without its slash: relative URLs in it would go wrong.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header;

use crate::site::SitePath;

/// The same URL with the slash that a directory has.
pub(crate) fn to_slash(request: &HttpRequest, path: &SitePath) -> HttpResponse {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    HttpResponse::TemporaryRedirect()
        .insert_header((header::LOCATION, format!("{}{query}", path.as_directory().to_url())))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .finish()
}
