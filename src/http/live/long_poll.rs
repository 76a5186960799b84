//! Long polling: who has the present version already, and prefers to wait (RFC 7240), is answered when another one has
//! settled.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;
use actix_web::http::header::IfNoneMatch;
use actix_web::rt::time::Instant;
use actix_web::rt::time::timeout;
use actix_web::web;
use actix_web::web::Data;

use crate::content::Content;
use crate::event::Format;
use crate::http::files::serve;
use crate::http::files::serve::Found;
use crate::http::state::AppState;
use crate::hub::Delivery;
use crate::hub::Follower;
use crate::hub::Interest;
use crate::hub::Known;
use crate::hub::Need;
use crate::hub::Original;
use crate::hub::Published;
use crate::site::SitePath;
use crate::site::resolve;
use crate::site::resolve::Answer;
use crate::site::resolve::Look;
use crate::site::resolve::Resolution;
use crate::site::resolve::Standing;
use crate::source::ReadError;

/// The longest wait, in seconds. Proxies do not wait for long either.
const LONGEST: u64 = 120;

/// Says how long was waited at most (RFC 7240, section 3).
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Answers like [`serve::serve`], and holds a `304` until there is something else to say, or the wait is over.
pub(crate) async fn serve(request: &HttpRequest, state: Data<AppState>, path: SitePath) -> HttpResponse {
    let wait = preferred(request.headers()).filter(|wait| *wait > 0 && request.method() == Method::GET);
    let Some(wait) = wait else { return serve::serve(request, state, path).await };
    let wait = wait.min(LONGEST);
    // Who has nothing yet is answered with what is there, unless it is known what of that has settled.
    let has = has_something(request);
    let is_known = resolve::follows(&path).iter().any(|place| state.hub.is_known(place));
    let mut answer = if has || is_known {
        // Apart, so that the many who do not wait have no room for it.
        Box::pin(hold(request, state, path, Duration::from_secs(wait))).await
    } else {
        serve::serve(request, state, path).await
    };
    let applied = HeaderValue::from_str(&format!("wait={wait}")).expect("plain ASCII");
    answer.headers_mut().insert(PREFERENCE_APPLIED, applied);
    answer
}

/// Answers what has settled, and never what is on disk in the midst of a save.
async fn hold(request: &HttpRequest, state: Data<AppState>, path: SitePath, wait: Duration) -> HttpResponse {
    let end = Instant::now() + wait;
    let interest = |path| Interest { path, has: Known::Nothing, format: Format::Stream, need: Need::Original };
    let mut follower = Follower::new(&state.hub, resolve::follows(&path).into_iter().map(interest).collect());
    let mut settled = Settled::default();
    let mut same = None;
    while let Ok(Some(delivery)) = timeout(end.saturating_duration_since(Instant::now()), follower.next()).await {
        let Delivery::Snapshot(published, _) = delivery else { continue };
        settled.0.insert(published.snapshot.path.clone(), published);
        let Some(answer) = answer(request, &state, &path, &mut settled).await else { continue };
        if answer.status() != StatusCode::NOT_MODIFIED {
            return answer;
        }
        same = Some(answer);
    }
    match same {
        Some(same) => same,
        None if has_something(request) => nothing_new(request),
        None => serve::serve(request, state, path).await,
    }
}

/// Whether it is known what the client has, so that it can wait for something else.
fn has_something(request: &HttpRequest) -> bool {
    [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE].iter().any(|name| request.headers().contains_key(name))
}

/// What has settled, of all on which an answer depends.
#[derive(Default)]
struct Settled(HashMap<SitePath, Arc<Published>>);

impl Look for Settled {
    fn look(&mut self, place: &SitePath) -> Option<Standing> {
        Some(match self.0.get(place)?.snapshot.content {
            Content::Removed => Standing::Missing,
            Content::Document(_) if place.is_directory() => Standing::Directory,
            _ => Standing::File,
        })
    }
}

/// The answer with what has settled; `None` while that is not known, or no longer on disk where it has to be read from.
async fn answer(
    request: &HttpRequest,
    state: &Data<AppState>,
    url: &SitePath,
    settled: &mut Settled,
) -> Option<HttpResponse> {
    let Resolution { place, answer } = resolve::resolve(url, settled)?;
    if answer == Answer::NotFound {
        // A directory that was asked for without its slash is not there under this name.
        let found = on_disk(state, url).await?;
        let found = if matches!(found, Ok(Found::NeedsSlash)) { found } else { Err(ReadError::Missing) };
        return Some(serve::answer(request, state, url, found));
    }
    let published = settled.0.get(&place)?;
    let snapshot = &published.snapshot;
    match published.original() {
        Some(Original::File(bytes, modified)) => {
            Some(serve::file(request, state, &place, bytes.clone(), *modified, snapshot.version))
        }
        Some(Original::Listing(entries)) => {
            let (sources, entries) = (state.clone(), entries.clone());
            let found = web::block(move || serve::listing(&sources.sources, &place, entries)).await.ok()?;
            Some(serve::answer(request, state, url, Ok(found)))
        }
        None => {
            let found = on_disk(state, url).await?;
            let is_settled = match &found {
                Ok(Found::File(_, _, version)) => *version == snapshot.version,
                Ok(Found::Large(_, large, _)) => large.version == snapshot.version,
                Ok(Found::Listing(..) | Found::NeedsSlash) | Err(ReadError::Missing | ReadError::Outside) => false,
                Err(ReadError::Unreadable(_)) => matches!(snapshot.content, Content::Problem(_)),
            };
            is_settled.then(|| serve::answer(request, state, url, found))
        }
    }
}

/// What can be found now; `None` when the server stops.
async fn on_disk(state: &Data<AppState>, path: &SitePath) -> Option<Result<Found, ReadError>> {
    let (state, path) = (state.clone(), path.clone());
    web::block(move || serve::find(&state.sources, &path)).await.ok()
}

/// For one who has waited, and nothing has settled that it would not have.
fn nothing_new(request: &HttpRequest) -> HttpResponse {
    let mut answer = HttpResponse::NotModified();
    answer.insert_header((header::CACHE_CONTROL, "no-cache"));
    if let Some(IfNoneMatch::Items(tags)) = request.get_header()
        && let [tag] = tags.as_slice()
    {
        answer.insert_header((header::ETAG, tag.to_string()));
    }
    answer.finish()
}

/// The number of seconds in `Prefer: wait=N`, among other preferences.
fn preferred(headers: &HeaderMap) -> Option<u64> {
    let preferences =
        headers.get_all("prefer").filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    preferences.filter_map(|preference| preference.split(';').next()?.split_once('=')).find_map(|(name, value)| {
        let value = value.trim().trim_matches('"');
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        // Whoever wants to wait for ages waits for as long as one may.
        (is_number && name.trim().eq_ignore_ascii_case("wait")).then(|| value.parse().unwrap_or(u64::MAX))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preference_is_found_among_others() {
        for (value, expected) in [
            ("wait=30", Some(30)),
            ("respond-async, Wait = \"5\"; x=1", Some(5)),
            ("wait", None),
            ("wait=99999999999999999999", Some(u64::MAX)),
            ("wait=-1", None),
            ("wait=soon", None),
            ("handling=lenient", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static("prefer"), HeaderValue::from_static(value));
            assert_eq!(preferred(&headers), expected, "{value}");
        }
    }
}
