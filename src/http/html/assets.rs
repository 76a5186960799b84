//! The browser's part, compiled in.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::http::header::EntityTag;
use actix_web::web::Path;
use bytes::Bytes;

use crate::content::Version;
use crate::content::kind;
use crate::http::files::resource;
use crate::http::files::resource::Resource;
use crate::site::SitePath;

/// The files of `static/`, by name.
const ASSETS: [(&str, &str); 25] = [
    ("status.html", include_str!("../../../static/status.html")),
    ("icon.svg", include_str!("../../../static/icon.svg")),
    ("pages.css", include_str!("../../../static/pages.css")),
    ("view.css", include_str!("../../../static/view.css")),
    ("view.js", include_str!("../../../static/view.js")),
    ("json.js", include_str!("../../../static/json.js")),
    ("client.js", include_str!("../../../static/client.js")),
    ("connection.js", include_str!("../../../static/connection.js")),
    ("effects.js", include_str!("../../../static/effects.js")),
    ("align.js", include_str!("../../../static/align.js")),
    ("reload.js", include_str!("../../../static/reload.js")),
    ("morph.js", include_str!("../../../static/morph.js")),
    ("overlay.js", include_str!("../../../static/overlay.js")),
    ("patch.js", include_str!("../../../static/patch.js")),
    ("paths.js", include_str!("../../../static/paths.js")),
    ("pictures.js", include_str!("../../../static/pictures.js")),
    ("stream.js", include_str!("../../../static/stream.js")),
    ("swap.js", include_str!("../../../static/swap.js")),
    ("styles.js", include_str!("../../../static/styles.js")),
    ("state.js", include_str!("../../../static/state.js")),
    ("trusted.js", include_str!("../../../static/trusted.js")),
    ("nodes.js", include_str!("../../../static/nodes.js")),
    ("page.js", include_str!("../../../static/page.js")),
    ("live.js", include_str!("../../../static/live.js")),
    ("live.d.ts", include_str!("../../../static/live.d.ts")),
];

/// `GET /_savecast/NAME`; the name of the status page for people may be left out.
pub(crate) async fn serve(request: HttpRequest, name: Path<String>) -> HttpResponse {
    let name = if name.is_empty() { "status.html" } else { name.as_str() };
    let Some((name, text)) = ASSETS.iter().find(|(asset, _)| *asset == name) else {
        return HttpResponse::NotFound().body("there is no such thing in savecast\n");
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "GET, HEAD")).finish();
    }
    let path = SitePath::root().file(name).expect("an asset has a plain name");
    let version = Version::of(text.as_bytes());
    let media_type = resource::with_utf8(&kind::media_type(&path));
    let whole = Resource {
        path: &path,
        media_type: &media_type,
        etag: EntityTag::new_strong(version.to_string()),
        version,
        modified: None,
    };
    whole.respond(&request, Bytes::from_static(text.as_bytes()))
}
