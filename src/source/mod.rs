//! Where contents come from.

pub mod directory;
pub mod fingerprint;
