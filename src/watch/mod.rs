//! Stage 1: file system → settled batches. The only place that names `notify`.
//!
//! Watched are the directories on the way from the root (and its parent, because the root may be replaced) to each
//! followed path, through links too, not recursively, and only while somebody follows it. What the system can't watch, or
//! doesn't tell everything of, is polled.

mod burst;
mod debounce;
#[cfg(feature = "cli")]
pub mod files;
mod git;
mod handle;
mod ignored;
mod plan;
mod poll;
mod registry;
mod route;
mod spelling;
mod system;
mod tree;

use std::collections::HashSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use crate::site::SitePath;
use crate::source::Sources;
use crate::source::fingerprint;
use crate::source::fingerprint::Fingerprint;
use crate::watch::burst::Burst;
use crate::watch::debounce::Debouncer;
pub use crate::watch::debounce::Look;
use crate::watch::debounce::Mark;
pub use crate::watch::debounce::Reason;
pub use crate::watch::debounce::Since;
use crate::watch::git::Git;
use crate::watch::handle::Counts;
use crate::watch::handle::Signal;
pub use crate::watch::handle::Signals;
pub use crate::watch::handle::WatchHandle;
pub use crate::watch::handle::signals;
use crate::watch::ignored::Ignored;
pub use crate::watch::ignored::Pattern;
use crate::watch::plan::WatchPlan;
use crate::watch::poll::Poll;
pub use crate::watch::registry::Cause;
pub use crate::watch::registry::Polled;
use crate::watch::registry::WatchRegistry;
use crate::watch::route::Route;
use crate::watch::route::Step;
use crate::watch::system::Change;
use crate::watch::system::SystemWatcher;
pub use crate::watch::system::WatchError;
use crate::watch::tree::Tree;

/// How many signals are taken before what has settled is looked at.
const AT_ONCE: usize = 10_000;

/// How often a way is found again that changes while it is found. Whoever changes it goes on making events.
const ATTEMPTS: usize = 10;

/// How often a file is looked at of which no events come, because another one has taken its place.
const LATE: Duration = Duration::from_millis(100);

/// How long this thread stays awake when something is due. Being woken takes about as long.
const AWAKE: Duration = Duration::from_micros(50);

/// The pause between two rounds of polling. It can be short, because only what is in use is polled.
const POLL: Duration = Duration::from_millis(100);

/// The watching side of the pipeline: it owns the watches, and says where to look.
pub struct Watch {
    sources: Sources,
    signals: Receiver<Signal>,
    plan: WatchPlan,
    registry: WatchRegistry,
    debouncer: Debouncer,
    poll: Poll,
    tree: Tree,
    burst: Burst,
    git: Git,
    /// Whether the batch before was part of a burst.
    is_burst: bool,
    is_stopped: bool,
    counts: Arc<Counts>,
}

/// What has settled.
#[derive(Debug)]
pub struct Batch {
    /// Where to look.
    pub looks: Vec<Look>,
    /// Whether many files are changing at once, so that there is more to come.
    pub is_burst: bool,
}

impl Watch {
    /// Begins with no watch at all. `poll` is the pause between rounds if all is to be polled; `ignored` says what counts for
    /// nothing in the trees of the sources; `tell` hears of directories that must be polled.
    #[must_use]
    pub fn new(
        Signals { sender: changes, receiver: signals, counts }: Signals,
        sources: Sources,
        poll: Option<Duration>,
        ignored: Pattern,
        tell: impl Fn(Polled) + Send + 'static,
    ) -> Self {
        let every = poll.unwrap_or(POLL);
        let trees = sources.trees();
        let roots: Vec<_> = sources.directories().map(Path::to_path_buf).chain(trees.clone()).collect();
        // Nobody hears of changes that come after the stop, and nobody needs to.
        let hear = move |change| drop(changes.send(Signal::Change(change, Instant::now())));
        let source = poll.is_none().then(|| SystemWatcher::new(&roots, hear));
        Self {
            sources,
            signals,
            plan: WatchPlan::default(),
            git: Git::of(roots.clone()),
            registry: WatchRegistry::new(roots, source, every, Box::new(tell)),
            debouncer: Debouncer::default(),
            poll: Poll::new(every),
            tree: Tree::new(trees, Ignored::new(ignored)),
            burst: Burst::default(),
            is_burst: false,
            is_stopped: false,
            counts,
        }
    }

    /// Waits for the next batch: what has settled and is to be looked at, or only that a burst has begun or ended. `None`
    /// when the watch was stopped.
    ///
    /// A path that is followed from now on is part of it, after its watch has become active, so that nothing is lost
    /// between the first look and the first change.
    pub fn next_batch(&mut self) -> Option<Batch> {
        loop {
            self.hear();
            if self.is_stopped {
                return None;
            }
            self.poll();
            let now = Instant::now();
            let plan = &self.plan;
            if let Some(is_watched) = self.tree.turn(now, &mut self.registry, |place| plan.needs(place)) {
                self.sources.watched(is_watched);
                self.count();
            }
            let looks = self.debouncer.take(now);
            if self.burst.end(now).is_none() && (self.is_burst || self.burst.is_possible(now)) {
                // Repositories are looked for when all that has settled is told, so that nobody waits for it.
                if looks.is_empty() {
                    self.git.find();
                }
                if self.git.is_at_work() {
                    self.burst.hold(now);
                }
            }
            let burst = self.burst.end(now);
            if burst.is_none() {
                let saved = self.tree.take(now);
                if !saved.is_empty() {
                    self.sources.saved(&saved);
                }
            }
            if !looks.is_empty() || burst.is_some() != self.is_burst {
                self.is_burst = burst.is_some();
                return Some(Batch { looks, is_burst: self.is_burst });
            }
            let poll = self.registry.is_polling().then(|| self.poll.due(now));
            let saved = self.tree.due().filter(|_| burst.is_none()).into_iter().chain(self.tree.end());
            let deadlines = self.debouncer.deadline().into_iter().chain(poll).chain(burst).chain(saved);
            let signal = match deadlines.min() {
                None => self.signals.recv().ok(),
                Some(deadline) => match self.wait(deadline) {
                    Ok(signal) => Some(signal),
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => None,
                },
            };
            self.take(signal?);
        }
    }

    /// Waits for the next signal until something is due. While a file is being written, the next signal is often only microseconds
    /// away, so this thread does not go to sleep at once.
    fn wait(&self, deadline: Instant) -> Result<Signal, RecvTimeoutError> {
        let start = Instant::now();
        while start.elapsed() < AWAKE {
            if let Ok(signal) = self.signals.try_recv() {
                return Ok(signal);
            }
            thread::yield_now();
        }
        self.signals.recv_timeout(deadline.saturating_duration_since(Instant::now()))
    }

    /// What has happened to `path` since it was time to look at it. Asked after the look.
    pub fn since(&mut self, path: &SitePath) -> Since {
        self.hear();
        self.debouncer.since(path)
    }

    /// The look at `path` was good: earlier doubts are settled.
    pub fn trust(&mut self, path: &SitePath) {
        self.debouncer.trust(path);
    }

    /// The look at `path`, for a change at `changed`, found what a save in progress looks like: look again in a moment.
    pub fn doubt(&mut self, path: &SitePath, changed: Instant) {
        self.debouncer.note(path.clone(), Mark::Doubted, Instant::now());
        self.debouncer.remember(path, changed);
    }

    /// The look at `path`, for a change at `changed`, is put off for a moment.
    pub fn put_off(&mut self, path: &SitePath, changed: Instant) {
        self.debouncer.put_off(path.clone(), Instant::now());
        self.debouncer.remember(path, changed);
    }

    /// The file, which changed at `changed`, has changed again, and the next look at it is due.
    pub fn skip(&mut self, path: &SitePath, changed: Instant) {
        self.debouncer.remember(path, changed);
    }

    /// Lines may come to `path` without an event: look in a moment.
    pub fn look_later(&mut self, path: &SitePath) {
        self.debouncer.look_later(path, Instant::now() + LATE);
    }

    /// The file changed while it was read: look again when it is quiet.
    pub fn unsettled(&mut self, path: &SitePath, changed: Instant) {
        self.debouncer.note(path.clone(), Mark::Touched, Instant::now());
        self.debouncer.remember(path, changed);
    }

    /// Takes the signals that have come, but for changes that come again among them: a program that saves without a pause
    /// makes more of them than anybody could look after, and they must not keep others waiting.
    fn hear(&mut self) {
        let signals: Vec<_> = self.signals.try_iter().take(AT_ONCE).collect();
        let mut later = HashSet::new();
        let mut is_last = |signal: &Signal| match signal {
            Signal::Change(change, _) => later.insert(change.clone()),
            _ => true,
        };
        let mut last: Vec<_> = signals.into_iter().rev().filter(|signal| is_last(signal)).collect();
        while let Some(signal) = last.pop() {
            self.take(signal);
        }
    }

    fn take(&mut self, signal: Signal) {
        match signal {
            Signal::Change(change, now) => self.note(change, now),
            Signal::Follow(path) => self.follow(path),
            Signal::Unfollow(path) => self.unfollow(&path),
            Signal::FollowLines(path) => {
                self.debouncer.hasten(path.clone());
                self.follow(path);
            }
            Signal::UnfollowLines(path) => {
                self.debouncer.slow_down(&path);
                self.unfollow(&path);
                // One more look, at which the pipeline sees that it may close the file.
                self.debouncer.note(path, Mark::Done, Instant::now());
            }
            Signal::Changed(path) => self.announce(&path),
            #[cfg(feature = "cli")]
            Signal::Expect => self.tree.expect(Instant::now()),
            Signal::Stop => self.is_stopped = true,
        }
    }

    fn follow(&mut self, path: SitePath) {
        if self.plan.follow(&path) {
            if path.is_answer() {
                self.tree.follow();
            }
            self.find_route(&path);
            self.sources.begin(&path);
        }
        self.debouncer.note(path, Mark::Asked, Instant::now());
        self.count();
    }

    fn unfollow(&mut self, path: &SitePath) {
        release(&mut self.registry, &self.tree, self.plan.unfollow(path));
        if !self.plan.is_followed(path) {
            if path.is_answer() {
                self.tree.unfollow(Instant::now());
            }
            self.debouncer.forget(path);
            self.sources.end(path);
        }
        self.count();
    }

    /// A source says that something else stands at a place now.
    fn announce(&mut self, path: &SitePath) {
        if self.plan.is_followed(path) {
            self.debouncer.note(path.clone(), Mark::Done, Instant::now());
        }
    }

    /// Something happened at `now`, which may be a little later than the present: as long as something may still come.
    fn note(&mut self, change: Change, now: Instant) {
        let (place, mark) = match change {
            Change::Done(place) => (place, Mark::Done),
            Change::Written(place) => (place, Mark::Written),
            Change::Touched(place) => (place, Mark::Touched),
            Change::Gone(place) => (place, Mark::Gone),
            Change::Lost => return self.look_everywhere(),
        };
        let shared = self.plan.is_shared(&place).then(|| step(&place)).and_then(Step::shared);
        self.registry.remove_below(&place, shared);
        let passing = self.plan.passing(&place);
        let is_noise = self.tree.note(&place, mark, now, &mut self.registry) == Some(false) && passing.is_empty();
        match mark {
            Mark::Gone => self.burst.forget(&place),
            Mark::Done | Mark::Written | Mark::Touched | Mark::Doubted | Mark::Asked if !is_noise => {
                self.burst.note(&place, now);
            }
            _ => {}
        }
        for (path, is_its_end) in passing {
            self.find_route(&path);
            let mark = if is_its_end { mark } else { Mark::Done };
            // What is saved under one name is saved under all of them. The system tells only of one.
            for namesake in self.plan.namesakes(&path) {
                self.debouncer.note(namesake, mark, now);
            }
            self.debouncer.note(path, mark, now);
        }
        for path in place.parent().into_iter().flat_map(|directory| self.plan.listing(directory)) {
            // Files come in bursts, so a listing waits for quiet.
            self.debouncer.note(path, Mark::Touched, now);
        }
        self.count();
    }

    /// Events were lost, so anything may have happened: all watches are made anew, and all is looked at.
    fn look_everywhere(&mut self) {
        self.registry.remove_below(Path::new(""), None);
        self.tree.look_everywhere(Instant::now(), &mut self.registry);
        for path in self.plan.followed() {
            self.find_route(&path);
            self.debouncer.note(path, Mark::Done, Instant::now());
        }
        self.count();
    }

    /// Looks at all that is polled, if it is time.
    fn poll(&mut self) {
        if !self.registry.is_polling() {
            return self.poll.stop();
        }
        if self.poll.due(Instant::now()) > Instant::now() {
            return;
        }
        let (passing, listing) = self.plan.places();
        let places = || {
            let mut places = passing.filter(|place| self.registry.is_polled(place)).cloned().collect::<HashSet<_>>();
            let listing = listing.chain(self.tree.directories());
            for directory in listing.filter(|directory| self.registry.is_blind(directory)) {
                // A directory that can't be read has no entries, and the look at it says so.
                let entries = directory.read_dir().into_iter().flatten().flatten();
                places.extend(entries.map(|entry| entry.path()));
            }
            places
        };
        let stamp = |place: &Path| place.symlink_metadata().ok().as_ref().map(Fingerprint::of);
        // Nobody says when a writer is done, and what it writes meanwhile is seen in the next round.
        let next = Instant::now() + self.poll.every();
        for change in self.poll.round(places, stamp, Instant::now) {
            self.note(change, next);
        }
    }

    /// Finds the way to a path, and watches all on it.
    ///
    /// Each directory is watched before what is in it is looked up, so what is created in between is seen either way. A
    /// link may have changed before its directory was watched, so the way is found again until it stays the same.
    fn find_route(&mut self, path: &SitePath) {
        let Some((root, inside)) = self.sources.directory_of(path) else { return };
        for _ in 0..ATTEMPTS {
            let route = Route::find(root, &inside, step);
            for (place, shared) in route.watches() {
                self.registry.add(place, shared);
            }
            if self.plan.route(path) == Some(&route) {
                return;
            }
            release(&mut self.registry, &self.tree, self.plan.set_route(path, route));
        }
    }

    fn count(&self) {
        self.counts.set(self.plan.files(), self.registry.directories());
    }
}

/// No way needs these watched any more.
fn release(registry: &mut WatchRegistry, tree: &Tree, mut places: Vec<PathBuf>) {
    places.retain(|place| !tree.needs(place));
    registry.remove(&places);
}

/// What a name on the way to a path stands for.
fn step(place: &Path) -> Step {
    // What can't be seen is as good as missing: whoever makes it visible changes the directory above.
    let Ok(metadata) = place.symlink_metadata() else { return Step::Missing };
    if metadata.is_symlink() {
        return place.read_link().map_or(Step::Missing, Step::Link);
    }
    let shared = fingerprint::shared(&metadata);
    // Another spelling is as a link to that of the disk, in which its events come.
    let real = if spelling::IS_FREE { place.canonicalize().ok() } else { None };
    if let Some(name) = real.and_then(|real| spelling::respelled(place, &real, shared.is_some())) {
        return Step::Link(name);
    }
    shared.map_or(Step::Plain, Step::Shared)
}

#[cfg(test)]
mod tests;
