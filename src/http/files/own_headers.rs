//! The headers that a site wants its answers to have, by its `_headers`.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;

use crate::http::guard::verdict::host_of;
use crate::http::html::csp;
use crate::http::html::csp::widen;
use crate::http::html::csp::widen::Needs;
use crate::http::urls::PREFIX;
use crate::site::rules::headers::Headers;

/// Marks an answer that is none of the site's: a listing, or a page that shows a file.
pub(crate) struct OurPage;

/// Marks a page with the client in it, to which its policies have to allow what the client does.
pub(crate) struct LivePage;

/// The policies that a site declares for this path.
pub(crate) fn policies(headers: &Headers, path: &str) -> Vec<String> {
    let found = headers.find(path).into_iter().filter(|(name, _)| *name == "content-security-policy");
    found.flat_map(|(_, value)| value.split(',').map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Sets them.
pub(crate) fn set(request: &HttpRequest, base: &str, headers: &Headers, path: &str, response: &mut HttpResponse) {
    let is_ours = response.extensions().get::<OurPage>().is_some();
    let is_live = response.extensions().get::<LivePage>().is_some();
    let is_stream = is_stream(response);
    let is_unchanged = response.status() == StatusCode::NOT_MODIFIED;
    for (name, value) in headers.find(path) {
        let value = match name {
            // Kept, and asked for again each time: anything else would show an old file while it is edited.
            "cache-control" | "expires" | "pragma" => continue,
            "content-type" if is_stream || is_ours => continue,
            "content-security-policy" | "content-security-policy-report-only" if is_ours => continue,
            "content-security-policy" if is_live => {
                let host = host_of(request.uri(), request.headers()).unwrap_or_default();
                let needs = Needs { ours: &widen::ours(&host, &format!("{base}{PREFIX}/")), page: "'self'" };
                let nonce = csp::judge(value.split(',').map(str::to_owned)).nonce;
                widen::widen(&value, needs, nonce.as_deref())
            }
            _ if is_unchanged && name.starts_with("content-") && name != "content-security-policy" => continue,
            _ => value,
        };
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(&value)) else { continue };
        if [header::VARY, header::SET_COOKIE].contains(&name) || name == "server-timing" {
            response.headers_mut().append(name, value);
        } else {
            response.headers_mut().insert(name, value);
        }
    }
}

fn is_stream(response: &HttpResponse) -> bool {
    let media_type = response.headers().get(header::CONTENT_TYPE);
    media_type.is_some_and(|media_type| media_type.as_bytes().starts_with(b"text/event-stream"))
}
