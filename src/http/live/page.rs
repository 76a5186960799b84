//! The one stream of a page, for all that it uses.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::web::Payload;
use serde_json::Value;

use crate::event::Format;
use crate::http::live::feed::Feed;
use crate::http::live::open::Tab;
use crate::http::live::sse;
use crate::http::negotiate;
use crate::http::negotiate::Negotiated;
#[cfg(feature = "cli")]
use crate::http::proxy::loaded;
use crate::http::state::AppState;
use crate::hub::Interest;
use crate::hub::Known;
use crate::hub::Need;
use crate::site::SitePath;
use crate::site::rules::is_rules;

/// What a page may ask for at once: so many files, in so many bytes of JSON. Each of them is looked at, and is kept for as long
/// as the stream is open.
const FILES: usize = 20_000;
const LARGEST_WISH: usize = 4 << 20;

/// In how many bytes it names the tabs.
const LARGEST_TABS: usize = 256 << 10;

/// `POST /_savecast/events`: one stream for all that a page uses. A `GET`, which has no body, is a page that uses nothing.
///
/// The body is JSON: `{"uses": {PATH: VERSION}, "reads": {PATH: VERSION}}`, where a version is that of what the page has
/// already, or null. For `uses`, null means that the page has the present one; for `reads`, that it has none. Of what it
/// reads, the page gets the contents; of what it uses, that it changed. With `"patches": true`, a document that it has in
/// the version before may come as a `patch` event: `{"path","version","before","patch"}`. With `"client": NAME`, the stream
/// takes the place of the one of that client, which `{"client": NAME, "over": true}` ends. `"tabs": [{"page": PATH, "since": MILLISECONDS}]` says which
/// pages it is for, to show them to people.
pub(crate) async fn events(request: HttpRequest, state: Data<AppState>, payload: Payload) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "GET, POST")).finish();
    }
    // The guard knows a stream by this header, too.
    if negotiate::negotiate(request.method(), request.headers()) != Ok(Negotiated::EventStream) {
        return HttpResponse::NotAcceptable().body("this is a stream: send Accept: text/event-stream\n");
    }
    let too_large = "a page may ask for its files in at most 4 MiB\n";
    let body = match state.room.read(&request, payload, LARGEST_WISH, too_large).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let wish = if body.is_empty() {
        Some(Wish::default())
    } else {
        Wish::parse(&body, |url, format| place(&request, &state, url, format))
    };
    let Some(Wish { interests, takes_patches, client, is_over, tabs }) = wish else {
        return HttpResponse::BadRequest().body("expected {\"uses\": {PATH: VERSION}, \"reads\": {PATH: VERSION}}\n");
    };
    // What says how a site is served has problems and versions, but no contents for anybody. What is ignored is never told.
    let is_for_page = |interest: &Interest| match interest.format {
        Format::PageReads => !is_rules(&interest.path),
        _ => !(state.ignored)(interest.path.as_str()),
    };
    let interests = interests.into_iter().filter(is_for_page).collect::<Vec<_>>();
    if is_over {
        state.clients.end(&client);
        return HttpResponse::NoContent().finish();
    }
    if interests.len() > FILES {
        return HttpResponse::PayloadTooLarge().body(format!("a page may ask for at most {FILES} files\n"));
    }
    let feed = Feed::page(&state.hub, interests, takes_patches);
    let turn = state.clients.begin(&client);
    // What is no name is not kept.
    let client = if turn.is_some() { client.as_str() } else { "" };
    sse::for_tabs(&request, feed, turn, client, tabs)
}

/// `POST /_savecast/tabs`: `{"client": NAME, "tabs": [{"page": PATH, "since": MILLISECONDS}]}`. The stream of the client is for these tabs now.
pub(crate) async fn tabs(request: HttpRequest, state: Data<AppState>, payload: Payload) -> HttpResponse {
    if *request.method() != Method::POST {
        return HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "POST")).finish();
    }
    let body = match state.room.read(&request, payload, LARGEST_TABS, "tabs are told in at most 256 KiB\n").await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let body = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let Some(client) = body["client"].as_str().filter(|client| !client.is_empty()) else {
        return HttpResponse::BadRequest().body("expected {\"client\": NAME, \"tabs\": [{\"page\": PATH}]}\n");
    };
    state.open.name_tabs(client, &Tab::all(body.get("tabs")));
    HttpResponse::NoContent().finish()
}

/// The place of a URL with which a page says what it uses or reads.
fn place(request: &HttpRequest, state: &AppState, url: &str, format: Format) -> Option<SitePath> {
    #[cfg(feature = "cli")]
    if let Some(place) = loaded::place(request, state, url, format == Format::PageReads) {
        return Some(place);
    }
    #[cfg(not(feature = "cli"))]
    let _ = (request, state, format);
    // A file has no query.
    SitePath::from_url(url.split('?').next().unwrap_or_default())
}

/// What a page asks for.
#[derive(Debug, Default)]
struct Wish {
    interests: Vec<Interest>,
    takes_patches: bool,
    /// The name of the client; empty if it has none.
    client: String,
    /// Whether its stream is to end.
    is_over: bool,
    /// The tabs that it is for.
    tabs: Vec<Tab>,
}

impl Wish {
    /// Places that are never shown are passed over; they never change either. `None` if it is no wish.
    fn parse(body: &[u8], place: impl Fn(&str, Format) -> Option<SitePath>) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let is = |name: &str| body.get(name) == Some(&Value::Bool(true));
        let client = body.get("client").and_then(Value::as_str).unwrap_or_default().to_owned();
        let tabs = Tab::all(body.get("tabs"));
        let mut wish = Self { interests: Vec::new(), takes_patches: is("patches"), client, is_over: is("over"), tabs };
        for (list, format, unknown) in
            [("uses", Format::PageUses, Known::Present), ("reads", Format::PageReads, Known::Nothing)]
        {
            let Some(files) = body.get(list) else { continue };
            for (url, version) in files.as_object()? {
                let has = match version {
                    Value::Null => unknown,
                    // The page wants it in any case.
                    Value::String(version) if version.is_empty() => Known::Nothing,
                    version => version.as_str()?.parse().map_or(unknown, Known::Version),
                };
                let interest = |path| Interest { path, has, format, need: Need::Nothing };
                wish.interests.extend(place(url, format).map(interest));
            }
        }
        Some(wish)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Version;

    #[test]
    fn a_page_says_what_it_has() {
        let version = Version::of(b"1");
        let body = format!(
            r#"{{"uses": {{"/a.css": "{version}", "/b.css": null, "/e.css": "", "/.env": null}}, "reads": {{"/c%20d.json": null}}}}"#
        );
        let wish = Wish::parse(body.as_bytes(), |url, _| SitePath::from_url(url)).unwrap();
        assert!(!wish.takes_patches && !wish.is_over && wish.client.is_empty());
        let found = wish.interests.iter().map(|interest| (interest.path.as_str(), interest.has, interest.format));
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                ("/a.css", Known::Version(version), Format::PageUses),
                ("/b.css", Known::Present, Format::PageUses),
                ("/e.css", Known::Nothing, Format::PageUses),
                ("/c d.json", Known::Nothing, Format::PageReads),
            ]
        );
    }

    #[test]
    fn nonsense_is_no_wish() {
        assert!(Wish::parse(b"{}", |url, _| SitePath::from_url(url)).is_some_and(|wish| wish.interests.is_empty()));
        for nonsense in ["", "{", "[]x", r#"{"uses": []}"#, r#"{"uses": {"/a": 1}}"#] {
            assert!(Wish::parse(nonsense.as_bytes(), |url, _| SitePath::from_url(url)).is_none(), "{nonsense}");
        }
    }
}
