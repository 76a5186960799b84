//! Keeps the connection to the others, on a thread of its own, and does what is due on it.

use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use tokio::runtime;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::content::Version;
use crate::hub::Hub;
use crate::notice::Notice;
use crate::relay::asker::Asker;
use crate::relay::backoff::Backoff;
use crate::relay::channels::Channels;
use crate::relay::clock::Clock;
use crate::relay::edge::Changed;
use crate::relay::edge::Edge;
use crate::relay::entry::Entry;
use crate::relay::error::RelayError;
use crate::relay::handle::Relay;
use crate::relay::handle::Role;
use crate::relay::keys::Keys;
use crate::relay::link::Link;
use crate::relay::link::LinkError;
use crate::relay::link::Push;
use crate::relay::link::Pushes;
use crate::relay::link::Server;
use crate::relay::options::Options;
use crate::relay::origin::Looked;
use crate::relay::origin::Origin;
use crate::source::RuleFiles;

/// How long the others are told at most that this instance ends.
const END: Duration = Duration::from_millis(200);

type Say = Arc<dyn Fn(&Notice<'_>) + Send + Sync>;

/// What this instance is to be for the others.
pub(crate) enum Side {
    /// It shares channels.
    Peer,
    /// It has a directory, too, of which it tells.
    Origin(Looked),
    /// It serves what an origin tells, with these rules, and this hears of what is followed.
    Edge(Arc<RuleFiles>, Changed),
}

/// Connects this instance with others, until it is stopped. Redis need not be there yet.
///
/// # Errors
///
/// If the URL makes no sense, or there is no thread for it.
pub(crate) fn start(options: &Options, side: Side, hub: Arc<Hub>, say: Say) -> Result<Relay, RelayError> {
    let server = Server::new(options).map_err(|error| RelayError::Url(options.url.clone(), error.to_string()))?;
    let instance = new_instance(options.url.secret());
    let wake = Arc::new(Notify::new());
    let (role, files) = match side {
        Side::Peer => (Role::Peer, Files::None),
        Side::Origin(sources) => (Role::Origin, Files::Origin(Origin::new(hub.clone(), sources, instance.clone()))),
        Side::Edge(rules, changed) => {
            let edge = Edge::new(wake.clone(), rules, changed);
            (Role::Edge(edge.clone()), Files::Edge(Asker::new(edge, instance.clone())))
        }
    };
    let relay = Relay::new(options.url.clone(), role, wake);
    let changed = relay.clone();
    hub.relay_channels(move |name| changed.changed(name));
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(RelayError::Thread)?;
    let channels = Channels::new(hub, instance);
    let keys = Keys::new(&options.site);
    let runner = Runner { relay: relay.clone(), server, channels, files, keys, say, away: None, is_refused: false };
    let ended = relay.clone();
    let run = move || {
        runtime.block_on(runner.run());
        ended.end();
    };
    thread::Builder::new().name("savecast-relay".into()).spawn(run).map_err(RelayError::Thread)?;
    Ok(relay)
}

/// An id that no other instance has.
fn new_instance(salt: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    // The address of something on the stack is another one in each process.
    let what = format!("{salt} {now} {} {:p}", std::process::id(), &raw const now);
    Version::of(what.as_bytes()).to_string()
}

/// What is done for files.
enum Files {
    None,
    Origin(Origin),
    Edge(Asker),
}

struct Runner {
    relay: Relay,
    server: Server,
    channels: Channels,
    files: Files,
    keys: Keys,
    say: Say,
    /// Since when Redis is away, if that was told.
    away: Option<Instant>,
    /// Whether it was told that Redis refuses something on this connection.
    is_refused: bool,
}

/// Why a connection is over.
enum Over {
    Lost(LinkError),
    Stopped,
}

impl From<LinkError> for Over {
    fn from(error: LinkError) -> Self {
        Self::Lost(error)
    }
}

impl Runner {
    /// Connects again and again, until it is stopped.
    async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            let began = Instant::now();
            let over = match Link::open(&self.server, self.keys.clone()).await {
                Ok((mut link, pushes)) => self.serve(&mut link, pushes).await,
                Err(error) => Over::Lost(error),
            };
            self.relay.set_link(None);
            self.relay.set_telling(false);
            let Over::Lost(why) = over else { return };
            match &mut self.files {
                Files::None => {}
                Files::Origin(origin) => origin.lose(),
                Files::Edge(asker) => asker.lose(),
            }
            if self.away.is_none() {
                self.away = Some(Instant::now());
                (self.say)(&Notice::RelayAway { server: self.relay.url(), why: &why.to_string() });
            }
            let mut pause = pin!(sleep(backoff.after(began.elapsed())));
            loop {
                if self.relay.is_stopped() {
                    return;
                }
                tokio::select! {
                    () = &mut pause => break,
                    // What has changed is seen with the next connection.
                    () = self.relay.woken() => {}
                }
            }
        }
    }

    /// Does what is due on a connection, until it is over.
    async fn serve(&mut self, link: &mut Link, mut pushes: Pushes) -> Over {
        if let Err(error) = self.begin(link).await {
            return Over::Lost(error);
        }
        let mut clock = Clock::default();
        loop {
            if let Err(over) = self.turn(link, &mut pushes, &mut clock).await {
                return over;
            }
        }
    }

    /// What was missed is caught up with before anything is published.
    async fn begin(&mut self, link: &mut Link) -> Result<(), LinkError> {
        // All that have changed are among those that are heard.
        drop(self.relay.take_changed());
        self.is_refused = false;
        let stayed = self.channels.stay(link).await;
        self.survive(stayed)?;
        let begun = self.channels.begin(link).await;
        self.survive(begun)?;
        let begun = match &mut self.files {
            Files::None => Ok(()),
            Files::Origin(origin) => origin.begin(link, self.relay.address().as_deref()).await,
            Files::Edge(asker) => asker.begin(link).await,
        };
        self.survive(begun)?;
        if let Files::Origin(origin) = &self.files {
            self.relay.set_telling(origin.is_telling());
        }
        self.look_for_origin(link).await?;
        self.relay.set_link(Some(link.clone()));
        if let Some(since) = self.away.take() {
            (self.say)(&Notice::RelayBack { server: self.relay.url(), elapsed: since.elapsed() });
        }
        Ok(())
    }

    /// A connection is good although Redis refuses to write. It is asked again when it is time.
    fn survive(&mut self, result: Result<(), LinkError>) -> Result<(), LinkError> {
        match result {
            Err(error) if error.is_refusal() => {
                if !std::mem::replace(&mut self.is_refused, true) {
                    (self.say)(&Notice::RelayRefuses { server: self.relay.url(), why: &error.to_string() });
                }
                Ok(())
            }
            result => result,
        }
    }

    /// Waits for the next thing to do, and does it.
    async fn turn(&mut self, link: &mut Link, pushes: &mut Pushes, clock: &mut Clock) -> Result<(), Over> {
        let done = tokio::select! {
            push = pushes.next() => self.hear(link, push).await,
            () = self.relay.woken() => {
                if self.relay.is_stopped() {
                    drop(timeout(END, self.end(link)).await);
                    return Err(Over::Stopped);
                }
                self.settle(link).await
            }
            _ = clock.count.tick(), if self.channels.has_counts() => self.channels.count(link).await,
            _ = clock.beat.tick() => self.beat(link).await,
            _ = clock.stay.tick() => self.stay(link).await,
            _ = clock.claim.tick(), if matches!(self.files, Files::Origin(_)) => self.claim(link).await,
            _ = clock.tidy.tick(), if matches!(self.files, Files::Edge(_)) => self.tidy(link).await,
            _ = clock.keep.tick() => self.channels.keep(link).await,
        };
        Ok(self.survive(done)?)
    }
}

impl Runner {
    /// Redis tells of something.
    async fn hear(&mut self, link: &mut Link, push: Push) -> Result<(), LinkError> {
        match (push, &mut self.files) {
            // What makes no sense is left out. If it stood for an event, the next one is seen to be missing one, which is asked for.
            (Push::Event(name, message), _) => match Entry::of_message(&message) {
                Some(entry) => self.channels.hear(link, &name, entry).await,
                None => Ok(()),
            },
            (Push::Document(place, message), Files::Edge(asker)) => asker.hear(link, &place, &message).await,
            (Push::Ask(ask), Files::Origin(origin)) => origin.hear(link, ask).await,
            (Push::Document(..) | Push::Ask(_), _) => Ok(()),
            (Push::Gone, _) => Err(LinkError::gone()),
        }
    }

    /// Listeners have come or gone, or there is something to ask for.
    async fn settle(&mut self, link: &mut Link) -> Result<(), LinkError> {
        let changed = self.relay.take_changed();
        let settled = self.channels.settle(link, changed).await;
        self.survive(settled)?;
        if let Files::Edge(asker) = &self.files { asker.settle(link).await } else { Ok(()) }
    }

    /// Sees whether Redis is there, and an edge whether there is an origin.
    async fn beat(&mut self, link: &mut Link) -> Result<(), LinkError> {
        let asked = Instant::now();
        link.ping().await?;
        self.relay.set_lag(asked.elapsed());
        self.look_for_origin(link).await
    }

    /// Says that this instance is there, and what it does.
    async fn stay(&mut self, link: &mut Link) -> Result<(), LinkError> {
        let stayed = self.channels.stay(link).await;
        self.survive(stayed)?;
        match &mut self.files {
            Files::None => Ok(()),
            Files::Origin(origin) => {
                origin.keep(link).await?;
                origin.compare(link).await
            }
            Files::Edge(asker) => asker.stay(link).await,
        }
    }

    /// Is the origin for some time more, if no other one is.
    async fn claim(&mut self, link: &mut Link) -> Result<(), LinkError> {
        let Files::Origin(origin) = &mut self.files else { return Ok(()) };
        origin.claim(link, self.relay.address().as_deref()).await?;
        self.relay.set_telling(origin.is_telling());
        Ok(())
    }

    /// An edge leaves what nobody asks for any more.
    async fn tidy(&mut self, link: &mut Link) -> Result<(), LinkError> {
        if let Files::Edge(asker) = &self.files { asker.tidy(link).await } else { Ok(()) }
    }

    /// An edge looks whether there is an origin.
    async fn look_for_origin(&mut self, link: &mut Link) -> Result<(), LinkError> {
        let Files::Edge(asker) = &self.files else { return Ok(()) };
        let is_there = asker.look_for_origin(link).await?;
        if let Some(is_there) = is_there {
            (self.say)(&if is_there { Notice::OriginBack } else { Notice::OriginAway });
        }
        Ok(())
    }

    /// Says that this instance is gone.
    async fn end(&mut self, link: &mut Link) -> Result<(), LinkError> {
        if let Files::Origin(origin) = &mut self.files {
            origin.end(link).await?;
        }
        self.channels.end(link).await
    }
}
