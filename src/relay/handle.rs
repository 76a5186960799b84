//! What others have of the relay: they publish, and ask how it stands.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::Notify;

use crate::hub::ChannelName;
use crate::hub::EventId;
use crate::relay::edge::Edge;
use crate::relay::link::Link;
use crate::relay::link::LinkError;
use crate::site::RelayUrl;

/// What connects this instance to others. It is cheap to clone, and all clones are the same one.
#[derive(Clone)]
pub struct Relay(Arc<Shared>);

struct Shared {
    url: RelayUrl,
    role: Role,
    state: Mutex<State>,
    /// There are channels whose listeners have come or gone, or places to ask for, or it is to stop.
    wake: Arc<Notify>,
    /// The others were told that this instance ends, or can't be.
    ended: Notify,
}

/// What an instance is for the others.
#[derive(Clone)]
pub(super) enum Role {
    /// It shares channels.
    Peer,
    /// It has a directory, too, of which it tells.
    Origin,
    /// It serves what an origin tells.
    Edge(Edge),
}

#[derive(Default)]
struct State {
    /// The connection, while there is one that answers.
    link: Option<Link>,
    /// Channels whose listeners have come or gone. As many as the hub has, at most.
    changed: BTreeSet<ChannelName>,
    is_stopped: bool,
    lag: Option<Duration>,
    connections: u64,
    /// The URL under which others reach this instance.
    address: Option<String>,
    /// Whether this instance is the origin that tells.
    is_telling: bool,
}

/// How it stands with the connection to the others.
#[derive(Clone, Debug)]
pub(crate) struct RelayStatus {
    /// Where Redis is, without secrets.
    pub(crate) server: String,
    /// Whether it answers.
    pub(crate) is_up: bool,
    /// How long it took to answer, when it was asked last.
    pub(crate) lag: Option<Duration>,
    /// How often the connection was lost and made again.
    pub(crate) reconnects: u64,
    /// `origin`, `standby`, `edge` or `peer`.
    pub(crate) role: &'static str,
    /// Whether an origin tells what stands in the site, as far as that is known here.
    pub(crate) has_origin: Option<bool>,
}

/// Why an event was not published.
#[derive(Debug)]
pub(crate) enum PublishError {
    /// There is no connection to the others.
    Away,
    /// Nobody knows whether it was.
    Unknown(LinkError),
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away => f.write_str("Redis is away, so this was not published: send it again later"),
            Self::Unknown(why) => write!(f, "Redis {why}, so nobody knows whether this was published"),
        }
    }
}

impl Relay {
    /// `wake` is notified when there is something to do.
    pub(super) fn new(url: RelayUrl, role: Role, wake: Arc<Notify>) -> Self {
        Self(Arc::new(Shared { url, role, state: Mutex::default(), wake, ended: Notify::new() }))
    }

    /// What stands in the site, if an origin tells that.
    pub(crate) fn edge(&self) -> Option<&Edge> {
        match &self.0.role {
            Role::Edge(edge) => Some(edge),
            Role::Peer | Role::Origin => None,
        }
    }

    /// Others reach this instance at this URL.
    pub(crate) fn announce(&self, address: String) {
        self.state().address = Some(address);
    }

    pub(super) fn address(&self) -> Option<String> {
        self.state().address.clone()
    }

    pub(super) fn set_telling(&self, is_telling: bool) {
        self.state().is_telling = is_telling;
    }

    /// Publishes an event; returns its id, and how many listen to the channel at any instance.
    pub(crate) async fn publish(
        &self,
        channel: &ChannelName,
        name: &str,
        data: &str,
    ) -> Result<(EventId, usize), PublishError> {
        let mut link = self.state().link.clone().ok_or(PublishError::Away)?;
        link.publish(channel, name, data).await.map_err(PublishError::Unknown)
    }

    /// How it stands with the connection to the others.
    pub(crate) fn status(&self) -> RelayStatus {
        let state = self.state();
        let (role, has_origin) = match &self.0.role {
            Role::Peer => ("peer", None),
            Role::Origin => (if state.is_telling { "origin" } else { "standby" }, None),
            Role::Edge(edge) => ("edge", Some(edge.away().is_none() && edge.has_begun())),
        };
        RelayStatus {
            role,
            has_origin,
            server: self.0.url.to_string(),
            is_up: state.link.is_some(),
            lag: state.lag,
            reconnects: state.connections.saturating_sub(1),
        }
    }

    /// Ends the connection, and tells the others.
    pub(crate) fn stop(&self) {
        self.state().is_stopped = true;
        self.0.wake.notify_one();
    }

    /// Waits until it has ended, after it was stopped. One may wait for it.
    pub(crate) async fn ended(&self) {
        self.0.ended.notified().await;
    }

    /// There is nothing more to do.
    pub(super) fn end(&self) {
        self.0.ended.notify_one();
    }

    /// Listeners of this channel have come or gone.
    pub(super) fn changed(&self, name: &ChannelName) {
        self.state().changed.insert(name.clone());
        self.0.wake.notify_one();
    }

    pub(super) fn url(&self) -> &RelayUrl {
        &self.0.url
    }

    /// Waits until there is something to do.
    pub(super) async fn woken(&self) {
        self.0.wake.notified().await;
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.state().is_stopped
    }

    /// Channels whose listeners have come or gone since it was asked last.
    pub(super) fn take_changed(&self) -> BTreeSet<ChannelName> {
        std::mem::take(&mut self.state().changed)
    }

    /// From now on, this connection answers, or there is none.
    pub(super) fn set_link(&self, link: Option<Link>) {
        let mut state = self.state();
        state.connections += u64::from(link.is_some());
        state.link = link;
    }

    pub(super) fn set_lag(&self, lag: Duration) {
        self.state().lag = Some(lag);
    }

    /// No code panics while it holds this lock, so a poisoned lock is still whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
