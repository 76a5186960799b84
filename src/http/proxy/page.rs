//! A page of another server gets the client.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::Version as HttpVersion;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderName;
use actix_web::http::header::HeaderValue;
use hyper::Response;

use crate::content::Version;
use crate::http::html::csp::widen;
use crate::http::html::csp::widen::Needs;
use crate::http::html::inject::Injector;
use crate::http::html::inject::Loaded;
use crate::http::html::inject::Tag;
use crate::http::negotiate::Destination;
use crate::http::proxy::answer::OF_BODY;
use crate::http::proxy::passenger::Passenger;
use crate::http::proxy::passing::Head;
use crate::http::proxy::passing::Page;
use crate::http::urls::PREFIX;
use crate::notice::Notice;
use crate::site::SitePath;
use crate::source::upstream::client::Answer;
use crate::source::upstream::decode;
use crate::source::upstream::decode::Coding;

/// The headers of policies.
const POLICY: &str = "content-security-policy";
const REPORTED: &str = "content-security-policy-report-only";
const INTEGRITY: [&str; 2] = ["integrity-policy", "integrity-policy-report-only"];

/// A page that gets the client.
pub(super) struct Injected {
    coding: Option<Coding>,
    /// Whether a fragment stays as it is.
    is_for_whole: bool,
}

impl Injected {
    /// Whether this answer is a page that gets the client.
    pub(super) fn of(passenger: &Passenger<'_>, response: &Response<Answer>) -> Option<Self> {
        let is_get = matches!(*passenger.request.method(), Method::GET | Method::HEAD);
        let is_wanted = passenger.destination.is_document() || passenger.destination == Destination::Worker;
        let headers = response.headers();
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_ascii_lowercase);
        let media_type = text("content-type").unwrap_or_default();
        let is_html = media_type.trim_start().starts_with("text/html");
        let is_download = text("content-disposition").is_some_and(|it| it.trim_start().starts_with("attachment"));
        let status = response.status().as_u16();
        let is_page = (200..300).contains(&status) && ![204, 205, 206].contains(&status) || status >= 400;
        if !is_get || !is_wanted || passenger.is_of_client || !is_html || is_download || !is_page {
            return None;
        }
        let reason = if media_type.contains("utf-16") || media_type.contains("utf-32") {
            Some(("UTF-16", "send it as UTF-8"))
        } else if Coding::of(headers).is_err() {
            Some(("in a coding that is not known here", "send it as gzip, br or zstd, or not coded"))
        } else if headers.get_all(POLICY).iter().any(|value| value.to_str().is_ok_and(widen::forbids_scripts)) {
            Some(("in a sandbox without scripts", "add allow-scripts to its policy while you work on it"))
        } else {
            None
        };
        if let Some((reason, hint)) = reason {
            if let Some(path) = SitePath::answer(&passenger.url)
                && passenger.state.remarked.is_first_missing(&path)
            {
                (passenger.state.say)(&Notice::NotLive { path: &path, reason, hint });
            }
            return None;
        }
        let coding = Coding::of(headers).ok().flatten();
        Some(Self { coding, is_for_whole: passenger.destination == Destination::Worker })
    }

    pub(super) fn answer(self, passenger: &Passenger<'_>, response: Response<Answer>) -> HttpResponse {
        let mut answer = passenger.begin(&response).finish();
        let (pages, version) = (passenger.server.pages(), passenger.page_version());
        let nonce = allow(passenger, answer.headers_mut());
        let load = passenger.server.loads().page();
        let tag = Tag {
            base: &passenger.state.base,
            path: pages,
            version,
            nonce: nonce.as_deref(),
            also: &[],
            loaded: Some(Loaded { load, asks: passenger.server.asks() }),
        };
        let tag = tag.write();
        let headers = answer.headers_mut();
        for name in OF_BODY {
            headers.remove(name);
        }
        let timing = format!("savecast;desc=\"{version} {}\"", pages.to_url());
        if let Ok(timing) = HeaderValue::from_str(&timing) {
            headers.append(HeaderName::from_static("server-timing"), timing);
        }
        if *passenger.request.method() == Method::HEAD {
            return answer.set_body(Head(None)).map_into_boxed_body();
        }
        let body = decode::decoded(response.into_body(), self.coding);
        let page = Page::new(body, Injector::new(tag, self.is_for_whole), passenger.server.clone(), load);
        let mut answer = answer.set_body(page).map_into_boxed_body();
        answer.head_mut().no_chunking(passenger.request.version() < HttpVersion::HTTP_11);
        answer
    }
}

/// Allows the client by the policies of the page; the nonce that its script has to have.
fn allow(passenger: &Passenger<'_>, headers: &mut HeaderMap) -> Option<String> {
    let policies = |name: &str, headers: &HeaderMap| {
        headers.get_all(name).filter_map(|value| value.to_str().ok()).map(str::to_owned).collect::<Vec<_>>()
    };
    let (mut enforced, reported) = (policies(POLICY, headers), policies(REPORTED, headers));
    let passage = passenger.passage();
    if passage.server.is_secure && !passage.is_secure {
        // There is no TLS here to upgrade to.
        enforced.iter_mut().for_each(|policies| *policies = widen::without_upgrades(policies));
    }
    for name in INTEGRITY {
        let widened = policies(name, headers).iter().map(|policy| widen::without_scripts(policy)).collect();
        set(headers, name, widened);
    }
    if enforced.is_empty() && reported.is_empty() {
        return None;
    }
    let all = enforced.iter().chain(&reported).map(String::as_str);
    let make = || Version::of(format!("{:?}", (passenger.at, passenger.server.loads().page())).as_bytes()).to_string();
    let nonce = widen::nonce(all, make);
    let base = &passenger.state.base;
    let path = passenger.request.uri().path();
    let (ours, page) = (
        widen::ours(passenger.host(), &format!("{base}{PREFIX}/")),
        widen::ours(passenger.host(), &format!("{base}{path}")),
    );
    let needs = Needs { ours: &ours, page: &page };
    for (name, policies) in [(POLICY, &enforced), (REPORTED, &reported)] {
        set(headers, name, policies.iter().map(|policy| widen::widen(policy, needs, nonce.as_deref())).collect());
    }
    nonce
}

fn set(headers: &mut HeaderMap, name: &'static str, values: Vec<String>) {
    let name = HeaderName::from_static(name);
    headers.remove(&name);
    for value in values {
        if let Ok(value) = header::HeaderValue::from_str(&value) {
            headers.append(name.clone(), value);
        }
    }
}
