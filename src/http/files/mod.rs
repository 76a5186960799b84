//! Files over HTTP.

mod body;
mod conditional;
mod listing;
pub(crate) mod not_found;
pub(crate) mod redirect;
pub(crate) mod resource;
pub(crate) mod serve;
