//! What is said of a change when everybody has it.

use std::time::Duration;

use crate::site::SitePath;

/// A snapshot has reached everybody.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file or directory.
    pub path: SitePath,
    /// Whether it is gone.
    pub is_removed: bool,
    /// How many got it.
    pub listeners: usize,
    /// From the first word of the system until it was handed to the connection of the last of them.
    pub elapsed: Duration,
}
