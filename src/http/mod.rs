//! Requests, streams, pages. With `live` and `server`, which mount it, the only place that names actix.

mod authority;
mod channels;
mod effects;
pub mod files;
pub mod guard;
pub mod html;
pub mod live;
mod metrics;
pub mod negotiate;
pub mod page_console;
#[cfg(feature = "cli")]
pub mod proxy;
mod publishing;
pub mod request_body;
mod shortened;
pub mod state;
pub mod status;
pub mod told;
pub mod urls;

use std::pin::Pin;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::from_fn;
use actix_web::web;
use actix_web::web::Data;
use actix_web::web::ServiceConfig;

use crate::content::Version;
use crate::http::files::not_found;
use crate::http::files::own_headers;
use crate::http::html::serve;
use crate::http::live::long_poll;
use crate::http::live::page;
use crate::http::live::sse;
use crate::http::live::websocket;
use crate::http::negotiate::Negotiated;
#[cfg(feature = "cli")]
use crate::http::proxy::route::Route;
use crate::http::state::AppState;
use crate::site::SitePath;
#[cfg(feature = "cli")]
use crate::site::resolve::Standing;
use crate::site::rules::is_rules;
use crate::source::CurrentRules;

/// All routes: what is mounted, and our own resources.
pub fn routes(app: &mut ServiceConfig, state: &Data<AppState>) {
    #[cfg(feature = "cli")]
    app.app_data(proxy::mounted::Clients::default());
    let ours = |url: &'static str| url.strip_prefix(urls::PREFIX).unwrap_or(url);
    app.service(
        web::scope(urls::PREFIX)
            .app_data(state.clone())
            .wrap(from_fn(guard::middleware::check))
            .route(ours(urls::EVENTS), web::route().to(page::events))
            .route(ours(urls::TABS), web::route().to(page::tabs))
            .route(ours(urls::EFFECTS), web::route().to(effects::hear))
            .route(ours(urls::CONSOLE), web::route().to(page_console::hear))
            .route(ours(urls::AUTHORITY), web::route().to(authority::serve))
            .configure(|app| {
                #[cfg(feature = "cli")]
                app.route(ours(urls::LOADED), web::route().to(proxy::loaded::serve));
                #[cfg(not(feature = "cli"))]
                let _ = app;
            })
            .route(ours(urls::STATUS), web::route().to(status::json))
            .route(ours(urls::OVERVIEW), web::route().to(status::overview::serve))
            .route(ours(urls::RELOAD), web::route().to(status::reload))
            .route(ours(urls::HEALTH), web::route().to(metrics::health))
            .route(ours(urls::METRICS), web::route().to(metrics::metrics))
            .route(ours(urls::CHANNELS), web::route().to(channels::list))
            .route(&format!("{}{{name:.+}}", ours(urls::CHANNELS)), web::route().to(channels::channel))
            .route("/{asset:.*}", web::route().to(serve::asset))
            .default_service(web::route().to(any_file)),
    );
    app.service(
        web::scope(state.prefix.as_str().trim_end_matches('/'))
            .app_data(state.clone())
            .wrap(from_fn(guard::middleware::check))
            .default_service(web::route().to(any_file)),
    );
}

/// Every URL under the root: the file, or the stream of its contents.
async fn any_file(request: HttpRequest, state: Data<AppState>, payload: web::Payload) -> HttpResponse {
    #[cfg(feature = "cli")]
    match proxy::route::route(&state, request.uri().path()) {
        Route::There(server) => return Box::pin(proxy::serve(&request, &state, server, payload)).await,
        Route::Missing(server) if !is_there(&state, request.uri().path()).await => {
            return Box::pin(proxy::serve(&request, &state, server, payload)).await;
        }
        Route::Here | Route::Missing(_) => {}
    }
    let wanted = match negotiate::negotiate(request.method(), request.headers()) {
        Ok(wanted) => wanted,
        Err(not_allowed) => {
            return HttpResponse::MethodNotAllowed()
                .insert_header((header::ALLOW, not_allowed.allow))
                .content_type("text/plain; charset=utf-8")
                .body("this method is not for files\n");
        }
    };
    let path = SitePath::from_url(request.uri().path());
    let rules = match state.rules_at_once() {
        Some(rules) => rules,
        None => match rules_in_pool(&state).await {
            Some(rules) => rules,
            // The pool is gone when the server stops.
            None => return HttpResponse::ServiceUnavailable().finish(),
        },
    };
    // What says how a site is served is no part of it.
    let Some(path) = path.filter(|path| !(rules.are_read && is_rules(path))) else {
        return match wanted {
            Negotiated::File => not_found::answer(&request, &state.base, None, Version::ABSENT, false, &[]),
            Negotiated::EventStream | Negotiated::WebSocket => HttpResponse::NotFound().body("no such file\n"),
        };
    };
    let url = (!rules.rules.headers.is_empty()).then(|| path.clone());
    let mut response = match wanted {
        Negotiated::File => long_poll::serve(&request, state.clone(), path, &rules).await,
        // Apart, so that the many requests for files have no room for it.
        Negotiated::EventStream => Box::pin(sse::file(&request, state.clone(), path, &rules)).await,
        Negotiated::WebSocket => return Box::pin(websocket::file(&request, &state, path, &rules, payload)).await,
    };
    if state.is_stale() {
        // RFC 7234, section 5.5.1. RFC 9111 has left it out, but nothing else says this.
        response.headers_mut().insert(header::WARNING, HeaderValue::from_static("110 - \"Response is Stale\""));
    }
    if let Some(url) = url {
        own_headers::set(&request, &state.base, &rules.rules.headers, url.as_str(), &mut response);
    }
    response
}

/// Whether a directory of ours has something at this path.
#[cfg(feature = "cli")]
async fn is_there(state: &Data<AppState>, path: &str) -> bool {
    let Some(place) = SitePath::from_url(path) else { return false };
    let state = state.clone();
    let standing = web::block(move || state.sources.standing(&place)).await;
    standing.is_ok_and(|standing| standing != Standing::Missing)
}

/// The rules, with a look at what has changed, where that holds up nobody.
fn rules_in_pool(state: &Data<AppState>) -> Pin<Box<dyn Future<Output = Option<Arc<CurrentRules>>>>> {
    let state = state.clone();
    Box::pin(async move { web::block(move || state.rules()).await.ok() })
}
