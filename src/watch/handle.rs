//! How the rest of the program talks to the watch: what is in use goes in, counts come out.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::time::Instant;

use crate::site::SitePath;
use crate::watch::system::Change;

/// Tells a [`Watch`](crate::watch::Watch) from any thread what is in use.
#[derive(Clone)]
pub struct WatchHandle {
    signals: Sender<Signal>,
    counts: Arc<Counts>,
}

/// What a [`Watch`](crate::watch::Watch) begins with. What is said meanwhile waits for it.
pub struct Signals {
    pub(super) sender: Sender<Signal>,
    pub(super) receiver: Receiver<Signal>,
    pub(super) counts: Arc<Counts>,
}

/// Both ends of the way to a watch.
#[must_use]
pub fn signals() -> (WatchHandle, Signals) {
    let (sender, receiver) = mpsc::channel();
    let counts = Arc::new(Counts::default());
    (WatchHandle { signals: sender.clone(), counts: counts.clone() }, Signals { sender, receiver, counts })
}

/// What wakes the watch.
pub(super) enum Signal {
    /// What the system tells, and when it did.
    Change(Change, Instant),
    Follow(SitePath),
    Unfollow(SitePath),
    FollowLines(SitePath),
    UnfollowLines(SitePath),
    /// A source that has no directory says that another thing stands there.
    Changed(SitePath),
    /// A page was sent that is about to follow what another server answers.
    #[cfg(feature = "cli")]
    Expect,
    Stop,
}

/// How much is being watched.
#[derive(Default)]
pub(super) struct Counts {
    files: AtomicUsize,
    directories: AtomicUsize,
}

impl Counts {
    pub(super) fn set(&self, files: usize, directories: usize) {
        self.files.store(files, Ordering::Relaxed);
        self.directories.store(directories, Ordering::Relaxed);
    }
}

impl WatchHandle {
    /// One more follower of `path`. It is looked at in any case, because the follower may know more than we do.
    pub fn follow(&self, path: SitePath) {
        self.send(Signal::Follow(path));
    }

    /// One follower of `path` less. With the last one, its watches go away.
    pub fn unfollow(&self, path: SitePath) {
        self.send(Signal::Unfollow(path));
    }

    /// One more who follows `path` line by line: looks at it do not wait until the writer is done.
    pub fn follow_lines(&self, path: SitePath) {
        self.send(Signal::FollowLines(path));
    }

    /// One of those who follow `path` line by line less.
    pub fn unfollow_lines(&self, path: SitePath) {
        self.send(Signal::UnfollowLines(path));
    }

    /// What stands at `path` may be another thing now: it is looked at, if somebody follows it. For sources that no directory
    /// tells of.
    pub fn changed(&self, path: SitePath) {
        self.send(Signal::Changed(path));
    }

    /// A page was sent that is about to follow what another server answers: what decides that is watched from now on.
    #[cfg(feature = "cli")]
    pub fn expect(&self) {
        self.send(Signal::Expect);
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
