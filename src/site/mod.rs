//! What a URL means here.

pub mod path;

pub use crate::site::path::SitePath;
