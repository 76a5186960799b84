//! Asks the guard before anything else is done.

use actix_web::Error;
use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::http::Uri;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::http::guard::reached::Reached;
use crate::http::guard::verdict::ANY;
use crate::http::guard::verdict::Verdict;
use crate::http::guard::verdict::host_of;
use crate::http::guard::verdict::without_port;
#[cfg(feature = "cli")]
use crate::http::proxy::route;
use crate::http::state::AppState;
use crate::http::urls::AUTHORITY;
use crate::http::urls::EVENTS;
use crate::notice::Notice;

/// The longest name of a host (RFC 1035, section 2.3.4).
const LONGEST: usize = 253;

/// Answers what the verdict allows.
pub(crate) async fn check(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = request.app_data::<Data<AppState>>().expect("routes() sets the state");
    let reached = Reached::of(&request);
    let verdict = match state.guard.judge(reached, request.method(), request.uri(), request.headers()) {
        // A page that was loaded from the other server itself may ask it through us.
        #[cfg(feature = "cli")]
        Verdict::ForeignOrigin if route::is_from_server(state, request.path(), request.headers()) => Verdict::Allow,
        verdict => verdict,
    };
    let origin = state.guard.allowed_origin(request.headers()).map(str::to_owned);
    #[cfg(feature = "cli")]
    let of_server = (origin.is_some()
        && is_preflight(request.method(), request.headers())
        && route::is_of_server(state, request.path()))
    .then(|| asked_for(request.headers()));
    let mut response = match verdict {
        Verdict::Allow | Verdict::Embed | Verdict::AllowPage => {
            if state.tls.is_some() && !reached.is_secure && request.path() != AUTHORITY {
                let answer = to_https(request.request(), &state.base);
                request.into_response(answer)
            } else if origin.is_some() && is_preflight(request.method(), request.headers()) {
                request.into_response(HttpResponse::NoContent())
            } else {
                next.call(request).await?.map_into_boxed_body()
            }
        }
        Verdict::NoHost => request.into_response(HttpResponse::BadRequest().body("the request must name one host\n")),
        Verdict::ForeignHost => {
            let name = foreign_name(request.uri(), request.headers());
            if state.guard.is_first(&name) {
                (state.say)(&Notice::ForeignHost { name: &name });
            }
            let words = format!(
                "this server does not go by the name {name}; allow it with --allow-host {name}, or in an app with allow_host()\n"
            );
            request.into_response(HttpResponse::Forbidden().content_type("text/plain; charset=utf-8").body(words))
        }
        Verdict::ForeignOrigin => {
            tell(state, &request);
            request.into_response(foreign_origin())
        }
    };
    if verdict == Verdict::AllowPage && !is_page(&response) {
        response = response.into_response(foreign_origin());
    }
    if verdict == Verdict::Allow
        && let Some(origin) = origin
    {
        // Another server may say so itself.
        if !response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            share(&origin, response.headers_mut());
            // What another server is asked for, it decides itself.
            #[cfg(feature = "cli")]
            of_server.into_iter().flatten().for_each(|(name, value)| drop(response.headers_mut().insert(name, value)));
        }
    }
    let is_foreign = response.response().extensions().get::<Foreign>().is_some();
    protect(verdict, is_foreign, response.headers_mut());
    Ok(response)
}

/// The same over TLS, for who came without it. Not for ever, because tomorrow another server may have this port.
fn to_https(request: &HttpRequest, base: &str) -> HttpResponse {
    let host = host_of(request.uri(), request.headers()).unwrap_or_default();
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    HttpResponse::TemporaryRedirect()
        .insert_header((header::LOCATION, format!("https://{host}{base}{path}")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body("this server speaks HTTPS\n")
}

/// The name that was asked for, as `--allow-host` takes it.
fn foreign_name(uri: &Uri, headers: &HeaderMap) -> String {
    let host = host_of(uri, headers).unwrap_or_default();
    let name = without_port(&host);
    let is_name =
        name.len() <= LONGEST && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte));
    if is_name { name.to_owned() } else { "NAME".to_owned() }
}

fn foreign_origin() -> HttpResponse {
    HttpResponse::Forbidden()
        .body("pages of other origins may not ask for this; allow them with --cors ORIGIN, or in an app with allow_origin()\n")
}

/// Says why a page that has loaded is not live: a proxy has changed the host on the way. Where a browser tells of whose site
/// the page is, it is a page of somebody else's, and nobody is advised to let it in.
fn tell(state: &AppState, request: &ServiceRequest) {
    let text = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let host = host_of(request.uri(), request.headers());
    let (Some(origin), Some(host)) = (text(header::ORIGIN), &host) else { return };
    let is_of_page = request.path() == EVENTS && !request.headers().contains_key("sec-fetch-site");
    if is_of_page && state.guard.is_first(origin) {
        (state.say)(&Notice::Refused { origin, host });
    }
}

/// Whether it is HTML, or has no content of its own.
fn is_page(response: &ServiceResponse<BoxBody>) -> bool {
    let media_type = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    response.status().is_redirection() || media_type.is_some_and(|media_type| media_type.starts_with(b"text/html"))
}

/// Marks an answer of another server, which says itself what it is and who may embed it.
pub(crate) struct Foreign;

/// What every answer says: that it is what it says, and who may embed it. Pages of other sites may not; other ports of this
/// machine may.
fn protect(verdict: Verdict, is_foreign: bool, headers: &mut HeaderMap) {
    if is_foreign && headers.contains_key("cross-origin-resource-policy") {
        return;
    }
    let policy = if verdict == Verdict::Embed { "cross-origin" } else { "same-site" };
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static(policy));
    if is_foreign {
        return;
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// Whether a browser asks if a page of another origin may ask (Fetch Standard, section 3.2.2).
fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// What a browser wants to know of a method and headers, as the answer that allows them.
#[cfg(feature = "cli")]
fn asked_for(headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    let asked = [
        (header::ACCESS_CONTROL_REQUEST_METHOD, header::ACCESS_CONTROL_ALLOW_METHODS),
        (header::ACCESS_CONTROL_REQUEST_HEADERS, header::ACCESS_CONTROL_ALLOW_HEADERS),
    ];
    asked.into_iter().filter_map(|(asks, allows)| Some((allows, headers.get(asks)?.clone()))).collect()
}

/// Lets a page of this origin see the answer.
fn share(origin: &str, headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(name, value);
        }
    };
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    set(header::VARY, "Origin");
    if origin != ANY {
        set(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    set(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST");
    set(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Accept, Cache-Control, Content-Type, If-Modified-Since, If-None-Match, Last-Event-ID, Prefer, Range",
    );
    set(header::ACCESS_CONTROL_EXPOSE_HEADERS, "Content-Range, ETag, Preference-Applied, Server-Timing");
    // Browsers ask before a page of the network reaches this machine (Private Network Access).
    set(HeaderName::from_static("access-control-allow-private-network"), "true");
    set(header::ACCESS_CONTROL_MAX_AGE, "600");
}
