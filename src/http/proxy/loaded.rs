//! `/_savecast/loaded`: what the client of a page asks of what it has loaded through the proxy. The head of an answer can't say which
//! version it is, because its body comes later.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::web::Payload;
use serde_json::Value;
use serde_json::json;

use crate::http::proxy::route;
use crate::http::proxy::stream;
use crate::http::state::AppState;
use crate::site::SitePath;

/// How many versions are asked for at once, and in how many bytes.
const LOADS: usize = 2000;
const LARGEST: usize = 64 << 10;

/// The place of a URL of another server, of which a page wants to know the version, or the contents. Those are asked for as the page
/// asks for its events: with its cookies.
pub(crate) fn place(request: &HttpRequest, state: &AppState, url: &str, is_read: bool) -> Option<SitePath> {
    let place = route::answer(state, url)?;
    if !is_read || place.is_pages() {
        return Some(place);
    }
    let (_, server) = state.proxies.at(url)?;
    stream::follow(request, state, server, url)
}

/// `POST` with a JSON array of loads, as `Server-Timing` has named them: a JSON array with the version of each, or null.
/// `GET` with the load of a page as the query: the page as it was sent, once.
pub(crate) async fn serve(request: HttpRequest, state: Data<AppState>, payload: Payload) -> HttpResponse {
    match *request.method() {
        Method::GET => {
            let load = u64::from_str_radix(request.query_string(), 16).ok();
            match load.and_then(|load| state.proxies.loads().take(load)) {
                // Its charset is that of the page, which the client knows.
                Some(page) => HttpResponse::Ok()
                    .insert_header((header::CACHE_CONTROL, "no-store"))
                    .content_type("application/octet-stream")
                    .body(page),
                None => HttpResponse::NotFound().insert_header((header::CACHE_CONTROL, "no-store")).finish(),
            }
        }
        Method::POST => {
            let body = state.room.read(&request, payload, LARGEST, "at most 64 KiB\n").await;
            let body = match body {
                Ok(body) => body,
                Err(answer) => return answer,
            };
            let Ok(Value::Array(loads)) = serde_json::from_slice(&body) else {
                return HttpResponse::BadRequest().body("expected [LOAD]\n");
            };
            let load = |load: &Value| u64::from_str_radix(load.as_str().unwrap_or_default(), 16).unwrap_or_default();
            let loads = loads.iter().take(LOADS).map(load).collect::<Vec<_>>();
            let versions = state.proxies.loads().versions(&loads).await;
            let versions = versions.into_iter().map(|version| json!(version.map(|version| version.to_string())));
            HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(versions.collect::<Vec<_>>())
        }
        _ => HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "GET, POST")).finish(),
    }
}
