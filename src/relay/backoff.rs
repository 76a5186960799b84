//! How long to wait before the next try.

use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::time::Duration;

/// The longest pause before the second try, and before all later ones.
const FIRST: Duration = Duration::from_millis(50);
const LAST: Duration = Duration::from_secs(2);

/// A connection that has held so long begins anew with short pauses.
const HEALTHY: Duration = Duration::from_secs(5);

/// Pauses that double, each of a random length up to that: many instances whose server comes back do not come all at once.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    tries: u32,
}

impl Backoff {
    /// The pause after a connection that has held so long.
    pub(super) fn after(&mut self, held: Duration) -> Duration {
        self.tries = if held >= HEALTHY { 0 } else { self.tries.saturating_add(1) };
        let most = FIRST.saturating_mul(1 << self.tries.min(10)).min(LAST);
        most.mul_f64(random_fraction())
    }
}

/// From 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a few bits are enough")]
fn random_fraction() -> f64 {
    RandomState::new().hash_one(0) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_with_health() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            assert!(backoff.after(Duration::ZERO) <= LAST);
        }
        let longest = (0..100).map(|_| backoff.after(Duration::from_secs(1))).max().unwrap();
        assert!(longest > LAST / 2, "{longest:?}");
        assert!(backoff.after(HEALTHY) <= FIRST);
    }
}
