//! Channels whose events come from elsewhere: what a relay asks, and what it tells.

use std::collections::BTreeSet;

use crate::hub::channels::ChannelEvent;
use crate::hub::channels::ChannelName;
use crate::hub::event_id::EventId;
use crate::hub::topics::Hub;
use crate::hub::waiters::Wakers;

/// How it stands with a relayed channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelState {
    /// How many listen here.
    pub listeners: usize,
    /// Whether it is known here which events there are.
    pub is_known: bool,
}

impl Hub {
    /// From now on, events of channels come from elsewhere. `changed` hears of each channel whose listeners come or go, and is
    /// called under the lock.
    pub fn relay_channels(&self, changed: impl Fn(&ChannelName) + Send + 'static) {
        self.state().channels.relay = Some(Box::new(changed));
    }

    /// How it stands with a channel. One that nobody listens to any more is forgotten, and is `None`.
    pub fn channel_state(&self, name: &ChannelName) -> Option<ChannelState> {
        let channels = &mut self.state().channels;
        let channel = channels.by_name.get(name)?;
        let state = ChannelState { listeners: channel.listeners.len(), is_known: channel.is_known };
        if state.listeners == 0 {
            channels.remove(name);
            return None;
        }
        Some(state)
    }

    /// The channels that somebody listens to.
    #[must_use]
    pub fn heard_channels(&self) -> BTreeSet<ChannelName> {
        let state = self.state();
        let heard = state.channels.by_name.iter().filter(|(_, channel)| !channel.listeners.is_empty());
        heard.map(|(name, _)| name.clone()).collect()
    }

    /// All events of a channel that there are, in their order, and the id of the one before them, if there was one. Those who were
    /// waiting for that hear what they have missed. Where it is known already, nothing happens.
    pub fn fill(&self, name: &ChannelName, before: Option<EventId>, events: Vec<ChannelEvent>) {
        let mut wakers = Wakers::default();
        let channels = &mut self.state().channels;
        channels.fill(name, before, events);
        channels.wake(name, &mut wakers);
    }

    /// More events of a channel, in their order. If some before them are lost, everybody hears of a gap first.
    pub fn hear(&self, name: &ChannelName, is_gap: bool, events: Vec<ChannelEvent>) {
        let mut wakers = Wakers::default();
        let channels = &mut self.state().channels;
        channels.extend(name, is_gap.then_some(None).into_iter().chain(events.into_iter().map(Some)));
        channels.wake(name, &mut wakers);
    }
}
