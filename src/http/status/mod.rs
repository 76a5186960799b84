//! What the server is doing: in numbers, and all of it for the page for people. And what that page can do.

pub mod edition;
pub(super) mod overview;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::Data;
use serde_json::Value;
use serde_json::json;

use crate::http::publishing::refusal;
use crate::http::state::AppState;
use crate::hub::Report;
#[cfg(feature = "cli")]
use crate::relay::RelayStatus;

/// `GET /_savecast/status`: a JSON object with the `version` of savecast, the name of the `root` directory, and counts:
/// open `streams`, paths `followed`, `watched_files`, `watched_dirs`, `updates` since the start, followed files that have
/// `problems` now; and `latest`, the update that was the last to reach everybody: its `path`, the number of `listeners`, and
/// the `ms` from the word of the system to the last of them; null before there is one. `relay` is how it stands with the
/// connection to other instances, null if none is wanted: the `server`, the `role` (`origin`,
/// `standby`, `edge` or `peer`), whether it is `up`, for an edge whether an `origin` tells what stands there, the `ms` that it took to
/// answer, and the number of `reconnects`.
pub(super) async fn json(request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return not_allowed("GET, HEAD");
    }
    answer(&numbers(&state))
}

/// `POST /_savecast/reload`: has every open page loaded again. Answers `{"streams": N}`: how many streams of pages there are. A
/// browser has one for all of its tabs.
pub(super) async fn reload(request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    if *request.method() != Method::POST {
        return not_allowed("POST");
    }
    if let Some(refusal) = refusal(&request, &state.publishing) {
        return refusal;
    }
    answer(&json!({ "streams": state.hub.reload() }))
}

fn not_allowed(allow: &'static str) -> HttpResponse {
    HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, allow)).finish()
}

fn answer(value: &Value) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .body(value.to_string())
}

fn numbers(state: &AppState) -> Value {
    let counted = state.hub.stats();
    let (files, directories) = (state.watched)();
    let latest = state.hub.latest_report().map(|Report { path, listeners, elapsed, .. }| {
        json!({ "path": path.as_str(), "listeners": listeners, "ms": elapsed.as_secs_f64() * 1000.0 })
    });
    #[cfg(feature = "cli")]
    let relay = state.relay.as_ref().map(|relay| {
        let RelayStatus { server, is_up, lag, reconnects, role, has_origin } = relay.status();
        let ms = lag.map(|lag| lag.as_secs_f64() * 1000.0);
        json!({ "server": server, "role": role, "up": is_up, "origin": has_origin, "ms": ms, "reconnects": reconnects })
    });
    #[cfg(not(feature = "cli"))]
    let relay = None::<()>;
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "root": state.name,
        "streams": counted.streams,
        "followed": counted.followed,
        "watched_files": files,
        "watched_dirs": directories,
        "updates": counted.updates,
        "problems": counted.problems,
        "latest": latest,
        "relay": relay,
    })
}
