//! Channels: named events without a file, with a bounded history.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use crate::hub::event_id::EventId;
use crate::hub::waiters::Waiters;
use crate::hub::waiters::Wakers;

/// How many events a channel remembers, and how many bytes of data.
pub(super) const HISTORY: usize = 100;
pub(super) const HISTORY_BYTES: usize = 1 << 20;

/// How many channels there are at most. Those that nobody listens to make room.
pub(super) const CHANNELS: usize = 1000;

/// How many bytes all channels remember together. The oldest events go first, whoever listens: who has not read them yet is
/// told of a gap.
pub(super) const TOTAL_BYTES: usize = 64 << 20;

/// What an event takes besides its texts, at most: itself, its places in the history and in the order of all, and what the
/// allocator adds.
pub(super) const EVENT: usize = 300;

/// How long a name may be, in bytes.
const NAME: usize = 200;

/// The largest data of an event, in bytes.
pub const EVENT_DATA: usize = 1 << 20;

/// The longest name of an event, in bytes.
const EVENT_NAME: usize = 100;

/// The events that nobody publishes: the server itself says them.
const OURS: [&str; 2] = ["end", "gap"];

/// The name of a channel: one or more characters without control characters, at most 200 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelName(Arc<str>);

impl ChannelName {
    /// `None` if it is none.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let is_name = !name.is_empty() && name.len() <= NAME && !name.chars().any(char::is_control);
        is_name.then(|| Self(name.into()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What was published.
#[derive(Debug, PartialEq, Eq)]
pub struct ChannelEvent {
    /// Its id. In a channel, no other event has it.
    pub id: EventId,
    /// Its name, `message` if it has none.
    pub name: String,
    /// Its data.
    pub data: String,
}

impl ChannelEvent {
    /// Whether an event may have this name: 1 to 100 bytes without control characters.
    #[must_use]
    pub fn may_be_named(name: &str) -> bool {
        !name.is_empty() && name.len() <= EVENT_NAME && !name.chars().any(char::is_control)
    }

    /// Whether this is an event that only the server says.
    #[must_use]
    pub fn is_ours(name: &str) -> bool {
        OURS.contains(&name)
    }
}

/// The memory that an event takes, or a gap, in bytes.
fn size_of(event: Option<&ChannelEvent>) -> usize {
    EVENT + event.map_or(0, |event| event.name.capacity() + event.data.capacity())
}

/// A channel, counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChannelStats {
    /// Its name.
    pub name: ChannelName,
    /// How many listen.
    pub listeners: usize,
    /// How many events it remembers.
    pub events: usize,
    /// The id of the last event, if there was one.
    pub last: Option<EventId>,
}

/// There are too many channels with listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyChannels;

/// A channel: the last events, and who listens.
pub(super) struct Channel {
    /// With their positions in the order of all events of all channels. `None` stands for events that are lost, and nobody knows
    /// how many.
    pub(super) events: VecDeque<(u64, Option<Arc<ChannelEvent>>)>,
    pub(super) bytes: usize,
    /// The place of the next event. Places rise by one. In a channel of our own, it is the number of the event.
    pub(super) next: u64,
    /// The id of the event before the oldest one that is remembered: who has that one has missed nothing. `None` if there was none.
    before: Option<EventId>,
    /// Whether it is known which events there are. Of a relayed channel, Redis has to be asked.
    pub(super) is_known: bool,
    /// The place of the next event when that became known.
    pub(super) begin: u64,
    /// Whether there was any.
    pub(super) is_used: bool,
    pub(super) listeners: Waiters,
    pub(super) used: Instant,
}

impl Channel {
    /// One of our own. `highest` is the highest number that was ever given.
    fn new(highest: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        let next = u64::try_from(now).unwrap_or(0).max(highest + 1);
        Self { next, before: Some(EventId::Number(next - 1)), is_known: true, ..Self::relayed() }
    }

    /// One whose events come from elsewhere.
    fn relayed() -> Self {
        Self {
            events: VecDeque::new(),
            bytes: 0,
            next: 0,
            before: None,
            is_known: false,
            begin: 0,
            is_used: false,
            listeners: Waiters::default(),
            used: Instant::now(),
        }
    }

    /// The place of the oldest event that is remembered, or of the next one.
    pub(super) fn first(&self) -> u64 {
        self.next - self.events.len() as u64
    }

    /// The place behind the event with this id; `None` if something between the two is forgotten, or nobody knows.
    pub(super) fn after(&self, id: EventId) -> Option<u64> {
        let place = self.events.iter().rposition(|(_, event)| event.as_ref().is_some_and(|event| event.id == id));
        match place {
            Some(place) => Some(self.first() + place as u64 + 1),
            None => (self.before == Some(id)).then(|| self.first()),
        }
    }

    /// The id of the last event, if there was one.
    pub(super) fn last(&self) -> Option<EventId> {
        let events = self.events.iter().rev().filter_map(|(_, event)| event.as_ref());
        events.map(|event| event.id).next().or(self.before).filter(|_| self.is_used)
    }

    /// Forgets the oldest event; returns its position in the order of all, and its size.
    fn shift(&mut self) -> Option<(u64, usize)> {
        let (order, event) = self.events.pop_front()?;
        let size = size_of(event.as_deref());
        self.bytes -= size;
        self.before = event.map(|event| event.id);
        Some((order, size))
    }
}

/// Hears of a channel whose listeners come or go.
pub(super) type Changed = Box<dyn Fn(&ChannelName) + Send>;

/// All channels. Part of the state of the hub.
#[derive(Default)]
pub(super) struct Channels {
    pub(super) by_name: HashMap<ChannelName, Channel>,
    /// Whose the remembered events are, the oldest one first.
    pub(super) order: BTreeMap<u64, ChannelName>,
    next_event: u64,
    pub(super) bytes: usize,
    pub(super) next_subscriber: u64,
    /// The highest number that was given: a channel that was forgotten must not give its numbers again.
    highest: u64,
    /// Hears of channels whose listeners come and go, if their events come from elsewhere.
    pub(super) relay: Option<Changed>,
}

impl Channels {
    /// The channel of this name, which is made if there is none.
    pub(super) fn open(&mut self, name: &ChannelName) -> Result<&mut Channel, TooManyChannels> {
        if !self.by_name.contains_key(name) && self.by_name.len() >= CHANNELS && !self.forget() {
            return Err(TooManyChannels);
        }
        let (highest, is_relayed) = (self.highest, self.relay.is_some());
        let channel = || if is_relayed { Channel::relayed() } else { Channel::new(highest) };
        Ok(self.by_name.entry(name.clone()).or_insert_with(channel))
    }

    /// Who listens to this channel has come or gone.
    pub(super) fn tell(&self, name: &ChannelName) {
        self.relay.iter().for_each(|relay| relay(name));
    }

    /// Forgets the channel that was used last the longest ago, of those that nobody listens to; false if there is none.
    fn forget(&mut self) -> bool {
        let idle = self.by_name.iter().filter(|(_, channel)| channel.listeners.is_empty());
        let oldest = idle.min_by_key(|(_, channel)| channel.used).map(|(name, _)| name.clone());
        oldest.is_some_and(|name| self.remove(&name))
    }

    /// Forgets a channel; false if there is none.
    pub(super) fn remove(&mut self, name: &ChannelName) -> bool {
        while self.shift(name) {}
        self.by_name.remove(name).is_some()
    }

    /// Forgets the oldest event of a channel; false if it has none.
    fn shift(&mut self, name: &ChannelName) -> bool {
        let Some((order, size)) = self.by_name.get_mut(name).and_then(Channel::shift) else { return false };
        self.order.remove(&order);
        self.bytes -= size;
        true
    }

    /// Adds an event of our own; returns its id and the number of those who listen.
    pub(super) fn push(
        &mut self,
        name: &ChannelName,
        event: &str,
        mut data: String,
    ) -> Result<(EventId, usize), TooManyChannels> {
        data.shrink_to_fit();
        let channel = self.open(name)?;
        let (number, listeners) = (channel.next, channel.listeners.len());
        let id = EventId::Number(number);
        self.highest = self.highest.max(number);
        self.remember(name, Some(ChannelEvent { id, name: event.to_owned(), data }));
        Ok((id, listeners))
    }

    /// Adds an event to a channel, or a gap, and forgets those for which there is no room any more.
    fn remember(&mut self, name: &ChannelName, event: Option<ChannelEvent>) {
        let Some(channel) = self.by_name.get_mut(name) else { return };
        let (order, size) = (self.next_event, size_of(event.as_ref()));
        channel.next += 1;
        (channel.is_used, channel.used) = (true, Instant::now());
        channel.bytes += size;
        channel.events.push_back((order, event.map(Arc::new)));
        self.next_event += 1;
        self.bytes += size;
        self.order.insert(order, name.clone());
        // The newest one stays, however large it is.
        let is_full = |channel: &Channel| {
            channel.events.len() > HISTORY || (channel.bytes > HISTORY_BYTES && channel.events.len() > 1)
        };
        while self.by_name.get(name).is_some_and(is_full) && self.shift(name) {}
        while self.bytes > TOTAL_BYTES
            && let Some(oldest) = self.order.first_key_value().map(|(_, name)| name.clone())
            && self.shift(&oldest)
        {}
    }

    /// Now it is known which events there are of a relayed channel; the one before them has this id, if there was one.
    pub(super) fn fill(&mut self, name: &ChannelName, before: Option<EventId>, events: Vec<ChannelEvent>) {
        let Some(channel) = self.by_name.get_mut(name).filter(|channel| !channel.is_known) else { return };
        (channel.is_known, channel.before) = (true, before);
        self.extend(name, events.into_iter().map(Some));
        if let Some(channel) = self.by_name.get_mut(name) {
            channel.begin = channel.next;
        }
    }

    /// Adds events that come from elsewhere.
    pub(super) fn extend(&mut self, name: &ChannelName, events: impl IntoIterator<Item = Option<ChannelEvent>>) {
        events.into_iter().for_each(|event| self.remember(name, event));
    }

    /// Wakes who listens to this channel.
    pub(super) fn wake(&mut self, name: &ChannelName, wakers: &mut Wakers) {
        self.by_name.get_mut(name).into_iter().for_each(|channel| channel.listeners.wake_all(wakers));
    }

    /// How many listen to any of them.
    pub(super) fn listeners(&self) -> usize {
        self.by_name.values().map(|channel| channel.listeners.len()).sum()
    }

    pub(super) fn wake_all(&mut self, wakers: &mut Wakers) {
        self.by_name.values_mut().for_each(|channel| channel.listeners.wake_all(wakers));
    }
}
