//! What is followed, the newest snapshot of each, and who has still to get it.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::Waker;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use crate::content::Content;
use crate::content::Snapshot;
use crate::content::Version;
use crate::content::kind;
use crate::content::kind::Kind;
use crate::event::Format;
use crate::hub::channels::Channels;
use crate::hub::closing::Closing;
use crate::hub::latencies::Latencies;
use crate::hub::needs::Needed;
use crate::hub::needs::Needs;
use crate::hub::published::Original;
use crate::hub::published::Published;
use crate::hub::report::Report;
use crate::hub::report::Reports;
use crate::hub::tails::Tails;
use crate::hub::waiters::Wakers;
use crate::site::SitePath;

/// The meeting point of the save flow and the request flow.
pub struct Hub {
    pub(super) state: Mutex<State>,
    pub(super) watch: Box<dyn Fn(WatchRequest) + Send + Sync>,
    pub(super) report: Box<dyn Fn(&Report) + Send + Sync>,
}

/// What the hub wants to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchRequest {
    /// Somebody follows this path from now on: look at it, and again whenever it changes.
    Follow(SitePath),
    /// One of those who followed it has gone.
    Unfollow(SitePath),
    /// Somebody follows this path line by line from now on.
    FollowLines(SitePath),
    /// One of those has gone.
    UnfollowLines(SitePath),
}

/// What a follower is sent next.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// The state of a file, to be sent in this format.
    Snapshot(Arc<Published>, Format),
    /// Many files are changing at once from now on, or no more. For pages.
    Burst(bool),
    /// The page is to be loaded again.
    Reload,
}

/// Allows one look at a path, and says when it began.
#[derive(Debug)]
#[must_use = "a snapshot without its look reaches nobody"]
pub struct Ticket {
    look: u64,
    /// The snapshot before.
    before: Option<Arc<Published>>,
    needed: Needed,
    original: Option<Original>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) topics: HashMap<SitePath, Topic>,
    pub(super) followers: HashMap<u64, Slot>,
    pub(super) channels: Channels,
    pub(super) tails: Tails,
    pub(super) next_follower: u64,
    /// The number of looks that have begun. A follower that came before a look began can rely on what it found.
    pub(super) looks: u64,
    pub(super) updates: u64,
    /// What has reached everybody, with the newest at the end.
    pub(super) reports: Reports,
    /// Whether many files are changing at once.
    pub(super) burst: bool,
    /// How often all pages were to be loaded again.
    pub(super) reloads: u64,
    pub(super) closed: Closing,
    /// How long updates took.
    pub(super) latencies: Latencies,
    /// How often somebody was told that events of a channel are lost.
    pub(super) gaps: u64,
}

/// A followed path.
#[derive(Default)]
pub(super) struct Topic {
    pub(super) latest: Option<Arc<Published>>,
    pub(super) needs: Needs,
    /// The newest look that has come to an end.
    pub(super) looked: u64,
    /// Who follows, by follower and the place in its list.
    pub(super) followers: HashMap<(u64, usize), Listener>,
    /// Those of them who wait for a look that begins after they came.
    pub(super) waiting: Vec<(u64, usize)>,
    /// How far the latest snapshot has come, if it is one of a file that was followed before.
    pub(super) sending: Option<Sending>,
    /// When a snapshot has reached everybody last, and how long that took.
    pub(super) sent: Option<(SystemTime, Duration)>,
}

/// One who follows a path.
pub(super) struct Listener {
    /// The first look that began after it came. What was found before may be older than what it has.
    pub(super) since: u64,
    /// What that look has found.
    pub(super) first: Option<Version>,
    /// Whether it has still to look at the latest snapshot.
    pub(super) is_left: bool,
}

impl Listener {
    pub(super) fn look(&mut self, look: u64, version: Version) {
        if self.since <= look {
            self.first.get_or_insert(version);
        }
    }
}

/// A snapshot on its way to its listeners.
pub(super) struct Sending {
    pub(super) changed: Instant,
    /// How many got it, and how many are left.
    pub(super) listeners: usize,
    pub(super) left: usize,
}

/// What the hub keeps of a follower.
#[derive(Default)]
pub(super) struct Slot {
    /// The places in its list where it may owe something.
    pub(super) owed: VecDeque<usize>,
    /// Whether it is a page: bursts and reloads concern it.
    pub(super) is_page: bool,
    /// Whether it is no stream, and only belongs to one, or to another instance.
    pub(super) is_aside: bool,
    pub(super) waker: Option<Waker>,
}

impl Hub {
    /// `watch` says what to look at, `report` is called when a snapshot has reached everybody. Both are called in order and
    /// must not wait, because they are called under the lock.
    pub fn new(
        watch: impl Fn(WatchRequest) + Send + Sync + 'static,
        report: impl Fn(&Report) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), watch: Box::new(watch), report: Box::new(report) })
    }

    /// Announces a look at `path`; `None` if nobody wants to know any more.
    pub fn look(&self, path: &SitePath) -> Option<Ticket> {
        let state = &mut *self.state();
        let topic = state.topics.get_mut(path)?;
        state.looks += 1;
        Some(Ticket { look: state.looks, before: topic.latest.clone(), needed: topic.needs.needed(), original: None })
    }

    /// What the look has found, of a change that the system told of at `changed`. Equal versions are no news; they answer
    /// those who were waiting for the look.
    ///
    /// Returns how many followers get it, or `None` if it was no news.
    pub fn publish(&self, ticket: Ticket, snapshot: Snapshot, changed: Instant) -> Option<usize> {
        let mut wakers = Wakers::default();
        let look = ticket.look;
        // Before the lock, because it takes a while for a large document.
        let published = ticket.publish(snapshot);
        let state = &mut *self.state();
        let topic = state.topics.get_mut(&published.snapshot.path)?;
        topic.looked = look;
        let version = published.snapshot.version;
        let is_news = topic.latest.as_ref().is_none_or(|latest| latest.snapshot.version != version);
        if is_news {
            let left = topic.followers.len();
            // The first look at a file follows no save.
            topic.sending = topic.latest.is_some().then_some(Sending { changed, listeners: 0, left });
            topic.latest = Some(published);
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
    }

    /// Many files are changing at once from now on, or no more.
    pub fn burst(&self, burst: bool) {
        let mut wakers = Wakers::default();
        let mut state = self.state();
        if state.burst != burst {
            state.burst = burst;
            state.wake_pages(&mut wakers);
        }
    }

    /// Has every open page loaded again. Returns how many streams of pages there are: a browser has one for all of its tabs.
    pub fn reload(&self) -> usize {
        let mut wakers = Wakers::default();
        let mut state = self.state();
        state.reloads += 1;
        state.wake_pages(&mut wakers);
        state.followers.values().filter(|slot| slot.is_page).count()
    }

    /// Ends all followers, also those that come later.
    pub fn close(&self) {
        self.end(Closing::All);
    }

    /// Ends this share of all streams, from 0 to 1, by chance. With a larger share, more of them end.
    pub fn end_some(&self, share: f64) {
        self.end(Closing::Some(share));
    }

    /// Whether all of them have ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state().closed.is_all()
    }

    fn end(&self, closing: Closing) {
        let mut wakers = Wakers::default();
        let mut state = self.state();
        if !state.closed.is_all() {
            state.closed = closing;
        }
        state.followers.values_mut().for_each(|slot| wakers.wake(&mut slot.waker));
        state.channels.wake_all(&mut wakers);
        state.tails.wake_all(&mut wakers);
    }

    /// Whether somebody follows `path`, and it is a file with contents.
    #[must_use]
    pub fn has_content(&self, path: &SitePath) -> bool {
        let state = self.state();
        let latest = state.topics.get(path).and_then(|topic| topic.latest.as_ref());
        latest.is_some_and(|latest| match latest.snapshot.content {
            // The listing of a directory is a document, too.
            Content::Document(_) => kind::of(path) == Kind::Document,
            Content::Text(_) | Content::Other(_) | Content::Unread => true,
            Content::Large(_) | Content::Problem(_) | Content::Removed => false,
        })
    }

    /// Whether somebody follows `path`, and it is known what is there.
    #[must_use]
    pub fn is_known(&self, path: &SitePath) -> bool {
        self.state().topics.get(path).is_some_and(|topic| topic.latest.is_some())
    }

    /// No code panics while it holds this lock, so a poisoned lock is still whole.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake_pages(&mut self, wakers: &mut Wakers) {
        let pages = self.followers.values_mut().filter(|slot| slot.is_page);
        pages.for_each(|slot| wakers.wake(&mut slot.waker));
    }
}

impl Ticket {
    /// The snapshot before, if there was one.
    #[must_use]
    pub fn before(&self) -> Option<&Snapshot> {
        self.before.as_ref().map(|before| &before.snapshot)
    }

    /// Whether somebody is answered with what the look finds, and so needs its source.
    #[must_use]
    pub fn needs_original(&self) -> bool {
        self.needed.original
    }

    /// What the look has found.
    pub fn set_original(&mut self, original: Original) {
        self.original = Some(original);
    }

    /// What was found, with all that is needed of it. What is the same as before stays as it is.
    fn publish(self, snapshot: Snapshot) -> Arc<Published> {
        let published = match self.before.as_ref().filter(|before| before.snapshot.version == snapshot.version) {
            Some(before) => {
                before.find(&self.needed);
                before.clone()
            }
            None => Arc::new(Published::new(snapshot, self.before.as_deref(), &self.needed)),
        };
        published.set_original(self.original);
        published
    }
}

impl Topic {
    /// One who was left has looked at the latest snapshot, and got it or not; reports when it was the last one.
    pub(super) fn settle(&mut self, path: &SitePath, is_sent: bool) -> Option<Report> {
        let sending = self.sending.as_mut()?;
        sending.left -= 1;
        sending.listeners += usize::from(is_sent);
        if sending.left > 0 {
            return None;
        }
        let Sending { changed, listeners, .. } = self.sending.take()?;
        let content = &self.latest.as_ref()?.snapshot.content;
        let report = Report {
            path: path.clone(),
            is_removed: *content == Content::Removed,
            is_broken: content.problem().is_some(),
            listeners,
            at: SystemTime::now(),
            elapsed: changed.elapsed(),
        };
        // Which pages are others, they say themselves.
        let is_told = listeners > 0 && !path.is_pages();
        if is_told {
            self.sent = Some((report.at, report.elapsed));
        }
        is_told.then_some(report)
    }
}

impl Slot {
    pub(super) fn owe(&mut self, place: usize, wakers: &mut Wakers) {
        if !self.owed.contains(&place) {
            self.owed.push_back(place);
        }
        wakers.wake(&mut self.waker);
    }
}
