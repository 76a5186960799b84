//! Files over HTTP.

mod body;
mod conditional;
pub(crate) mod find;
mod listing;
pub(crate) mod not_found;
pub(crate) mod own_headers;
pub(crate) mod redirect;
pub(crate) mod resource;
pub(crate) mod serve;
