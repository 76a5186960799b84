//! What requests are answered from.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;

use tokio::sync::Semaphore;

use crate::content::Version;
use crate::http::guard::verdict::Guard;
use crate::http::html::assets::Assets;
use crate::http::live::clients::Clients;
use crate::http::live::open::OpenStreams;
#[cfg(feature = "cli")]
use crate::http::proxy::mounted::Proxies;
use crate::http::request_body::Room;
use crate::http::status::edition::Editions;
use crate::http::told::Told;
use crate::hub::Hub;
use crate::notice::Notice;
#[cfg(feature = "cli")]
use crate::relay::Relay;
use crate::site::SitePath;
use crate::site::resolve::Conventions;
use crate::site::resolve::RuleRemark;
use crate::source::CurrentRules;
use crate::source::Rendered;
use crate::source::RuleFiles;
use crate::source::Sources;

/// How many remarks on the use of rules are told at most.
const REMARKS: usize = 100;

/// How many files that are missing are told at most.
const MISSING: usize = 1000;

/// Tells the person who runs the server.
pub type Say = Arc<dyn Fn(&Notice<'_>) + Send + Sync>;

/// What requests are answered from.
pub struct AppState {
    /// The name of what is served, for people.
    pub name: String,
    /// The directory of the app at which all of it is.
    pub prefix: SitePath,
    /// The path at which a proxy has put the server, without a slash at its end; empty if browsers reach it at the root.
    pub base: String,
    /// Set if all is served over TLS, and who comes without it is sent there.
    pub tls: Option<Tls>,
    /// Where contents come from.
    pub sources: Sources,
    /// The versions of pages that other people's handlers render, if there are some.
    pub rendered: Option<Arc<Rendered>>,
    /// The rules that the site has for its URLs, if such are read.
    pub rule_files: Option<Arc<RuleFiles>>,
    /// Whether the start page answers for all pages that don't exist.
    pub is_app: bool,
    /// What never has a page loaded again or changed.
    pub ignored: Ignored,
    /// What was told of the use of rules.
    pub remarked: Remarked,
    /// The browser's part.
    pub assets: Assets,
    /// The other servers that answer a part of the site.
    #[cfg(feature = "cli")]
    pub proxies: Proxies,
    /// What connects this instance to others.
    #[cfg(feature = "cli")]
    pub relay: Option<Relay>,
    /// Where snapshots come from.
    pub hub: Arc<Hub>,
    /// Who may ask.
    pub guard: Guard,
    /// The number of followed paths, and of watched directories.
    pub watched: Box<dyn Fn() -> (usize, usize) + Send + Sync>,
    /// Where bodies are kept while they come.
    pub room: Room,
    /// The clients of pages, each with its stream.
    pub clients: Clients,
    /// The open streams.
    pub open: OpenStreams,
    /// What the page for people shows.
    pub editions: Editions,
    /// What pages tell of their consoles.
    pub told: Told,
    /// How this server is reached by other machines, once it is known.
    pub network: Arc<OnceLock<Network>>,
    /// Tells the person who runs the server.
    pub say: Say,
    /// How many bytes of events were sent.
    pub sent: Arc<AtomicU64>,
    /// Whether this instance is about to end, and takes no new streams.
    pub is_draining: AtomicBool,
    /// How many streams may be passed on from the origin at once. Each of them is a connection to it.
    #[cfg(feature = "cli")]
    pub passed_streams: Arc<Semaphore>,
    /// Who may publish to channels.
    pub publishing: Publishing,
    /// How many large files may be on their way at once. Each of them is open.
    pub downloads: Arc<Semaphore>,
}

/// How a server is reached by other machines.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Its URLs; none if it listens for this machine alone.
    pub urls: Vec<String>,
    /// The first of them, or where phones get its certificate, as a QR code: rows of `0` and `1`.
    pub code: Vec<String>,
}

/// Who may publish to channels.
#[derive(Clone, Default)]
pub enum Publishing {
    /// Whoever may listen.
    #[default]
    Anybody,
    /// Who has this token (RFC 6750).
    Bearer(Arc<str>),
    /// Nobody: an edge is where everybody comes.
    Nobody,
}

/// How TLS is spoken.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The certificate of the authority, in PEM, if it is one that somebody has to be told to trust.
    pub authority: Option<String>,
}

/// Whether what happens at a path of the site, or of a tree that is watched, is ignored by pages.
pub type Ignored = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What was told: of rules by the number of their line, of what is missing by a hash of its path, which may be long.
#[derive(Debug, Default)]
pub struct Remarked {
    rules: Mutex<BTreeSet<(usize, bool)>>,
    missing: Mutex<BTreeSet<u64>>,
}

impl Remarked {
    /// Whether this is told for the first time.
    pub(crate) fn is_first(&self, line: usize, remark: RuleRemark) -> bool {
        let mut told = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < REMARKS && told.insert((line, remark == RuleRemark::Hidden))
    }

    /// Whether it was told that this is missing.
    pub(crate) fn is_missing(&self, path: &SitePath) -> bool {
        let told = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        told.contains(&Version::of(path.as_str().as_bytes()).short())
    }

    /// Whether this is missed for the first time.
    pub(crate) fn is_first_missing(&self, path: &SitePath) -> bool {
        let mut told = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < MISSING && told.insert(Version::of(path.as_str().as_bytes()).short())
    }
}

impl AppState {
    /// The rules that hold now, if that needs no waiting.
    pub(crate) fn rules_at_once(&self) -> Option<Arc<CurrentRules>> {
        self.rule_files.as_ref().map_or_else(|| Some(Arc::default()), |files| files.at_once())
    }

    /// The same. May wait.
    pub(crate) fn rules(&self) -> Arc<CurrentRules> {
        self.rule_files.as_ref().map(|files| files.now()).unwrap_or_default()
    }

    /// Whether what stands in the site is at another instance.
    #[cfg_attr(not(feature = "cli"), expect(clippy::unused_self, reason = "the command is what connects instances"))]
    pub(crate) fn is_edge(&self) -> bool {
        #[cfg(feature = "cli")]
        return self.relay.as_ref().is_some_and(|relay| relay.edge().is_some());
        #[cfg(not(feature = "cli"))]
        false
    }

    /// Whether what is served may be old, because who would tell of another is away.
    #[cfg_attr(not(feature = "cli"), expect(clippy::unused_self, reason = "the command is what connects instances"))]
    pub(crate) fn is_stale(&self) -> bool {
        #[cfg(feature = "cli")]
        return self.relay.as_ref().and_then(Relay::edge).is_some_and(|edge| edge.away().is_some());
        #[cfg(not(feature = "cli"))]
        false
    }

    /// How URLs are read under these rules.
    pub(crate) fn conventions<'a>(&self, rules: &'a CurrentRules) -> Conventions<'a> {
        Conventions { redirects: &rules.rules.redirects, is_app: self.is_app }
    }
}
