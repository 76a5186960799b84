//! A proxy has put this server at a path of its own: some pass that path on, some cut it off.

use actix_web::Error;
use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::http::Uri;
use actix_web::http::header;
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;

/// Cuts off the path at which the server is for browsers, if it was passed on.
pub(super) async fn cut_off(
    base: String,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let uri = request.uri();
    let inside = uri.path().strip_prefix(base.as_str()).map(str::to_owned);
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    match inside.as_deref() {
        // Relative URLs would go wrong without the slash.
        Some("") => {
            let slash = HttpResponse::TemporaryRedirect()
                .insert_header((header::LOCATION, format!("{base}/{query}")))
                .insert_header((header::CACHE_CONTROL, "no-cache"))
                .finish();
            return Ok(request.into_response(slash));
        }
        Some(inside) if inside.starts_with('/') => {
            let mut parts = uri.clone().into_parts();
            parts.path_and_query = PathAndQuery::try_from(format!("{inside}{query}")).ok();
            if let Ok(uri) = Uri::from_parts(parts) {
                request.match_info_mut().get_mut().update(&uri);
                request.head_mut().uri = uri;
            }
        }
        Some(_) | None => {}
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}
