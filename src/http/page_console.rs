//! What goes wrong in pages, for the person at the terminal.

use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::web::Payload;
use serde_json::Value;

use crate::http::shortened::shortened;
use crate::http::state::AppState;
use crate::notice::Notice;
use crate::notice::PageMessage;
use crate::site::SitePath;

/// The longest report, in bytes, and how many messages of it are told.
const LARGEST: usize = 64 << 10;
const MESSAGES: usize = 20;

/// How long a message may be that is told, in bytes; and how long a URL.
const MESSAGE: usize = 2000;
const URL: usize = 300;

/// What a page can tell.
const KINDS: [&str; 9] = ["uncaught", "rejected", "failed", "forbidden", "error", "warn", "info", "log", "debug"];

/// `POST /_savecast/console`: `{"page": PATH, "messages": [{"kind","message","url","line","column","count"}]}`, where a kind is
/// `uncaught`, `rejected`, `failed` (to load), `forbidden` (by a policy), or the function of `console`. Line and column begin with 1. At an edge,
/// whoever visits the site would write at the terminal, so nothing is heard there.
pub(super) async fn hear(request: HttpRequest, state: Data<AppState>, payload: Payload) -> HttpResponse {
    if *request.method() != Method::POST {
        return HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "POST")).finish();
    }
    if state.is_edge() {
        return HttpResponse::Forbidden().body("an edge does not hear what pages say\n");
    }
    let body = match state.room.read(&request, payload, LARGEST, "a report has at most 64 KiB\n").await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let body = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let (Some(page), Some(messages)) = (body["page"].as_str(), body["messages"].as_array()) else {
        return HttpResponse::BadRequest()
            .body("expected {\"page\": PATH, \"messages\": [{\"kind\": KIND, \"message\": TEXT}]}\n");
    };
    for message in messages.iter().take(MESSAGES) {
        let text = |name: &str| message[name].as_str().unwrap_or_default();
        let Some(kind) = KINDS.into_iter().find(|kind| *kind == text("kind")) else { continue };
        let number = |name: &str| message[name].as_u64().and_then(|number| u32::try_from(number).ok());
        let url = shortened(text("url"), URL);
        // That it is not there was told by who has looked for it.
        let is_missing = |url| SitePath::from_url(url).is_some_and(|path| state.remarked.is_missing(&path));
        if kind == "failed" && is_missing(url.split(['?', '#']).next().unwrap_or_default()) {
            continue;
        }
        let Some(left_out) = state.told.may(Instant::now()) else { continue };
        let message = PageMessage {
            kind,
            page: shortened(page, URL),
            message: shortened(text("message"), MESSAGE),
            url,
            place: number("line").zip(number("column")).filter(|(line, column)| *line > 0 && *column > 0),
            count: number("count").unwrap_or(1),
        };
        (state.say)(&Notice::Page { message: &message, left_out });
    }
    HttpResponse::NoContent().finish()
}
