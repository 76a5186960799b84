//! When is a changed file done? Marks go in, looks come out. Pure: the clock is passed in.

use std::collections::HashMap;
use std::time::Duration;
use std::time::Instant;

use crate::site_path::SitePath;

/// How long a file that is being written must be quiet, where the system can't say that the writer is done. Longer than
/// the pauses of a program that writes in pieces, too short to be felt.
const QUIET: Duration = Duration::from_millis(50);

/// How long a writer that never pauses can delay a look.
pub(super) const CAP: Duration = Duration::from_millis(500);

/// How long bad news is held back: longer than editors take between removing and creating a file, and than generators
/// leave a file empty (175 ms were seen), shorter than a person needs to look from the editor to the page.
const DOUBT: Duration = Duration::from_millis(200);

/// What a change says about whether the file is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Closed by its writer, or renamed into place: look now.
    Done,
    /// Written to: look when it is quiet.
    Touched,
    /// Removed, or renamed away: perhaps only for a moment.
    Gone,
    /// Looked at, and found to be what a save in progress looks like.
    Doubted,
}

/// A place to look at now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The file or directory.
    pub path: SitePath,
    /// Whether this is the second look after doubtful news, so that what it finds is true.
    pub again: bool,
}

/// The paths that wait to be looked at.
#[derive(Debug, Default)]
pub(super) struct Settle {
    waiting: HashMap<SitePath, Wait>,
}

#[derive(Debug, Default)]
struct Wait {
    /// When it was done.
    done: Option<Instant>,
    /// When it was first touched since then, and when it is quiet.
    touched: Option<Instant>,
    quiet: Option<Instant>,
    /// When it is true that it is gone, and when that it is broken.
    gone: Option<Instant>,
    broken: Option<Instant>,
}

impl Settle {
    /// A change of `path` was seen at `now`.
    pub(super) fn note(&mut self, path: SitePath, mark: Mark, now: Instant) {
        let wait = self.waiting.entry(path).or_default();
        match mark {
            Mark::Done => {
                wait.done = Some(now);
                (wait.touched, wait.quiet, wait.gone) = (None, None, None);
            }
            // What is done stays done: a `chmod` follows many saves, and must not delay them.
            Mark::Touched => {
                let first = *wait.touched.get_or_insert(now);
                wait.quiet = Some((now + QUIET).min(first + CAP));
                wait.gone = None;
            }
            // Further doubts do not postpone the second look.
            Mark::Gone => drop(wait.gone.get_or_insert(now + DOUBT)),
            Mark::Doubted => drop(wait.broken.get_or_insert(now + DOUBT)),
        }
    }

    /// Good news came: there is no second look.
    pub(super) fn trust(&mut self, path: &SitePath) {
        if let Some(wait) = self.waiting.get_mut(path) {
            wait.broken = None;
            if wait.is_over() {
                self.waiting.remove(path);
            }
        }
    }

    /// Nobody follows `path` any more.
    pub(super) fn forget(&mut self, path: &SitePath) {
        self.waiting.remove(path);
    }

    /// What is to be looked at by now.
    pub(super) fn take(&mut self, now: Instant) -> Vec<Look> {
        let mut batch = Vec::new();
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        self.waiting.retain(|path, wait| {
            let again = is_due(wait.gone) || is_due(wait.broken);
            let quiet = is_due(wait.quiet);
            if again || quiet || is_due(wait.done) {
                batch.push(Look { path: path.clone(), again });
                wait.done = None;
            }
            if again {
                (wait.gone, wait.broken) = (None, None);
            }
            if again || quiet {
                (wait.touched, wait.quiet) = (None, None);
            }
            !wait.is_over()
        });
        batch
    }

    /// When there will be something to take; `None` while nothing waits.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.values().flat_map(Wait::times).flatten().min()
    }
}

impl Wait {
    fn times(&self) -> [Option<Instant>; 4] {
        [self.done, self.quiet, self.gone, self.broken]
    }

    fn is_over(&self) -> bool {
        self.times().iter().all(Option::is_none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A story about one file; times in milliseconds.
    struct Story {
        settle: Settle,
        start: Instant,
    }

    impl Story {
        fn new() -> Self {
            Self { settle: Settle::default(), start: Instant::now() }
        }

        fn at(&self, ms: u64) -> Instant {
            self.start + Duration::from_millis(ms)
        }

        fn note(&mut self, ms: u64, mark: Mark) {
            self.settle.note(path(), mark, self.at(ms));
        }

        /// Nothing is due before `ms`, and then this is.
        #[track_caller]
        fn expect(&mut self, ms: u64, again: bool) {
            assert_eq!(self.settle.deadline(), Some(self.at(ms)));
            if ms > 0 {
                assert_eq!(self.settle.take(self.at(ms - 1)), []);
            }
            assert_eq!(self.settle.take(self.at(ms)), [Look { path: path(), again }]);
        }

        #[track_caller]
        fn expect_nothing(&mut self) {
            assert_eq!(self.settle.deadline(), None);
            assert!(self.settle.waiting.is_empty(), "waits without a reason");
        }
    }

    fn path() -> SitePath {
        SitePath::from_url("/data.json").unwrap()
    }

    #[test]
    fn a_closed_file_is_done_at_once() {
        let mut story = Story::new();
        story.note(0, Mark::Touched);
        story.note(3, Mark::Touched);
        story.note(5, Mark::Done);
        story.expect(5, false);
        story.expect_nothing();
    }

    #[test]
    fn what_follows_the_end_does_not_delay_it() {
        let mut story = Story::new();
        story.note(0, Mark::Touched);
        story.note(1, Mark::Done);
        story.note(1, Mark::Touched);
        story.expect(1, false);
        story.expect(51, false);
        story.expect_nothing();
    }

    #[test]
    fn a_file_that_stays_open_is_done_when_it_is_quiet() {
        let mut story = Story::new();
        story.note(0, Mark::Touched);
        story.note(40, Mark::Touched);
        story.note(80, Mark::Touched);
        story.expect(130, false);
        story.expect_nothing();
    }

    #[test]
    fn a_constant_writer_delays_up_to_the_cap() {
        let mut story = Story::new();
        for ms in (0..=490).step_by(10) {
            story.note(ms, Mark::Touched);
        }
        story.expect(500, false);
        for ms in (510..=1000).step_by(10) {
            story.note(ms, Mark::Touched);
        }
        story.expect(1010, false);
    }

    #[test]
    fn bad_news_is_looked_at_again() {
        let mut story = Story::new();
        story.note(0, Mark::Done);
        story.expect(0, false);
        story.note(1, Mark::Doubted);
        story.note(150, Mark::Doubted);
        story.expect(201, true);
        story.expect_nothing();
    }

    #[test]
    fn good_news_ends_the_doubt() {
        let mut story = Story::new();
        story.note(0, Mark::Doubted);
        story.note(20, Mark::Done);
        story.expect(20, false);
        story.settle.trust(&path());
        story.expect_nothing();
    }

    #[test]
    fn a_doubt_outlives_looks_that_do_not_settle_it() {
        let mut story = Story::new();
        story.note(0, Mark::Doubted);
        story.note(20, Mark::Done);
        story.expect(20, false);
        story.expect(200, true);
    }

    #[test]
    fn a_file_that_comes_back_broken_has_all_the_time_to_become_whole() {
        let mut story = Story::new();
        story.note(0, Mark::Gone);
        story.note(150, Mark::Done);
        story.expect(150, false);
        story.note(150, Mark::Doubted);
        story.expect(350, true);
        story.expect_nothing();
    }

    #[test]
    fn a_file_that_stays_away_is_gone() {
        let mut story = Story::new();
        story.note(0, Mark::Done);
        story.note(0, Mark::Gone);
        story.expect(0, false);
        story.settle.trust(&path());
        story.expect(200, true);
        story.expect_nothing();
    }

    #[test]
    fn trust_does_not_lose_a_newer_change() {
        let mut story = Story::new();
        story.note(0, Mark::Doubted);
        story.note(10, Mark::Touched);
        story.settle.trust(&path());
        story.expect(60, false);
    }

    #[test]
    fn what_nobody_follows_is_forgotten() {
        let mut story = Story::new();
        story.note(0, Mark::Touched);
        story.settle.forget(&path());
        story.expect_nothing();
    }
}
