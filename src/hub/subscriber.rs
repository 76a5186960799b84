//! Who listens to a channel, and who publishes to it.

use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Instant;

use crate::hub::channels::Channel;
use crate::hub::channels::ChannelEvent;
use crate::hub::channels::ChannelName;
use crate::hub::channels::ChannelStats;
use crate::hub::channels::TooManyChannels;
use crate::hub::event_id::EventId;
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
    pub fn publish_to(
        &self,
        name: &ChannelName,
        event: &str,
        data: String,
    ) -> Result<(EventId, usize), TooManyChannels> {
        let mut wakers = Wakers::default();
        let channels = &mut self.state().channels;
        let answer = channels.push(name, event, data)?;
        channels.wake(name, &mut wakers);
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
                last: channel.last(),
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
    wants: Wants,
}

/// What a subscriber is to be sent next.
enum Wants {
    /// What comes after what it has heard last, once it is known which events there are.
    After(Last),
    /// The event at this place.
    Place(u64),
}

/// What a subscriber says that it has heard last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// It wants what comes from now on.
    Now,
    /// The event with this id.
    Event(EventId),
    /// Something that is no id of ours.
    Unknown,
}

impl Wants {
    /// The place in a channel whose events are known; `Err` with the oldest one if it may have missed something.
    fn place(&self, channel: &Channel) -> Result<u64, u64> {
        let first = channel.first();
        match *self {
            Self::After(Last::Now) => Ok(channel.begin),
            Self::After(Last::Event(id)) => channel.after(id).ok_or(first),
            Self::After(Last::Unknown) => Err(first),
            Self::Place(place) if place < first => Err(first),
            Self::Place(place) => Ok(place),
        }
    }
}

impl Subscriber {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// If the channel is a new one, and there are too many.
    pub fn new(hub: &Arc<Hub>, name: ChannelName, last: Last) -> Result<Self, TooManyChannels> {
        let state = &mut *hub.state();
        let id = state.channels.next_subscriber;
        let channel = state.channels.open(&name)?;
        channel.listeners.add(id);
        // From now on, and not from when it first looks.
        let wants = if channel.is_known && last == Last::Now { Wants::Place(channel.next) } else { Wants::After(last) };
        state.channels.next_subscriber += 1;
        state.channels.tell(&name);
        Ok(Self { hub: hub.clone(), name, id, wants })
    }

    /// Waits until it is known which events there are: what is published after that is heard.
    pub async fn ready(&mut self) {
        std::future::poll_fn(|context| {
            let state = &mut *self.hub.state();
            let Some(channel) = state.channels.by_name.get_mut(&self.name) else { return Poll::Ready(()) };
            if channel.is_known || state.closed.has_ended(self.id) {
                return Poll::Ready(());
            }
            channel.listeners.wait(self.id, context);
            Poll::Pending
        })
        .await;
    }

    /// What it is sent next; `None` when the hub has closed.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<ChannelDelivery>> {
        let state = &mut *self.hub.state();
        if state.closed.has_ended(self.id) {
            return Poll::Ready(None);
        }
        let Some(channel) = state.channels.by_name.get_mut(&self.name) else { return Poll::Ready(None) };
        if channel.is_known {
            let place = match self.wants.place(channel) {
                Ok(place) => place,
                Err(first) => {
                    self.wants = Wants::Place(first);
                    state.gaps += 1;
                    return Poll::Ready(Some(ChannelDelivery::Gap));
                }
            };
            self.wants = Wants::Place(place);
            let event = usize::try_from(place - channel.first()).ok().and_then(|place| channel.events.get(place));
            if let Some((_, event)) = event.cloned() {
                self.wants = Wants::Place(place + 1);
                return Poll::Ready(Some(event.map_or(ChannelDelivery::Gap, ChannelDelivery::Event)));
            }
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
        channels.tell(&self.name);
    }
}

#[cfg(test)]
mod tests;
