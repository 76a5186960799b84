//! The server of the command: its port, its workers, and in which order they start and stop.

mod error;
mod limits;
mod listen;
mod updates;

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use actix_web::App;
use actix_web::HttpServer;
use actix_web::rt;
use tokio::sync::oneshot;

use crate::config::Config;
use crate::console;
use crate::hub::Report;
use crate::live::Live;
use crate::notice::Notice;
pub use crate::server::error::ServerError;

/// How long a stop waits for answers that are under way. Streams end before; this is for downloads.
const PATIENCE: Duration = Duration::from_millis(500);

/// Updates that wait for a slow terminal.
const REPORTS: usize = 1000;

/// How much is collected before it is written to a connection, in bytes. Who does not read makes us keep so much.
const WRITE_BUFFER: usize = 8 << 10;

/// The server of the command: one [`Live`] directory at the root, on a port of its own.
///
/// ```no_run
/// use savecast::Config;
/// use savecast::Server;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config {
///     directory: "site".into(),
///     max_push: 8 << 20,
///     address: "127.0.0.1".parse()?,
///     port: Some(3000),
///     allowed_hosts: Vec::new(),
///     cors: None,
///     poll: None,
///     open: false,
/// };
/// Server::new(config).run()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    config: Config,
}

impl Server {
    /// A server that does what the config says.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// Serves until it is stopped by Ctrl-C or SIGTERM.
    ///
    /// # Errors
    ///
    /// If it can't start, or can't go on.
    pub fn run(self) -> Result<(), ServerError> {
        rt::System::new().block_on(serve(self.config))
    }
}

async fn serve(config: Config) -> Result<(), ServerError> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let (connections, downloads) = limits::share_files(limits::file_limit(), workers);
    let mut live = Live::builder(&config.directory)
        .max_push(config.max_push)
        .cors(config.cors.clone())
        .downloads(downloads)
        .files_only()
        .on_report(start_terminal()?);
    if let Some(every) = config.poll {
        live = live.poll(every);
    }
    for host in &config.allowed_hosts {
        live = live.allow_host(host);
    }
    let live = live.build().map_err(ServerError::Live)?;
    let (listener, address) = listen::listen(&config)?;
    let (app, ended_watching) = (live.clone(), live.ended());
    let server = HttpServer::new(move || App::new().configure(app.mount("/")))
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

    ready(&config, &live, address);

    let ended = tokio::select! {
        () = stop_signal() => Ok(()),
        () = over(ended_watching) => Err(ServerError::Pipeline),
        ended = server => ended.map_err(io::Error::other).flatten().map_err(ServerError::Server),
    };
    // First the streams, because the server waits for answers that are under way.
    live.close();
    // What takes longer is cut off by the end of the process.
    drop(rt::time::timeout(PATIENCE, handle.stop(true)).await);
    ended
}

/// Ends when files are no longer watched.
async fn over(ended: Option<oneshot::Receiver<()>>) {
    match ended {
        Some(ended) => drop(ended.await),
        None => std::future::pending().await,
    }
}

/// The terminal may be slow, so those who serve do not wait for it.
fn start_terminal() -> Result<impl Fn(&Report) + Send + Sync, ServerError> {
    let (sender, reports) = mpsc::sync_channel(REPORTS);
    let thread = thread::Builder::new().name("terminal".into());
    thread.spawn(move || updates::show(&reports)).map_err(ServerError::Server)?;
    // Where no terminal is, nobody hears it; one that stands still misses some.
    Ok(move |report: &Report| drop(sender.try_send(report.clone())))
}

fn ready(config: &Config, live: &Live, address: SocketAddr) {
    // A browser can't open the address that means all addresses.
    let host = match address.ip() {
        ip if ip.is_unspecified() => "localhost".to_owned(),
        ip if ip.is_ipv6() => format!("[{ip}]"),
        ip => ip.to_string(),
    };
    let url = format!("http://{host}:{}/", address.port());
    console::say(&Notice::Ready { name: &live.name(), url: &url });
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
