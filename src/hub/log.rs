//! Files that are followed line by line: what was appended, for a while.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::Weak;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bytes::Bytes;

use crate::change::lines::Mark;
use crate::hub::Demand;
use crate::hub::Hub;
use crate::site_path::SitePath;

/// How many bytes are kept for those who are slower. Who is slower than that reads the file.
const KEPT: usize = 1 << 20;

/// A file behind a name. It can be read also when another one has taken its place.
pub trait Generation: fmt::Debug + Send + Sync {
    /// Up to `count` bytes from `position` on.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    fn read(&self, position: u64, count: usize) -> io::Result<Vec<u8>>;

    /// As much of what is before `position` as a [`Mark`] needs.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    fn before(&self, position: u64) -> io::Result<Vec<u8>>;

    /// The place at `position`, which stands for what is before it.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    fn mark(&self, position: u64) -> io::Result<Mark>;
}

/// How far a file was read. Whoever reads it for all keeps it open, and nobody else does.
#[derive(Clone, Debug)]
pub struct Extent {
    /// The file.
    pub generation: Weak<dyn Generation>,
    /// Where its last complete line ends.
    pub end: Mark,
}

/// The files that a name has stood for lately, from the oldest to the newest.
#[derive(Clone, Debug, Default)]
pub struct Generations {
    /// How far each was read.
    pub extents: Vec<Extent>,
    /// Whether the newest one is there still.
    pub is_there: bool,
}

/// What happened to a file that is followed line by line.
#[derive(Debug)]
pub enum LogNews {
    /// This is what there is now. Told first.
    Start(Generations),
    /// Complete lines were appended; perhaps to a file whose place another one has taken already.
    Grown(Grown),
    /// It begins anew: it was truncated or replaced.
    Reset(Mark),
    /// It is gone.
    Removed,
    /// More has come than is kept: it is in the file, up to here.
    Far(Extent),
    /// Some news were missed: all is in the files, up to here.
    Missed(Generations),
}

/// Lines that were appended, with the text made of them, which all listeners share.
#[derive(Debug)]
pub struct Grown {
    /// Where they are, up to the end of the last of them.
    pub extent: Extent,
    /// Where the first of them begins.
    pub start: Mark,
    /// What is before them: as much as the places in them need.
    pub before: Vec<u8>,
    /// The lines, each with its end.
    pub lines: Vec<u8>,
    text: OnceLock<Bytes>,
}

impl Grown {
    /// Complete lines from `start` to the end of the extent.
    #[must_use]
    pub fn new(extent: Extent, start: Mark, before: Vec<u8>, lines: Vec<u8>) -> Self {
        Self { extent, start, before, lines, text: OnceLock::new() }
    }

    /// The text; `write` is called for the first listener only.
    pub fn text(&self, write: impl FnOnce(&Self) -> Bytes) -> Bytes {
        self.text.get_or_init(|| write(self)).clone()
    }
}

/// A followed file.
#[derive(Default)]
struct Log {
    /// Whether it was looked at.
    is_known: bool,
    generations: Generations,
    news: VecDeque<Arc<LogNews>>,
    /// The number of the oldest of them.
    first: u64,
    bytes: usize,
    listeners: HashMap<u64, Option<Waker>>,
}

/// All of them. Part of the state of the hub.
#[derive(Default)]
pub(super) struct Logs {
    by_path: HashMap<SitePath, Log>,
    next_follower: u64,
}

impl Logs {
    pub(super) fn listeners(&self) -> usize {
        self.by_path.values().map(|log| log.listeners.len()).sum()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &SitePath> {
        self.by_path.keys()
    }

    pub(super) fn wakers(&mut self) -> impl Iterator<Item = Waker> {
        self.by_path.values_mut().flat_map(|log| log.listeners.values_mut().filter_map(Option::take))
    }
}

impl Log {
    fn push(&mut self, news: LogNews) {
        // With what each needs besides.
        let size = |news: &LogNews| if let LogNews::Grown(grown) = news { grown.lines.len() + 1024 } else { 256 };
        self.bytes += size(&news);
        self.news.push_back(Arc::new(news));
        while self.bytes > KEPT && self.news.len() > 1 {
            if let Some(news) = self.news.pop_front() {
                self.bytes -= size(&news);
            }
            self.first += 1;
        }
    }
}

impl Hub {
    /// Whether somebody follows `path` line by line, and if so, whether its end was told already.
    #[must_use]
    pub fn log(&self, path: &SitePath) -> Option<bool> {
        self.state().logs.by_path.get(path).map(|log| log.is_known)
    }

    /// Tells those who follow `path` line by line what has happened, and what there is now.
    pub fn append(&self, path: &SitePath, news: Vec<LogNews>, generations: Generations) {
        let mut wakers = Vec::new();
        {
            let mut state = self.state();
            let Some(log) = state.logs.by_path.get_mut(path) else { return };
            (log.is_known, log.generations) = (true, generations);
            news.into_iter().for_each(|news| log.push(news));
            wakers.extend(log.listeners.values_mut().filter_map(Option::take));
            state.updates += 1;
        }
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// Follows a file line by line: a cursor, never a queue. Dropping it ends that.
pub struct LogFollower {
    hub: Arc<Hub>,
    path: SitePath,
    id: u64,
    /// The number of the news that it wants next; `None` until it was told where the file ends.
    next: Option<u64>,
}

impl LogFollower {
    /// Begins to follow.
    #[must_use]
    pub fn new(hub: &Arc<Hub>, path: SitePath) -> Self {
        let mut state = hub.state();
        let id = state.logs.next_follower;
        state.logs.next_follower += 1;
        state.logs.by_path.entry(path.clone()).or_default().listeners.insert(id, None);
        (hub.demand)(Demand::FollowLines(path.clone()));
        drop(state);
        Self { hub: hub.clone(), path, id, next: None }
    }

    /// What it is told next; `None` when the hub has closed.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Arc<LogNews>>> {
        let state = &mut *self.hub.state();
        if state.closed {
            return Poll::Ready(None);
        }
        let Some(log) = state.logs.by_path.get_mut(&self.path) else { return Poll::Ready(None) };
        let end = log.first + log.news.len() as u64;
        match self.next {
            None if log.is_known => {
                self.next = Some(end);
                return Poll::Ready(Some(Arc::new(LogNews::Start(log.generations.clone()))));
            }
            Some(next) if next < log.first => {
                self.next = Some(end);
                return Poll::Ready(Some(Arc::new(LogNews::Missed(log.generations.clone()))));
            }
            Some(next) if next < end => {
                let place = usize::try_from(next - log.first).unwrap_or(usize::MAX);
                self.next = Some(next + 1);
                return Poll::Ready(log.news.get(place).cloned());
            }
            _ => {}
        }
        log.listeners.insert(self.id, Some(context.waker().clone()));
        Poll::Pending
    }

    /// Whether the hub has closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.hub.state().closed
    }

    /// What it is told next; `None` when the hub has closed.
    pub async fn next(&mut self) -> Option<Arc<LogNews>> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }
}

impl Drop for LogFollower {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        if let Some(log) = state.logs.by_path.get_mut(&self.path) {
            log.listeners.remove(&self.id);
            if log.listeners.is_empty() {
                state.logs.by_path.remove(&self.path);
            }
        }
        (self.hub.demand)(Demand::UnfollowLines(self.path.clone()));
    }
}
