//! One who follows: a cursor, never a queue. What it has, and what it is still owed.

use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use crate::event::Format;
use crate::hub::interest::Interest;
use crate::hub::interest::Known;
use crate::hub::needs::Need;
use crate::hub::topics::Delivery;
use crate::hub::topics::Hub;
use crate::hub::topics::Listener;
use crate::hub::topics::WatchRequest;
use crate::site::SitePath;

/// Follows one or more paths. Dropping it ends that, and with the last follower of a path its watch.
///
/// It is sent the newest state of each path, whenever that is another than the one it has. States that come and go while
/// it is busy are skipped.
pub struct Follower {
    hub: Arc<Hub>,
    id: u64,
    cursors: Vec<Cursor>,
    /// Whether it knows of a burst that is going on.
    burst: bool,
    /// How many reloads of all pages it knows of.
    reloads: u64,
}

struct Cursor {
    path: SitePath,
    format: Format,
    need: Need,
    has: Known,
}

impl Follower {
    /// Begins to follow. What is there now is sent after a look that begins after this call.
    #[must_use]
    pub fn new(hub: &Arc<Hub>, interests: Vec<Interest>) -> Self {
        Self::begin(hub, interests, false)
    }

    /// The same, without being a stream: it is not counted as one.
    #[must_use]
    pub fn aside(hub: &Arc<Hub>, interests: Vec<Interest>) -> Self {
        let follower = Self::begin(hub, interests, false);
        hub.state().followers.entry(follower.id).or_default().is_aside = true;
        follower
    }

    /// Begins to follow all that a page uses. It hears of bursts, and when all pages are to be loaded again.
    #[must_use]
    pub fn of_page(hub: &Arc<Hub>, interests: Vec<Interest>) -> Self {
        Self::begin(hub, interests, true)
    }

    fn begin(hub: &Arc<Hub>, interests: Vec<Interest>, is_page: bool) -> Self {
        let mut state = hub.state();
        let id = state.next_follower;
        state.next_follower += 1;
        state.followers.entry(id).or_default().is_page = is_page;
        let reloads = state.reloads;
        let mut cursors = Vec::with_capacity(interests.len());
        let since = state.looks + 1;
        for (place, Interest { path, has, format, need }) in interests.into_iter().enumerate() {
            let topic = state.topics.entry(path.clone()).or_default();
            topic.followers.insert((id, place), Listener { since, first: None, is_left: false });
            topic.waiting.push((id, place));
            topic.needs.add(&need);
            cursors.push(Cursor { path: path.clone(), format, need, has });
            (hub.watch)(WatchRequest::Follow(path));
        }
        drop(state);
        Self { hub: hub.clone(), id, cursors, burst: false, reloads }
    }

    /// The next thing it is owed; `None` when the hub has closed.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Delivery>> {
        let state = &mut *self.hub.state();
        let Some(slot) = state.followers.get_mut(&self.id) else { return Poll::Ready(None) };
        // What belongs to a stream ends with it.
        if if slot.is_aside { state.closed.is_all() } else { state.closed.has_ended(self.id) } {
            return Poll::Ready(None);
        }
        if slot.is_page && self.reloads != state.reloads {
            self.reloads = state.reloads;
            return Poll::Ready(Some(Delivery::Reload));
        }
        let burst = Some(state.burst).filter(|burst| slot.is_page && self.burst != *burst);
        // Its beginning comes before what it brings, and its end after that.
        if burst == Some(true) {
            self.burst = true;
            return Poll::Ready(Some(Delivery::Burst(true)));
        }
        // In the order in which they came: a file that is saved again and again can't hold up the others.
        while let Some(place) = slot.owed.pop_front() {
            let cursor = &mut self.cursors[place];
            let Some(topic) = state.topics.get_mut(&cursor.path) else { continue };
            let Some(listener) = topic.followers.get_mut(&(self.id, place)) else { continue };
            if topic.looked < listener.since {
                topic.waiting.push((self.id, place));
                continue;
            }
            let Some(latest) = topic.latest.clone() else { continue };
            if cursor.has == Known::Present {
                // What was present when it came, which may not be any more.
                cursor.has = Known::Version(listener.first.unwrap_or(latest.snapshot.version));
            }
            let had = std::mem::replace(&mut cursor.has, Known::Version(latest.snapshot.version));
            let is_sent = had != cursor.has;
            if std::mem::take(&mut listener.is_left)
                && let Some(report) = topic.settle(&cursor.path, is_sent)
            {
                (self.hub.report)(&report);
                state.latencies.add(report.elapsed);
                state.reports.push(report);
            }
            if is_sent {
                return Poll::Ready(Some(Delivery::Snapshot(latest, cursor.format)));
            }
        }
        if burst == Some(false) {
            self.burst = false;
            return Poll::Ready(Some(Delivery::Burst(false)));
        }
        if !slot.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            slot.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }

    /// The next thing it is owed; `None` when the hub has closed.
    pub async fn next(&mut self) -> Option<Delivery> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let state = &mut *self.hub.state();
        state.followers.remove(&self.id);
        for (place, cursor) in self.cursors.drain(..).enumerate() {
            if let Some(topic) = state.topics.get_mut(&cursor.path) {
                topic.needs.remove(&cursor.need);
                // Nobody waits for one who has gone.
                let listener = topic.followers.remove(&(self.id, place));
                if listener.is_some_and(|listener| listener.is_left)
                    && let Some(report) = topic.settle(&cursor.path, false)
                {
                    (self.hub.report)(&report);
                    state.latencies.add(report.elapsed);
                    state.reports.push(report);
                }
                if topic.followers.is_empty() {
                    state.topics.remove(&cursor.path);
                }
            }
            (self.hub.watch)(WatchRequest::Unfollow(cursor.path));
        }
    }
}

#[cfg(test)]
mod tests;
