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

/// How short a time is "at once".
const AT_ONCE: Duration = Duration::from_millis(300);

/// How long a sign of more to come counts, until it is looked for again.
const HOLD: Duration = Duration::from_millis(100);

/// How long it must be quiet until a burst is over, at least: programs that write many files pause between them, also where
/// the machine is busy with something else.
const QUIET: Duration = Duration::from_millis(500);

/// So many times the longest pause that was seen in a burst is no pause any more.
const PAUSES: u32 = 2;

/// The longest time that it must be quiet, however slow the program is.
const LONGEST: Duration = Duration::from_secs(2);

/// The places that changed last, each once.
#[derive(Debug, Default)]
pub(super) struct Burst {
    /// From the oldest change to the newest, at most [`MANY`].
    places: VecDeque<(u64, Instant)>,
    held: Option<Instant>,
    going: Option<Going>,
}

/// A burst that has begun.
#[derive(Clone, Copy, Debug)]
struct Going {
    last: Instant,
    /// The longest pause between two changes.
    pause: Duration,
}

impl Going {
    fn end(self) -> Instant {
        self.last + (self.pause * PAUSES).clamp(QUIET, LONGEST)
    }
}

impl Burst {
    /// Something changed at `place`.
    pub(super) fn note(&mut self, place: &Path, now: Instant) {
        self.forget(place);
        if self.places.len() == MANY {
            self.places.pop_front();
        }
        self.places.push_back((hash(place), now));
        let is_burst = self.end(now).is_some();
        if let Some(going) = self.going.as_mut().filter(|_| is_burst) {
            going.pause = going.pause.max(now.saturating_duration_since(going.last));
            going.last = now;
        } else {
            self.going = self.is_many(now).then_some(Going { last: now, pause: Duration::ZERO });
        }
    }

    /// Whether enough has changed at once to be a burst.
    fn is_many(&self, now: Instant) -> bool {
        let oldest = self.places.front().filter(|_| self.places.len() == MANY);
        oldest.is_some_and(|(_, changed)| *changed + AT_ONCE > now)
    }

    /// What is gone counts for nothing: temporary files are renamed away by those who save.
    pub(super) fn forget(&mut self, place: &Path) {
        let place = hash(place);
        self.places.retain(|(other, _)| *other != place);
    }

    /// Whether something has changed a moment ago, so that it is worth to look for signs of more to come.
    pub(super) fn is_possible(&self, now: Instant) -> bool {
        self.places.back().is_some_and(|(_, changed)| *changed + AT_ONCE > now)
    }

    /// There are signs of more to come: from now on it is a burst, however slow it is.
    pub(super) fn hold(&mut self, now: Instant) {
        self.held = Some(now + HOLD);
        self.going.get_or_insert(Going { last: now, pause: Duration::ZERO }).last = now;
    }

    /// When the burst is over; `None` if there is none.
    pub(super) fn end(&self, now: Instant) -> Option<Instant> {
        self.going.map(Going::end).max(self.held).filter(|end| *end > now)
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

    fn name(number: u64) -> std::path::PathBuf {
        format!("/{number}").into()
    }

    #[test]
    fn many_files_at_once_are_a_burst() {
        let (mut burst, start) = (Burst::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        for number in 0..19 {
            burst.note(&name(number), at(number));
            assert_eq!(burst.end(at(number)), None);
            assert!(burst.is_possible(at(number)));
        }
        burst.note(Path::new("/19"), at(19));
        assert_eq!(burst.end(at(19)), Some(at(519)));
        // It goes on in another directory, with one file.
        burst.note(Path::new("/other/file"), at(200));
        assert_eq!(burst.end(at(690)), Some(at(700)));
        assert_eq!(burst.end(at(700)), None);
        assert!(!burst.is_possible(at(500)));
        // What comes then is somebody's saving.
        burst.note(Path::new("/1"), at(800));
        assert_eq!(burst.end(at(800)), None);
    }

    #[test]
    fn a_slow_program_makes_one_burst() {
        let (mut burst, start) = (Burst::default(), Instant::now());
        let mut now = start;
        // Groups of files with pauses, which become longer as the machine becomes busier.
        for pause in [400, 400, 400, 700, 1300, 1900, 400] {
            for number in 0..25 {
                burst.note(&name(number), now);
                now += Duration::from_millis(2);
            }
            now += Duration::from_millis(pause - 50);
            assert!(burst.end(now).is_some(), "it has ended in a pause of {pause} ms");
        }
        assert!(burst.end(now + LONGEST).is_none());
        // The next one knows nothing of this one.
        now += LONGEST * 2;
        for number in 0..25 {
            burst.note(&name(number), now);
        }
        assert_eq!(burst.end(now), Some(now + QUIET));
    }

    #[test]
    fn few_files_are_none_however_they_come() {
        let (mut burst, start) = (Burst::default(), Instant::now());
        for number in 0..200 {
            let now = start + Duration::from_millis(number * 20);
            burst.note(&name(number), now);
            assert_eq!(burst.end(now), None);
        }
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
    }

    #[test]
    fn signs_of_more_make_it_longer() {
        let (mut burst, now) = (Burst::default(), Instant::now());
        burst.note(&name(1), now);
        assert_eq!(burst.end(now), None);
        burst.hold(now);
        assert_eq!(burst.end(now), Some(now + QUIET));
        burst.hold(now + QUIET);
        // What it does after the last sign belongs to it.
        burst.note(&name(2), now + QUIET + HOLD);
        assert_eq!(burst.end(now + QUIET * 2), Some(now + QUIET * 2 + HOLD));
    }
}
