//! A live directory, pages and channels in somebody's own actix-web app.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;

use actix_web::web::Data;
use actix_web::web::ServiceConfig;
use tokio::sync::Semaphore;
use tokio::sync::oneshot;

use crate::console;
use crate::event::MESSAGE;
use crate::http;
use crate::http::guard::verdict::Guard;
use crate::http::html::middleware::Inject;
use crate::http::live::clients::Clients;
use crate::http::request_body::Room;
use crate::http::state::AppState;
use crate::http::state::Say;
use crate::hub::ChannelName;
use crate::hub::Hub;
use crate::hub::Report;
use crate::hub::WatchRequest;
use crate::notice::Notice;
use crate::pipeline;
use crate::site::SitePath;
use crate::source::Rendered;
use crate::source::Sources;
use crate::source::directory::Directory;
use crate::watch;
use crate::watch::Signals;
use crate::watch::Watch;
use crate::watch::WatchHandle;

/// The largest file whose contents are pushed, in bytes, if nothing else is said.
const MAX_PUSH: u64 = 8 << 20;

/// How many large files may be on their way at once, if nothing else is said. Each of them is open.
const DOWNLOADS: usize = 128;

/// A live directory, live pages and channels in your own actix-web app.
///
/// It is cheap to clone, and all clones are the same one. Nothing is watched until somebody listens. When the last clone is
/// dropped, its streams end and its thread stops. Several of them in one process know nothing of each other, but each needs
/// an app of its own, because they share the URLs below `/_savecast`.
///
/// ```no_run
/// use actix_web::{App, HttpResponse, HttpServer, get, http::header::ContentType};
/// use savecast::Live;
///
/// #[get("/")]
/// async fn home() -> HttpResponse {
///     let page = "<!doctype html><link rel=stylesheet href=/assets/style.css><h1>Hello</h1>";
///     HttpResponse::Ok().content_type(ContentType::html()).body(page)
/// }
///
/// #[actix_web::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let live = Live::new("assets")?;
///     HttpServer::new(move || App::new().wrap(live.inject()).service(home).configure(live.mount("/assets")))
///         .bind(("127.0.0.1", 8080))?
///         .run()
///         .await?;
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Live {
    shared: Arc<Shared>,
}

/// What the clones share.
struct Shared {
    directory: Directory,
    options: LiveBuilder,
    hub: Arc<Hub>,
    handle: WatchHandle,
    rendered: Arc<Rendered>,
    state: Arc<OnceLock<Data<AppState>>>,
    start: Mutex<Start>,
}

/// What is there until it starts, and what comes of it.
#[derive(Default)]
struct Start {
    signals: Option<Signals>,
    ended: Option<oneshot::Receiver<()>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.hub.close();
        self.handle.stop();
    }
}

/// Options of a [`Live`]: those of the command line.
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
    directory: PathBuf,
    max_push: u64,
    poll: Option<Duration>,
    allowed_hosts: Vec<String>,
    cors: Option<Vec<String>>,
    say: Say,
    report: Arc<dyn Fn(&Report) + Send + Sync>,
    downloads: usize,
    is_for_pages: bool,
}

impl LiveBuilder {
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

    /// Lets pages of this origin, such as `http://localhost:5173`, use files, streams and channels.
    #[must_use]
    pub fn allow_origin(mut self, origin: &str) -> Self {
        self.cors.get_or_insert_default().push(origin.trim_end_matches('/').to_ascii_lowercase());
        self
    }

    /// Calls this with what the person who runs the server may want to know, such as a broken file, instead of writing it to
    /// standard error. It is called from several threads, and must not wait.
    #[must_use]
    pub fn on_notice(mut self, notice: impl Fn(&Notice<'_>) + Send + Sync + 'static) -> Self {
        self.say = Arc::new(notice);
        self
    }

    /// Makes it.
    ///
    /// # Errors
    ///
    /// If there is no such directory, or it can't be read.
    pub fn build(self) -> Result<Live, LiveError> {
        let directory = Directory::new(&self.directory, self.max_push);
        let directory = directory.map_err(|error| LiveError::Directory(self.directory.clone(), error))?;
        let (handle, signals) = watch::signals();
        let report = self.report.clone();
        let hub = Hub::new(watch_requests(handle.clone()), move |update| report(update));
        Ok(Live {
            shared: Arc::new(Shared {
                directory,
                options: self,
                hub,
                handle,
                rendered: Arc::default(),
                state: Arc::default(),
                start: Mutex::new(Start { signals: Some(signals), ended: None }),
            }),
        })
    }
}

impl Live {
    /// A live directory.
    ///
    /// # Errors
    ///
    /// If there is no such directory, or it can't be read.
    pub fn new(directory: impl AsRef<Path>) -> Result<Self, LiveError> {
        Self::builder(directory).build()
    }

    /// The same with options.
    pub fn builder(directory: impl AsRef<Path>) -> LiveBuilder {
        LiveBuilder {
            directory: directory.as_ref().to_owned(),
            max_push: MAX_PUSH,
            poll: None,
            allowed_hosts: Vec::new(),
            cors: None,
            say: Arc::new(console::say),
            report: Arc::new(|_| {}),
            downloads: DOWNLOADS,
            is_for_pages: true,
        }
    }

    /// Serves the directory below a path of the app, such as `/assets`, and what pages need below `/_savecast`. The requests to
    /// both must name this server as their host, so that no page of somebody else's can read them.
    ///
    /// Routes that were added to the app before come first, so a directory at `/` serves what nobody else does. It is called for
    /// each worker, each time with the same path.
    ///
    /// # Panics
    ///
    /// If that is no path of a URL, or another one than the first time.
    pub fn mount(&self, path: &str) -> impl FnOnce(&mut ServiceConfig) + use<> {
        let prefix = SitePath::from_url(path).unwrap_or_else(|| panic!("{path:?} is no path such as \"/assets\""));
        let prefix = prefix.as_directory();
        let state = self.shared.start(&prefix);
        assert_eq!(state.prefix, prefix, "a Live is mounted at one path");
        move |app| http::routes(app, &state)
    }

    /// Middleware that puts the client into the HTML that handlers render, also into the page of a `404`. Such pages are changed
    /// in place or loaded again when something that they use is saved, when you say that they have changed, and when your
    /// program has started again.
    ///
    /// Streamed pages stay streamed. What is compressed already is left as it is, so let the app compress last:
    /// `.wrap(live.inject()).wrap(Compress::default())`. It needs a [`mount`](Self::mount) in the same app.
    #[must_use]
    pub fn inject(&self) -> Inject {
        Inject::new(self.shared.state.clone())
    }

    /// A channel: named events without a file. Pages listen with `new EventSource("/_savecast/channels/NAME")`.
    ///
    /// ```
    /// # fn main() -> Result<(), savecast::LiveError> {
    /// # let live = savecast::Live::new(std::env::temp_dir())?;
    /// let listeners = live.channel("users/42")?.publish("push", r#"{"n":1}"#);
    /// assert_eq!(listeners, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If that is no name: it has 1 to 200 bytes without control characters.
    pub fn channel(&self, name: &str) -> Result<Channel, LiveError> {
        let name = ChannelName::new(name).ok_or_else(|| LiveError::ChannelName(name.to_owned()))?;
        Ok(Channel { live: self.clone(), name })
    }

    /// Has every open page loaded again.
    ///
    /// ```
    /// # fn main() -> Result<(), savecast::LiveError> {
    /// # let live = savecast::Live::new(std::env::temp_dir())?;
    /// // What all pages are made of has changed, such as a template.
    /// live.reload();
    /// # Ok(())
    /// # }
    /// ```
    pub fn reload(&self) {
        self.shared.hub.reload();
    }

    /// What is at this path, such as `/orders/42`, is another thing now. Pages that show it load it again, or are changed in place,
    /// and streams of it send an event. What is no path of a URL concerns nobody.
    ///
    /// ```
    /// # fn main() -> Result<(), savecast::LiveError> {
    /// # let live = savecast::Live::new(std::env::temp_dir())?;
    /// live.changed("/orders/42");
    /// # Ok(())
    /// # }
    /// ```
    pub fn changed(&self, path: &str) {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        if let Some(path) = SitePath::from_url(path) {
            self.shared.rendered.change(&path);
            self.shared.handle.changed(path);
        }
    }
}

/// What the command needs besides.
#[cfg(feature = "cli")]
impl LiveBuilder {
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

    /// There are no handlers that render pages.
    pub(crate) fn files_only(mut self) -> Self {
        self.is_for_pages = false;
        self
    }
}

/// What the command needs besides.
#[cfg(feature = "cli")]
impl Live {
    pub(crate) fn name(&self) -> String {
        self.shared.directory.name().into_owned()
    }

    /// Ready when files are no longer watched, which is a bug if nobody has stopped it.
    pub(crate) fn ended(&self) -> Option<oneshot::Receiver<()>> {
        self.shared.lock().ended.take()
    }

    /// Ends all streams.
    pub(crate) fn stop(&self) {
        self.shared.hub.close();
        self.shared.handle.stop();
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("directory", &self.shared.directory.path()).finish_non_exhaustive()
    }
}

impl Shared {
    /// Starts with the first call, and returns what requests are answered from.
    fn start(&self, prefix: &SitePath) -> Data<AppState> {
        let mut start = self.lock();
        if let Some(signals) = start.signals.take() {
            let mut sources = Sources::default();
            sources.mount(prefix, Arc::new(self.directory.clone()));
            if self.options.is_for_pages {
                sources.mount(&SitePath::root(), self.rendered.clone());
            }
            start.ended = Some(self.run(signals, sources.clone()));
            drop(self.state.set(Data::new(self.app_state(prefix.clone(), sources))));
        }
        self.state.get().expect("it was set at the first start").clone()
    }

    /// The pipeline has a thread of its own, because it waits for the disk. The receiver ends with the thread, also by a panic.
    fn run(&self, signals: Signals, sources: Sources) -> oneshot::Receiver<()> {
        let (alive, ended) = oneshot::channel::<()>();
        let polled = self.options.say.clone();
        let poll = self.options.poll;
        let watch = Watch::new(signals, sources.clone(), poll, move |it| polled(&Notice::Polled(&it)));
        let (hub, say) = (self.hub.clone(), self.options.say.clone());
        let end = End { hub: hub.clone(), _alive: alive };
        let run = move || {
            let _end = end;
            pipeline::run(watch, &sources, &hub, |path, problem| say(&Notice::Broken { path, problem }));
        };
        // Without the thread, the receiver has ended already, and so have all streams.
        drop(thread::Builder::new().name("savecast".into()).spawn(run));
        ended
    }

    fn app_state(&self, prefix: SitePath, sources: Sources) -> AppState {
        let handle = self.handle.clone();
        AppState {
            name: self.directory.name().into_owned(),
            prefix,
            sources,
            rendered: self.options.is_for_pages.then(|| self.rendered.clone()),
            hub: self.hub.clone(),
            guard: Guard::new(self.options.allowed_hosts.clone(), self.options.cors.clone()),
            watched: Box::new(move || handle.watched()),
            room: Room::default(),
            clients: Clients::default(),
            say: self.options.say.clone(),
            downloads: Arc::new(Semaphore::new(self.options.downloads)),
        }
    }

    /// No code panics while it holds this lock, so a poisoned lock is still whole.
    fn lock(&self) -> MutexGuard<'_, Start> {
        self.start.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the streams with the pipeline: there is never a server with a silent, dead watcher.
struct End {
    hub: Arc<Hub>,
    _alive: oneshot::Sender<()>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.hub.close();
    }
}

/// The one arrow from the hub back to the watch: what is in use.
fn watch_requests(handle: WatchHandle) -> impl Fn(WatchRequest) + Send + Sync {
    move |request| match request {
        WatchRequest::Follow(path) => handle.follow(path),
        WatchRequest::Unfollow(path) => handle.unfollow(path),
        WatchRequest::FollowLines(path) => handle.follow_lines(path),
        WatchRequest::UnfollowLines(path) => handle.unfollow_lines(path),
    }
}

/// Named events without a file. See [`Live::channel`].
#[derive(Clone, Debug)]
pub struct Channel {
    live: Live,
    name: ChannelName,
}

impl Channel {
    /// Publishes an event, with any text as its data, and returns how many listeners it has. An empty name is that of a plain
    /// message. Those who come later get it from the history, which is bounded.
    ///
    /// It reaches nobody if the channel would be one more than the 1,000 that may have listeners.
    pub fn publish(&self, event: &str, data: impl Into<String>) -> usize {
        // A line break would begin another field, or another event.
        let event = event.replace(char::is_control, " ");
        let event = if event.is_empty() { MESSAGE } else { event.as_str() };
        self.live.shared.hub.publish_to(&self.name, event, data.into()).map_or(0, |(_, listeners)| listeners)
    }
}

/// Why there is nothing live.
#[derive(Debug)]
#[non_exhaustive]
pub enum LiveError {
    /// There is no such directory, or it can't be read.
    Directory(PathBuf, io::Error),
    /// That is no name of a channel.
    ChannelName(String),
}

impl LiveError {
    /// What the person can do.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Directory(_, error) if error.kind() == io::ErrorKind::NotADirectory => {
                Some("pass the directory that holds the file")
            }
            Self::Directory(..) => None,
            Self::ChannelName(_) => Some("a name has 1 to 200 bytes without control characters"),
        }
    }
}

impl fmt::Display for LiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path, _) => write!(f, "cannot serve {}", path.display()),
            Self::ChannelName(name) => write!(f, "cannot open the channel {name:?}"),
        }
    }
}

impl Error for LiveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Directory(_, error) => Some(error),
            Self::ChannelName(_) => None,
        }
    }
}
