//! The answer to a request for the browser's part.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::http::header::EntityTag;
use actix_web::http::header::HeaderValue;
use actix_web::web::Data;
use actix_web::web::Path;
use mime_guess::mime;

use crate::content::Version;
use crate::content::kind;
use crate::http::files::resource;
use crate::http::files::resource::Resource;
use crate::http::state::AppState;
use crate::site::SitePath;

/// For how long browsers keep what has its version in its URL.
const FOR_EVER: HeaderValue = HeaderValue::from_static("max-age=31536000, immutable");

/// `GET /_savecast/NAME`; the name of the status page for people may be left out.
pub(crate) async fn asset(request: HttpRequest, name: Path<String>, state: Data<AppState>) -> HttpResponse {
    let name = if name.is_empty() { "ui/status.html" } else { name.as_str() };
    let Some((name, text, is_same)) = state.assets.find(name) else {
        return HttpResponse::NotFound().body("there is no such thing in savecast\n");
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "GET, HEAD")).finish();
    }
    let path = SitePath::from_url(&format!("/{name}")).expect("an asset has a plain name");
    let version = Version::of(&text);
    let content_type = resource::content_type(&kind::media_type(&path), || true);
    let whole = Resource {
        path: &path,
        content_type: &content_type,
        etag: EntityTag::new_strong(version.to_string()),
        version,
        modified: None,
    };
    let mut response = whole.respond(&request, text);
    // Whoever asks gets the same, and what a page and its worker have in common is kept for both.
    response.headers_mut().remove(header::VARY);
    if content_type == mime::TEXT_HTML_UTF_8.as_ref() {
        // Whoever frames it could have people click on what they do not see.
        let policy =
            HeaderValue::from_static("script-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'");
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if is_same {
        response.headers_mut().insert(header::CACHE_CONTROL, FOR_EVER);
    }
    response
}
