//! The only place that puts the stages together, and that knows in which order they start and stop.

mod error;
mod limits;
mod listen;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use actix_web::App;
use actix_web::HttpServer;
use actix_web::rt;
use actix_web::web;
use tokio::sync::Semaphore;
use tokio::sync::oneshot;

use crate::config::Config;
use crate::console;
use crate::http;
use crate::http::state::AppState;
use crate::hub::Hub;
use crate::hub::Report;
use crate::hub::WatchRequest;
use crate::notice::Notice;
use crate::pipeline;
use crate::server::error::ServerError;
use crate::site::SitePath;
use crate::source::Sources;
use crate::watch;
use crate::watch::Watch;
use crate::watch::WatchHandle;

/// How long a stop waits for answers that are under way. Streams end before; this is for downloads.
const PATIENCE: Duration = Duration::from_millis(500);

/// Updates that wait for a slow terminal.
const REPORTS: usize = 1000;

/// How much is collected before it is written to a connection, in bytes. Who does not read makes us keep so much.
const WRITE_BUFFER: usize = 8 << 10;

/// Serves until it is stopped by Ctrl-C or SIGTERM.
///
/// # Errors
///
/// If it can't start, or can't go on.
pub fn run(config: Config) -> Result<(), ServerError> {
    rt::System::new().block_on(serve(config))
}

async fn serve(config: Config) -> Result<(), ServerError> {
    let (listener, address) = listen::listen(&config)?;
    let sources = sources(&config);
    let (watching, signals) = watch::signals();
    let watch = Watch::new(signals, sources.clone(), config.poll, |polled| console::say(&Notice::Polled(&polled)));
    let hub = Hub::new(watch_requests(watching.clone()), start_terminal()?);
    let mut pipeline = start_pipeline(watch, sources.clone(), &hub)?;
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let (connections, downloads) = limits::share_files(limits::file_limit(), workers);
    let state = web::Data::new(state(&config, sources, &hub, &watching, downloads));

    let server = HttpServer::new(move || App::new().configure(|app| http::routes(app, &state, &SitePath::root())))
        .workers(workers)
        .max_connections(connections)
        .disable_signals()
        // A browser that goes away is noticed at once, and not at the next write.
        .h1_allow_half_closed(false)
        .tcp_nodelay(true)
        .h1_write_buffer_size(WRITE_BUFFER)
        .shutdown_timeout(1)
        .listen(listener)
        .map_err(|error| ServerError::Listen(address, error))?
        .run();
    let handle = server.handle();
    let server = rt::spawn(server);

    ready(&config, address);

    let ended = tokio::select! {
        () = stop_signal() => Ok(()),
        _ = &mut pipeline => Err(ServerError::Pipeline),
        ended = server => ended.map_err(io::Error::other).flatten().map_err(ServerError::Server),
    };
    // First the streams, because the server waits for answers that are under way.
    hub.close();
    watching.stop();
    // What takes longer is cut off by the end of the process.
    drop(rt::time::timeout(PATIENCE, handle.stop(true)).await);
    ended
}

/// Where contents come from.
fn sources(config: &Config) -> Sources {
    let mut sources = Sources::default();
    sources.mount(&SitePath::root(), Arc::new(config.root.clone()));
    sources
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

/// The pipeline has a thread of its own, because it waits for the disk. The receiver ends with the thread, also by a
/// panic, so that there is never a server with a silent, dead watcher.
fn start_pipeline(watch: Watch, sources: Sources, hub: &Arc<Hub>) -> Result<oneshot::Receiver<()>, ServerError> {
    let (alive, pipeline) = oneshot::channel();
    let hub = hub.clone();
    let thread = thread::Builder::new().name("pipeline".into());
    let run = move || {
        let _alive = alive;
        pipeline::run(watch, &sources, &hub, |path, problem| console::say(&Notice::Broken { path, problem }));
    };
    thread.spawn(run).map(|_| pipeline).map_err(ServerError::Server)
}

/// The terminal may be slow, so those who serve do not wait for it.
fn start_terminal() -> Result<impl Fn(&Report) + Send + Sync, ServerError> {
    let (sender, reports) = mpsc::sync_channel(REPORTS);
    let thread = thread::Builder::new().name("terminal".into());
    thread.spawn(move || console::show_updates(&reports)).map_err(ServerError::Server)?;
    // Where no terminal is, nobody hears it; one that stands still misses some.
    Ok(move |report: &Report| drop(sender.try_send(report.clone())))
}

fn state(config: &Config, sources: Sources, hub: &Arc<Hub>, handle: &WatchHandle, downloads: usize) -> AppState {
    let handle = handle.clone();
    AppState {
        name: config.root.name().into_owned(),
        sources,
        hub: hub.clone(),
        guard: http::guard::verdict::Guard::new(config.allowed_hosts.clone(), config.cors.clone()),
        watched: Box::new(move || handle.watched()),
        room: http::request_body::Room::default(),
        clients: http::live::clients::Clients::default(),
        say: console::say,
        downloads: Arc::new(Semaphore::new(downloads)),
    }
}

fn ready(config: &Config, address: SocketAddr) {
    // A browser can't open the address that means all addresses.
    let host = match address.ip() {
        ip if ip.is_unspecified() => "localhost".to_owned(),
        ip if ip.is_ipv6() => format!("[{ip}]"),
        ip => ip.to_string(),
    };
    let url = format!("http://{host}:{}/", address.port());
    console::say(&Notice::Ready { name: &config.root.name(), url: &url });
    if config.open
        && let Err(error) = open::that_detached(&url)
    {
        console::say(&Notice::NotOpened { url: &url, error: &error });
    }
}

async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::SignalKind;
        use tokio::signal::unix::signal;
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            },
            Err(_) => drop(tokio::signal::ctrl_c().await),
        }
    }
    #[cfg(not(unix))]
    drop(tokio::signal::ctrl_c().await);
}
