//! The options of a live directory.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::console;
use crate::http::html::assets::PageConsole;
use crate::http::state::Ignored;
use crate::http::state::Publishing;
use crate::http::state::Say;
use crate::http::state::Tls;
use crate::hub::Report;
use crate::notice::Notice;
#[cfg(feature = "cli")]
use crate::relay;
#[cfg(feature = "cli")]
use crate::site::ServerUrl;
use crate::site::SitePath;

/// The largest file whose contents are pushed, in bytes, if nothing else is said.
const MAX_PUSH: u64 = 8 << 20;

/// How many large files may be on their way at once, if nothing else is said. Each of them is open.
const DOWNLOADS: usize = 128;

/// Options of a [`Live`](crate::Live): those of the command line.
///
/// ```
/// # fn main() -> Result<(), savecast::LiveError> {
/// # let directory = std::env::temp_dir();
/// use std::time::Duration;
///
/// let live = savecast::Live::builder(directory)
///     .max_push(1 << 20)
///     .poll(Duration::from_millis(200))
///     .on_notice(|notice| eprintln!("{notice}"))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct LiveBuilder {
    pub(super) directory: PathBuf,
    pub(super) max_push: u64,
    pub(super) poll: Option<Duration>,
    pub(super) allowed_hosts: Vec<String>,
    pub(super) cors: Option<Vec<String>>,
    pub(super) say: Say,
    pub(super) report: Arc<dyn Fn(&Report) + Send + Sync>,
    pub(super) downloads: usize,
    pub(super) is_for_pages: bool,
    pub(super) mounts: Vec<(SitePath, PathBuf)>,
    pub(super) is_app: bool,
    pub(super) base: String,
    pub(super) tls: Option<Tls>,
    pub(super) hidden: Vec<PathBuf>,
    pub(super) ignored: Ignored,
    pub(super) publishing: Publishing,
    pub(super) console: PageConsole,
    #[cfg(feature = "cli")]
    pub(super) proxy: ProxyOptions,
    #[cfg(feature = "cli")]
    pub(super) relay: Option<relay::Options>,
}

/// Other servers whose pages are live, too.
#[cfg(feature = "cli")]
#[derive(Clone, Debug)]
pub(crate) struct ProxyOptions {
    /// Each at a directory of the site.
    pub(crate) servers: Vec<(SitePath, ServerUrl)>,
    /// Below which directories every save counts; the served one, if none is named.
    pub(crate) trees: Vec<PathBuf>,
    /// Whether they may be asked again after a save.
    pub(crate) asks: bool,
    /// How often they are asked for what is followed, besides.
    pub(crate) poll: Option<Duration>,
    /// Whether any certificate is believed.
    pub(crate) believes_all: bool,
}

#[cfg(feature = "cli")]
impl Default for ProxyOptions {
    fn default() -> Self {
        Self { servers: Vec::new(), trees: Vec::new(), asks: true, poll: None, believes_all: false }
    }
}

#[cfg(feature = "cli")]
impl ProxyOptions {
    /// The server that has the whole site, if there is one: nothing of the directory is served then.
    pub(crate) fn whole(&self) -> Option<&ServerUrl> {
        self.servers.iter().find(|(directory, _)| *directory == SitePath::root()).map(|(_, server)| server)
    }
}

impl LiveBuilder {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            max_push: MAX_PUSH,
            poll: None,
            allowed_hosts: Vec::new(),
            cors: None,
            say: Arc::new(console::say),
            report: Arc::new(|_| {}),
            downloads: DOWNLOADS,
            is_for_pages: true,
            mounts: Vec::new(),
            is_app: false,
            base: String::new(),
            tls: None,
            hidden: Vec::new(),
            ignored: Arc::new(|_| false),
            publishing: Publishing::Anybody,
            console: PageConsole::default(),
            #[cfg(feature = "cli")]
            proxy: ProxyOptions::default(),
            #[cfg(feature = "cli")]
            relay: None,
        }
    }

    /// Whether the directory itself is served.
    #[cfg_attr(not(feature = "cli"), expect(clippy::unused_self, reason = "the command puts other servers behind it"))]
    pub(super) fn serves_directory(&self) -> bool {
        #[cfg(feature = "cli")]
        return self.proxy.whole().is_none() && !self.is_edge();
        #[cfg(not(feature = "cli"))]
        true
    }

    /// What all of it is called, if that is not the name of the directory.
    #[cfg_attr(not(feature = "cli"), expect(clippy::unused_self, reason = "the command puts other servers behind it"))]
    pub(super) fn name(&self) -> Option<String> {
        #[cfg(feature = "cli")]
        return match &self.relay {
            Some(relay) if relay.is_edge => Some(relay.site.clone()),
            _ => self.proxy.whole().map(ServerUrl::name),
        };
        #[cfg(not(feature = "cli"))]
        None
    }

    /// The largest file whose contents are pushed, in bytes; 8 MiB if it is not set. Larger files are served, and announced as
    /// a problem.
    #[must_use]
    pub fn max_push(mut self, bytes: u64) -> Self {
        self.max_push = bytes;
        self
    }

    /// Does not rely on events of the file system, but looks at what is in use after each such pause.
    #[must_use]
    pub fn poll(mut self, every: Duration) -> Self {
        self.poll = Some(every.max(Duration::from_millis(1)));
        self
    }

    /// Another name under which the server is reached, such as that of a proxy: without scheme and port.
    #[must_use]
    pub fn allow_host(mut self, name: &str) -> Self {
        self.allowed_hosts.push(name.to_ascii_lowercase());
        self
    }

    /// Lets pages of this origin use files, streams and channels. It is written as browsers send it, such as
    /// `http://localhost:5173`: without the port if that is the usual one.
    #[must_use]
    pub fn allow_origin(mut self, origin: &str) -> Self {
        self.cors.get_or_insert_default().push(origin.trim_end_matches('/').to_ascii_lowercase());
        self
    }

    /// How much open pages tell of their consoles, as [`Notice::Page`]; what goes wrong in them if it is not set.
    #[must_use]
    pub fn console(mut self, console: PageConsole) -> Self {
        self.console = console;
        self
    }

    /// Calls this with what the person who runs the server may want to know, such as a broken file, instead of writing it to
    /// standard error. It is called from several threads, and must not wait.
    #[must_use]
    pub fn on_notice(mut self, notice: impl Fn(&Notice<'_>) + Send + Sync + 'static) -> Self {
        self.say = Arc::new(notice);
        self
    }
}

/// What the command needs besides.
#[cfg(feature = "cli")]
impl LiveBuilder {
    /// Tells the person who runs the server.
    pub(crate) fn say(mut self, say: Say) -> Self {
        self.say = say;
        self
    }

    /// Which origins may use it, as the command line has it: all of them, if the list is empty.
    pub(crate) fn cors(mut self, origins: Option<Vec<String>>) -> Self {
        self.cors = origins;
        self
    }

    /// Calls this when a change has reached everybody. It is called under the lock of the hub.
    pub(crate) fn on_report(mut self, report: impl Fn(&Report) + Send + Sync + 'static) -> Self {
        self.report = Arc::new(report);
        self
    }

    pub(crate) fn downloads(mut self, downloads: usize) -> Self {
        self.downloads = downloads;
        self
    }

    /// Serves another directory at this one of the site.
    pub(crate) fn mounted(mut self, prefix: SitePath, directory: PathBuf) -> Self {
        self.mounts.push((prefix, directory));
        self
    }

    /// Browsers reach the server at this path of a proxy, which has no slash at its end.
    pub(crate) fn base(mut self, base: String) -> Self {
        self.base = base;
        self
    }

    /// All is served over TLS.
    pub(crate) fn tls(mut self, tls: Option<Tls>) -> Self {
        self.tls = tls;
        self
    }

    /// These files are never served, wherever they are.
    pub(crate) fn hidden(mut self, files: impl IntoIterator<Item = PathBuf>) -> Self {
        self.hidden.extend(files);
        self
    }

    /// The start page answers for all pages that don't exist.
    pub(crate) fn app(mut self, is_app: bool) -> Self {
        self.is_app = is_app;
        self
    }

    /// What happens there never has a page loaded again or changed.
    pub(crate) fn ignore(mut self, ignored: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.ignored = Arc::new(ignored);
        self
    }

    /// What other servers answer is live, too.
    pub(crate) fn proxy(mut self, proxy: ProxyOptions) -> Self {
        self.proxy = proxy;
        self
    }

    /// Channels are shared with other instances.
    pub(crate) fn relay(mut self, relay: Option<relay::Options>) -> Self {
        self.relay = relay;
        self
    }

    /// Who may publish to channels.
    pub(crate) fn publishing(mut self, publishing: Publishing) -> Self {
        self.publishing = publishing;
        self
    }

    /// Whether an origin tells what stands in the site.
    pub(super) fn is_edge(&self) -> bool {
        self.relay.as_ref().is_some_and(|relay| relay.is_edge)
    }

    /// There are no handlers that render pages, and the site has its own rules.
    pub(crate) fn files_only(mut self) -> Self {
        self.is_for_pages = false;
        self
    }
}
