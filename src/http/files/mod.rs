//! Files over HTTP.

mod body;
mod conditional;
mod icon;
mod listing;
pub(crate) mod not_found;
mod readme;
pub(crate) mod redirect;
pub(crate) mod resource;
pub(crate) mod serve;
