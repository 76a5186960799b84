//! Another URL answers.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;

use crate::site::resolve::Redirection;

/// Leads to it. Nobody keeps that: a permanent redirect would outlive the project on its port.
pub(crate) fn to(base: &str, redirection: &Redirection) -> HttpResponse {
    let base = if redirection.to.starts_with('/') { base } else { "" };
    let status = StatusCode::from_u16(redirection.status).unwrap_or(StatusCode::TEMPORARY_REDIRECT);
    HttpResponse::build(status)
        .insert_header((header::LOCATION, format!("{base}{}", redirection.to)))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .finish()
}
