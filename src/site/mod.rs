//! What a URL means here.

pub mod mounts;
pub mod path;
pub mod relay_url;
pub mod resolve;
pub mod rules;
pub mod server_url;
pub(crate) mod verbatim;

pub use crate::site::mounts::Mounts;
pub use crate::site::path::SitePath;
pub use crate::site::relay_url::RelayUrl;
pub use crate::site::server_url::ServerUrl;
