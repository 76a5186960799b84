//! Long polling: who has the present version already, and prefers to wait (RFC 7240), is answered when it is another.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;
use actix_web::rt::time::Instant;
use actix_web::rt::time::timeout;
use actix_web::web::Data;

use crate::http::Site;
use crate::http::files;
use crate::hub::Audience;
use crate::hub::Follower;
use crate::hub::Interest;
use crate::hub::Known;
use crate::hub::Need;
use crate::hub::Owed;
use crate::site_path::SitePath;

/// The longest wait, in seconds. Proxies do not wait for long either.
const LONGEST: u64 = 120;

/// Says how long was waited at most (RFC 7240, section 3).
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Answers like [`files::serve`], and holds a `304` until there is something else to say, or the wait is over.
pub(super) async fn serve(request: &HttpRequest, site: Data<Site>, path: SitePath) -> HttpResponse {
    let answer = files::serve(request, site.clone(), path.clone()).await;
    let Some(wait) = preferred(request.headers()).filter(|_| request.method() == Method::GET) else { return answer };
    let wait = wait.min(LONGEST);
    let mut answer = match answer.status() {
        // Apart, so that the many who do not wait have no room for it.
        StatusCode::NOT_MODIFIED => Box::pin(hold(request, site, path, answer, Duration::from_secs(wait))).await,
        _ => answer,
    };
    let applied = HeaderValue::from_str(&format!("wait={wait}")).expect("plain ASCII");
    answer.headers_mut().insert(PREFERENCE_APPLIED, applied);
    answer
}

async fn hold(
    request: &HttpRequest,
    site: Data<Site>,
    path: SitePath,
    old: HttpResponse,
    wait: Duration,
) -> HttpResponse {
    let end = Instant::now() + wait;
    let has = answered(&old);
    let places = match has.as_ref().and_then(|(_, url)| SitePath::from_url(url)) {
        // The index of a directory.
        Some(file) if file != path => vec![file],
        // Its listing, which an index may take the place of.
        _ => path.is_directory().then(|| path.file(files::INDEX)).flatten().into_iter().chain([path.clone()]).collect(),
    };
    // What is there now is told, too. So nothing is lost between the answer that we have and the first look.
    let interest = |path| Interest { path, has: Known::Nothing, audience: Audience::User, need: Need::Nothing };
    let mut follower = Follower::new(&site.hub, places.into_iter().map(interest).collect());
    while let Ok(Some(owed)) = timeout(end.saturating_duration_since(Instant::now()), follower.next()).await {
        // What is the same is no reason to look again: that might be in the midst of the next save.
        if let Owed::News(told, _) = &owed
            && has == Some((told.update.version.to_string(), told.update.path.to_url()))
        {
            continue;
        }
        let answer = files::serve(request, site.clone(), path.clone()).await;
        if answer.status() != StatusCode::NOT_MODIFIED {
            return answer;
        }
    }
    old
}

/// The version of the file that was answered, and its path, as the answer says.
fn answered(answer: &HttpResponse) -> Option<(String, String)> {
    let timing = answer.headers().get("server-timing")?.to_str().ok()?;
    let (version, path) = timing.strip_prefix("savecast;desc=\"")?.strip_suffix('"')?.split_once(' ')?;
    Some((version.to_owned(), path.to_owned()))
}

/// The number of seconds in `Prefer: wait=N`, among other preferences.
fn preferred(headers: &HeaderMap) -> Option<u64> {
    let preferences =
        headers.get_all("prefer").filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    preferences.filter_map(|preference| preference.split(';').next()?.split_once('=')).find_map(|(name, value)| {
        name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"').parse().ok()).flatten()
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
