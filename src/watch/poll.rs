//! The fallback where the system can't tell: what is in use is looked at again and again. Pure: the clock and the disk are
//! passed in.

use std::collections::HashMap;
use std::collections::HashSet;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use crate::source::fingerprint::Fingerprint;
use crate::watch::system::Change;

/// How much longer than a round its pause is at least, so that polling never costs more than a tenth of a processor.
const PAUSES: u32 = 10;

/// What is polled, and how it looked in the last round.
#[derive(Debug)]
pub(super) struct Poll {
    every: Duration,
    due: Option<Instant>,
    /// `None` where nothing is.
    seen: HashMap<PathBuf, Option<Fingerprint>>,
}

impl Poll {
    pub(super) fn new(every: Duration) -> Self {
        Self { every, due: None, seen: HashMap::new() }
    }

    /// How long the pause between two rounds is, if they are quick.
    pub(super) fn every(&self) -> Duration {
        self.every
    }

    /// When the next round begins: at once for what is new.
    pub(super) fn due(&self, now: Instant) -> Instant {
        self.due.unwrap_or(now)
    }

    /// Nothing is polled any more.
    pub(super) fn stop(&mut self) {
        self.seen.clear();
        self.due = None;
    }

    /// Looks at all places, and tells which have changed.
    ///
    /// A place that is new counts as changed, so that what happened between the first look at it and the first round is
    /// not lost.
    pub(super) fn round(
        &mut self,
        places: impl FnOnce() -> HashSet<PathBuf>,
        stamp: impl Fn(&Path) -> Option<Fingerprint>,
        clock: impl Fn() -> Instant,
    ) -> Vec<Change> {
        let start = clock();
        let places = places();
        let mut changes = Vec::new();
        // What left the places is gone: out of a listed directory, or out of use, and then nobody minds.
        self.seen.retain(|place, _| {
            let stays = places.contains(place);
            if !stays {
                changes.push(Change::Gone(place.clone()));
            }
            stays
        });
        for place in places {
            let stamp = stamp(&place);
            if self.seen.get(&place) == Some(&stamp) {
                continue;
            }
            let change = if stamp.is_some() { Change::Touched } else { Change::Gone };
            self.seen.insert(place.clone(), stamp);
            changes.push(change(place));
        }
        let end = clock();
        self.due = Some(end + self.every.max(end.saturating_duration_since(start) * PAUSES));
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn tells_what_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let mut poll = Poll::new(Duration::from_millis(100));
        let mut expect = |change: &[fn(PathBuf) -> Change]| {
            let stamp = |place: &Path| place.metadata().ok().as_ref().map(Fingerprint::of);
            let changes = poll.round(|| HashSet::from([file.clone()]), stamp, Instant::now);
            assert_eq!(changes, change.iter().map(|change| change(file.clone())).collect::<Vec<_>>());
        };
        // What is new counts as changed.
        expect(&[Change::Gone]);
        expect(&[]);
        fs::write(&file, "1").unwrap();
        expect(&[Change::Touched]);
        expect(&[]);
        fs::write(&file, "12").unwrap();
        expect(&[Change::Touched]);
        fs::remove_file(&file).unwrap();
        expect(&[Change::Gone]);
        expect(&[]);
    }

    #[test]
    fn what_is_out_of_use_is_gone() {
        let mut poll = Poll::new(Duration::from_millis(100));
        let place = PathBuf::from("/site/a");
        poll.round(|| HashSet::from([place.clone()]), |_| None, Instant::now);
        assert_eq!(poll.round(HashSet::new, |_| None, Instant::now), [Change::Gone(place)]);
        assert!(poll.round(HashSet::new, |_| None, Instant::now).is_empty());
    }

    #[test]
    fn slow_rounds_have_long_pauses() {
        let mut poll = Poll::new(Duration::from_millis(100));
        let start = Instant::now();
        assert_eq!(poll.due(start), start);
        let times = std::cell::RefCell::new(vec![start + Duration::from_millis(50), start]);
        poll.round(HashSet::new, |_| None, || times.borrow_mut().pop().unwrap());
        assert_eq!(poll.due(start), start + Duration::from_millis(550));
    }
}
