//! What is said of a change when everybody has it.

use std::collections::VecDeque;
use std::time::Duration;
use std::time::SystemTime;

use crate::site::SitePath;

/// A snapshot has reached everybody.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file or directory.
    pub path: SitePath,
    /// Whether it is gone.
    pub is_removed: bool,
    /// Whether it is broken.
    pub is_broken: bool,
    /// When the last of them had it.
    pub at: SystemTime,
    /// How many got it.
    pub listeners: usize,
    /// From the first word of the system until it was handed to the connection of the last of them.
    pub elapsed: Duration,
}

/// How many reports are kept.
const KEPT: usize = 200;

/// The latest reports, each with its number.
#[derive(Debug, Default)]
pub(super) struct Reports {
    kept: VecDeque<(u64, Report)>,
    next: u64,
}

impl Reports {
    pub(super) fn push(&mut self, report: Report) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((self.next, report));
        self.next += 1;
    }

    pub(super) fn latest(&self) -> Option<&Report> {
        self.kept.back().map(|(_, report)| report)
    }

    /// All that are kept, the oldest first.
    pub(super) fn all(&self) -> Vec<(u64, Report)> {
        self.kept.iter().cloned().collect()
    }
}
