//! What the hub counts.

use crate::hub::latencies::Latencies;
use crate::hub::report::Report;
use crate::hub::topics::Hub;
use crate::hub::topics::Topic;

/// What the hub has counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    /// Open followers.
    pub streams: usize,
    /// Paths that somebody follows.
    pub followed: usize,
    /// Updates since the start.
    pub updates: u64,
    /// Followed files that are broken now.
    pub problems: usize,
    /// How often somebody was told that events of a channel are lost.
    pub gaps: u64,
    /// How long updates took until they had reached everybody.
    pub latencies: Latencies,
}

impl Hub {
    /// The update that was the last to reach everybody.
    #[must_use]
    pub fn latest_report(&self) -> Option<Report> {
        self.state().reports.latest().cloned()
    }

    /// Counts.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let state = self.state();
        let is_broken =
            |topic: &&Topic| topic.latest.as_ref().is_some_and(|latest| latest.snapshot.content.problem().is_some());
        Stats {
            streams: state.followers.values().filter(|slot| !slot.is_aside).count()
                + state.channels.listeners()
                + state.tails.listeners(),
            followed: state.topics.len() + state.tails.paths().filter(|path| !state.topics.contains_key(path)).count(),
            updates: state.updates,
            gaps: state.gaps,
            latencies: state.latencies,
            problems: state.topics.values().filter(is_broken).count(),
        }
    }
}
