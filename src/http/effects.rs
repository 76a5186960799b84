//! What pages have made of changes, for the person at the terminal.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::web::Payload;
use serde_json::Value;

#[cfg(feature = "cli")]
use crate::http::proxy::route;
use crate::http::state::AppState;
use crate::notice::Notice;
use crate::site::SitePath;

/// The longest report, in bytes, and how many effects it may have.
const LARGEST: usize = 16 << 10;
const EFFECTS: usize = 20;

/// What a page can do about a change.
const KNOWN: [&str; 4] = ["swapped", "replaced", "changed", "reloaded"];

/// The place of a URL: a file of ours, or what another server answers.
fn place(state: &AppState, url: &str) -> Option<SitePath> {
    #[cfg(feature = "cli")]
    if let Some(answer) = route::answer(state, url) {
        return Some(answer);
    }
    #[cfg(not(feature = "cli"))]
    let _ = state;
    SitePath::from_url(url)
}

/// `POST /_savecast/effects`: a JSON array of `{"effect","path","more"}`: `swapped` a stylesheet, `replaced` a picture, `changed` the
/// page in place, `reloaded` it, because of the file at the path and so many more.
pub(super) async fn hear(request: HttpRequest, state: Data<AppState>, payload: Payload) -> HttpResponse {
    if *request.method() != Method::POST {
        return HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "POST")).finish();
    }
    let body = match state.room.read(&request, payload, LARGEST, "a report has at most 16 KiB\n").await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let Ok(Value::Array(effects)) = serde_json::from_slice(&body) else {
        return HttpResponse::BadRequest().body("expected [{\"effect\": EFFECT, \"path\": PATH}]\n");
    };
    for effect in effects.iter().take(EFFECTS) {
        let text = |name: &str| effect.get(name).and_then(Value::as_str).unwrap_or_default();
        let known = KNOWN.iter().find(|known| **known == text("effect"));
        let more = effect.get("more").and_then(Value::as_u64).and_then(|more| usize::try_from(more).ok());
        if let (Some(effect), Some(path)) = (known, place(&state, text("path"))) {
            (state.say)(&Notice::Effect { effect, path: &path, more: more.unwrap_or_default() });
        }
    }
    HttpResponse::NoContent().finish()
}
