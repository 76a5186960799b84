//! What the clones of a live directory share, from its start to its end.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::thread;

use actix_web::web::Data;
use tokio::sync::Semaphore;
use tokio::sync::oneshot;

use crate::http::guard::verdict::Guard;
use crate::http::html::assets::Assets;
use crate::http::live::clients::Clients;
use crate::http::live::open::OpenStreams;
#[cfg(feature = "cli")]
use crate::http::proxy::mounted::Proxies;
use crate::http::request_body::Room;
use crate::http::state::AppState;
use crate::http::state::Network;
use crate::http::state::Remarked;
use crate::http::status::edition::Editions;
use crate::http::told::Told;
use crate::hub::Hub;
use crate::hub::WatchRequest;
use crate::live::builder::LiveBuilder;
use crate::live::error::LiveError;
#[cfg(feature = "cli")]
use crate::live::proxies;
use crate::notice::Notice;
use crate::pipeline;
#[cfg(feature = "cli")]
use crate::relay;
#[cfg(feature = "cli")]
use crate::relay::Relay;
#[cfg(feature = "cli")]
use crate::relay::Side;
use crate::site::SitePath;
use crate::site::rules::FILES;
use crate::site::rules::is_rules;
use crate::source::KnownPages;
use crate::source::Rendered;
use crate::source::RuleFiles;
use crate::source::Sources;
use crate::source::directory::Directory;
use crate::watch;
use crate::watch::Signals;
use crate::watch::Watch;
use crate::watch::WatchHandle;

/// How many streams of an edge may be passed on from the origin.
#[cfg(feature = "cli")]
const PASSED_STREAMS: usize = 1000;

/// What the clones share.
pub(super) struct Shared {
    pub(super) directory: Directory,
    mounts: Vec<(SitePath, Directory)>,
    rule_files: Option<Arc<RuleFiles>>,
    pub(super) options: LiveBuilder,
    pub(super) hub: Arc<Hub>,
    pub(super) handle: WatchHandle,
    #[cfg(feature = "cli")]
    relay: Option<Relay>,
    /// Where an origin looks for edges.
    #[cfg(feature = "cli")]
    looked: Arc<OnceLock<Sources>>,
    pub(super) rendered: Arc<Rendered>,
    pub(super) state: Arc<OnceLock<Data<AppState>>>,
    pub(super) network: Arc<OnceLock<Network>>,
    pub(super) start: Mutex<Start>,
}

/// What the thread begins with, until it does.
pub(super) struct Start {
    signals: Option<(Signals, End)>,
    /// Ends with the thread, also by a panic.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "the command is who asks"))]
    pub(super) ended: Option<oneshot::Receiver<()>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    pub(super) fn new(options: LiveBuilder) -> Result<Self, LiveError> {
        let open = |path: &PathBuf| {
            let directory = Directory::new(path, options.max_push);
            let directory = directory.map_err(|error| LiveError::Directory(path.clone(), error))?;
            Ok(options.hidden.iter().fold(directory, |directory, file| directory.without(file)))
        };
        let directory = open(&options.directory)?;
        // In an app of somebody's own, its routes are the rules.
        let rules =
            (!options.is_for_pages).then(|| FILES.map(|name| directory.path().join(name.trim_start_matches('/'))));
        let rules = rules.into_iter().flatten();
        let mount = |(prefix, path): &(SitePath, PathBuf)| {
            let mounted = rules.clone().fold(open(path)?, |mounted, file| mounted.without(&file));
            Ok((prefix.clone(), mounted))
        };
        let mounts = options.mounts.iter().map(mount).collect::<Result<_, _>>()?;
        let directory = rules.clone().fold(directory, Directory::unlisted);
        let rule_files = (!options.is_for_pages && options.serves_directory()).then(|| {
            let say = options.say.clone();
            Arc::new(RuleFiles::new(
                directory.clone(),
                Box::new(move |path, remark| say(&Notice::Rule { path, remark })),
            ))
        });
        let (handle, signals) = watch::signals();
        let report = options.report.clone();
        let (alive, ended) = oneshot::channel();
        let hub = Hub::new(watch_requests(handle.clone()), move |update| report(update));
        let end = End { hub: hub.clone(), _alive: alive };
        #[cfg(feature = "cli")]
        let rule_files = if options.is_edge() { Some(Arc::new(elsewhere(&options))) } else { rule_files };
        #[cfg(feature = "cli")]
        let looked = Arc::new(OnceLock::new());
        #[cfg(feature = "cli")]
        let relay = options.relay.as_ref().map(|relay| {
            let changed = handle.clone();
            let side = match &rule_files {
                Some(rules) if options.is_edge() => {
                    Side::Edge(rules.clone(), Box::new(move |place| changed.changed(place)))
                }
                _ if options.serves_directory() => Side::Origin(looked.clone()),
                _ => Side::Peer,
            };
            relay::start(relay, side, hub.clone(), options.say.clone())
        });
        Ok(Self {
            #[cfg(feature = "cli")]
            relay: relay.transpose().map_err(LiveError::Relay)?,
            #[cfg(feature = "cli")]
            looked,
            directory,
            mounts,
            rule_files,
            options,
            hub,
            handle,
            rendered: Arc::default(),
            state: Arc::default(),
            network: Arc::default(),
            start: Mutex::new(Start { signals: Some((signals, end)), ended: Some(ended) }),
        })
    }

    /// Starts with the first call, and returns what requests are answered from.
    pub(super) fn start(&self, prefix: &SitePath) -> Data<AppState> {
        let mut start = self.lock();
        if let Some((signals, end)) = start.signals.take() {
            let mut sources = Sources::default();
            if self.options.is_for_pages {
                sources.mount(&SitePath::root(), Arc::new(KnownPages(self.rendered.clone())));
            }
            if self.options.serves_directory() {
                sources.mount(prefix, Arc::new(self.directory.clone()));
            }
            #[cfg(feature = "cli")]
            if let Some(edge) = self.relay.as_ref().and_then(Relay::edge) {
                sources.mount(prefix, Arc::new(edge.clone()));
            }
            for (prefix, mounted) in &self.mounts {
                sources.mount(prefix, Arc::new(mounted.clone()));
            }
            if self.options.is_for_pages {
                sources.mount(&SitePath::root(), self.rendered.clone());
            }
            #[cfg(feature = "cli")]
            let proxies = proxies::mount(&self.options, self.directory.path(), &self.handle, &mut sources);
            // What is wrong with them is told at once.
            if self.options.serves_directory() {
                self.rule_files.iter().for_each(|files| drop(files.now()));
            }
            #[cfg(feature = "cli")]
            drop(self.looked.set(sources.clone()));
            self.run(signals, sources.clone(), end);
            let state = self.app_state(prefix.clone(), sources);
            #[cfg(feature = "cli")]
            let state = AppState {
                assets: Assets::new(proxies.directories(&state.sources), self.options.console),
                proxies,
                ..state
            };
            drop(self.state.set(Data::new(state)));
        }
        self.state.get().expect("it was set at the first start").clone()
    }

    #[cfg(feature = "cli")]
    pub(super) fn relay(&self) -> Option<&Relay> {
        self.relay.as_ref()
    }

    /// Ends all streams, and all that is done for them.
    pub(super) fn close(&self) {
        self.hub.close();
        self.handle.stop();
        #[cfg(feature = "cli")]
        self.relay.iter().for_each(Relay::stop);
    }

    /// The pipeline has a thread of its own, because it waits for the disk.
    fn run(&self, signals: Signals, sources: Sources, end: End) {
        let polled = self.options.say.clone();
        let poll = self.options.poll;
        let ignored = self.options.ignored.clone();
        let tell = move |it| polled(&Notice::Polled(&it));
        let watch = Watch::new(signals, sources.clone(), poll, Box::new(move |path| ignored(path)), tell);
        let (hub, say) = (self.hub.clone(), self.options.say.clone());
        // On an edge, they were read when they came.
        let rule_files = self.rule_files.clone().filter(|_| self.options.serves_directory());
        let run = move || {
            let _end = end;
            pipeline::run(watch, &sources, &hub, |path, problem| match &rule_files {
                // They say themselves what is wrong, line by line.
                Some(files) if is_rules(path) => drop(files.now()),
                _ if is_rules(path) => {}
                // It was told that its server is away.
                _ if path.is_pages() => {}
                _ => say(&Notice::Broken { path, problem }),
            });
        };
        // Without a thread, this is the end already.
        drop(thread::Builder::new().name("savecast".into()).spawn(run));
    }

    fn app_state(&self, prefix: SitePath, sources: Sources) -> AppState {
        let handle = self.handle.clone();
        AppState {
            name: self.options.name().unwrap_or_else(|| self.directory.name().into_owned()),
            prefix,
            sources,
            rendered: self.options.is_for_pages.then(|| self.rendered.clone()),
            base: self.options.base.clone(),
            tls: self.options.tls.clone(),
            rule_files: self.rule_files.clone(),
            is_app: self.options.is_app,
            ignored: self.options.ignored.clone(),
            remarked: Remarked::default(),
            assets: Assets::new(String::new(), self.options.console),
            #[cfg(feature = "cli")]
            proxies: Proxies::default(),
            #[cfg(feature = "cli")]
            relay: self.relay.clone(),
            hub: self.hub.clone(),
            guard: Guard::new(self.options.allowed_hosts.clone(), self.options.cors.clone()),
            watched: Box::new(move || handle.watched()),
            room: Room::default(),
            clients: Clients::default(),
            open: OpenStreams::default(),
            editions: Editions::default(),
            told: Told::default(),
            network: self.network.clone(),
            say: self.options.say.clone(),
            sent: Arc::default(),
            is_draining: AtomicBool::new(false),
            #[cfg(feature = "cli")]
            passed_streams: Arc::new(Semaphore::new(PASSED_STREAMS)),
            publishing: self.options.publishing.clone(),
            downloads: Arc::new(Semaphore::new(self.options.downloads)),
        }
    }

    /// No code panics while it holds this lock, so a poisoned lock is still whole.
    pub(super) fn lock(&self) -> MutexGuard<'_, Start> {
        self.start.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rules that an origin tells an edge.
#[cfg(feature = "cli")]
fn elsewhere(options: &LiveBuilder) -> RuleFiles {
    let say = options.say.clone();
    RuleFiles::elsewhere(Box::new(move |path, remark| say(&Notice::Rule { path, remark })))
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
