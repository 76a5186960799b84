//! Stage 1: file system → settled batches. The only place that names `notify`.
//!
//! Watched are the directories on the way from the root to each followed path, not recursively, and only while
//! somebody follows it.

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
pub use crate::watch::settle::Look;
use crate::watch::settle::Mark;
use crate::watch::settle::Settle;
use crate::watch::source::Change;
use crate::watch::source::Source;
pub use crate::watch::source::WatchError;

/// The watching side of the pipeline: it owns the watches, and says where to look.
pub struct Watch {
    root: PathBuf,
    signals: Receiver<Signal>,
    source: Source,
    plan: Plan,
    settle: Settle,
    /// The directories of the plan that are watched now; the others do not exist, or can't be watched.
    watched: BTreeSet<SitePath>,
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
            for directory in path.directories() {
                if !self.watched.contains(&directory) {
                    self.watch(directory);
                }
            }
        }
        self.settle.note(path, Mark::Done, Instant::now());
        self.count();
    }

    fn unfollow(&mut self, path: &SitePath) {
        for directory in self.plan.unfollow(path) {
            if self.watched.remove(&directory) {
                self.source.unwatch(&directory.to_file(&self.root));
            }
        }
        if !self.plan.is_followed(path) {
            self.settle.forget(path);
        }
        self.count();
    }

    fn note(&mut self, change: Change) {
        let now = Instant::now();
        let (file, mark) = match change {
            Change::Done(file) => (file, Mark::Done),
            Change::Touched(file) => (file, Mark::Touched),
            Change::Gone(file) => (file, Mark::Gone),
            Change::Lost => return self.look_below(&SitePath::root()),
        };
        let Some(path) = SitePath::from_file(&self.root, &file) else { return };
        let directory = path.as_directory();
        if self.plan.needs(&directory) {
            self.look_below(&directory);
        }
        if let Some(parent) = path.parent()
            && self.plan.is_followed(&parent)
        {
            // Its listing. Files come in bursts, so it waits for quiet.
            self.settle.note(parent, Mark::Touched, now);
        }
        if self.plan.is_followed(&path) {
            self.settle.note(path, mark, now);
        }
    }

    /// A directory on the way to something followed came, went or was replaced, or events were lost: all watches from
    /// there down are made anew, and what lies below is looked at.
    ///
    /// Each directory is watched before what is in it is looked at, so what is created in between is seen either way.
    fn look_below(&mut self, directory: &SitePath) {
        for needed in self.plan.directories_below(directory) {
            if self.watched.remove(&needed) {
                // Gone from the watcher already if the system has noticed.
                self.source.unwatch(&needed.to_file(&self.root));
            }
            self.watch(needed);
        }
        for followed in self.plan.followed_below(directory) {
            self.settle.note(followed, Mark::Done, Instant::now());
        }
        self.count();
    }

    fn watch(&mut self, directory: SitePath) {
        let path = directory.to_file(&self.root);
        // A link may lead out of the root. Nothing is served from there, so nothing is watched there.
        if !path.canonicalize().is_ok_and(|real| real.starts_with(&self.root)) {
            return;
        }
        match self.source.watch(&path) {
            Ok(()) => drop(self.watched.insert(directory)),
            // Its parent will tell when it is there.
            Err(error) if error.is_missing() => {}
            Err(error) => (self.complain)(error),
        }
    }

    fn count(&self) {
        self.counts.files.store(self.plan.files(), Ordering::Relaxed);
        self.counts.directories.store(self.watched.len(), Ordering::Relaxed);
    }
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
        assert_eq!(story.remote.watched(), (2, 2));

        let unfollow = |url| story.remote.unfollow(SitePath::from_url(url).unwrap());
        unfollow("/sub/a.json");
        unfollow("/sub/a.json");
        story.follow("/b.json");
        assert_eq!(story.remote.watched(), (1, 1));
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
        assert_eq!(story.remote.watched(), (1, 1));
        fs::create_dir_all(story.file("a/b")).unwrap();
        fs::write(story.file("a/b/c.json"), "1").unwrap();
        story.expect("/a/b/c.json");
        while story.remote.watched() != (1, 3) {
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
