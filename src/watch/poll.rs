//! The fallback where the system can't tell: what is in use is looked at again and again. The clock and the disk are
//! passed in.

use std::collections::HashMap;
use std::collections::HashSet;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use crate::stamp::Stamp;
use crate::watch::settle::CAP;
use crate::watch::source::Change;

/// How much longer than a round its pause is at least, so that polling never costs more than a tenth of a processor.
const PAUSES: u32 = 10;

/// What is polled, and how it looked in the last round.
#[derive(Debug)]
pub(super) struct Poll {
    every: Duration,
    due: Option<Instant>,
    seen: HashMap<PathBuf, Seen>,
}

/// A place as it was. `None` where nothing is.
#[derive(Debug)]
struct Seen {
    stamp: Option<Stamp>,
    /// When a change was seen that has not been told yet.
    changing: Option<Instant>,
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
    /// A change is told when the next round finds the place as this one did, because nobody says when a writer is done;
    /// the cap holds here too. A place that is new counts as changed, so that what happened between the first look at it
    /// and the first round is not lost.
    pub(super) fn round(
        &mut self,
        places: HashSet<PathBuf>,
        stamp: impl Fn(&Path) -> Option<Stamp>,
        clock: impl Fn() -> Instant,
    ) -> Vec<Change> {
        let start = clock();
        let mut changes = Vec::new();
        // What left the places is gone: out of a listed directory, or out of use, and then nobody minds.
        self.seen.retain(|place, _| {
            places.contains(place) || {
                changes.push(Change::Gone(place.clone()));
                false
            }
        });
        for place in places {
            let stamp = stamp(&place);
            let Some(seen) = self.seen.get_mut(&place) else {
                self.seen.insert(place, Seen { stamp, changing: Some(start) });
                continue;
            };
            let is_quiet = seen.stamp == stamp;
            let Some(since) = seen.changing.or_else(|| (!is_quiet).then_some(start)) else { continue };
            seen.stamp = stamp;
            seen.changing = Some(since);
            if is_quiet || start.saturating_duration_since(since) >= CAP {
                seen.changing = (!is_quiet).then_some(start);
                changes.push(if seen.stamp.is_some() { Change::Done(place) } else { Change::Gone(place) });
            }
        }
        let end = clock();
        self.due = Some(end + self.every.max(end.saturating_duration_since(start) * PAUSES));
        changes
    }
}

/// The name of the file system that a directory is on, if changes made by others reach it without the system's knowing.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn remote_file_system(directory: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(directory).ok()?.f_type;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of 32 bits, in a wider field"
    )]
    let magic = kind as u32;
    // statfs(2), and the kernel's magic.h. FUSE is also virtiofs, sshfs and the file sharing of virtual machines.
    Some(match magic {
        0x6969 => "NFS",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x0102_1997 => "9P",
        0x6573_5546 => "FUSE",
        0x00c3_6400 => "Ceph",
        0x5346_414f => "AFS",
        0x7375_7245 => "Coda",
        0x0bd0_0bd0 => "Lustre",
        0x786f_4256 => "VirtualBox shared folders",
        0xbacb_acbc => "VMware shared folders",
        _ => return None,
    })
}

/// The name of the file system that a directory is on, if changes made by others reach it without the system's knowing.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn remote_file_system(_: &Path) -> Option<&'static str> {
    // What a share sends to macOS and Windows, they pass on; where it doesn't, there is `--poll`.
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// One file in a folder of its own, and rounds that follow each other by 100 ms.
    struct Story {
        folder: tempfile::TempDir,
        poll: Poll,
        now: Instant,
    }

    impl Story {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            Self { folder, poll: Poll::new(Duration::from_millis(100)), now: Instant::now() }
        }

        fn file(&self) -> PathBuf {
            self.folder.path().join("file")
        }

        fn write(&self, content: &str) {
            fs::write(self.file(), content).unwrap();
        }

        #[track_caller]
        fn expect(&mut self, changes: &[Change]) {
            self.now += Duration::from_millis(100);
            let stamp = |place: &Path| place.metadata().ok().as_ref().map(Stamp::of);
            assert_eq!(self.poll.round(HashSet::from([self.file()]), stamp, || self.now), changes);
        }
    }

    #[test]
    fn a_change_is_told_when_it_is_over() {
        let mut story = Story::new();
        let done = [Change::Done(story.file())];
        story.write("1");
        story.expect(&[]);
        story.expect(&done);
        story.expect(&[]);
        story.write("12");
        story.expect(&[]);
        story.write("123");
        story.expect(&[]);
        story.expect(&done);
        story.expect(&[]);
        fs::remove_file(story.file()).unwrap();
        story.expect(&[]);
        let gone = Change::Gone(story.file());
        story.expect(&[gone]);
        story.expect(&[]);
    }

    #[test]
    fn a_constant_writer_delays_up_to_the_cap() {
        let mut story = Story::new();
        let done = [Change::Done(story.file())];
        for length in 1..=5 {
            story.write(&"x".repeat(length));
            story.expect(&[]);
        }
        story.write("cap");
        story.expect(&done);
        story.write("again");
        story.expect(&[]);
        story.expect(&done);
    }

    #[test]
    fn what_is_new_counts_as_changed() {
        let mut story = Story::new();
        story.expect(&[]);
        let gone = Change::Gone(story.file());
        story.expect(&[gone]);
        story.expect(&[]);
    }

    #[test]
    fn slow_rounds_have_long_pauses() {
        let mut poll = Poll::new(Duration::from_millis(100));
        let start = Instant::now();
        assert_eq!(poll.due(start), start);
        let times = std::cell::RefCell::new(vec![start + Duration::from_millis(50), start]);
        poll.round(HashSet::new(), |_| None, || times.borrow_mut().pop().unwrap());
        assert_eq!(poll.due(start), start + Duration::from_millis(550));
    }
}
