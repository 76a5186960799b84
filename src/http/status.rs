//! What the server is doing, in numbers.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use serde_json::json;

use crate::http::Site;

/// `GET /_savecast/status`: a JSON object with the `version` of savecast, the name of the `root` directory, and counts:
/// open `streams`, paths `followed`, `watched_files`, `watched_dirs`, `updates` since the start, followed files that have
/// `problems` now.
pub(super) async fn json(site: Data<Site>) -> HttpResponse {
    let census = site.hub.census();
    let (files, directories) = (site.watched)();
    let name = site.root.path().file_name().unwrap_or(site.root.path().as_os_str());
    let status = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "root": name.to_string_lossy(),
        "streams": census.streams,
        "followed": census.followed,
        "watched_files": files,
        "watched_dirs": directories,
        "updates": census.updates,
        "problems": census.problems,
    });
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .body(status.to_string())
}
