//! Who follows a file line by line.

use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use crate::hub::tails::Generations;
use crate::hub::tails::TailEvent;
use crate::hub::topics::Hub;
use crate::hub::topics::WatchRequest;
use crate::site::SitePath;

impl Hub {
    /// Whether somebody follows `path` line by line, and if so, whether its end was told already.
    #[must_use]
    pub fn log(&self, path: &SitePath) -> Option<bool> {
        self.state().tails.by_path.get(path).map(|log| log.is_known)
    }

    /// Tells those who follow `path` line by line what has happened, and what there is now.
    pub fn append(&self, path: &SitePath, news: Vec<TailEvent>, generations: Generations) {
        let mut wakers = Vec::new();
        {
            let mut state = self.state();
            let Some(log) = state.tails.by_path.get_mut(path) else { return };
            (log.is_known, log.generations) = (true, generations);
            news.into_iter().for_each(|news| log.push(news));
            wakers.extend(log.listeners.values_mut().filter_map(Option::take));
            state.updates += 1;
        }
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// Follows a file line by line: a cursor, never a queue. Dropping it ends that.
pub struct TailFollower {
    hub: Arc<Hub>,
    path: SitePath,
    id: u64,
    /// The number of the news that it wants next; `None` until it was told where the file ends.
    next: Option<u64>,
}

impl TailFollower {
    /// Begins to follow.
    #[must_use]
    pub fn new(hub: &Arc<Hub>, path: SitePath) -> Self {
        let mut state = hub.state();
        let id = state.tails.next_follower;
        state.tails.next_follower += 1;
        state.tails.by_path.entry(path.clone()).or_default().listeners.insert(id, None);
        (hub.watch)(WatchRequest::FollowLines(path.clone()));
        drop(state);
        Self { hub: hub.clone(), path, id, next: None }
    }

    /// What it is told next; `None` when the hub has closed.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Arc<TailEvent>>> {
        let state = &mut *self.hub.state();
        if state.closed {
            return Poll::Ready(None);
        }
        let Some(log) = state.tails.by_path.get_mut(&self.path) else { return Poll::Ready(None) };
        let end = log.first + log.news.len() as u64;
        match self.next {
            None if log.is_known => {
                self.next = Some(end);
                return Poll::Ready(Some(Arc::new(TailEvent::Start(log.generations.clone()))));
            }
            Some(next) if next < log.first => {
                self.next = Some(end);
                return Poll::Ready(Some(Arc::new(TailEvent::Missed(log.generations.clone()))));
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
    pub async fn next(&mut self) -> Option<Arc<TailEvent>> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }
}

impl Drop for TailFollower {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        if let Some(log) = state.tails.by_path.get_mut(&self.path) {
            log.listeners.remove(&self.id);
            if log.listeners.is_empty() {
                state.tails.by_path.remove(&self.path);
            }
        }
        (self.hub.watch)(WatchRequest::UnfollowLines(self.path.clone()));
    }
}
