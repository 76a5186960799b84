//! Stage 1: file system → settled batches. The only place that names `notify`.
//!
//! Watched are the directories on the way from the root (and its parent, because the root may be replaced) to each
//! followed path, through links too, not recursively, and only while somebody follows it.

mod plan;
mod settle;
mod source;

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::Sender;
use std::time::Instant;

use crate::site_path::SitePath;
use crate::watch::plan::Plan;
use crate::watch::plan::Route;
pub use crate::watch::settle::Look;
use crate::watch::settle::Mark;
use crate::watch::settle::Settle;
use crate::watch::source::Change;
use crate::watch::source::Source;
pub use crate::watch::source::WatchError;

/// How often a way is found again that changes while it is found. Whoever changes it goes on making events.
const ATTEMPTS: usize = 10;

/// The watching side of the pipeline: it owns the watches, and says where to look.
pub struct Watch {
    root: PathBuf,
    signals: Receiver<Signal>,
    source: Source,
    plan: Plan,
    settle: Settle,
    /// The directories of the plan that are watched now; the others do not exist, or can't be watched.
    watched: BTreeSet<PathBuf>,
    /// The directories that could not be watched, so that each is complained of once.
    refused: BTreeSet<PathBuf>,
    counts: Arc<Counts>,
    complain: Box<dyn Fn(WatchError) + Send>,
}

/// Tells a [`Watch`] from any thread what is in use.
#[derive(Clone)]
pub struct Remote {
    signals: Sender<Signal>,
    counts: Arc<Counts>,
}

/// How much is being watched.
#[derive(Default)]
struct Counts {
    files: AtomicUsize,
    directories: AtomicUsize,
}

enum Signal {
    Change(Change),
    Follow(SitePath),
    Unfollow(SitePath),
    Stop,
}

impl Watch {
    /// Begins with no watch at all. `complain` hears of directories that can't be watched.
    ///
    /// # Errors
    ///
    /// If the system has no more room for a watcher.
    pub fn new(root: &Path, complain: impl Fn(WatchError) + Send + 'static) -> Result<(Self, Remote), WatchError> {
        let (sender, signals) = mpsc::channel();
        let changes = sender.clone();
        // Nobody hears of changes that come after the stop, and nobody needs to.
        let source = Source::new(move |change| drop(changes.send(Signal::Change(change))))?;
        let counts = Arc::new(Counts::default());
        let watch = Self {
            root: root.to_path_buf(),
            signals,
            source,
            plan: Plan::default(),
            settle: Settle::default(),
            watched: BTreeSet::new(),
            refused: BTreeSet::new(),
            counts: counts.clone(),
            complain: Box::new(complain),
        };
        Ok((watch, Remote { signals: sender, counts }))
    }

    /// Waits for the next batch: what has settled and is to be looked at. `None` when the watch was stopped.
    ///
    /// A path that is followed from now on is part of it, after its watch has become active, so that nothing is lost
    /// between the first look and the first change.
    pub fn next_batch(&mut self) -> Option<Vec<Look>> {
        loop {
            while let Ok(signal) = self.signals.try_recv() {
                self.take(signal)?;
            }
            let batch = self.settle.take(Instant::now());
            if !batch.is_empty() {
                return Some(batch);
            }
            let signal = match self.settle.deadline() {
                None => self.signals.recv().ok(),
                Some(deadline) => match self.signals.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                    Ok(signal) => Some(signal),
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => None,
                },
            };
            self.take(signal?)?;
        }
    }

    /// The look at `path` was good: earlier doubts are settled.
    pub fn trust(&mut self, path: &SitePath) {
        self.settle.trust(path);
    }

    /// The look at `path` found what a save in progress looks like: look again in a moment.
    pub fn doubt(&mut self, path: SitePath) {
        self.settle.note(path, Mark::Doubted, Instant::now());
    }

    /// The file changed while it was read: look again when it is quiet.
    pub fn unsettled(&mut self, path: SitePath) {
        self.settle.note(path, Mark::Touched, Instant::now());
    }

    /// `None` ends the watch.
    fn take(&mut self, signal: Signal) -> Option<()> {
        match signal {
            Signal::Change(change) => self.note(change),
            Signal::Follow(path) => self.follow(path),
            Signal::Unfollow(path) => self.unfollow(&path),
            Signal::Stop => return None,
        }
        Some(())
    }

    fn follow(&mut self, path: SitePath) {
        if self.plan.follow(&path) {
            self.find_route(&path);
        }
        self.settle.note(path, Mark::Done, Instant::now());
        self.count();
    }

    fn unfollow(&mut self, path: &SitePath) {
        let unneeded = self.plan.unfollow(path);
        self.unwatch(&unneeded);
        if !self.plan.is_followed(path) {
            self.settle.forget(path);
        }
        self.count();
    }

    fn note(&mut self, change: Change) {
        let now = Instant::now();
        let (place, mark) = match change {
            Change::Done(place) => (place, Mark::Done),
            Change::Touched(place) => (place, Mark::Touched),
            Change::Gone(place) => (place, Mark::Gone),
            Change::Lost => return self.look_everywhere(),
        };
        // What is watched there may be another directory by now, and a watch does not move to it.
        self.unwatch(&below(&self.watched, &place));
        for (path, is_its_end) in self.plan.passing(&place) {
            self.find_route(&path);
            self.settle.note(path, if is_its_end { mark } else { Mark::Done }, now);
        }
        for path in place.parent().into_iter().flat_map(|directory| self.plan.listing(directory)) {
            // Files come in bursts, so a listing waits for quiet.
            self.settle.note(path, Mark::Touched, now);
        }
        self.count();
    }

    /// Events were lost, so anything may have happened: all watches are made anew, and all is looked at.
    fn look_everywhere(&mut self) {
        self.unwatch(&below(&self.watched, Path::new("")));
        for path in self.plan.followed() {
            self.find_route(&path);
            self.settle.note(path, Mark::Done, Instant::now());
        }
        self.count();
    }

    /// Finds the way to a path, and watches all directories on it.
    ///
    /// Each directory is watched before what is in it is looked up, so what is created in between is seen either way. A
    /// link may have changed before its directory was watched, so the way is found again until it stays the same.
    fn find_route(&mut self, path: &SitePath) {
        for _ in 0..ATTEMPTS {
            let route = Route::find(&self.root, path, |place| place.read_link().ok());
            for directory in route.directories() {
                if !self.watched.contains(directory) && self.watch(directory) {
                    self.watched.insert(directory.to_path_buf());
                }
            }
            if self.plan.route(path) == Some(&route) {
                return;
            }
            let unneeded = self.plan.set_route(path, route);
            self.unwatch(&unneeded);
        }
    }

    /// Whether the directory is watched from now on.
    fn watch(&mut self, directory: &Path) -> bool {
        match self.source.watch(directory) {
            Ok(()) => {
                self.refused.remove(directory);
                true
            }
            // Its parent will tell when it is there.
            Err(error) if error.is_missing() => false,
            // The parent of the root may be nobody's to read. Only a new root would go unnoticed.
            Err(_) if !directory.starts_with(&self.root) => false,
            Err(error) => {
                if self.refused.insert(directory.to_path_buf()) {
                    (self.complain)(error);
                }
                false
            }
        }
    }

    fn unwatch(&mut self, directories: &[PathBuf]) {
        for directory in directories {
            if self.watched.remove(directory) {
                self.source.unwatch(directory);
            }
        }
    }

    fn count(&self) {
        self.counts.files.store(self.plan.files(), Ordering::Relaxed);
        self.counts.directories.store(self.watched.len(), Ordering::Relaxed);
    }
}

/// The directories from this one down.
fn below(directories: &BTreeSet<PathBuf>, directory: &Path) -> Vec<PathBuf> {
    // Paths are ordered by their segments, so what lies below stands next to it.
    directories.range(directory.to_path_buf()..).take_while(|path| path.starts_with(directory)).cloned().collect()
}

impl Remote {
    /// One more follower of `path`. It is looked at in any case, because the follower may know more than we do.
    pub fn follow(&self, path: SitePath) {
        self.send(Signal::Follow(path));
    }

    /// One follower of `path` less. With the last one, its watches go away.
    pub fn unfollow(&self, path: SitePath) {
        self.send(Signal::Unfollow(path));
    }

    /// Ends the watch, and with it the thread that waits for its batches.
    pub fn stop(&self) {
        self.send(Signal::Stop);
    }

    /// The number of followed paths, and of watched directories.
    #[must_use]
    pub fn watched(&self) -> (usize, usize) {
        (self.counts.files.load(Ordering::Relaxed), self.counts.directories.load(Ordering::Relaxed))
    }

    fn send(&self, signal: Signal) {
        // Fails when the watch has stopped, and then there is nothing left to tell.
        drop(self.signals.send(signal));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Story {
        site: tempfile::TempDir,
        watch: Watch,
        remote: Remote,
    }

    impl Story {
        fn new() -> Self {
            let site = tempfile::tempdir().unwrap();
            let root = site.path().canonicalize().unwrap();
            let (watch, remote) = Watch::new(&root, |error| panic!("{error}")).unwrap();
            Self { site, watch, remote }
        }

        fn follow(&mut self, url: &str) {
            self.remote.follow(SitePath::from_url(url).unwrap());
            self.expect(url);
        }

        /// The next look is at this path.
        #[track_caller]
        fn expect(&mut self, url: &str) {
            let looks = self.watch.next_batch().unwrap();
            assert_eq!(looks.iter().map(|look| look.path.as_str()).collect::<Vec<_>>(), [url]);
        }

        fn file(&self, name: &str) -> PathBuf {
            self.site.path().canonicalize().unwrap().join(name)
        }
    }

    #[test]
    fn watches_what_is_followed_and_stops_with_it() {
        let mut story = Story::new();
        fs::create_dir(story.file("sub")).unwrap();
        assert_eq!(story.remote.watched(), (0, 0));
        story.follow("/sub/a.json");
        story.follow("/sub/a.json");
        story.follow("/b.json");
        assert_eq!(story.remote.watched(), (2, 3));

        let unfollow = |url| story.remote.unfollow(SitePath::from_url(url).unwrap());
        unfollow("/sub/a.json");
        unfollow("/sub/a.json");
        story.follow("/b.json");
        assert_eq!(story.remote.watched(), (1, 2));
    }

    #[test]
    fn tells_of_saves() {
        let mut story = Story::new();
        story.follow("/a.json");
        fs::write(story.file("other.json"), "1").unwrap();
        fs::write(story.file("a.json"), "1").unwrap();
        story.expect("/a.json");
        fs::write(story.file("temporary"), "2").unwrap();
        fs::rename(story.file("temporary"), story.file("a.json")).unwrap();
        story.expect("/a.json");
    }

    #[test]
    fn finds_files_in_directories_that_come_later() {
        let mut story = Story::new();
        story.follow("/a/b/c.json");
        assert_eq!(story.remote.watched(), (1, 2));
        fs::create_dir_all(story.file("a/b")).unwrap();
        fs::write(story.file("a/b/c.json"), "1").unwrap();
        story.expect("/a/b/c.json");
        while story.remote.watched() != (1, 4) {
            story.expect("/a/b/c.json");
        }
    }

    #[test]
    fn stops() {
        let mut story = Story::new();
        story.remote.stop();
        assert!(story.watch.next_batch().is_none());
    }
}
