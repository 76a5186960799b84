//! Another URL answers.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;

use crate::site::resolve::Redirection;

/// Leads to it. Nobody keeps that: a permanent redirect would outlive the project on its port.
pub(crate) fn to(redirection: &Redirection) -> HttpResponse {
    let status = StatusCode::from_u16(redirection.status).unwrap_or(StatusCode::TEMPORARY_REDIRECT);
    HttpResponse::build(status)
        .insert_header((header::LOCATION, redirection.to.as_str()))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .finish()
}
