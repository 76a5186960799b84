//! Who may publish.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::http::header::HeaderValue;

use crate::http::state::Publishing;

/// What stands before a token (RFC 6750, section 2.1).
const BEARER: &[u8] = b"Bearer ";

/// Why this client may not publish, or say what all pages do; `None` if it may.
pub(super) fn refusal(request: &HttpRequest, publishing: &Publishing) -> Option<HttpResponse> {
    let token = match publishing {
        Publishing::Anybody => return None,
        Publishing::Nobody => {
            return Some(HttpResponse::Forbidden().body("nothing is published here: start this edge with --publish\n"));
        }
        Publishing::Bearer(token) => token,
    };
    let given = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let (scheme, given) = given.split_at_checked(BEARER.len()).unwrap_or_default();
    if scheme.eq_ignore_ascii_case(BEARER) && is_same(given, token.as_bytes()) {
        return None;
    }
    let mut refusal = HttpResponse::Unauthorized();
    refusal.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    Some(refusal.body("publishing needs the token of --publish-token-file: send Authorization: Bearer TOKEN\n"))
}

/// Whether these are the same, in a time that says nothing of where they differ.
fn is_same(given: &[u8], token: &[u8]) -> bool {
    let differs = given.iter().zip(token).fold(0, |differs, (a, b)| differs | (a ^ b));
    std::hint::black_box(differs) == 0 && given.len() == token.len()
}
