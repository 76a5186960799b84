//! Files over HTTP.

mod body;
mod conditional;
#[cfg(feature = "cli")]
pub(crate) mod elsewhere;
pub(crate) mod find;
mod icon;
mod listing;
pub(crate) mod not_found;
pub(crate) mod own_headers;
mod readme;
pub(crate) mod redirect;
pub(crate) mod resource;
pub(crate) mod serve;
