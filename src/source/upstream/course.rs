//! When the other server is asked again after a save, and what happens while it is away. Pure: the clock is passed in.

use std::collections::VecDeque;
use std::time::Duration;
use std::time::Instant;

/// When it is asked after a save, in milliseconds. That nothing has changed proves nothing: the process from before the save may still
/// answer, for up to seconds. (Measured with Flask, uvicorn, Django and nodemon.)
const LOOKS: [u64; 7] = [0, 100, 300, 700, 1500, 3000, 6000];

/// When it is asked after it has come back, in milliseconds.
const LOOKS_AT_RETURN: [u64; 3] = [0, 300, 1500];

/// The pause between two knocks while it is away; and after a while, when nobody is waiting for a restart any more.
const KNOCK: Duration = Duration::from_millis(100);
const KNOCK_LATER: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(10);

/// How long after a good answer there must be another one, until it counts as back: a process that is about to end answers, too.
const AGAIN: Duration = Duration::from_millis(50);

/// The shortest pause between two first looks; and when more than so many have begun within so long: that is no person who saves.
const PAUSE: Duration = Duration::from_millis(50);
const LONG_PAUSE: Duration = Duration::from_secs(1);
const MANY: usize = 10;
const RECENTLY: Duration = Duration::from_secs(10);

/// How long it is away until that is told.
const TELL: Duration = Duration::from_secs(2);

/// The course of things since the last save.
#[derive(Debug, Default)]
pub(super) struct Course {
    looks: VecDeque<Instant>,
    /// When the last first looks were, at most [`MANY`].
    first: VecDeque<Instant>,
    /// Whether the next look is the first one after a save.
    is_first: bool,
    away: Option<Away>,
}

#[derive(Debug)]
struct Away {
    since: Instant,
    /// When to knock next; `None` while somebody knocks.
    knock: Option<Instant>,
    /// Whether the last answer was a good one.
    is_good: bool,
    is_told: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask for all that is in use.
    Look,
    /// Find out whether it is back.
    Knock,
    /// Tell that it is away.
    Tell,
}

impl Course {
    /// Something was saved.
    pub(super) fn saved(&mut self, now: Instant) {
        // When it comes back, all is asked for anyway.
        if self.away.is_some() {
            return;
        }
        let is_many = self.first.len() == MANY && self.first.front().is_some_and(|first| *first + RECENTLY > now);
        let pause = if is_many { LONG_PAUSE } else { PAUSE };
        let start = self.first.back().map_or(now, |last| (*last + pause).max(now));
        self.look(start, &LOOKS);
    }

    /// It does not answer. True if that is news.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        if let Some(away) = &mut self.away {
            away.is_good = false;
            return false;
        }
        self.looks.clear();
        self.away = Some(Away { since: now, knock: Some(now + KNOCK), is_good: false, is_told: false });
        true
    }

    /// What a knock has found. True if it is back.
    pub(super) fn knocked(&mut self, now: Instant, is_good: bool) -> bool {
        let Some(away) = &mut self.away else { return false };
        let was_good = std::mem::replace(&mut away.is_good, is_good);
        if was_good && is_good {
            self.away = None;
            self.look(now, &LOOKS_AT_RETURN);
            return true;
        }
        let pause = match is_good {
            true => AGAIN,
            false if now.duration_since(away.since) < LATER => KNOCK,
            false => KNOCK_LATER,
        };
        away.knock = Some(now + pause);
        false
    }

    /// Nobody wants to know any more.
    pub(super) fn rest(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_away(&self) -> bool {
        self.away.is_some()
    }

    /// Whether everything in use is asked for once more.
    pub(super) fn is_looking(&self) -> bool {
        !self.looks.is_empty()
    }

    /// Whether it is away, and that was told.
    pub(super) fn is_told(&self) -> bool {
        self.away.as_ref().is_some_and(|away| away.is_told)
    }

    /// What is to be done now.
    pub(super) fn step(&mut self, now: Instant) -> Option<Step> {
        if let Some(away) = &mut self.away {
            if !away.is_told && now >= away.since + TELL {
                away.is_told = true;
                return Some(Step::Tell);
            }
            return away.knock.take_if(|knock| *knock <= now).map(|_| Step::Knock);
        }
        let is_due = self.looks.front().is_some_and(|look| *look <= now);
        if is_due && self.is_first {
            self.is_first = false;
            if self.first.len() == MANY {
                self.first.pop_front();
            }
            self.first.push_back(now);
        }
        // Those that were missed are one.
        while self.looks.front().is_some_and(|look| *look <= now) {
            self.looks.pop_front();
        }
        is_due.then_some(Step::Look)
    }

    /// When there is something to be done.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.away {
            Some(away) => away.knock.into_iter().chain((!away.is_told).then_some(away.since + TELL)).min(),
            None => self.looks.front().copied(),
        }
    }

    fn look(&mut self, now: Instant, after: &[u64]) {
        self.is_first = true;
        self.looks = after.iter().map(|ms| now + Duration::from_millis(*ms)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Story {
        course: Course,
        start: Instant,
    }

    impl Story {
        fn new() -> Self {
            Self { course: Course::default(), start: Instant::now() }
        }

        fn at(&self, ms: u64) -> Instant {
            self.start + Duration::from_millis(ms)
        }

        /// All that is done until then, each at its time. A knock finds what `is_there` says.
        fn run(&mut self, until: u64, is_there: impl Fn(u64) -> bool) -> Vec<(u64, Step)> {
            let mut done = Vec::new();
            while let Some(deadline) = self.course.deadline().filter(|deadline| *deadline <= self.at(until)) {
                let ms = u64::try_from(deadline.duration_since(self.start).as_millis()).unwrap();
                while let Some(step) = self.course.step(deadline) {
                    done.push((ms, step));
                    if step == Step::Knock {
                        self.course.knocked(deadline, is_there(ms));
                    }
                }
            }
            done
        }
    }

    #[test]
    fn a_save_is_followed_by_looks_and_the_next_one_begins_anew() {
        let mut story = Story::new();
        assert_eq!(story.course.deadline(), None);
        story.course.saved(story.start);
        let looks = |times: &[u64]| times.iter().map(|ms| (*ms, Step::Look)).collect::<Vec<_>>();
        assert_eq!(story.run(500, |_| true), looks(&[0, 100, 300]));
        story.course.saved(story.at(500));
        assert_eq!(story.run(60_000, |_| true), looks(&[500, 600, 800, 1200, 2000, 3500, 6500]));
        // Who comes too late looks once.
        story.course.saved(story.at(60_000));
        assert_eq!(story.course.step(story.at(100_000)), Some(Step::Look));
        assert_eq!(story.course.step(story.at(100_000)), None);
    }

    #[test]
    fn a_program_that_saves_without_end_is_not_followed_that_often() {
        let mut story = Story::new();
        let mut looks = 0;
        for ms in (0..20_000).step_by(3) {
            story.course.saved(story.at(ms));
            looks += usize::from(story.course.step(story.at(ms)) == Some(Step::Look));
        }
        assert!((25..=35).contains(&looks), "{looks}");
        // What was saved last is looked at in the end.
        let last = story.run(60_000, |_| true);
        assert!(last.len() >= LOOKS.len(), "{last:?}");
    }

    #[test]
    fn a_server_that_is_away_is_back_after_two_good_answers() {
        let mut story = Story::new();
        story.course.saved(story.start);
        assert!(story.course.failed(story.start) && !story.course.failed(story.start));
        // Its old process answers once more at 300.
        let done = story.run(60_000, |ms| ms == 300 || ms >= 650);
        let knocks = [100, 200, 300, 350, 450, 550, 650, 700].map(|ms| (ms, Step::Knock));
        let looks = [700, 1000, 2200].map(|ms| (ms, Step::Look));
        assert_eq!(done, [knocks.as_slice(), looks.as_slice()].concat());
    }

    #[test]
    fn who_stays_away_is_told_once() {
        let mut story = Story::new();
        story.course.failed(story.start);
        let done = story.run(30_000, |_| false);
        assert_eq!(done.iter().filter(|(_, step)| *step == Step::Tell).collect::<Vec<_>>(), [&(2000, Step::Tell)]);
        assert!(story.course.is_told());
        // After ten seconds, it is asked less often.
        assert_eq!(done.iter().filter(|(ms, _)| *ms > 10_100).count(), 20);
        story.course.rest();
        assert_eq!(story.course.deadline(), None);
    }
}
