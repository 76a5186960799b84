use super::*;
use proptest::prelude::*;

/// A story about one file; times in milliseconds.
struct Story {
    debouncer: Debouncer,
    start: Instant,
}

impl Story {
    fn new() -> Self {
        Self { debouncer: Debouncer::default(), start: Instant::now() }
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    fn note(&mut self, ms: u64, mark: Mark) {
        self.debouncer.note(path(), mark, self.at(ms));
    }

    /// Nothing is due before `ms`, and then this is.
    #[track_caller]
    fn expect(&mut self, ms: u64, again: bool) {
        assert_eq!(self.debouncer.deadline(), Some(self.at(ms)));
        if ms > 0 {
            assert_eq!(self.debouncer.take(self.at(ms - 1)), []);
        }
        let looks = self.debouncer.take(self.at(ms));
        assert_eq!(
            looks.iter().map(|look| (&look.path, look.reason == Reason::Again)).collect::<Vec<_>>(),
            [(&path(), again)]
        );
    }

    #[track_caller]
    fn expect_nothing(&mut self) {
        assert_eq!(self.debouncer.deadline(), None);
        assert!(self.debouncer.waiting.is_empty(), "waits without a reason");
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
    story.debouncer.trust(&path());
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
        story.debouncer.take(story.at(ms));
    }
    assert!(story.debouncer.take(story.at(2000)).iter().any(|look| look.reason == Reason::Again));
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
    story.debouncer.trust(&path());
    story.expect(200, true);
    story.expect_nothing();
}

#[test]
fn trust_does_not_lose_a_newer_change() {
    let mut story = Story::new();
    story.note(0, Mark::Doubted);
    story.note(10, Mark::Touched);
    story.debouncer.trust(&path());
    story.expect(60, false);
}

#[test]
fn lines_can_be_looked_for_later() {
    let mut story = Story::new();
    story.debouncer.look_later(&path(), story.at(100));
    story.expect_nothing();
    story.debouncer.hasten(path());
    story.debouncer.look_later(&path(), story.at(100));
    story.expect(100, false);
    story.expect_nothing();
}

#[test]
fn a_look_knows_since_when_it_was_due() {
    let mut story = Story::new();
    story.note(0, Mark::Touched);
    story.note(3, Mark::Done);
    let looks = story.debouncer.take(story.at(5));
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
    assert_eq!(story.debouncer.since(&path()), Since::Nothing, "a chmod is no part of a save");
    story.note(2, Mark::Written);
    assert_eq!(story.debouncer.since(&path()), Since::Written);
    story.note(3, Mark::Done);
    assert_eq!(story.debouncer.since(&path()), Since::Done);
    story.expect(3, false);
    story.expect_nothing();
}

#[test]
fn a_look_can_be_put_off() {
    let mut story = Story::new();
    story.note(0, Mark::Done);
    story.expect(0, false);
    story.debouncer.put_off(path(), story.at(0));
    story.note(5, Mark::Written);
    assert_eq!(story.debouncer.take(story.at(9)), []);
    let looks = story.debouncer.take(story.at(10));
    assert!(looks.iter().all(|look| look.is_written && look.reason == Reason::Done));
    assert_eq!(story.debouncer.since(&path()), Since::Written);
}

#[test]
fn a_look_knows_its_reason() {
    let mut story = Story::new();
    let reasons = |story: &mut Story, ms| {
        let looks = story.debouncer.take(story.at(ms));
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
    story.debouncer.forget(&path());
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
    debouncer: Debouncer,
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
        self.debouncer.note(path(), mark, now);
        let deadline = self.debouncer.deadline().expect("a change is looked at");
        assert!(deadline <= now + CAP, "not within the cap");
    }

    /// Looks whenever it is time, up to this time.
    fn run_until(&mut self, end: Instant) {
        while let Some(now) = self.debouncer.deadline().filter(|now| *now <= end) {
            for Look { reason, .. } in self.debouncer.take(now) {
                let again = reason == Reason::Again;
                match self.state {
                    State::Whole(_) => self.good = Some(now),
                    State::Part | State::Nothing if !again => {
                        self.debouncer.note(path(), Mark::Doubted, now);
                        continue;
                    }
                    State::Part | State::Nothing => {
                        assert!(self.good.is_none_or(|good| now - good >= DOUBT), "bad news without a doubt");
                    }
                }
                self.debouncer.trust(&path());
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
            Model { debouncer: Debouncer::default(), state: State::Whole(0), told: State::Whole(0), good: None };
        for (number, (pause, step)) in steps.into_iter().enumerate() {
            now += Duration::from_millis(pause);
            model.run_until(now);
            model.step(number + 1, step, now);
        }
        model.run_until(now + PATIENCE * 2);
        prop_assert_eq!(model.told, model.state);
        prop_assert!(model.debouncer.waiting.is_empty(), "waits without a reason");
    }
}
