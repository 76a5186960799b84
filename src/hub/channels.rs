//! Channels: named events without a file, with a bounded history.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

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
    /// Its number. They rise by one, from the time in microseconds at which the channel began; so after a restart, too,
    /// later ones are higher.
    pub id: u64,
    /// Its name, `message` if it has none.
    pub name: String,
    /// Its data.
    pub data: String,
}

impl ChannelEvent {
    /// The memory that it takes, in bytes.
    fn size(&self) -> usize {
        EVENT + self.name.capacity() + self.data.capacity()
    }
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
    pub last: Option<u64>,
}

/// There are too many channels with listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyChannels;

/// A channel: the last events, and who listens.
pub(super) struct Channel {
    /// With their places in the order of all events of all channels.
    pub(super) events: VecDeque<(u64, Arc<ChannelEvent>)>,
    pub(super) bytes: usize,
    /// The id of the next event.
    pub(super) next: u64,
    /// Whether there was any.
    pub(super) is_used: bool,
    pub(super) listeners: Waiters,
    pub(super) used: Instant,
}

impl Channel {
    /// `highest` is the highest id that was ever given.
    fn new(highest: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        Self {
            events: VecDeque::new(),
            bytes: 0,
            next: u64::try_from(now).unwrap_or(0).max(highest + 1),
            is_used: false,
            listeners: Waiters::default(),
            used: Instant::now(),
        }
    }

    /// The id of the oldest event that is remembered, or of the next one.
    pub(super) fn first(&self) -> u64 {
        self.events.front().map_or(self.next, |(_, event)| event.id)
    }

    /// Forgets the oldest event; returns its place in the order of all, and its size.
    fn shift(&mut self) -> Option<(u64, usize)> {
        let (order, event) = self.events.pop_front()?;
        self.bytes -= event.size();
        Some((order, event.size()))
    }
}

/// All channels. Part of the state of the hub.
#[derive(Default)]
pub(super) struct Channels {
    pub(super) by_name: HashMap<ChannelName, Channel>,
    /// Whose the remembered events are, the oldest one first.
    pub(super) order: BTreeMap<u64, ChannelName>,
    next_event: u64,
    pub(super) bytes: usize,
    pub(super) next_subscriber: u64,
    /// The highest id that was given: a channel that was forgotten must not give its ids again.
    highest: u64,
}

impl Channels {
    /// The channel of this name, which is made if there is none.
    pub(super) fn open(&mut self, name: &ChannelName) -> Result<&mut Channel, TooManyChannels> {
        if !self.by_name.contains_key(name) && self.by_name.len() >= CHANNELS && !self.forget() {
            return Err(TooManyChannels);
        }
        let highest = self.highest;
        Ok(self.by_name.entry(name.clone()).or_insert_with(|| Channel::new(highest)))
    }

    /// Forgets the channel that was used last the longest ago, of those that nobody listens to; false if there is none.
    fn forget(&mut self) -> bool {
        let idle = self.by_name.iter().filter(|(_, channel)| channel.listeners.is_empty());
        let oldest = idle.min_by_key(|(_, channel)| channel.used).map(|(name, _)| name.clone());
        oldest.is_some_and(|name| {
            while self.shift(&name) {}
            self.by_name.remove(&name).is_some()
        })
    }

    /// Forgets the oldest event of a channel; false if it has none.
    fn shift(&mut self, name: &ChannelName) -> bool {
        let Some((order, size)) = self.by_name.get_mut(name).and_then(Channel::shift) else { return false };
        self.order.remove(&order);
        self.bytes -= size;
        true
    }

    /// Adds an event, and forgets those for which there is no room any more; returns its id and the number of those who listen.
    pub(super) fn push(
        &mut self,
        name: &ChannelName,
        event: &str,
        mut data: String,
    ) -> Result<(u64, usize), TooManyChannels> {
        data.shrink_to_fit();
        let order = self.next_event;
        let channel = self.open(name)?;
        let id = channel.next;
        let event = ChannelEvent { id, name: event.to_owned(), data };
        let size = event.size();
        channel.next += 1;
        (channel.is_used, channel.used) = (true, Instant::now());
        channel.bytes += size;
        channel.events.push_back((order, Arc::new(event)));
        let listeners = channel.listeners.len();
        self.highest = self.highest.max(id);
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
        Ok((id, listeners))
    }

    /// How many listen to any of them.
    pub(super) fn listeners(&self) -> usize {
        self.by_name.values().map(|channel| channel.listeners.len()).sum()
    }

    pub(super) fn wake_all(&mut self, wakers: &mut Wakers) {
        self.by_name.values_mut().for_each(|channel| channel.listeners.wake_all(wakers));
    }
}
