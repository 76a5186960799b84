//! Who follows a file line by line.

use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use crate::hub::tails::Generations;
use crate::hub::tails::TailEvent;
use crate::hub::topics::Hub;
use crate::hub::topics::WatchRequest;
use crate::hub::waiters::Wakers;
use crate::site::SitePath;

impl Hub {
    /// Whether somebody follows `path` line by line, and if so, whether its end is known already.
    #[must_use]
    pub fn tail(&self, path: &SitePath) -> Option<bool> {
        self.state().tails.by_path.get(path).map(|tail| tail.is_known)
    }

    /// Tells those who follow `path` line by line what has happened, and what there is now.
    pub fn append(&self, path: &SitePath, news: Vec<TailEvent>, generations: Generations) {
        let mut wakers = Wakers::default();
        let mut state = self.state();
        let Some(tail) = state.tails.by_path.get_mut(path) else { return };
        (tail.is_known, tail.generations) = (true, generations);
        news.into_iter().for_each(|news| tail.push(news));
        tail.listeners.wake_all(&mut wakers);
        state.updates += 1;
    }
}

/// Follows a file line by line: a cursor, never a queue. Dropping it ends that.
pub struct TailFollower {
    hub: Arc<Hub>,
    path: SitePath,
    id: u64,
    /// The number of the news that it wants next; `None` until it knows where the file ends.
    next: Option<u64>,
}

impl TailFollower {
    /// Begins to follow.
    #[must_use]
    pub fn new(hub: &Arc<Hub>, path: SitePath) -> Self {
        let mut state = hub.state();
        let id = state.tails.next_follower;
        state.tails.next_follower += 1;
        state.tails.by_path.entry(path.clone()).or_default().listeners.add(id);
        (hub.watch)(WatchRequest::FollowLines(path.clone()));
        drop(state);
        Self { hub: hub.clone(), path, id, next: None }
    }

    /// What it is sent next; `None` when the hub has closed.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Arc<TailEvent>>> {
        let state = &mut *self.hub.state();
        if state.closed.has_ended(self.id) {
            return Poll::Ready(None);
        }
        let Some(tail) = state.tails.by_path.get_mut(&self.path) else { return Poll::Ready(None) };
        let end = tail.first + tail.news.len() as u64;
        match self.next {
            None if tail.is_known => {
                self.next = Some(end);
                return Poll::Ready(Some(Arc::new(TailEvent::Start(tail.generations.clone()))));
            }
            Some(next) if next < tail.first => {
                self.next = Some(end);
                return Poll::Ready(Some(Arc::new(TailEvent::Missed(tail.generations.clone()))));
            }
            Some(next) if next < end => {
                let place = usize::try_from(next - tail.first).unwrap_or(usize::MAX);
                self.next = Some(next + 1);
                return Poll::Ready(tail.news.get(place).cloned());
            }
            _ => {}
        }
        tail.listeners.wait(self.id, context);
        Poll::Pending
    }

    /// Whether the hub has closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.hub.state().closed.has_ended(self.id)
    }

    /// What it is sent next; `None` when the hub has closed.
    pub async fn next(&mut self) -> Option<Arc<TailEvent>> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }
}

impl Drop for TailFollower {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        if let Some(tail) = state.tails.by_path.get_mut(&self.path) {
            tail.listeners.remove(self.id);
            if tail.listeners.is_empty() {
                state.tails.by_path.remove(&self.path);
            }
        }
        (self.hub.watch)(WatchRequest::UnfollowLines(self.path.clone()));
    }
}
