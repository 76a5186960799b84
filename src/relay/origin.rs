//! An instance with a directory: it tells edges what they want to know of it. Of several, one does at a time.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;
use std::time::Instant;

use futures_util::future::try_join_all;
use tokio::sync::Notify;
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::event::Format;
use crate::hub::Delivery;
use crate::hub::Follower;
use crate::hub::Hub;
use crate::hub::Interest;
use crate::hub::Known;
use crate::hub::Need;
use crate::relay::document::Document;
use crate::relay::link::Ask;
use crate::relay::link::Link;
use crate::relay::link::LinkError;
use crate::site::SitePath;
use crate::site::resolve::Standing;
use crate::source::Sources;

/// How many places are looked at for edges, at most.
const PLACES: usize = 100_000;

/// How many bytes of documents are on their way to Redis at once, or a single document. What else is said to Redis waits behind them.
const AT_ONCE: usize = 4 << 20;

/// How many places are released at once.
const RELEASED: usize = 100;

/// How long after a connection has begun no wish is forgotten: edges whose wishes are not there may have had no connection either.
const GRACE: Duration = Duration::from_secs(15);

/// After how long a document is told again that Redis has refused, because it has no memory left or is about to be another one's copy.
const RETRY: Duration = Duration::from_secs(1);

/// How many documents are kept with one request.
const BATCH: usize = 1000;

/// Where it is looked, once it has started.
pub(crate) type Looked = Arc<OnceLock<Sources>>;

/// The origin's side of a relay.
pub(super) struct Origin {
    hub: Arc<Hub>,
    sources: Looked,
    instance: String,
    told: HashMap<SitePath, Told>,
    /// How many connections there were.
    connections: u64,
    /// The connection on which documents are told, while this instance is the origin that does.
    turn: watch::Sender<Option<Turn>>,
    permits: Arc<Semaphore>,
    began: Instant,
}

/// A connection of the origin, and what the origin is called on it: so, what comes late of an older one is not believed.
#[derive(Clone)]
struct Turn {
    link: Link,
    name: Arc<str>,
}

/// A place that is looked at for edges. Dropped, it is no longer.
struct Told {
    /// Tell of it once more.
    again: Arc<Notify>,
    task: AbortHandle,
}

impl Drop for Told {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Origin {
    pub(super) fn new(hub: Arc<Hub>, sources: Looked, instance: String) -> Self {
        let (turn, permits) = (watch::Sender::new(None), Arc::new(Semaphore::new(AT_ONCE)));
        Self { hub, sources, instance, told: HashMap::new(), connections: 0, turn, permits, began: Instant::now() }
    }

    /// Whether this instance is the origin that tells.
    pub(super) fn is_telling(&self) -> bool {
        self.turn.borrow().is_some()
    }

    /// Begins with a new connection.
    pub(super) async fn begin(&mut self, link: &mut Link, address: Option<&str>) -> Result<(), LinkError> {
        self.began = Instant::now();
        self.connections += 1;
        self.lose();
        link.hear_asks().await?;
        self.claim(link, address).await
    }

    /// The connection is lost.
    pub(super) fn lose(&mut self) {
        self.turn.send_replace(None);
    }

    /// What this instance is called on this connection.
    fn name(&self) -> String {
        format!("{}.{}", self.instance, self.connections)
    }

    /// Is the origin for some time more, or becomes it, if no other one is.
    pub(super) async fn claim(&mut self, link: &mut Link, address: Option<&str>) -> Result<(), LinkError> {
        let is_origin = link.claim(&self.name(), address).await?;
        if is_origin && !self.is_telling() {
            // All are told anew, because nobody believes what another one has told.
            self.turn.send_replace(Some(Turn { link: link.clone(), name: self.name().into() }));
            self.compare(link).await?;
        } else if !is_origin {
            self.turn.send_replace(None);
            self.told.clear();
        }
        Ok(())
    }

    /// Looks at what edges want, and at nothing else. Of edges that have died, nobody else tells.
    pub(super) async fn compare(&mut self, link: &mut Link) -> Result<(), LinkError> {
        if !self.is_telling() {
            return Ok(());
        }
        let wanted = link.wanted().await?.into_iter().collect::<BTreeSet<_>>();
        if self.began.elapsed() >= GRACE {
            let left = self.told.keys().filter(|place| !wanted.contains(place)).cloned().collect::<Vec<_>>();
            for places in left.chunks(RELEASED) {
                self.release(link, places).await?;
            }
        }
        wanted.into_iter().for_each(|place| self.tell(place));
        Ok(())
    }

    /// An edge has said something.
    pub(super) async fn hear(&mut self, link: &mut Link, ask: Ask) -> Result<(), LinkError> {
        match ask {
            _ if !self.is_telling() => {}
            Ask::Want(place) => match self.told.get(&place) {
                Some(told) => told.again.notify_one(),
                None => self.tell(place),
            },
            Ask::Leave(place) if self.told.contains_key(&place) => self.release(link, &[place]).await?,
            Ask::Leave(_) => {}
        }
        Ok(())
    }

    /// Has Redis keep what is told.
    pub(super) async fn keep(&mut self, link: &mut Link) -> Result<(), LinkError> {
        let places = self.told.keys().filter(|_| self.is_telling()).collect::<Vec<_>>();
        for places in places.chunks(BATCH) {
            link.keep_documents(places).await?;
        }
        Ok(())
    }

    /// Is no origin any more.
    pub(super) async fn end(&mut self, link: &mut Link) -> Result<(), LinkError> {
        if self.is_telling() {
            link.cede(&self.name()).await?;
        }
        Ok(())
    }

    /// No longer, unless somebody wants it meanwhile.
    async fn release(&mut self, link: &mut Link, places: &[SitePath]) -> Result<(), LinkError> {
        let name = self.name();
        // First nothing is told of them any more, so that what is deleted stays so.
        places.iter().for_each(|place| drop(self.told.remove(place)));
        let released = places.iter().map(|place| {
            let (mut link, name) = (link.clone(), &name);
            async move { link.release(name, place).await }
        });
        for (place, is_released) in places.iter().zip(try_join_all(released).await?) {
            if !is_released {
                self.tell(place.clone());
            }
        }
        Ok(())
    }

    fn tell(&mut self, place: SitePath) {
        if self.told.contains_key(&place) || self.told.len() >= PLACES {
            return;
        }
        let again = Arc::new(Notify::new());
        let teller = Teller {
            place: place.clone(),
            turn: self.turn.subscribe(),
            again: again.clone(),
            permits: self.permits.clone(),
        };
        let task = tokio::spawn(teller.tell(self.hub.clone(), self.sources.clone())).abort_handle();
        self.told.insert(place, Told { again, task });
    }
}

/// Tells what stands at a place, now and whenever that is something else.
struct Teller {
    place: SitePath,
    turn: watch::Receiver<Option<Turn>>,
    again: Arc<Notify>,
    permits: Arc<Semaphore>,
}

impl Teller {
    async fn tell(mut self, hub: Arc<Hub>, sources: Looked) {
        let interest =
            Interest { path: self.place.clone(), has: Known::Nothing, format: Format::Stream, need: Need::Original };
        let mut follower = Follower::aside(&hub, vec![interest]);
        // The hub keeps bad news for a moment, and who waits for an answer is not to wait for it.
        let first = self.is_nothing(sources);
        tokio::pin!(first);
        let mut is_looking = true;
        let mut latest = None;
        let mut is_owed = false;
        loop {
            tokio::select! {
                delivery = follower.next() => match delivery {
                    Some(Delivery::Snapshot(published, _)) => latest = Some(published),
                    Some(_) => {}
                    // The hub has closed.
                    None => return,
                },
                is_nothing = &mut first, if is_looking => {
                    is_looking = false;
                    let turn = self.turn.borrow().clone().filter(|_| is_nothing && latest.is_none());
                    if let Some(mut turn) = turn {
                        drop(turn.link.tell_nothing(&self.place).await);
                    }
                    continue;
                }
                changed = self.turn.changed() => if changed.is_err() { return },
                () = self.again.notified() => {}
                () = sleep(RETRY), if is_owed => {}
            }
            is_owed = false;
            let turn = self.turn.borrow_and_update().clone();
            if let (Some(mut turn), Some(document)) = (turn, latest.as_deref().and_then(Document::of)) {
                let size = document.size().min(AT_ONCE);
                let _permits = self.permits.acquire_many(u32::try_from(size).unwrap_or(u32::MAX)).await;
                // Whoever is no origin any more is told so with the next claim, or is it still.
                is_owed = !turn.link.put(&turn.name, &self.place, &document).await.unwrap_or(false);
            }
        }
    }

    /// Whether nothing stands there now.
    fn is_nothing(&self, sources: Looked) -> impl Future<Output = bool> + use<> {
        let (place, permits) = (self.place.clone(), self.permits.clone());
        async move {
            let _permit = permits.acquire_owned().await;
            let look = move || match sources.get().map(|sources| sources.standing(&place)) {
                Some(Standing::Missing) => true,
                // Its name has a slash at its end.
                Some(Standing::Directory) => !place.is_directory(),
                Some(Standing::File) | None => false,
            };
            tokio::task::spawn_blocking(look).await.unwrap_or(false)
        }
    }
}
