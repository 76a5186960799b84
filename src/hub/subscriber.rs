//! Who listens to a channel, and who publishes to it.

use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Instant;

use crate::hub::channels::ChannelEvent;
use crate::hub::channels::ChannelName;
use crate::hub::channels::ChannelStats;
use crate::hub::channels::TooManyChannels;
use crate::hub::topics::Hub;
use crate::hub::waiters::Wakers;

/// What a subscriber is sent next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelDelivery {
    /// An event.
    Event(Arc<ChannelEvent>),
    /// Some events after the last one that it has are forgotten, and nobody knows how many.
    Gap,
}

impl Hub {
    /// Publishes an event, and returns its id and the number of those who listen.
    ///
    /// # Errors
    ///
    /// If the channel is a new one, and there are too many.
    pub fn publish_to(&self, name: &ChannelName, event: &str, data: String) -> Result<(u64, usize), TooManyChannels> {
        let mut wakers = Wakers::default();
        let channels = &mut self.state().channels;
        let answer = channels.push(name, event, data)?;
        if let Some(channel) = channels.by_name.get_mut(name) {
            channel.listeners.wake_all(&mut wakers);
        }
        Ok(answer)
    }

    /// The channels that there are, by name.
    #[must_use]
    pub fn channels(&self) -> Vec<ChannelStats> {
        let state = self.state();
        let mut channels: Vec<_> = state
            .channels
            .by_name
            .iter()
            .map(|(name, channel)| ChannelStats {
                name: name.clone(),
                listeners: channel.listeners.len(),
                events: channel.events.len(),
                last: channel.is_used.then(|| channel.next - 1),
            })
            .collect();
        channels.sort();
        channels
    }
}

/// Listens to a channel: a cursor, never a queue. Dropping it ends that.
pub struct Subscriber {
    hub: Arc<Hub>,
    name: ChannelName,
    id: u64,
    /// The id of the event that it wants next.
    next: u64,
    /// Whether what it wants may be forgotten.
    is_behind: bool,
}

impl Subscriber {
    /// Begins to listen: to what comes, or to all that comes after the event with this id.
    ///
    /// # Errors
    ///
    /// If the channel is a new one, and there are too many.
    pub fn new(hub: &Arc<Hub>, name: ChannelName, last: Option<u64>) -> Result<Self, TooManyChannels> {
        let state = &mut *hub.state();
        let id = state.channels.next_subscriber;
        let channel = state.channels.open(&name)?;
        channel.listeners.add(id);
        let next = last.map_or(channel.next, |last| last.saturating_add(1));
        // One of the future is of a server that had another clock.
        let is_behind = next < channel.first() || next > channel.next;
        let next = if is_behind { channel.first() } else { next };
        state.channels.next_subscriber += 1;
        Ok(Self { hub: hub.clone(), name, id, next, is_behind })
    }

    /// What it is sent next; `None` when the hub has closed.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<ChannelDelivery>> {
        let state = &mut *self.hub.state();
        if state.closed {
            return Poll::Ready(None);
        }
        let Some(channel) = state.channels.by_name.get_mut(&self.name) else { return Poll::Ready(None) };
        let first = channel.first();
        if std::mem::take(&mut self.is_behind) || self.next < first {
            self.next = self.next.max(first);
            return Poll::Ready(Some(ChannelDelivery::Gap));
        }
        let event = usize::try_from(self.next - first).ok().and_then(|place| channel.events.get(place));
        if let Some((_, event)) = event.cloned() {
            self.next = event.id + 1;
            return Poll::Ready(Some(ChannelDelivery::Event(event)));
        }
        channel.listeners.wait(self.id, context);
        Poll::Pending
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let channels = &mut self.hub.state().channels;
        let Some(channel) = channels.by_name.get_mut(&self.name) else { return };
        channel.listeners.remove(self.id);
        channel.used = Instant::now();
        // One that nobody has published to has nothing to remember.
        if channel.listeners.is_empty() && !channel.is_used {
            channels.by_name.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests;
