//! A connection to Redis: what is asked of it, and what it tells. With `documents`, the only place that names
//! its client.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use redis::AsyncConnectionConfig;
use redis::Client;
use redis::IntoConnectionInfo as _;
use redis::ProtocolVersion;
use redis::PushInfo;
use redis::PushKind;
use redis::RedisError;
use redis::Script;
use redis::Value;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use tokio::sync::mpsc;

use crate::hub::ChannelName;
use crate::hub::EventId;
use crate::relay::entry::Entry;
use crate::relay::keys::Keys;
use crate::relay::options::Options;
use crate::site::SitePath;

/// How long a connection may take to begin, and an answer to come. A server that was stopped accepts connections, and says nothing.
const CONNECT: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(5);

/// How long a server may take to say that it is there.
const PING: Duration = Duration::from_secs(2);

/// How many bytes of messages may wait to be heard. After that, the connection is given up, and what is missing is asked for.
const WAITING: usize = 64 << 20;

/// How many events a channel has at most, and how many bytes of them, and for how many seconds after the last one. The hub keeps
/// as many, so that nobody has to ask Redis for each listener.
const EVENTS: usize = 100;
const BYTES: usize = 1 << 20;
pub(super) const SECONDS: u64 = 24 * 3600;

/// How long an instance is there without saying so again.
pub(super) const ALIVE: Duration = Duration::from_secs(15);

/// What Redis answers while it can't write: its memory is full, its disk is, or it has no replica. The connection is good all the same.
const REFUSALS: [&str; 3] = ["OOM", "MISCONF", "NOREPLICAS"];

/// Redis does not do what it is asked to.
#[derive(Debug)]
pub(crate) struct LinkError {
    words: String,
    is_refusal: bool,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl LinkError {
    fn new(words: &str) -> Self {
        Self { words: words.to_owned(), is_refusal: false }
    }

    pub(super) fn gone() -> Self {
        Self::new("has closed the connection")
    }

    /// Whether it may do the same later, on the same connection.
    pub(super) fn is_refusal(&self) -> bool {
        self.is_refusal
    }
}

impl From<RedisError> for LinkError {
    fn from(error: RedisError) -> Self {
        let words = if error.is_timeout() {
            "does not answer".to_owned()
        } else if error.is_connection_refusal() {
            "refuses connections".to_owned()
        } else if error.is_connection_dropped() {
            "has closed the connection".to_owned()
        } else {
            format!("says: {error}")
        };
        Self { words, is_refusal: error.code().is_some_and(|code| REFUSALS.contains(&code)) }
    }
}

/// A message that Redis has sent by itself.
pub(super) enum Push {
    /// An event of a channel of ours.
    Event(ChannelName, Vec<u8>),
    /// Something else stands at a place.
    Document(SitePath, Bytes),
    /// An edge asks of a place, or does so no longer.
    Ask(Ask),
    /// The connection is gone.
    Gone,
}

/// What edges say to origins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// One of them wants to know what stands at a place.
    Want(SitePath),
    /// One of them does not any more.
    Leave(SitePath),
}

impl Ask {
    /// Reads `1 want URL` and `1 leave URL`. `None` if it makes no sense.
    fn read(message: &[u8]) -> Option<Self> {
        let (what, url) = str::from_utf8(message).ok()?.strip_prefix("1 ")?.split_once(' ')?;
        let place = SitePath::from_url(url)?;
        match what {
            "want" => Some(Self::Want(place)),
            "leave" => Some(Self::Leave(place)),
            _ => None,
        }
    }
}

/// The fields of an entry of a stream.
type Fields = HashMap<String, Vec<u8>>;

/// Where Redis is, and how to get in.
pub(super) struct Server(Client);

/// A connection. It is cheap to clone, and all clones are the same one.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) connection: MultiplexedConnection,
    pub(super) keys: Keys,
    pub(super) scripts: Arc<Scripts>,
}

/// What Redis does at once, without anybody in between.
pub(super) struct Scripts {
    pub(super) publish: Script,
    pub(super) alive: Script,
    pub(super) claim: Script,
    pub(super) put: Script,
    pub(super) want: Script,
    pub(super) wanted: Script,
    pub(super) release: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            publish: Script::new(include_str!("publish.lua")),
            alive: Script::new(include_str!("alive.lua")),
            claim: Script::new(include_str!("claim.lua")),
            put: Script::new(include_str!("put.lua")),
            want: Script::new(include_str!("want.lua")),
            wanted: Script::new(include_str!("wanted.lua")),
            release: Script::new(include_str!("release.lua")),
        }
    }
}

/// What Redis sends by itself.
pub(super) struct Pushes {
    receiver: mpsc::UnboundedReceiver<PushInfo>,
    waiting: Arc<AtomicUsize>,
    keys: Keys,
}

impl Server {
    /// Fails if such a URL makes no sense. Nothing is connected yet.
    pub(super) fn new(options: &Options) -> Result<Self, LinkError> {
        let info = options.url.secret().into_connection_info()?;
        let mut settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        if let (None, Some(user)) = (settings.username(), &options.user) {
            settings = settings.set_username(user);
        }
        if let (None, Some(password)) = (settings.password(), &options.password) {
            settings = settings.set_password(password);
        }
        let settings = settings.set_lib_name("savecast", env!("CARGO_PKG_VERSION"));
        // Or else a message may wait for others.
        let tcp = TcpSettings::default().set_nodelay(true);
        Ok(Self(Client::open(info.set_redis_settings(settings).set_tcp_settings(tcp))?))
    }
}

impl Link {
    /// Connects.
    pub(super) async fn open(Server(client): &Server, keys: Keys) -> Result<(Self, Pushes), LinkError> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let count = waiting.clone();
        let push = move |push: PushInfo| {
            let is_too_much = count.fetch_add(size(&push), Ordering::Relaxed) > WAITING;
            if is_too_much { Err(()) } else { sender.send(push).map_err(drop) }
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER))
            .set_push_sender(push);
        let connect = client.get_multiplexed_async_connection_with_config(&config);
        // The client has no deadline for what comes after the connection.
        let connection =
            tokio::time::timeout(ANSWER, connect).await.map_err(|_| LinkError::new("does not answer"))??;
        let pushes = Pushes { receiver, waiting, keys: keys.clone() };
        Ok((Self { connection, keys, scripts: Arc::default() }, pushes))
    }

    /// Fails if Redis is not there. A connection alone does not say so.
    pub(super) async fn ping(&mut self) -> Result<(), LinkError> {
        let ping = redis::cmd("PING");
        let answer = tokio::time::timeout(PING, ping.query_async::<()>(&mut self.connection)).await;
        Ok(answer.map_err(|_| LinkError::new("does not answer"))??)
    }

    /// From now on, events of these channels are told.
    pub(super) async fn listen(&mut self, names: &[ChannelName]) -> Result<(), LinkError> {
        let told = names.iter().map(|name| self.keys.told(name)).collect::<Vec<_>>();
        Ok(self.connection.subscribe(told).await?)
    }

    /// No longer.
    pub(super) async fn leave(&mut self, names: &[ChannelName]) -> Result<(), LinkError> {
        let told = names.iter().map(|name| self.keys.told(name)).collect::<Vec<_>>();
        Ok(self.connection.unsubscribe(told).await?)
    }

    /// The events of channels, each from this one on, that one included, or all that there are.
    pub(super) async fn events(
        &mut self,
        wanted: &[(ChannelName, Option<EventId>)],
    ) -> Result<Vec<Vec<Entry>>, LinkError> {
        let mut pipe = redis::pipe();
        for (name, from) in wanted {
            let from = from.map_or("-".to_owned(), |from| from.to_string());
            pipe.cmd("XRANGE").arg(self.keys.stream(name)).arg(from).arg("+").arg("COUNT").arg(EVENTS);
        }
        let found: Vec<Vec<(String, Fields)>> = pipe.query_async(&mut self.connection).await?;
        let read = |entries: Vec<(String, Fields)>| {
            entries.iter().filter_map(|(id, fields)| Entry::of_stream(id, fields)).collect()
        };
        Ok(found.into_iter().map(read).collect())
    }

    /// Publishes an event; returns its id, and how many listen to the channel at any instance.
    pub(super) async fn publish(
        &mut self,
        channel: &ChannelName,
        name: &str,
        data: &str,
    ) -> Result<(EventId, usize), LinkError> {
        let mut invocation = self.scripts.publish.prepare_invoke();
        invocation
            .key(self.keys.stream(channel))
            .key(self.keys.instances())
            .arg(self.keys.told(channel))
            .arg(name)
            .arg(data)
            .arg(channel.as_str())
            .arg(EVENTS)
            .arg(BYTES)
            .arg(SECONDS)
            .arg(self.keys.counts(""));
        let (id, listeners): (String, usize) = invocation.invoke_async(&mut self.connection).await?;
        let id = EventId::parse(&id).ok_or_else(|| LinkError::new("gives an id that is none"))?;
        Ok((id, listeners))
    }

    /// How many listen to channels at this instance.
    pub(super) async fn count(&mut self, instance: &str, counts: &[(ChannelName, usize)]) -> Result<(), LinkError> {
        let key = self.keys.counts(instance);
        let mut pipe = redis::pipe();
        for (name, count) in counts {
            if *count == 0 {
                pipe.cmd("HDEL").arg(&key).arg(name.as_str()).ignore();
            } else {
                pipe.cmd("HSET").arg(&key).arg(name.as_str()).arg(*count).ignore();
            }
        }
        pipe.cmd("PEXPIRE").arg(&key).arg(milliseconds(ALIVE)).ignore();
        Ok(pipe.query_async(&mut self.connection).await?)
    }

    /// This instance is there for some time more. Returns whether its counts still are.
    pub(super) async fn stay(&mut self, instance: &str) -> Result<bool, LinkError> {
        let mut invocation = self.scripts.alive.prepare_invoke();
        invocation.key(self.keys.instances()).key(self.keys.counts(instance)).arg(instance).arg(milliseconds(ALIVE));
        Ok(invocation.invoke_async(&mut self.connection).await?)
    }

    /// These channels are kept, although nothing was published for long.
    pub(super) async fn keep(&mut self, names: &[ChannelName]) -> Result<(), LinkError> {
        let mut pipe = redis::pipe();
        for name in names {
            pipe.cmd("EXPIRE").arg(self.keys.stream(name)).arg(SECONDS).ignore();
        }
        Ok(pipe.query_async(&mut self.connection).await?)
    }

    /// This instance is gone.
    pub(super) async fn go(&mut self, instance: &str) -> Result<(), LinkError> {
        let mut pipe = redis::pipe();
        pipe.cmd("ZREM").arg(self.keys.instances()).arg(instance).ignore();
        pipe.cmd("DEL").arg(self.keys.counts(instance)).arg(self.keys.wants(instance)).ignore();
        Ok(pipe.query_async(&mut self.connection).await?)
    }
}

impl Pushes {
    /// The next message that concerns us.
    pub(super) async fn next(&mut self) -> Push {
        loop {
            let Some(push) = self.receiver.recv().await else { return Push::Gone };
            let waiting = self.waiting.fetch_sub(size(&push), Ordering::Relaxed);
            match (&push.kind, push.data.as_slice()) {
                // What came after it was dropped.
                _ if waiting > WAITING => return Push::Gone,
                (PushKind::Disconnection, _) => return Push::Gone,
                (PushKind::Message, [Value::BulkString(channel), Value::BulkString(message)]) => {
                    if let Some(name) = self.keys.channel(channel) {
                        return Push::Event(name, message.clone());
                    }
                    if let Some(place) = self.keys.place(channel) {
                        return Push::Document(place, message.clone().into());
                    }
                    if let Some(ask) = Ask::read(message).filter(|_| *channel == self.keys.asks().into_bytes()) {
                        return Push::Ask(ask);
                    }
                }
                _ => {}
            }
        }
    }
}

/// The memory that a message takes, nearly.
fn size(push: &PushInfo) -> usize {
    let texts = push.data.iter().map(|value| match value {
        Value::BulkString(text) => text.len(),
        _ => 0,
    });
    100 + texts.sum::<usize>()
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
