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
const ASSETS: [(&str, &str); 34] = [
    ("client.js", include_str!("../../../static/client.js")),
    ("live.js", include_str!("../../../static/live.js")),
    ("live.d.ts", include_str!("../../../static/live.d.ts")),
    ("paths.js", include_str!("../../../static/paths.js")),
    ("protocol.d.ts", include_str!("../../../static/protocol.d.ts")),
    ("page/effects.js", include_str!("../../../static/page/effects.js")),
    ("page/reload.js", include_str!("../../../static/page/reload.js")),
    ("page/report.js", include_str!("../../../static/page/report.js")),
    ("page/resources.js", include_str!("../../../static/page/resources.js")),
    ("page/source.js", include_str!("../../../static/page/source.js")),
    ("page/start.js", include_str!("../../../static/page/start.js")),
    ("apply/pictures.js", include_str!("../../../static/apply/pictures.js")),
    ("apply/state.js", include_str!("../../../static/apply/state.js")),
    ("apply/styles.js", include_str!("../../../static/apply/styles.js")),
    ("apply/swap.js", include_str!("../../../static/apply/swap.js")),
    ("apply/trusted.js", include_str!("../../../static/apply/trusted.js")),
    ("apply/morph/align.js", include_str!("../../../static/apply/morph/align.js")),
    ("apply/morph/dom.js", include_str!("../../../static/apply/morph/dom.js")),
    ("apply/morph/plan.js", include_str!("../../../static/apply/morph/plan.js")),
    ("stream/connection.js", include_str!("../../../static/stream/connection.js")),
    ("stream/patch.js", include_str!("../../../static/stream/patch.js")),
    ("stream/sse.js", include_str!("../../../static/stream/sse.js")),
    ("stream/worker.js", include_str!("../../../static/stream/worker.js")),
    ("data/bind.js", include_str!("../../../static/data/bind.js")),
    ("data/follow.js", include_str!("../../../static/data/follow.js")),
    ("ui/icon.svg", include_str!("../../../static/ui/icon.svg")),
    ("ui/json.js", include_str!("../../../static/ui/json.js")),
    ("ui/listing.css", include_str!("../../../static/ui/listing.css")),
    ("ui/listing.js", include_str!("../../../static/ui/listing.js")),
    ("ui/overlay.js", include_str!("../../../static/ui/overlay.js")),
    ("ui/pages.css", include_str!("../../../static/ui/pages.css")),
    ("ui/status.html", include_str!("../../../static/ui/status.html")),
    ("ui/view.css", include_str!("../../../static/ui/view.css")),
    ("ui/view.js", include_str!("../../../static/ui/view.js")),
];

/// `GET /_savecast/NAME`; the name of the status page for people may be left out.
pub(crate) async fn serve(request: HttpRequest, name: Path<String>) -> HttpResponse {
    let name = if name.is_empty() { "ui/status.html" } else { name.as_str() };
    let Some((name, text)) = ASSETS.iter().find(|(asset, _)| *asset == name) else {
        return HttpResponse::NotFound().body("there is no such thing in savecast\n");
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "GET, HEAD")).finish();
    }
    let path = SitePath::from_url(&format!("/{name}")).expect("an asset has a plain name");
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
