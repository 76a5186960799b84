//! The thread that asks another server again: after saves, by time, and until it is back.

use std::collections::HashSet;
use std::future::pending;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task;
use tokio::task::LocalSet;
use tokio::time::sleep_until;

use crate::site::SitePath;
use crate::source::upstream::answers;
use crate::source::upstream::asking::Asker;
use crate::source::upstream::course::Course;
use crate::source::upstream::course::Step;
use crate::source::upstream::echo::Echo;
use crate::source::upstream::echo::Verdict;
use crate::source::upstream::known::Known;
use crate::source::upstream::options::Remark;
use crate::source::upstream::server::Asking;
use crate::source::upstream::server::Upstream;
use crate::source::upstream::signal::Loaded;
use crate::source::upstream::signal::Signal;
use crate::source::upstream::turn::Turn;

/// How many questions are on their way at once.
const AT_ONCE: usize = 4;

/// How many answers that browsers have got are looked into at once. Of others, nobody knows the version.
const SETTLING: usize = 100;

/// How long after a question a server may still write what it writes for it.
const ECHO: Duration = Duration::from_millis(150);

/// Runs until the server is forgotten.
pub(super) fn run(upstream: &Weak<Upstream>, signals: UnboundedReceiver<Signal>) {
    let Ok(runtime) = Builder::new_current_thread().enable_io().enable_time().build() else { return };
    LocalSet::new().block_on(&runtime, go(upstream, signals));
}

async fn go(upstream: &Weak<Upstream>, mut signals: UnboundedReceiver<Signal>) {
    let Some(server) = upstream.upgrade() else { return };
    let options = &server.options;
    let sender = server.signals.clone().downgrade();
    let hung = sender.clone();
    let asker = Asker {
        client: server.client(),
        server: options.server.clone(),
        directory: options.directory.clone(),
        max_push: options.max_push,
        hung: Rc::new(move || drop(hung.upgrade().map(|sender| sender.send(Signal::Hung)))),
    };
    let poll = options.poll;
    drop(server);
    let mut thread = Thread {
        asker,
        course: Course::default(),
        echo: Echo::default(),
        asking: HashSet::new(),
        turns: Rc::new(Semaphore::new(AT_ONCE)),
        settling: Arc::new(Semaphore::new(SETTLING)),
        poll: None,
    };
    loop {
        let deadline = thread.course.deadline().into_iter().chain(thread.poll).min();
        let due = async {
            match deadline {
                Some(deadline) => sleep_until(deadline.into()).await,
                None => pending().await,
            }
        };
        let signal = tokio::select! {
            signal = signals.recv() => match signal {
                Some(signal) => Some(signal),
                None => return,
            },
            () = due => None,
        };
        let (Some(upstream), Some(sender)) = (upstream.upgrade(), sender.upgrade()) else { return };
        let now = Instant::now();
        let mut turn = Turn { upstream, sender, now };
        if let Some(signal) = signal {
            thread.hear(&mut turn, signal);
        }
        thread.act(&mut turn, poll);
    }
}

struct Thread {
    asker: Asker,
    course: Course,
    echo: Echo,
    /// What is being asked for.
    asking: HashSet<SitePath>,
    turns: Rc<Semaphore>,
    /// How many loads wait for it to be found out which version they are.
    settling: Arc<Semaphore>,
    /// When to ask again for what is followed.
    poll: Option<Instant>,
}

impl Thread {
    fn hear(&mut self, turn: &mut Turn, signal: Signal) {
        match signal {
            Signal::Begin(place) => self.begin(turn, &place),
            Signal::End => {}
            Signal::Saved(files) => self.saved(turn, &files),
            Signal::Watched(is_watched) => {
                let mut state = turn.upstream.state();
                state.watched = is_watched.then_some(turn.now);
                drop(state);
                if is_watched {
                    // What was sent before may have changed since.
                    turn.upstream.next_generation();
                    turn.changed(turn.upstream.pages.clone());
                }
            }
            Signal::Failed(why) => self.failed(turn, &why),
            Signal::Delivered(coded) => drop(task::spawn_local(answers::deliver(turn.upstream.clone(), *coded))),
            Signal::Loaded(loaded) => self.settle(turn, *loaded),
            Signal::Asked(place, failure) => {
                self.asking.remove(&place);
                if let Some(why) = failure {
                    self.failed(turn, &why);
                }
            }
            Signal::Hung => self.failed(turn, "does not answer"),
            Signal::Knocked(failure) => {
                let since = turn.upstream.away().map(|away| away.since);
                let was_told = self.course.is_told();
                if self.course.knocked(turn.now, failure.is_none()) {
                    turn.upstream.away.send_replace(None);
                    let mut state = turn.upstream.state();
                    state.trouble = None;
                    // Whatever it does otherwise now, a save was the cause.
                    state.saved = Some(turn.now);
                    drop(state);
                    if was_told {
                        let elapsed = since.map_or(Duration::ZERO, |since| since.elapsed());
                        (turn.upstream.tell.remark)(Remark::Back(elapsed));
                    }
                } else if let Some(why) = failure {
                    turn.upstream.away.send_modify(|away| away.iter_mut().for_each(|away| away.why.clone_from(&why)));
                }
            }
        }
    }

    /// Somebody follows a place of which nothing is known, or nothing that is sure to be so still.
    fn begin(&mut self, turn: &Turn, place: &SitePath) {
        let state = turn.upstream.state();
        let is_sure = if place.is_answer_with_contents() {
            state.contents.contains_key(place)
        } else {
            let known = state.known.get(place);
            let is_sure = |known: &Known| known.version.is_some() && !state.may_have_changed(known.at);
            place.is_pages() || known.is_some_and(is_sure)
        };
        drop(state);
        if !is_sure && (turn.upstream.asks() || place.is_answer_with_contents()) {
            self.ask(turn, place.clone());
        }
    }

    fn saved(&mut self, turn: &Turn, files: &[PathBuf]) {
        // Whoever mends a server that is away saves while it is asked all the time.
        let is_asking = !self.course.is_away()
            && (turn.upstream.asking.load(Ordering::Relaxed) > 0
                || turn.upstream.state().asked.is_some_and(|asked| asked.elapsed() < ECHO));
        let mut saved = Vec::new();
        for file in files {
            match self.echo.judge(file, is_asking, self.course.is_looking()) {
                Verdict::Save => saved.push(file),
                Verdict::New => (turn.upstream.tell.remark)(Remark::Echo(file.clone())),
                Verdict::Echo => {}
            }
        }
        if saved.is_empty() {
            return;
        }
        turn.upstream.state().saved = Some(turn.now);
        if turn.upstream.asks() {
            return self.course.saved(turn.now);
        }
        turn.changed_without_asking(&saved);
    }

    fn failed(&mut self, turn: &Turn, why: &str) {
        if self.course.failed(turn.now) {
            turn.upstream.mark_away(why);
        }
    }

    fn act(&mut self, turn: &mut Turn, poll: Option<Duration>) {
        let is_used = !turn.upstream.state().followed.is_empty();
        if !is_used && turn.upstream.waiting.load(Ordering::Relaxed) == 0 {
            turn.upstream.state().trouble = None;
            if turn.upstream.away.send_if_modified(|away| away.take().is_some()) {
                // Those who come will see for themselves whether it is back. Looks go on: pages that are being loaded follow later.
                self.course.rest();
                turn.upstream.next_generation();
            }
        }
        // A request has found that it is away, before we did.
        if !self.course.is_away()
            && let Some(away) = turn.upstream.away()
        {
            self.failed(turn, &away.why);
        }
        while let Some(step) = self.course.step(turn.now) {
            match step {
                Step::Look => self.look(turn),
                Step::Knock => self.knock(turn),
                Step::Tell => {
                    let why = turn.upstream.away().map(|away| away.why).unwrap_or_default();
                    let server = &turn.upstream.options.server;
                    turn.upstream.state().trouble = Some(format!("{server} {why}. All goes on when it answers again."));
                    (turn.upstream.tell.remark)(Remark::Away(why));
                    turn.followed()
                        .into_iter()
                        .filter(|place| place.is_pages() || place.is_answer_with_contents())
                        .for_each(|place| turn.changed(place));
                }
            }
        }
        self.poll(turn, poll);
    }

    /// Asks for all that is in use; pages ask for themselves.
    fn look(&mut self, turn: &Turn) {
        self.echo.looked();
        turn.upstream.next_generation();
        for place in turn.followed() {
            if place.is_pages() {
                turn.changed(place);
            } else {
                self.ask(turn, place);
            }
        }
    }

    /// Asks by time for what is followed with its contents.
    fn poll(&mut self, turn: &Turn, every: Option<Duration>) {
        let Some(every) = every else { return };
        let followed = turn.followed().into_iter().filter(SitePath::is_answer_with_contents).collect::<Vec<_>>();
        if followed.is_empty() {
            self.poll = None;
        } else if self.poll.is_none_or(|poll| poll <= turn.now) {
            let is_first = self.poll.is_none();
            self.poll = Some(turn.now + every);
            if !is_first && turn.upstream.away().is_none() {
                followed.into_iter().for_each(|place| self.ask(turn, place));
            }
        }
    }

    /// Asks for a place, if that is not being done.
    fn ask(&mut self, turn: &Turn, place: SitePath) {
        let Some(question) = turn.question(&place) else { return };
        if !self.asking.insert(place.clone()) {
            return;
        }
        let (asker, turns) = (self.asker.clone(), self.turns.clone());
        let (upstream, sender) = (turn.upstream.clone(), turn.sender.clone());
        task::spawn_local(async move {
            let _turn = turns.acquire().await;
            let asking = upstream.asking();
            let failure = answers::ask(&asker, &upstream, &place, question).await.err();
            drop((asking, sender.send(Signal::Asked(place, failure))));
        });
    }

    /// Finds out which version it is that a browser has got.
    fn settle(&self, turn: &Turn, loaded: Loaded) {
        let upstream = turn.upstream.clone();
        let Ok(room) = self.settling.clone().try_acquire_owned() else { return upstream.loads.end(loaded.load, None) };
        let (asker, turns, sender) = (self.asker.clone(), self.turns.clone(), turn.sender.clone());
        task::spawn_local(async move {
            let _turn = turns.acquire().await;
            let asking = upstream.asking();
            let version = answers::settle(&asker, &upstream, &loaded).await;
            upstream.loads.end(loaded.load, version.as_ref().ok().copied().flatten());
            version.err().into_iter().for_each(|why| drop(sender.send(Signal::Failed(why))));
            drop((asking, room));
        });
    }

    /// Asks for something that is in use, if there is something, to see whether the server is back.
    fn knock(&self, turn: &Turn) {
        let state = turn.upstream.state();
        let place = state.followed.iter().find(|place| state.known.get(place).is_some());
        let question = place.and_then(|place| state.known.get(place)).map(|known| known.question.clone());
        let question = question.or_else(|| state.page.clone());
        drop(state);
        let (asker, sender) = (self.asker.clone(), turn.sender.clone());
        let asking: Asking = turn.upstream.asking();
        task::spawn_local(async move {
            let _asking = asking;
            let mut found = asker.client.knock().await.map_err(|failure| failure.to_string());
            if let (Ok(()), Some(question)) = (&found, question) {
                found = asker.is_there(&question).await;
            }
            drop(sender.send(Signal::Knocked(found.err())));
        });
    }
}
