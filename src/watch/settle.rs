//! When is a changed file done? Marks go in, looks come out. Pure: the clock is passed in.

use std::collections::HashMap;
use std::time::Duration;
use std::time::Instant;

use crate::site_path::SitePath;

/// How long a file that is being written must be quiet, where the system can't say that the writer is done. Longer than
/// the pauses of a program that writes in pieces, too short to be felt.
const QUIET: Duration = Duration::from_millis(50);

/// How long a writer that never pauses can delay a look.
const CAP: Duration = Duration::from_millis(500);

/// How long bad news is held back: longer than editors take between removing and creating a file, and than generators
/// leave a file empty (175 ms were seen), shorter than a person needs to look from the editor to the page.
const DOUBT: Duration = Duration::from_millis(200);

/// How long a writer that goes on can hold back the news that the file is broken.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a look can be put off. Longer than the system takes to tell of a write, also when the machine is busy.
const LATE: Duration = Duration::from_millis(10);

/// How often a file that is followed line by line is looked at while it is being written.
const HASTE: Duration = Duration::from_millis(5);

/// What a change says about whether the file is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Closed by its writer, or renamed into place: look now.
    Done,
    /// Written to: look when it is quiet.
    Written,
    /// Something else was done to it, such as a link or a `chmod`: the same, but it is no part of a save.
    Touched,
    /// Removed, or renamed away: perhaps only for a moment.
    Gone,
    /// Looked at, and found to be what a save in progress looks like.
    Doubted,
    /// Somebody wants to know what is there; nothing has happened to it.
    Asked,
}

/// What has happened to a file since it was time to look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// Nothing.
    Nothing,
    /// It was written to.
    Written,
    /// It was written to or replaced, and that is done: the next look follows at once.
    Done,
}

/// Why it is time to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The writer is done.
    Done,
    /// It is quiet, although nobody has said that the writer is done.
    Quiet,
    /// Somebody wants to know. A change may be on its way.
    Asked,
    /// What was doubtful is so still. What this look finds is true.
    Again,
    /// It is followed line by line, and the writer may not be done.
    Haste,
}

/// A place to look at now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The file or directory.
    pub path: SitePath,
    /// Why now.
    pub reason: Reason,
    /// Whether it was found before what a save in progress looks like, and is being written to.
    pub is_doubted: bool,
    /// Whether it was written to, and nobody has said since then that this is done.
    pub is_written: bool,
    /// Whether it was put off, to hear of a next save that has begun already.
    pub is_late: bool,
    /// When the system told of the first change since the look before.
    pub changed: Instant,
}

/// The paths that wait to be looked at.
#[derive(Debug, Default)]
pub(super) struct Settle {
    waiting: HashMap<SitePath, Wait>,
    /// What is followed line by line, by how many, and when it was looked at last.
    hasty: HashMap<SitePath, (usize, Option<Instant>)>,
}

#[derive(Debug, Default)]
struct Wait {
    /// When the first change was since the last look.
    changed: Option<Instant>,
    /// When it was done.
    done: Option<Instant>,
    is_late: bool,
    /// When it was first touched since then, and when it is quiet.
    touched: Option<Instant>,
    /// Whether it was written to since then.
    is_written: bool,
    quiet: Option<Instant>,
    /// When it is looked at, although it may not be done.
    hasty: Option<Instant>,
    /// When somebody wanted to know.
    asked: Option<Instant>,
    /// When it is true that it is gone.
    gone: Option<Instant>,
    /// When it was first found broken, and when that is true.
    doubted: Option<Instant>,
    broken: Option<Instant>,
}

impl Settle {
    /// A change of `path` was seen at `now`.
    pub(super) fn note(&mut self, path: SitePath, mark: Mark, now: Instant) {
        let hasty = self.hasty.get(&path).map(|(_, last)| last.map_or(now, |last| (last + HASTE).max(now)));
        let wait = self.waiting.entry(path).or_default();
        if !matches!(mark, Mark::Doubted | Mark::Asked) {
            wait.changed.get_or_insert(now);
        }
        match mark {
            Mark::Done => {
                wait.done = Some(now);
                wait.is_late = false;
                (wait.touched, wait.quiet, wait.gone) = (None, None, None);
                wait.is_written = false;
            }
            // What is done stays done: a `chmod` follows many saves, and must not delay them.
            Mark::Written | Mark::Touched => {
                wait.is_written |= mark == Mark::Written;
                let first = *wait.touched.get_or_insert(now);
                wait.quiet = Some((now + QUIET).min(first + CAP));
                wait.gone = None;
                wait.hasty = wait.hasty.or(hasty);
                // As long as somebody writes, it is no wonder that it isn't whole.
                wait.broken = wait.doubted.map(|first| (now + DOUBT).min(first + PATIENCE));
            }
            // Further doubts do not postpone the second look.
            Mark::Gone => drop(wait.gone.get_or_insert(now + DOUBT)),
            Mark::Doubted => {
                wait.doubted.get_or_insert(now);
                wait.broken.get_or_insert(now + DOUBT);
            }
            // In the midst of a save it is too early; there will be a look anyway.
            Mark::Asked if wait.touched.is_none() && wait.gone.is_none() => drop(wait.asked.get_or_insert(now)),
            Mark::Asked => wait.hasty = wait.hasty.or(hasty),
        }
    }

    /// Puts off the look at what is done.
    pub(super) fn put_off(&mut self, path: SitePath, now: Instant) {
        let wait = self.waiting.entry(path).or_default();
        if wait.done.is_none() {
            (wait.done, wait.is_late) = (Some(now + LATE), true);
        }
    }

    /// Looks at what is followed line by line at this time, whether something happens to it or not.
    pub(super) fn look_later(&mut self, path: &SitePath, at: Instant) {
        if self.hasty.contains_key(path) {
            self.waiting.entry(path.clone()).or_default().hasty.get_or_insert(at);
        }
    }

    /// What is waited for began with a change at this time.
    pub(super) fn remember(&mut self, path: &SitePath, changed: Instant) {
        if let Some(wait) = self.waiting.get_mut(path) {
            wait.changed = Some(wait.changed.map_or(changed, |first| first.min(changed)));
        }
    }

    /// Good news came: there is no second look.
    pub(super) fn trust(&mut self, path: &SitePath) {
        if let Some(wait) = self.waiting.get_mut(path) {
            (wait.doubted, wait.broken) = (None, None);
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
            let reason = if again {
                Some(Reason::Again)
            } else if is_due(wait.done) {
                Some(Reason::Done)
            } else if quiet {
                Some(Reason::Quiet)
            } else if is_due(wait.asked) {
                Some(Reason::Asked)
            } else {
                is_due(wait.hasty).then_some(Reason::Haste)
            };
            if let Some(reason) = reason {
                let changed = wait.changed.unwrap_or(now).min(now);
                let (is_doubted, is_late) = (wait.doubted.is_some(), std::mem::take(&mut wait.is_late));
                let is_written = wait.is_written;
                batch.push(Look { path: path.clone(), reason, is_doubted, is_written, is_late, changed });
                wait.hasty = None;
                if reason != Reason::Haste {
                    (wait.changed, wait.done, wait.asked) = (None, None, None);
                }
            }
            if again {
                (wait.gone, wait.doubted, wait.broken) = (None, None, None);
            }
            if again || quiet {
                (wait.touched, wait.quiet) = (None, None);
                wait.is_written = false;
            }
            !wait.is_over()
        });
        for Look { path, .. } in &batch {
            if let Some((_, last)) = self.hasty.get_mut(path) {
                *last = Some(now);
            }
        }
        batch
    }

    /// What has happened to `path` since it was taken.
    pub(super) fn since(&self, path: &SitePath) -> Since {
        match self.waiting.get(path) {
            Some(wait) if wait.done.is_some() => Since::Done,
            Some(wait) if wait.is_written => Since::Written,
            _ => Since::Nothing,
        }
    }

    /// One more follows `path` line by line.
    pub(super) fn hasten(&mut self, path: SitePath) {
        self.hasty.entry(path).or_default().0 += 1;
    }

    /// One less does.
    pub(super) fn slow_down(&mut self, path: &SitePath) {
        let Some((count, _)) = self.hasty.get_mut(path) else { return };
        *count -= 1;
        if *count == 0 {
            self.hasty.remove(path);
        }
    }

    /// When there will be something to take; `None` while nothing waits.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.values().flat_map(Wait::times).flatten().min()
    }
}

impl Wait {
    fn times(&self) -> [Option<Instant>; 6] {
        [self.done, self.quiet, self.hasty, self.asked, self.gone, self.broken]
    }

    fn is_over(&self) -> bool {
        self.times().iter().all(Option::is_none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            let looks = self.settle.take(self.at(ms));
            assert_eq!(
                looks.iter().map(|look| (&look.path, look.reason == Reason::Again)).collect::<Vec<_>>(),
                [(&path(), again)]
            );
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
    fn a_writer_that_goes_on_is_no_reason_for_bad_news() {
        let mut story = Story::new();
        story.note(0, Mark::Doubted);
        story.note(150, Mark::Touched);
        story.expect(200, false);
        story.note(200, Mark::Doubted);
        story.expect(350, true);
        story.expect_nothing();
    }

    #[test]
    fn patience_has_an_end() {
        let mut story = Story::new();
        story.note(0, Mark::Doubted);
        for ms in (0..2000).step_by(10) {
            story.note(ms, Mark::Touched);
            story.settle.take(story.at(ms));
        }
        assert!(story.settle.take(story.at(2000)).iter().any(|look| look.reason == Reason::Again));
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
    fn lines_can_be_looked_for_later() {
        let mut story = Story::new();
        story.settle.look_later(&path(), story.at(100));
        story.expect_nothing();
        story.settle.hasten(path());
        story.settle.look_later(&path(), story.at(100));
        story.expect(100, false);
        story.expect_nothing();
    }

    #[test]
    fn a_look_knows_since_when_it_was_due() {
        let mut story = Story::new();
        story.note(0, Mark::Touched);
        story.note(3, Mark::Done);
        let looks = story.settle.take(story.at(5));
        assert_eq!(looks.first().map(|look| look.changed), Some(story.at(0)));
    }

    #[test]
    fn who_asks_in_the_midst_of_a_save_waits_for_its_end() {
        let mut story = Story::new();
        story.note(0, Mark::Asked);
        story.expect(0, false);
        story.note(1, Mark::Touched);
        story.note(2, Mark::Asked);
        story.expect(51, false);
        story.note(60, Mark::Touched);
        story.note(62, Mark::Asked);
        story.note(64, Mark::Done);
        story.expect(64, false);
        story.note(70, Mark::Gone);
        story.note(80, Mark::Asked);
        story.expect(270, true);
        story.expect_nothing();
    }

    #[test]
    fn what_happens_after_the_end_is_known() {
        let mut story = Story::new();
        story.note(0, Mark::Written);
        story.note(1, Mark::Done);
        story.note(1, Mark::Touched);
        story.expect(1, false);
        assert_eq!(story.settle.since(&path()), Since::Nothing, "a chmod is no part of a save");
        story.note(2, Mark::Written);
        assert_eq!(story.settle.since(&path()), Since::Written);
        story.note(3, Mark::Done);
        assert_eq!(story.settle.since(&path()), Since::Done);
        story.expect(3, false);
        story.expect_nothing();
    }

    #[test]
    fn a_look_can_be_put_off() {
        let mut story = Story::new();
        story.note(0, Mark::Done);
        story.expect(0, false);
        story.settle.put_off(path(), story.at(0));
        story.note(5, Mark::Written);
        assert_eq!(story.settle.take(story.at(9)), []);
        let looks = story.settle.take(story.at(10));
        assert!(looks.iter().all(|look| look.is_late && look.is_written && look.reason == Reason::Done));
        assert_eq!(story.settle.since(&path()), Since::Written);
    }

    #[test]
    fn a_look_knows_its_reason() {
        let mut story = Story::new();
        let reasons = |story: &mut Story, ms| {
            let looks = story.settle.take(story.at(ms));
            looks.iter().map(|look| (look.reason, look.is_doubted)).collect::<Vec<_>>()
        };
        story.note(0, Mark::Asked);
        assert_eq!(reasons(&mut story, 0), [(Reason::Asked, false)]);
        story.note(1, Mark::Asked);
        story.note(1, Mark::Done);
        assert_eq!(reasons(&mut story, 1), [(Reason::Done, false)]);
        story.note(10, Mark::Touched);
        assert_eq!(reasons(&mut story, 60), [(Reason::Quiet, false)]);
        story.note(60, Mark::Doubted);
        story.note(100, Mark::Touched);
        assert_eq!(reasons(&mut story, 150), [(Reason::Quiet, true)]);
        story.note(150, Mark::Doubted);
        assert_eq!(reasons(&mut story, 300), [(Reason::Again, true)]);
        story.expect_nothing();
    }

    #[test]
    fn what_nobody_follows_is_forgotten() {
        let mut story = Story::new();
        story.note(0, Mark::Touched);
        story.settle.forget(&path());
        story.expect_nothing();
    }

    /// What stands on disk: the number of a whole file, a part of one, or nothing.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum State {
        Whole(usize),
        Part,
        Nothing,
    }

    /// What programs do to a file, one event each.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Write { is_whole: bool },
        Close,
        Rename { is_whole: bool },
        Link,
        Remove,
        Protect,
    }

    /// A model of the pipeline that looks at one file.
    struct Model {
        settle: Settle,
        state: State,
        told: State,
        /// When a look has last found it whole.
        good: Option<Instant>,
    }

    impl Model {
        fn step(&mut self, number: usize, step: Step, now: Instant) {
            let content = |is_whole| if is_whole { State::Whole(number) } else { State::Part };
            let (state, mark) = match step {
                Step::Write { is_whole } => (content(is_whole), Mark::Written),
                Step::Close => (self.state, Mark::Done),
                Step::Rename { is_whole } => (content(is_whole), Mark::Done),
                Step::Link => (State::Whole(number), Mark::Touched),
                Step::Remove => (State::Nothing, Mark::Gone),
                Step::Protect => (self.state, Mark::Touched),
            };
            self.state = state;
            self.settle.note(path(), mark, now);
            let deadline = self.settle.deadline().expect("a change is looked at");
            assert!(deadline <= now + CAP, "not within the cap");
        }

        /// Looks whenever it is time, up to this time.
        fn run_until(&mut self, end: Instant) {
            while let Some(now) = self.settle.deadline().filter(|now| *now <= end) {
                for Look { reason, .. } in self.settle.take(now) {
                    let again = reason == Reason::Again;
                    match self.state {
                        State::Whole(_) => self.good = Some(now),
                        State::Part | State::Nothing if !again => {
                            self.settle.note(path(), Mark::Doubted, now);
                            continue;
                        }
                        State::Part | State::Nothing => {
                            assert!(self.good.is_none_or(|good| now - good >= DOUBT), "bad news without a doubt");
                        }
                    }
                    self.settle.trust(&path());
                    self.told = self.state;
                }
            }
        }
    }

    fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
        let step = prop_oneof![
            any::<bool>().prop_map(|is_whole| Step::Write { is_whole }),
            Just(Step::Close),
            any::<bool>().prop_map(|is_whole| Step::Rename { is_whole }),
            Just(Step::Link),
            Just(Step::Remove),
            Just(Step::Protect),
        ];
        proptest::collection::vec((prop_oneof![Just(0), 1..20_u64, 1..600_u64], step), 1..60)
    }

    proptest! {
        #[test]
        fn whatever_programs_do_the_last_state_is_told_and_bad_news_late(steps in steps()) {
            let mut now = Instant::now();
            let mut model =
                Model { settle: Settle::default(), state: State::Whole(0), told: State::Whole(0), good: None };
            for (number, (pause, step)) in steps.into_iter().enumerate() {
                now += Duration::from_millis(pause);
                model.run_until(now);
                model.step(number + 1, step, now);
            }
            model.run_until(now + PATIENCE * 2);
            prop_assert_eq!(model.told, model.state);
            prop_assert!(model.settle.waiting.is_empty(), "waits without a reason");
        }
    }
}
