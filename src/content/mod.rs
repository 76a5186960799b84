//! What a file says: bytes become documents, text, lines and versions. Pure: values in, values out.

pub mod diff;
pub mod document;
pub mod kind;
pub mod lines;
pub mod listing;
mod mistake;
pub mod pointer;
mod problem;
mod scan;
mod snapshot;
mod tree;
pub mod varying;
mod version;

pub use crate::content::problem::Problem;
pub use crate::content::snapshot::Content;
pub use crate::content::snapshot::Snapshot;
pub use crate::content::version::Hasher;
pub use crate::content::version::Version;
