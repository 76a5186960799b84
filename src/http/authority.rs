//! The certificate of the authority, for phones and other machines: as a file, and as a page that says what to do with it.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::Data;

use crate::http::guard::verdict::host_of;
use crate::http::html::page;
use crate::http::state::AppState;
use crate::http::urls::AUTHORITY;

/// The query that asks for the file, whoever asks.
const FILE: &str = "file";

/// `GET /_savecast/ca.pem`: the certificate, in PEM; for a browser that opens it as a page, how to install it, and a link to the
/// file. `404` if the server does not speak TLS, or its certificate is somebody else's. It is answered without TLS too, because who
/// does not know the authority can't get it otherwise.
pub(super) async fn serve(request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    let Some(pem) = state.tls.as_ref().and_then(|tls| tls.authority.as_ref()) else {
        return HttpResponse::NotFound()
            .content_type("text/plain; charset=utf-8")
            .body("this server has no authority of its own; savecast --https has one\n");
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "GET, HEAD")).finish();
    }
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::VARY, "Accept"));
    let mut accepted = request.headers().get_all(header::ACCEPT).filter_map(|accept| accept.to_str().ok());
    if request.query_string() != FILE && accepted.any(|accept| accept.contains("text/html")) {
        let host = host_of(request.uri(), request.headers()).unwrap_or_default();
        let site = format!("https://{host}{}/", state.base);
        return answer.content_type("text/html; charset=utf-8").body(instructions(&state, &site));
    }
    // With this type, phones offer to install it (RFC 2585 has another, which they do not know).
    answer
        .content_type("application/x-x509-ca-cert")
        .insert_header((header::CONTENT_DISPOSITION, "inline; filename=\"savecast-ca.crt\""))
        .body(pem.clone())
}

/// What to tap.
fn instructions(state: &AppState, site: &str) -> String {
    let (name, site) = (page::escape(&state.name), page::escape(site));
    let file = format!("{}{AUTHORITY}?{FILE}", state.base);
    let body = format!(
        "<h1>Let this phone open {name}</h1>\n\
         <p>Its certificate was made on the machine that serves it. Your phone believes it once you have installed this:\n\
         <p><a class=\"button\" href=\"{file}\">Get the certificate</a>\n\
         <p class=\"note\">Do this in a network that you trust.\n\
         <p><b>iPhone, iPad,</b> in Safari:\n<ol>\n\
         <li>Allow the download.\n\
         <li>Settings → General → VPN &amp; Device Management → install it.\n\
         <li>Settings → General → About → Certificate Trust Settings → switch it on.\n</ol>\n\
         <p><b>Android:</b> Settings → Security → Encryption &amp; credentials → Install a certificate → CA certificate → \
         choose the file. Or search the settings for “CA certificate”.\n\
         <p>After that, <a href=\"{site}\">open {site}</a>.\n"
    );
    page::write(None, "Certificate", "", &body)
}
