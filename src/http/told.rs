//! How much was told of late of what pages say. Pure.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

/// How many messages all pages together may have told within a second. A page that logs each frame would hide all others.
const RATE: usize = 50;
const SECOND: Duration = Duration::from_secs(1);

/// How much was told of late.
#[derive(Debug, Default)]
pub struct Told(Mutex<Lately>);

#[derive(Debug, Default)]
struct Lately {
    since: Option<Instant>,
    told: usize,
    left_out: usize,
}

impl Told {
    /// Whether one more may be told now, and how many were left out before it.
    pub(super) fn may(&self, now: Instant) -> Option<usize> {
        // No code panics while it holds this lock, so a poisoned lock is still whole.
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.since.is_none_or(|since| now.duration_since(since) >= SECOND) {
            (lately.since, lately.told) = (Some(now), 0);
        }
        if lately.told >= RATE {
            lately.left_out += 1;
            return None;
        }
        lately.told += 1;
        Some(std::mem::take(&mut lately.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_can_not_flood_the_terminal() {
        let (told, start) = (Told::default(), Instant::now());
        let told_at = |now| (0..RATE * 10).filter(|_| told.may(now).is_some()).count();
        assert_eq!((told_at(start), told_at(start + SECOND / 2)), (RATE, 0));
        assert_eq!(told.may(start + SECOND), Some(RATE * 19));
        assert_eq!(told.may(start + SECOND), Some(0));
    }
}
