//! The only place that puts the stages together, and that knows in which order they start and stop.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::net::TcpListener;
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
use crate::config::USUAL_PORT;
use crate::console;
use crate::console::Notice;
use crate::http;
use crate::http::Site;
use crate::hub::Demand;
use crate::hub::Hub;
use crate::hub::Report;
use crate::pipeline;
use crate::watch::Remote;
use crate::watch::Watch;

/// How many ports after the usual one are tried.
const PORTS: u16 = 100;

/// How long a stop waits for answers that are under way. Streams end before; this is for downloads.
const PATIENCE: Duration = Duration::from_millis(500);

/// Updates that wait for a slow terminal.
const REPORTS: usize = 1000;

/// How much is collected before it is written to a connection, in bytes. Who does not read makes us keep so much.
const WRITE_BUFFER: usize = 8 << 10;

/// Connections that wait to be accepted, when a thousand browsers reconnect at once.
const BACKLOG: i32 = 4096;

/// Serves until it is stopped by Ctrl-C or SIGTERM.
///
/// # Errors
///
/// If it can't start, or can't go on.
pub fn run(config: Config) -> Result<(), AppError> {
    rt::System::new().block_on(serve(config))
}

async fn serve(config: Config) -> Result<(), AppError> {
    let (listener, address) = listen(&config)?;
    let (watch, remote) = Watch::new(config.root.path(), config.poll, |polled| console::say(&Notice::Polled(&polled)));
    let hub = Hub::new(demand(remote.clone()), start_terminal()?);
    let mut pipeline = start_pipeline(watch, &config, &hub)?;
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let (connections, downloads) = share_files(file_limit(), workers);
    let site = web::Data::new(site(&config, address, &hub, &remote, downloads));

    let server = HttpServer::new(move || App::new().configure(|app| http::routes(app, &site)))
        .workers(workers)
        .max_connections(connections)
        .disable_signals()
        // A browser that goes away is noticed at once, and not at the next write.
        .h1_allow_half_closed(false)
        .tcp_nodelay(true)
        .h1_write_buffer_size(WRITE_BUFFER)
        .on_connect(http::stream::on_connect)
        .shutdown_timeout(1)
        .listen(listener)
        .map_err(|error| AppError::Listen(address, error))?
        .run();
    let handle = server.handle();
    let server = rt::spawn(server);

    ready(&config, address);

    let ended = tokio::select! {
        () = stop_signal() => Ok(()),
        _ = &mut pipeline => Err(AppError::Pipeline),
        ended = server => ended.map_err(io::Error::other).flatten().map_err(AppError::Server),
    };
    // First the streams, because the server waits for answers that are under way.
    hub.close();
    remote.stop();
    // What takes longer is cut off by the end of the process.
    drop(rt::time::timeout(PATIENCE, handle.stop(true)).await);
    ended
}

/// Binds the port that was asked for, or else the first free one from the usual one on.
fn listen(config: &Config) -> Result<(TcpListener, SocketAddr), AppError> {
    let first = config.port.unwrap_or(USUAL_PORT);
    let last = if config.port.is_some() { first } else { first + PORTS };
    let mut port = first;
    loop {
        let address = SocketAddr::new(config.address, port);
        match bind(address) {
            Ok(listener) => {
                if port != first {
                    console::say(&Notice::PortTaken { taken: first });
                }
                let address = listener.local_addr().map_err(|error| AppError::Listen(address, error))?;
                return Ok((listener, address));
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && port < last => port += 1,
            Err(error) => return Err(AppError::Listen(address, error)),
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    // On Windows, this would let two servers share a port. Elsewhere it allows to restart without waiting.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// The one arrow from the hub back to the watch: what is in use.
fn demand(remote: Remote) -> impl Fn(Demand) + Send + Sync {
    move |demand| match demand {
        Demand::Follow(path) => remote.follow(path),
        Demand::Unfollow(path) => remote.unfollow(path),
        Demand::FollowLines(path) => remote.follow_lines(path),
        Demand::UnfollowLines(path) => remote.unfollow_lines(path),
    }
}

/// The pipeline has a thread of its own, because it waits for the disk. The receiver ends with the thread, also by a
/// panic, so that there is never a server with a silent, dead watcher.
fn start_pipeline(watch: Watch, config: &Config, hub: &Arc<Hub>) -> Result<oneshot::Receiver<()>, AppError> {
    let (alive, pipeline) = oneshot::channel();
    let root = config.root.clone();
    let hub = hub.clone();
    let thread = thread::Builder::new().name("pipeline".into());
    let run = move || {
        let _alive = alive;
        pipeline::run(watch, &root, &hub, |path, problem| console::say(&Notice::Broken { path, problem }));
    };
    thread.spawn(run).map(|_| pipeline).map_err(AppError::Server)
}

/// The terminal may be slow, so those who serve do not wait for it.
fn start_terminal() -> Result<impl Fn(&Report) + Send + Sync, AppError> {
    let (sender, reports) = mpsc::sync_channel(REPORTS);
    let thread = thread::Builder::new().name("terminal".into());
    thread.spawn(move || console::show_updates(&reports)).map_err(AppError::Server)?;
    // Where no terminal is, nobody hears it; one that stands still misses some.
    Ok(move |report: &Report| drop(sender.try_send(report.clone())))
}

fn site(config: &Config, address: SocketAddr, hub: &Arc<Hub>, remote: &Remote, downloads: usize) -> Site {
    let remote = remote.clone();
    Site {
        root: config.root.clone(),
        hub: hub.clone(),
        guard: http::guard::Guard::new(address, config.allowed_hosts.clone(), config.cors.clone()),
        watched: Box::new(move || remote.watched()),
        room: http::incoming::Room::default(),
        clients: http::clients::Clients::default(),
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

/// How many files and connections may be open at once, after asking for as many as can be had: many systems allow 1,024 unless
/// asked for more, and every stream is one.
#[cfg(unix)]
fn file_limit() -> Option<u64> {
    use rustix::process::Resource;
    use rustix::process::getrlimit;
    use rustix::process::setrlimit;
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Without it there is room for fewer streams.
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current
}

#[cfg(not(unix))]
fn file_limit() -> Option<u64> {
    None
}

/// What the server itself has open: standard streams, watcher, signals.
const OWN_FILES: usize = 16;

/// What each of its threads has open: its poll, its events, the socket that accepts.
const WORKER_FILES: usize = 6;

/// How many files are read at once, at most, apart from those that are sent. They are open for a moment.
const READ_FILES: usize = 512;

/// Shares the open files that are allowed: how many connections each worker may have, and how many of the answers may be large
/// files on their way. What is left is for looking at files, so that a crowd of connections can't keep listeners from
/// hearing of saves.
fn share_files(limit: Option<u64>, workers: usize) -> (usize, usize) {
    // More connections than anybody has ports for.
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(1 << 20).min(1 << 20);
    let free = limit.saturating_sub(OWN_FILES + workers * WORKER_FILES);
    let reserve = (free / 4).min(READ_FILES);
    let downloads = (free / 4).min(READ_FILES);
    (((free - reserve - downloads) / workers).max(1), downloads.max(1))
}

/// Why the server can't start or go on.
#[derive(Debug)]
pub enum AppError {
    /// The port can't be had.
    Listen(SocketAddr, io::Error),
    /// The pipeline has stopped, which is a bug of ours.
    Pipeline,
    /// The server has stopped.
    Server(io::Error),
}

impl AppError {
    /// What the person can do.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Listen(_, error) => match error.kind() {
                io::ErrorKind::AddrInUse => Some("pass another --port, or none to get the next free one"),
                io::ErrorKind::AddrNotAvailable => Some("pass an address of this machine with --host"),
                io::ErrorKind::PermissionDenied => Some("pass a --port above 1023"),
                _ => None,
            },
            Self::Pipeline => Some("this is a bug in savecast; the lines above say more"),
            Self::Server(_) => None,
        }
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address, _) => write!(f, "cannot listen on {address}"),
            Self::Pipeline => f.write_str("cannot go on: files are no longer watched"),
            Self::Server(_) => f.write_str("cannot go on serving"),
        }
    }
}

impl Error for AppError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Listen(_, error) | Self::Server(error) => Some(error),
            Self::Pipeline => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_left_for_looking_at_files() {
        for (limit, workers, expected) in [
            (Some(64), 2, (9, 9)),
            (Some(1024), 2, (249, 249)),
            (Some(1024), 16, (28, 228)),
            (Some(20_000), 2, (9474, 512)),
            (Some(20), 2, (1, 1)),
        ] {
            assert_eq!(share_files(limit, workers), expected, "{limit:?}");
        }
        let (connections, _) = share_files(None, 4);
        assert!(connections > 200_000);
    }
}
