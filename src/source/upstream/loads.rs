//! What browsers have loaded through the proxy, until their pages ask which version that was. The head of an answer comes before its
//! body, and so before anybody knows its version: it names the load instead.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use bytes::BytesMut;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::content::Version;

/// How many loads are remembered. A page asks for its own within a second.
const LOADS: usize = 20_000;

/// How many pages are kept as they were sent, and how many bytes of them. A page asks for itself once.
const PAGES: usize = 200;
const PAGE_BYTES: usize = 32 << 20;

/// How many bytes of answers are kept while they come.
const COMING: usize = 32 << 20;

/// How long somebody waits for a version that is still being found out.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was loaded.
#[derive(Default)]
pub struct Loads {
    state: Mutex<State>,
    /// Some version is known.
    found: Notify,
    /// How many bytes are kept of what is still coming.
    coming: AtomicUsize,
}

/// What has come of an answer, as long as there is room for it.
pub struct Coming {
    loads: Arc<Loads>,
    bytes: BytesMut,
    /// How many bytes of the room for all of them this takes.
    taken: usize,
    most: usize,
}

#[derive(Default)]
struct State {
    /// How many there were.
    count: u64,
    /// Makes names that nobody can guess: with that of a page, it can be read, and it may be somebody else's.
    names: RandomState,
    versions: HashMap<u64, Load>,
    order: VecDeque<u64>,
    pages: VecDeque<(u64, Bytes)>,
    bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    /// It is still on its way, or being read.
    Coming,
    /// All of it has come. Without a version, nobody knows which one it is.
    Known(Option<Version>),
}

impl Loads {
    /// Begins a load, and says what it is called.
    pub fn begin(&self) -> u64 {
        let mut state = self.state();
        let load = state.name();
        if state.order.len() >= LOADS
            && let Some(oldest) = state.order.pop_front()
        {
            state.versions.remove(&oldest);
        }
        state.order.push_back(load);
        state.versions.insert(load, Load::Coming);
        load
    }

    /// It was this version.
    pub fn end(&self, load: u64, version: Option<Version>) {
        let mut state = self.state();
        // Forgotten, if there were too many since.
        if let Some(known) = state.versions.get_mut(&load) {
            *known = Load::Known(version);
        }
        drop(state);
        self.found.notify_waiters();
    }

    /// Keeps a page as it was sent, and says what its load is called.
    pub fn page(&self) -> u64 {
        self.state().name()
    }

    /// This page was sent.
    pub fn keep(&self, load: u64, page: Bytes) {
        let mut state = self.state();
        state.bytes += page.len();
        state.pages.push_back((load, page));
        while state.pages.len() > PAGES || state.bytes > PAGE_BYTES {
            let oldest = state.pages.pop_front();
            state.bytes -= oldest.map_or(0, |(_, page)| page.len());
        }
    }

    /// The page of this load, which is kept no longer.
    pub fn take(&self, load: u64) -> Option<Bytes> {
        let mut state = self.state();
        let place = state.pages.iter().position(|(other, _)| *other == load)?;
        let (_, page) = state.pages.remove(place)?;
        state.bytes -= page.len();
        Some(page)
    }

    /// The versions of these loads, as soon as they are known.
    pub async fn versions(&self, loads: &[u64]) -> Vec<Option<Version>> {
        let all = async {
            loop {
                let found = self.found.notified();
                let mut found = std::pin::pin!(found);
                // Before it is looked, so that nothing is missed in between.
                found.as_mut().enable();
                if !self.known(loads).contains(&Load::Coming) {
                    return;
                }
                found.await;
            }
        };
        // What takes longer is not known.
        drop(timeout(PATIENCE, all).await);
        let version = |load| match load {
            Load::Known(version) => version,
            Load::Coming => None,
        };
        self.known(loads).into_iter().map(version).collect()
    }

    /// What is known of them. Of those that are forgotten, it is nothing.
    fn known(&self, loads: &[u64]) -> Vec<Load> {
        let state = self.state();
        loads.iter().map(|load| state.versions.get(load).copied().unwrap_or(Load::Known(None))).collect()
    }

    /// No code panics while it holds this lock, so a poisoned lock is still whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Coming {
    /// Keeps at most so many bytes.
    #[must_use]
    pub fn new(loads: &Arc<Loads>, most: usize) -> Self {
        Self { loads: loads.clone(), bytes: BytesMut::new(), taken: 0, most }
    }

    /// Keeps the next part. False if there is no room for it.
    #[must_use]
    pub fn extend(&mut self, part: &[u8]) -> bool {
        let coming = self.loads.coming.fetch_add(part.len(), Ordering::Relaxed) + part.len();
        self.taken += part.len();
        self.bytes.extend_from_slice(part);
        coming <= COMING && self.bytes.len() <= self.most
    }

    /// All of it. There is room for others when this is dropped.
    #[must_use]
    pub fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.bytes).freeze()
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.loads.coming.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

impl State {
    fn name(&mut self) -> u64 {
        self.count += 1;
        self.names.hash_one(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_pages_will_ask_for() {
        let loads = Loads::default();
        let first = loads.begin();
        for _ in 0..LOADS {
            loads.begin();
        }
        assert!(loads.state().versions.len() <= LOADS && loads.state().order.len() <= LOADS);
        assert_eq!(loads.known(&[first]), [Load::Known(None)], "it is forgotten");
        let pages = [0; 100].map(|_| loads.page());
        for page in pages {
            loads.keep(page, Bytes::from(vec![0; 1 << 20]));
        }
        assert!(loads.state().bytes <= PAGE_BYTES);
        assert_eq!(loads.take(pages[0]), None);
        assert_eq!(loads.take(pages[99]).map(|page| page.len()), Some(1 << 20));
        assert_eq!(loads.take(pages[99]), None, "it is taken once");
        assert!(loads.state().bytes < PAGE_BYTES);
    }

    #[test]
    fn what_comes_at_once_has_a_bound() {
        let loads = Arc::new(Loads::default());
        let part = vec![0; 1 << 20];
        let mut all = (0..COMING / part.len()).map(|_| Coming::new(&loads, 2 << 20)).collect::<Vec<_>>();
        assert!(all.iter_mut().all(|coming| coming.extend(&part)));
        assert!(!Coming::new(&loads, 2 << 20).extend(&part), "there is no room");
        assert_eq!(all.pop().map(|mut coming| coming.take().len()), Some(part.len()));
        let mut last = Coming::new(&loads, part.len());
        assert!(last.extend(&part) && !last.extend(&[0]), "it is too large");
        drop((all, last));
        assert_eq!(loads.coming.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_version_is_waited_for() {
        let loads = Loads::default();
        let load = loads.begin();
        let version = Some(Version::of(b"a"));
        let asked = [load];
        let (found, ()) = tokio::join!(loads.versions(&asked), async { loads.end(load, version) });
        assert_eq!(found, [version]);
    }
}
