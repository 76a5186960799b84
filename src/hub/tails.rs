//! Files that are followed line by line: what was appended, for a while.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::Weak;

use bytes::Bytes;

use crate::content::lines::Mark;
use crate::hub::waiters::Waiters;
use crate::hub::waiters::Wakers;
use crate::site::SitePath;

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
pub enum TailEvent {
    /// This is what there is now. Published first.
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
pub(super) struct Tail {
    /// Whether it was looked at.
    pub(super) is_known: bool,
    pub(super) generations: Generations,
    pub(super) news: VecDeque<Arc<TailEvent>>,
    /// The number of the oldest of them.
    pub(super) first: u64,
    bytes: usize,
    pub(super) listeners: Waiters,
}

/// All of them. Part of the state of the hub.
#[derive(Default)]
pub(super) struct Tails {
    pub(super) by_path: HashMap<SitePath, Tail>,
    pub(super) next_follower: u64,
}

impl Tails {
    pub(super) fn listeners(&self) -> usize {
        self.by_path.values().map(|tail| tail.listeners.len()).sum()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &SitePath> {
        self.by_path.keys()
    }

    pub(super) fn wake_all(&mut self, wakers: &mut Wakers) {
        self.by_path.values_mut().for_each(|tail| tail.listeners.wake_all(wakers));
    }
}

impl Tail {
    pub(super) fn push(&mut self, news: TailEvent) {
        // With what each needs besides.
        let size = |news: &TailEvent| if let TailEvent::Grown(grown) = news { grown.lines.len() + 1024 } else { 256 };
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
