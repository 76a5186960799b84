//! Where contents come from.
//!
//! A [`Source`](look::Source) says what stands at a place. The pipeline, the hub and the streams don't know which one it is.

pub mod directory;
mod file;
pub mod fingerprint;
mod found;
pub mod look;
pub mod remote;
mod rendered;
mod rule_files;
mod sources;
#[cfg(feature = "cli")]
pub mod upstream;

pub use crate::source::file::FileContent;
pub use crate::source::file::ReadError;
pub use crate::source::found::Fetched;
pub use crate::source::found::Found;
pub use crate::source::rendered::KnownPages;
pub use crate::source::rendered::Rendered;
pub use crate::source::rule_files::CurrentRules;
pub use crate::source::rule_files::RuleFiles;
pub use crate::source::sources::Sources;
#[cfg(feature = "cli")]
pub use crate::source::upstream::server::Upstream;
