//! What is known of another server, and shared by those who ask it: requests, looks, and a thread that asks again.

use std::collections::HashMap;
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use hyper::HeaderMap;
use tokio::sync::mpsc;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::content::Version;
use crate::site::ServerUrl;
use crate::site::SitePath;
use crate::source::upstream::client::Client;
use crate::source::upstream::known::AllKnown;
use crate::source::upstream::known::Contents;
use crate::source::upstream::known::Known;
use crate::source::upstream::known::Question;
use crate::source::upstream::loads::Loads;
use crate::source::upstream::options::Options;
use crate::source::upstream::options::Tell;
use crate::source::upstream::signal::Signal;

/// How long after a save a server may still begin to start again, or have other answers.
const RESTLESS: Duration = Duration::from_secs(10);

/// How long after it was loaded a page may take until it follows what it uses.
const ARRIVAL: Duration = Duration::from_secs(10);

/// Of how many places it is known how their contents are asked for, apart from those that are followed.
const QUESTIONS: usize = 1000;

/// Another server, mounted at a directory of the site.
pub struct Upstream {
    pub(super) options: Options,
    pub(super) tell: Tell,
    pub(super) pages: SitePath,
    tls: Option<TlsConnector>,
    pub(super) loads: Arc<Loads>,
    /// What makes versions those of this program.
    start: u64,
    /// How often pages were to look whether they are others.
    generation: AtomicU64,
    pub(super) state: Mutex<State>,
    pub(super) away: watch::Sender<Option<Away>>,
    /// How many requests wait until it is back.
    pub(super) waiting: AtomicUsize,
    /// How many questions of ours are on their way to it, with those of pages for themselves.
    pub(super) asking: AtomicUsize,
    pub(super) signals: UnboundedSender<Signal>,
}

/// Since when the other server is away, and why.
#[derive(Clone, Debug)]
pub struct Away {
    /// Since when.
    pub since: Instant,
    /// In words, such as `refuses connections`.
    pub why: String,
}

pub(super) struct State {
    pub(super) known: AllKnown,
    pub(super) followed: HashSet<SitePath>,
    pub(super) contents: HashMap<SitePath, Contents>,
    /// With which credentials contents are asked for.
    pub(super) questions: HashMap<SitePath, Question>,
    /// A page that was asked for last, if nothing else is there to ask for.
    pub(super) page: Option<Question>,
    /// What is said while it is away for long.
    pub(super) trouble: Option<String>,
    /// Since when all saves are seen.
    pub(super) watched: Option<Instant>,
    /// When the last question of ours was over.
    pub(super) asked: Option<Instant>,
    /// When something was saved last.
    pub(super) saved: Option<Instant>,
}

impl Upstream {
    /// Another server, and what its thread is told.
    pub(super) fn new(options: Options, loads: Arc<Loads>, tell: Tell) -> (Arc<Self>, UnboundedReceiver<Signal>) {
        let (signals, received) = mpsc::unbounded_channel();
        let tls = options.server.is_secure.then(|| crate::source::upstream::tls::connector(options.believes_all));
        let upstream = Arc::new(Self {
            pages: SitePath::pages(&options.directory),
            options,
            tell,
            tls,
            loads,
            start: RandomState::new().hash_one(0),
            generation: AtomicU64::new(0),
            state: Mutex::new(State {
                known: AllKnown::default(),
                followed: HashSet::new(),
                contents: HashMap::new(),
                questions: HashMap::new(),
                page: None,
                trouble: None,
                watched: None,
                asked: None,
                saved: None,
            }),
            away: watch::Sender::new(None),
            waiting: AtomicUsize::new(0),
            asking: AtomicUsize::new(0),
            signals,
        });
        (upstream, received)
    }

    /// Where it is mounted.
    #[must_use]
    pub fn directory(&self) -> &SitePath {
        &self.options.directory
    }

    /// Where it is.
    #[must_use]
    pub fn server(&self) -> &ServerUrl {
        &self.options.server
    }

    /// Whether it may be asked again.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.options.asks
    }

    /// Connections to it, for one thread.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.options.server.clone(), self.tls.clone())
    }

    /// The place that all of its pages have in common.
    #[must_use]
    pub fn pages(&self) -> &SitePath {
        &self.pages
    }

    /// How often pages were to look whether they are others.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// The version that all pages have in this generation.
    #[must_use]
    pub fn version(&self, generation: u64) -> Version {
        Version::of(format!("{} {generation}", self.start).as_bytes())
    }

    /// Pages are to look whether they are others.
    pub(super) fn next_generation(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// What browsers have loaded.
    #[must_use]
    pub fn loads(&self) -> &Arc<Loads> {
        &self.loads
    }

    /// A page is about to be asked for.
    pub fn expect(&self) {
        (self.tell.expect)();
    }

    /// A page that was asked for in this way has come. The head took so long.
    pub fn served(&self, url: &str, headers: &HeaderMap, took: Duration) {
        self.state().page = Some(Question::new(url, headers, took));
    }

    /// Contents of this place are asked for in this way from now on.
    pub fn ask_with(&self, place: &SitePath, url: &str, headers: &HeaderMap, took: Duration) {
        let mut state = self.state();
        let before = state.questions.get(place).map_or(Duration::ZERO, |question| question.took);
        let question = Question::new(url, headers, if took.is_zero() { before } else { took });
        // Those of places that nobody follows are of listeners that have gone, or are about to come.
        if state.questions.len() >= QUESTIONS {
            let State { questions, followed, .. } = &mut *state;
            questions.retain(|place, _| followed.contains(place));
        }
        state.questions.insert(place.clone(), question);
    }

    /// Whether contents of this place are followed, and known.
    #[must_use]
    pub fn has_contents(&self, place: &SitePath) -> bool {
        self.state().contents.contains_key(place)
    }

    /// It does not answer, in words such as `refuses connections`.
    pub fn failed(&self, why: &str) {
        self.mark_away(why);
        self.signal(Signal::Failed(why.to_owned()));
    }

    pub(super) fn mark_away(&self, why: &str) {
        self.away.send_if_modified(|away| {
            let is_news = away.is_none();
            away.get_or_insert_with(|| Away { since: Instant::now(), why: why.to_owned() });
            is_news
        });
    }

    /// Since when it is away, and why, if it is.
    #[must_use]
    pub fn away(&self) -> Option<Away> {
        self.away.borrow().clone()
    }

    /// Whether it may be about to start again: something was saved a moment ago, or it is away.
    #[must_use]
    pub fn is_restless(&self) -> bool {
        self.away.borrow().is_some() || self.state().saved.is_some_and(|saved| saved.elapsed() < RESTLESS)
    }

    /// It does not answer, for this reason. Waits until it does; false if that takes longer.
    pub async fn wait(&self, why: &str, limit: Duration) -> bool {
        // First this, because nobody finds out whether it is back if nobody wants to know.
        let _waiting = Counted::new(&self.waiting);
        self.failed(why);
        let mut away = self.away.subscribe();
        timeout(limit, away.wait_for(Option::is_none)).await.is_ok_and(|here| here.is_ok())
    }

    /// A page asks for itself, for as long as this is kept.
    #[must_use]
    pub fn asking(self: &Arc<Self>) -> Asking {
        self.asking.fetch_add(1, Ordering::Relaxed);
        Asking(self.clone())
    }

    pub(super) fn signal(&self, signal: Signal) {
        // Without the thread, nobody hears.
        drop(self.signals.send(signal));
    }

    /// No code panics while it holds this lock, so a poisoned lock is still whole.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn know(&mut self, place: SitePath, known: Known) {
        let followed = &self.followed;
        self.known.insert(place, known, |place| followed.contains(place));
    }

    /// Whether somebody has what is known, or may be about to say so.
    pub(super) fn is_in_use(&self, place: &SitePath, known: &Known) -> bool {
        self.followed.contains(place) || known.at.elapsed() < ARRIVAL
    }

    /// Whether an answer of then may be another one now, because of a save.
    pub(super) fn may_have_changed(&self, since: Instant) -> bool {
        self.watched.is_none_or(|watched| since < watched) || self.saved.is_some_and(|saved| since < saved + RESTLESS)
    }
}

/// A question that is on its way.
pub struct Asking(Arc<Upstream>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.asking.fetch_sub(1, Ordering::Relaxed);
        self.0.state().asked = Some(Instant::now());
    }
}

/// One more, for as long as it is kept.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
