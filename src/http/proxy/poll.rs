//! Long polling of what another server answers: who has it already, and prefers to wait (RFC 7240), is answered when it is another.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;
use actix_web::rt::time::Instant;
use actix_web::rt::time::timeout;
use hyper::HeaderMap;

use crate::event::Format;
use crate::http::live::long_poll;
use crate::http::proxy::passenger::Passenger;
use crate::http::proxy::stream;
use crate::hub::Delivery;
use crate::hub::Follower;
use crate::hub::Interest;
use crate::hub::Known;
use crate::hub::Need;

/// Says how long was waited at most (RFC 7240, section 3).
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Holds a `304` until there is something else to say, if that is wished and the server does not do so itself.
pub(super) async fn hold(passenger: &Passenger<'_>, headers: &HeaderMap, first: HttpResponse) -> HttpResponse {
    let wait = long_poll::wait(passenger.request.headers()).filter(|_| *passenger.request.method() == Method::GET);
    let Some(seconds) = wait.filter(|_| !first.headers().contains_key(APPLIED)) else { return first };
    let mut answer = first;
    if answer.status() == StatusCode::NOT_MODIFIED
        && let Some(place) = stream::follow(passenger.request, passenger.state, passenger.server, &passenger.url)
    {
        let end = Instant::now() + Duration::from_secs(seconds);
        let interest = Interest { path: place, has: Known::Nothing, format: Format::Stream, need: Need::Nothing };
        let mut follower = Follower::new(&passenger.state.hub, vec![interest]);
        while answer.status() == StatusCode::NOT_MODIFIED {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(Some(Delivery::Snapshot(..))) = timeout(left, follower.next()).await else { break };
            match passenger.send_patiently(headers).await {
                Ok(response) => answer = passenger.as_it_is(response, headers, None),
                Err(_) => break,
            }
        }
    }
    if let Ok(applied) = HeaderValue::from_str(&format!("wait={seconds}")) {
        answer.headers_mut().insert(APPLIED, applied);
    }
    answer
}
