//! What is answered while another server is away.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;

use crate::content::Version;
use crate::http::files::own_headers::OurPage;
use crate::http::html::inject::Tag;
use crate::http::html::page;
use crate::http::negotiate;
use crate::http::proxy::passenger::Passenger;
use crate::source::upstream::failure::Failure;

/// 502, as a page that comes alive when the server is back, for somebody who opens it.
pub(super) fn answer(passenger: &Passenger<'_>, failure: &Failure) -> HttpResponse {
    let server = passenger.server.server();
    if matches!(failure, Failure::Cancelled) {
        return HttpResponse::BadRequest().body("the request can't be passed on\n");
    }
    let mut builder = passenger.build(StatusCode::BAD_GATEWAY);
    builder.insert_header((header::CACHE_CONTROL, "no-store"));
    if !negotiate::is_for_person(passenger.request) {
        return builder.content_type("text/plain; charset=utf-8").body(format!("{server} {failure}\n"));
    }
    let since = passenger.server.away().map(|away| away.since.elapsed()).unwrap_or_default();
    let body = format!(
        "<h1>{} does not answer</h1>\n<p>It {}{}.\n<p>This page shows it as soon as it does: start it, or mend what keeps it from starting.",
        page::escape(&server.to_string()),
        page::escape(&failure.to_string()),
        words(since),
    );
    let tag = Tag {
        base: &passenger.state.base,
        path: passenger.server.pages(),
        // It has none of the server's pages, so that it hears of them at once, also if the server has come back meanwhile.
        version: Version::ABSENT,
        nonce: None,
        also: &[],
        loaded: None,
    };
    // It has no source that could be changed in place.
    let html = page::write(Some(tag), "No answer", "<meta name=\"robots\" content=\"noindex\">\n", &body);
    let mut answer = builder.content_type("text/html; charset=utf-8").body(html);
    answer.extensions_mut().insert(OurPage);
    answer
}

/// For how long, if that is worth a word.
fn words(since: Duration) -> String {
    match since.as_secs() {
        0..2 => String::new(),
        seconds @ 2..120 => format!(", for {seconds} seconds now"),
        seconds => format!(", for {} minutes now", seconds / 60),
    }
}
