//! To whom a request goes.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::http::header::HeaderMap;

use crate::http::state::AppState;
use crate::http::urls::PREFIX;
use crate::site::SitePath;
use crate::site::server_url::Endpoint;
use crate::source::Upstream;

/// To whom a request goes.
#[derive(Clone, Copy)]
pub(crate) enum Route<'a> {
    /// To us.
    Here,
    /// To this server, if we have no file there.
    Missing(&'a Arc<Upstream>),
    /// To this server.
    There(&'a Arc<Upstream>),
}

/// The place of a URL with which a page says what it uses: what another server answers there; `None` if it is ours.
pub(crate) fn answer(state: &AppState, url: &str) -> Option<SitePath> {
    match route(state, url.split('?').next().unwrap_or_default()) {
        Route::Here => None,
        Route::Missing(_) | Route::There(_) => SitePath::answer(url),
    }
}

/// Whether another server may answer there.
pub(crate) fn is_of_server(state: &AppState, path: &str) -> bool {
    !is_own(path) && !matches!(route(state, path), Route::Here)
}

/// Whether a path is below ours.
fn is_own(path: &str) -> bool {
    path == PREFIX || path.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a page of the server that answers at this path asks, which was loaded from the server itself and not through us. What is ours
/// is not for it. Of the origin of a socket in the file system, nobody knows whose it is.
pub(crate) fn is_from_server(state: &AppState, path: &str, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN);
    let (Some(origin), None) = (origins.next(), origins.next()) else { return false };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    match route(state, path) {
        Route::There(server) if !is_own(path) && matches!(server.server().endpoint, Endpoint::Tcp(..)) => {
            origin.is_some_and(|(scheme, authority)| server.server().is_own_origin(scheme, authority))
        }
        _ => false,
    }
}

/// To whom a request for this path goes. The longest directory wins; at the same one, a file of ours.
pub(crate) fn route<'a>(state: &'a AppState, path: &str) -> Route<'a> {
    let Some((directory, server)) = state.proxies.at(path) else { return Route::Here };
    let file = SitePath::from_url(path).filter(|_| directory != path.trim_end_matches('/'));
    let ours = file.as_ref().and_then(|place| state.sources.prefix_of(place)).map(SitePath::to_url);
    match ours {
        Some(ours) if ours.len() > directory.len() => Route::Here,
        Some(ours) if ours == directory => Route::Missing(server),
        _ => Route::There(server),
    }
}
