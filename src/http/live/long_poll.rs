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
#[cfg(feature = "cli")]
use crate::content::kind;
use crate::event::Format;
#[cfg(feature = "cli")]
use crate::http::files::elsewhere;
use crate::http::files::find;
use crate::http::files::find::Finding;
use crate::http::files::find::Found;
use crate::http::files::find::Question;
use crate::http::files::serve;
use crate::http::files::serve::Place;
use crate::http::files::serve::Serving;
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
use crate::site::resolve::Standing;
use crate::site::rules::FILES;
use crate::source::CurrentRules;
use crate::source::ReadError;

/// The longest wait, in seconds. Proxies do not wait for long either.
const LONGEST: u64 = 120;

/// Says how long was waited at most (RFC 7240, section 3).
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Answers like [`serve::serve`], and holds a `304` until there is something else to say, or the wait is over.
pub(crate) async fn serve(
    request: &HttpRequest,
    state: Data<AppState>,
    url: SitePath,
    rules: &Arc<CurrentRules>,
) -> HttpResponse {
    let wait = wait(request.headers()).filter(|_| request.method() == Method::GET);
    let Some(wait) = wait else { return serve::serve(request, state, url, rules).await };
    // Who has nothing yet is answered with what is there, unless it is known what of that has settled.
    let has = has_something(request);
    let is_known = state.hub.is_known(&url) || resolve::index(&url).is_some_and(|index| state.hub.is_known(&index));
    let mut answer = if has || is_known {
        // Apart, so that the many who do not wait have no room for it.
        Box::pin(hold(request, state, url, rules, Duration::from_secs(wait))).await
    } else {
        serve::serve(request, state, url, rules).await
    };
    let applied = HeaderValue::from_str(&format!("wait={wait}")).expect("plain ASCII");
    answer.headers_mut().insert(PREFERENCE_APPLIED, applied);
    answer
}

/// Answers what has settled, and never what is on disk in the midst of a save.
async fn hold(
    request: &HttpRequest,
    state: Data<AppState>,
    url: SitePath,
    rules: &Arc<CurrentRules>,
    wait: Duration,
) -> HttpResponse {
    let end = Instant::now() + wait;
    let question = Question::new(request, url);
    let follow = |places: &[SitePath]| {
        let interest = |place: &SitePath| Interest {
            path: place.clone(),
            has: Known::Nothing,
            format: Format::Stream,
            need: Need::Original,
        };
        Follower::new(&state.hub, places.iter().map(interest).collect())
    };
    // A rule may lead somewhere else.
    let mut places = Vec::new();
    if rules.are_read && !(rules.rules.redirects.is_empty() && question.url.name().contains('.')) {
        places.extend(FILES.iter().filter_map(|file| SitePath::from_url(file)));
    }
    let mut follower = follow(&places);
    let mut settled = Settled::default();
    let mut same = None;
    loop {
        let rules = if let Some(rules) = state.rules_at_once() {
            rules
        } else {
            let state = state.clone();
            // If the pool is gone, the server is stopping.
            web::block(move || state.rules()).await.unwrap_or_else(|_| rules.clone())
        };
        match answer(request, &state, &question, &rules, &mut settled).await {
            Some(answer) if answer.status() != StatusCode::NOT_MODIFIED => return answer,
            Some(answer) => same = Some(answer),
            // What the answer depends on is learned one place after the other. The new follower begins before the old one ends,
            // so that nothing is looked at twice.
            None => {
                if let Some(place) = settled.unknown.take().filter(|place| !places.contains(place)) {
                    places.push(place);
                    follower = follow(&places);
                }
            }
        }
        match timeout(end.saturating_duration_since(Instant::now()), follower.next()).await {
            Ok(Some(Delivery::Snapshot(published, _))) => {
                settled.known.insert(published.snapshot.path.clone(), published);
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => break,
        }
    }
    match same {
        Some(same) => same,
        None if has_something(request) => nothing_new(request),
        None => serve::serve(request, state, question.url, rules).await,
    }
}

/// Whether it is known what the client has, so that it can wait for something else.
fn has_something(request: &HttpRequest) -> bool {
    [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE].iter().any(|name| request.headers().contains_key(name))
}

/// What has settled, of all on which an answer depends.
#[derive(Default)]
struct Settled {
    known: HashMap<SitePath, Arc<Published>>,
    /// What was asked for and is not known.
    unknown: Option<SitePath>,
    /// What was looked for in vain.
    missing: Vec<SitePath>,
}

impl Look for Settled {
    fn look(&mut self, place: &SitePath) -> Option<Standing> {
        let Some(published) = self.known.get(place) else {
            self.unknown = Some(place.clone());
            return None;
        };
        Some(match published.snapshot.content {
            Content::Removed => {
                self.missing.push(place.clone());
                Standing::Missing
            }
            Content::Document(_) if place.is_directory() => Standing::Directory,
            _ => Standing::File,
        })
    }
}

/// The answer with what has settled; `None` while that is not known, or no longer on disk where it has to be read from.
async fn answer(
    request: &HttpRequest,
    state: &Data<AppState>,
    question: &Question,
    rules: &CurrentRules,
    settled: &mut Settled,
) -> Option<HttpResponse> {
    settled.missing.clear();
    let resolution = resolve::resolve(&question.asked(), &state.conventions(rules), settled)?;
    let serving = Serving { request, state, url: &question.url, rules };
    let place = match resolution.answer {
        Answer::File | Answer::Listing => resolution.place,
        // A directory that was asked for without its slash is not there under this name, but it leads to the other.
        Answer::Redirect(_) | Answer::NotFoundPage | Answer::NotFound => {
            let finding = find::on_disk(state, question).await?;
            let is_there = matches!(finding.found, Ok(Found::File(..) | Found::Large(..) | Found::Listing(..)));
            return (finding.is_missing || !is_there).then(|| serve::answer(&serving, finding));
        }
    };
    let published = settled.known.get(&place)?;
    let snapshot = &published.snapshot;
    match published.original() {
        Some(Original::File(bytes, modified)) => {
            let also = serve::also(&question.url, rules, &settled.missing, false);
            let place = Place { path: place, version: snapshot.version, is_missing: false, also };
            Some(serve::file(&serving, &place, bytes.clone(), *modified))
        }
        Some(Original::Listing(entries)) => {
            let (state, entries) = (state.clone(), entries.clone());
            let finding = web::block(move || Finding::listing(&state.sources, place, entries)).await.ok()?;
            Some(serve::answer(&serving, finding))
        }
        None => {
            let finding = find::on_disk(state, question).await?;
            // The origin says itself whether the client has it, and may be in the midst of a save.
            #[cfg(feature = "cli")]
            if let Ok(Found::Elsewhere) = finding.found {
                let answer = Box::pin(elsewhere::fetch(request, state)).await?;
                let etag = format!("\"{}\"", snapshot.version);
                let has_settled =
                    answer.headers().get(header::ETAG).is_some_and(|tag| tag.as_bytes() == etag.as_bytes());
                // That of a page is one of the page with the client in it.
                let is_page = find::is_html(&kind::media_type(&place));
                let is_same = answer.status() == StatusCode::NOT_MODIFIED;
                return (has_settled || is_page || is_same).then_some(answer);
            }
            let is_settled = match &finding.found {
                Ok(Found::File(_, _, version)) => *version == snapshot.version,
                Ok(Found::Large(_, large, _)) => large.version == snapshot.version,
                Ok(Found::Listing(..) | Found::Redirect(_) | Found::Elsewhere)
                | Err(ReadError::Missing | ReadError::Outside) => false,
                Err(ReadError::Unreadable(_) | ReadError::Away(_)) => matches!(snapshot.content, Content::Problem(_)),
            };
            is_settled.then(|| serve::answer(&serving, finding))
        }
    }
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

/// How many seconds a client prefers to wait, as far as we do.
pub(crate) fn wait(headers: &HeaderMap) -> Option<u64> {
    preferred(headers).filter(|wait| *wait > 0).map(|wait| wait.min(LONGEST))
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
