//! Stage 3: updates → followers. Knows the newest state of everything followed, and who has still to be told.
//!
//! The hub has the one shared lock. It is held for a few lines, and no code panics or waits while holding it.

mod channel;
mod follower;
mod log;
mod needs;
mod told;

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::Waker;
use std::time::Duration;
use std::time::Instant;

use crate::change::News;
use crate::change::Update;
use crate::change::Version;
use crate::change::kind;
use crate::change::kind::Kind;
pub use crate::hub::channel::ChannelCensus;
pub use crate::hub::channel::ChannelEvent;
pub use crate::hub::channel::ChannelName;
use crate::hub::channel::Channels;
pub use crate::hub::channel::Heard;
pub use crate::hub::channel::Subscriber;
pub use crate::hub::channel::TooManyChannels;
pub use crate::hub::follower::Follower;
pub use crate::hub::log::Extent;
pub use crate::hub::log::Generation;
pub use crate::hub::log::Generations;
pub use crate::hub::log::Grown;
pub use crate::hub::log::LogFollower;
pub use crate::hub::log::LogNews;
use crate::hub::log::Logs;
pub use crate::hub::needs::Need;
use crate::hub::needs::Needed;
use crate::hub::needs::Needs;
pub use crate::hub::told::Source;
pub use crate::hub::told::Told;
pub use crate::hub::told::Value;
use crate::site_path::SitePath;

/// The meeting point of the save flow and the request flow.
pub struct Hub {
    state: Mutex<State>,
    demand: Box<dyn Fn(Demand) + Send + Sync>,
    report: Box<dyn Fn(&Report) + Send + Sync>,
}

/// An update has reached everybody.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file or directory.
    pub path: SitePath,
    /// Whether it is gone.
    pub is_removed: bool,
    /// How many were told.
    pub listeners: usize,
    /// From the first word of the system until it was handed to the connection of the last of them.
    pub elapsed: Duration,
}

/// What the hub wants to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Somebody follows this path from now on: look at it, and again whenever it changes.
    Follow(SitePath),
    /// One of those who followed it has gone.
    Unfollow(SitePath),
    /// Somebody follows this path line by line from now on.
    FollowLines(SitePath),
    /// One of those has gone.
    UnfollowLines(SitePath),
}

/// What a follower wants to know of one path.
#[derive(Clone, Debug)]
pub struct Interest {
    /// The file or directory.
    pub path: SitePath,
    /// What the follower has already.
    pub has: Known,
    /// Who is told.
    pub audience: Audience,
    /// What is told besides.
    pub need: Need,
}

/// What a follower knows before it is told anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it is told the state as it is.
    Nothing,
    /// This version: it is told when the state is another.
    Version(Version),
    /// The state as it is now, without knowing its version: it is told the next one.
    Present,
}

/// An update is told in a few ways, and each of them is put into words only once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A stream of one file.
    File,
    /// A WebSocket for one file.
    Socket,
    /// A page that shows the contents of the file among others.
    Reader,
    /// A page that uses the file and wants to know when it is another.
    User,
}

/// What a follower is told next.
#[derive(Clone, Debug)]
pub enum Owed {
    /// The state of a file, in the words for this audience.
    News(Arc<Told>, Audience),
    /// Many files are changing at once from now on, or no more. Told to those who use files.
    Burst(bool),
}

/// Allows one look at a path, and says when it began.
#[derive(Debug)]
#[must_use = "an update without its look reaches nobody"]
pub struct Ticket {
    look: u64,
    /// What was told before.
    before: Option<Arc<Told>>,
    needed: Needed,
    source: Option<Source>,
}

/// What the hub has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// Open followers.
    pub streams: usize,
    /// Paths that somebody follows.
    pub followed: usize,
    /// Updates since the start.
    pub updates: u64,
    /// Followed files that are broken now.
    pub problems: usize,
}

#[derive(Default)]
struct State {
    topics: HashMap<SitePath, Topic>,
    followers: HashMap<u64, Slot>,
    channels: Channels,
    logs: Logs,
    next_follower: u64,
    /// The number of looks that have begun. A follower that came before a look began can rely on what it found.
    looks: u64,
    updates: u64,
    report: Option<Report>,
    /// Whether many files are changing at once.
    burst: bool,
    closed: bool,
}

/// A followed path.
#[derive(Default)]
struct Topic {
    latest: Option<Arc<Told>>,
    needs: Needs,
    /// The newest look that has come to an end.
    looked: u64,
    /// Who follows, by follower and the place in its list.
    followers: HashMap<(u64, usize), Listener>,
    /// Those of them who wait for a look that begins after they came.
    waiting: Vec<(u64, usize)>,
    /// How the telling of the latest update goes, if it is one of a file that was followed before.
    telling: Option<Telling>,
}

/// One who follows a path.
struct Listener {
    /// The first look that began after it came. What was found before may be older than what it has.
    since: u64,
    /// What that look has found.
    first: Option<Version>,
    /// Whether it has still to look at the latest update.
    is_left: bool,
}

impl Listener {
    fn look(&mut self, look: u64, version: Version) {
        if self.since <= look {
            self.first.get_or_insert(version);
        }
    }
}

/// An update on its way to its listeners.
struct Telling {
    changed: Instant,
    /// How many were told, and how many are left.
    listeners: usize,
    left: usize,
}

/// What the hub keeps of a follower.
#[derive(Default)]
struct Slot {
    /// The places in its list where it may owe something.
    owed: VecDeque<usize>,
    /// Whether bursts concern it.
    hears_bursts: bool,
    waker: Option<Waker>,
}

impl Hub {
    /// `demand` says what to look at, `report` is told when an update has reached everybody. Both are called in order and
    /// must not wait, because they are called under the lock.
    pub fn new(
        demand: impl Fn(Demand) + Send + Sync + 'static,
        report: impl Fn(&Report) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), demand: Box::new(demand), report: Box::new(report) })
    }

    /// Announces a look at `path`; `None` if nobody wants to know any more.
    pub fn look(&self, path: &SitePath) -> Option<Ticket> {
        let state = &mut *self.state();
        let topic = state.topics.get_mut(path)?;
        state.looks += 1;
        Some(Ticket { look: state.looks, before: topic.latest.clone(), needed: topic.needs.needed(), source: None })
    }

    /// What the look has found, of a change that the system told of at `changed`. Equal versions are no news; they answer
    /// those who were waiting for the look.
    ///
    /// Returns how many followers are told, or `None` if it was no news.
    pub fn publish(&self, ticket: Ticket, update: Update, changed: Instant) -> Option<usize> {
        let mut wakers = Vec::new();
        let look = ticket.look;
        // Before the lock, because it takes a while for a large document.
        let told = ticket.tell(update);
        let told = {
            let state = &mut *self.state();
            let topic = state.topics.get_mut(&told.update.path)?;
            topic.looked = look;
            let version = told.update.version;
            let is_news = topic.latest.as_ref().is_none_or(|latest| latest.update.version != version);
            if is_news {
                let left = topic.followers.len();
                // The first look at a file follows no save.
                topic.telling = topic.latest.is_some().then_some(Telling { changed, listeners: 0, left });
                topic.latest = Some(told);
                topic.waiting.clear();
                for ((follower, place), listener) in &mut topic.followers {
                    listener.is_left = true;
                    listener.look(look, version);
                    state.followers.get_mut(follower).into_iter().for_each(|slot| slot.owe(*place, &mut wakers));
                }
                state.updates += 1;
            } else {
                for (follower, place) in topic.waiting.drain(..) {
                    let listener = topic.followers.get_mut(&(follower, place));
                    listener.into_iter().for_each(|listener| listener.look(look, version));
                    state.followers.get_mut(&follower).into_iter().for_each(|slot| slot.owe(place, &mut wakers));
                }
            }
            is_news.then_some(topic.followers.len())
        };
        // Outside the lock: those who wake up take it.
        wakers.into_iter().for_each(Waker::wake);
        told
    }

    /// Many files are changing at once from now on, or no more.
    pub fn burst(&self, burst: bool) {
        let mut wakers = Vec::new();
        {
            let mut state = self.state();
            if state.burst != burst {
                state.burst = burst;
                let slots = state.followers.values_mut().filter(|slot| slot.hears_bursts);
                wakers.extend(slots.filter_map(|slot| slot.waker.take()));
            }
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Ends all followers, also those that come later.
    pub fn close(&self) {
        let mut wakers = Vec::new();
        {
            let mut state = self.state();
            state.closed = true;
            wakers.extend(state.followers.values_mut().filter_map(|slot| slot.waker.take()));
            wakers.extend(state.channels.wakers());
            wakers.extend(state.logs.wakers());
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Whether somebody follows `path`, and it is a file with contents.
    #[must_use]
    pub fn has_content(&self, path: &SitePath) -> bool {
        let state = self.state();
        let latest = state.topics.get(path).and_then(|topic| topic.latest.as_ref());
        latest.is_some_and(|latest| match latest.update.news {
            // The listing of a directory is a document, too.
            News::Document(_) => kind::of(path) == Kind::Document,
            News::Text(_) | News::Other(_) => true,
            News::Large(_) | News::Problem(_) | News::Removed => false,
        })
    }

    /// Whether somebody follows `path`, and was told what is there.
    #[must_use]
    pub fn is_known(&self, path: &SitePath) -> bool {
        self.state().topics.get(path).is_some_and(|topic| topic.latest.is_some())
    }

    /// The update that was the last to reach everybody.
    #[must_use]
    pub fn latest_report(&self) -> Option<Report> {
        self.state().report.clone()
    }

    /// Counts.
    #[must_use]
    pub fn census(&self) -> Census {
        let state = self.state();
        let is_broken =
            |topic: &&Topic| topic.latest.as_ref().is_some_and(|latest| latest.update.news.problem().is_some());
        Census {
            streams: state.followers.len() + state.channels.listeners() + state.logs.listeners(),
            followed: state.topics.len() + state.logs.paths().filter(|path| !state.topics.contains_key(path)).count(),
            updates: state.updates,
            problems: state.topics.values().filter(is_broken).count(),
        }
    }

    /// No code panics while it holds this lock, so a poisoned lock is still whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// The update that was told before, if there was one.
    #[must_use]
    pub fn before(&self) -> Option<&Update> {
        self.before.as_ref().map(|before| &before.update)
    }

    /// Whether somebody is answered with what the look finds, and so needs its source.
    #[must_use]
    pub fn needs_source(&self) -> bool {
        self.needed.source
    }

    /// What the look has found.
    pub fn set_source(&mut self, source: Source) {
        self.source = Some(source);
    }

    /// What was found, with all that is needed of it. What is the same as before is told again as it is.
    fn tell(self, update: Update) -> Arc<Told> {
        let told = match self.before.as_ref().filter(|before| before.update.version == update.version) {
            Some(before) => {
                before.find(&self.needed);
                before.clone()
            }
            None => Arc::new(Told::new(update, self.before.as_deref(), &self.needed)),
        };
        told.set_source(self.source);
        told
    }
}

impl Topic {
    /// One who was left has looked at the latest update, and was told of it or not; reports when it was the last one.
    fn settle(&mut self, path: &SitePath, is_told: bool) -> Option<Report> {
        let telling = self.telling.as_mut()?;
        telling.left -= 1;
        telling.listeners += usize::from(is_told);
        if telling.left > 0 {
            return None;
        }
        let Telling { changed, listeners, .. } = self.telling.take()?;
        let is_removed = self.latest.as_ref().is_some_and(|latest| latest.update.news == News::Removed);
        (listeners > 0).then(|| Report { path: path.clone(), is_removed, listeners, elapsed: changed.elapsed() })
    }
}

impl Slot {
    fn owe(&mut self, place: usize, wakers: &mut Vec<Waker>) {
        if !self.owed.contains(&place) {
            self.owed.push_back(place);
        }
        wakers.extend(self.waker.take());
    }
}
