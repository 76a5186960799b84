//! What an instance does from time to time on a connection.

use std::time::Duration;

use tokio::time::Interval;
use tokio::time::MissedTickBehavior;
use tokio::time::interval;

use crate::relay::link::SECONDS;

/// How often Redis is asked whether it is there. A connection alone does not say so.
const BEAT: Duration = Duration::from_secs(1);

/// How often an instance says that it is there.
const STAY: Duration = Duration::from_secs(5);

/// How often an origin says that it is still the one that tells, or another one looks whether it is not.
const CLAIM: Duration = Duration::from_secs(1);

/// How often an edge looks what it wants no longer, or has to ask for again.
const TIDY: Duration = Duration::from_millis(500);

/// How often channels are kept to which nothing is published.
const KEEP: Duration = Duration::from_secs(SECONDS / 24);

/// After how long at most the others know how many listen here.
const COUNT: Duration = Duration::from_millis(100);

/// What is due from time to time.
pub(super) struct Clock {
    pub(super) claim: Interval,
    pub(super) tidy: Interval,
    pub(super) beat: Interval,
    pub(super) stay: Interval,
    pub(super) keep: Interval,
    pub(super) count: Interval,
}

impl Default for Clock {
    /// All of it is due at once.
    fn default() -> Self {
        Self {
            beat: every(BEAT),
            stay: every(STAY),
            keep: every(KEEP),
            count: every(COUNT),
            claim: every(CLAIM),
            tidy: every(TIDY),
        }
    }
}

fn every(pause: Duration) -> Interval {
    let mut interval = interval(pause);
    // After a long pause, once is enough.
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
