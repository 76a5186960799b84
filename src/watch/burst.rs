//! Are many files changing at once? Changes go in, yes or no comes out. Pure: the clock is passed in.

use std::collections::VecDeque;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

/// So many files that change at once are a build or a checkout, and not somebody's saving.
const MANY: usize = 20;

/// So many may be the beginning of it, and are more than an editor touches when it saves.
const SEVERAL: usize = 5;

/// How short a time is "at once".
const AT_ONCE: Duration = Duration::from_millis(300);

/// How long a sign of more to come counts, until it is looked for again.
const HOLD: Duration = Duration::from_millis(100);

/// The places that changed last, each once.
#[derive(Debug, Default)]
pub(super) struct Burst {
    /// From the oldest change to the newest, at most [`MANY`].
    places: VecDeque<(u64, Instant)>,
    held: Option<Instant>,
}

impl Burst {
    /// Something changed at `place`.
    pub(super) fn note(&mut self, place: &Path, now: Instant) {
        self.forget(place);
        if self.places.len() == MANY {
            self.places.pop_front();
        }
        self.places.push_back((hash(place), now));
    }

    /// What is gone counts for nothing: temporary files are renamed away by those who save.
    pub(super) fn forget(&mut self, place: &Path) {
        let place = hash(place);
        self.places.retain(|(other, _)| *other != place);
    }

    /// Whether so much has changed that it is worth to look for signs of more to come.
    pub(super) fn is_likely(&self, now: Instant) -> bool {
        let first = self.places.iter().rev().nth(SEVERAL - 1);
        first.is_some_and(|(_, changed)| *changed + AT_ONCE > now)
    }

    /// There are signs of more to come.
    pub(super) fn hold(&mut self, now: Instant) {
        self.held = Some(now + HOLD);
    }

    /// When the burst is over; `None` if there is none.
    pub(super) fn end(&self, now: Instant) -> Option<Instant> {
        let oldest = self.places.front().filter(|_| self.places.len() == MANY);
        let end = oldest.map(|(_, changed)| *changed + AT_ONCE);
        end.max(self.held).filter(|end| *end > now)
    }
}

/// Enough to count with, and needs no memory.
fn hash(place: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    place.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_files_at_once_are_a_burst() {
        let (mut burst, start) = (Burst::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        for number in 0..19 {
            burst.note(Path::new(&format!("/{number}")), at(number));
            assert_eq!(burst.end(at(number)), None);
            assert_eq!(burst.is_likely(at(number)), number >= 4);
        }
        burst.note(Path::new("/19"), at(19));
        assert_eq!(burst.end(at(19)), Some(at(300)));
        // It goes on in another directory.
        for number in 0..19 {
            burst.note(Path::new(&format!("/other/{number}")), at(200));
        }
        assert_eq!(burst.end(at(310)), Some(at(319)));
        assert_eq!(burst.end(at(319)), None);
        assert!(!burst.is_likely(at(500)));
    }

    #[test]
    fn one_file_many_times_is_none() {
        let (mut burst, now) = (Burst::default(), Instant::now());
        for number in 0..100 {
            let temporary = format!("/temporary{number}");
            burst.note(Path::new(&temporary), now);
            burst.forget(Path::new(&temporary));
            burst.note(Path::new("/data.json"), now);
        }
        assert_eq!(burst.end(now), None);
        assert!(!burst.is_likely(now));
    }

    #[test]
    fn signs_of_more_make_it_longer() {
        let (mut burst, now) = (Burst::default(), Instant::now());
        burst.hold(now);
        assert_eq!(burst.end(now), Some(now + HOLD));
        assert_eq!(burst.end(now + HOLD), None);
    }
}
