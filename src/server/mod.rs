//! The server of the command: its port, its workers, and in which order they start and stop.

mod activity;
mod base;
mod certificate;
mod compress;
mod error;
mod h2;
mod limits;
mod listen;
mod network;
mod quota;
mod requests;
mod screen;
mod secure;
mod terminal;
mod trust;

use std::env;
use std::io;
use std::io::IsTerminal;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actix_web::App;
use actix_web::HttpServer;
use actix_web::middleware::Condition;
use actix_web::middleware::from_fn;
use actix_web::rt;
use glob::Pattern;
use tokio::sync::oneshot;
use tokio::sync::watch;

use crate::config;
use crate::config::Config;
use crate::config::Https;
use crate::config::Proxy;
use crate::config::Relay;
use crate::console;
use crate::http::html::assets::PageConsole;
use crate::http::state::Network;
use crate::http::state::Publishing;
use crate::http::state::Tls;
use crate::live::Live;
use crate::live::LiveError;
use crate::live::ProxyOptions;
use crate::notice::Notice;
use crate::relay;
use crate::server::certificate::Certificate;
pub use crate::server::error::ServerError;
use crate::server::network::Urls;
use crate::server::quota::Quota;
use crate::server::requests::Say;
use crate::server::secure::Secure;
use crate::server::terminal::Terminal;
pub use crate::server::trust::trust;

/// How long a stop waits for answers that are under way. Streams end before; this is for downloads.
const PATIENCE: Duration = Duration::from_millis(500);

/// How much is collected before it is written to a connection, in bytes. Who does not read makes us keep so much.
const WRITE_BUFFER: usize = 8 << 10;

/// The server of the command: one [`Live`] directory at the root, on a port of its own.
///
/// ```no_run
/// use savecast::Command;
/// use savecast::Server;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // As the command does.
/// if let Command::Serve(config) = Command::read()? {
///     Server::new(*config).run()?;
/// }
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
    // Behind a connection to us, there may be one to another server.
    let files = if config.proxy.servers.is_empty() { 1 } else { 2 };
    let (connections, downloads) = limits::share_files(limits::file_limit(), workers, files);
    let (terminal, _ending) = Terminal::start(config.log).map_err(ServerError::Server)?;
    let teller = terminal.clone();
    let say: Say = Arc::new(move |notice| teller.say(notice));
    let certificate = certificate::begin(&config, &say).map_err(ServerError::Tls)?;
    let live = live(&config, certificate.as_ref(), downloads, &say, &terminal).map_err(ServerError::Live)?;
    let (listener, address) = listen::listen(&config, |notice| terminal.say(notice))?;
    let (app, ended_watching) = (live.clone(), live.ended());
    let (is_verbose, is_for_all) = (config.log.verbose, config.compress);
    let base = config.base.clone();
    let quota = Quota::new(&config.limits);
    // To this machine alone, nothing is compressed.
    let may_compress = is_for_all || !address.ip().is_loopback();
    let told = say.clone();
    let routes = move || {
        let say = say.clone();
        let tell = from_fn(move |request, next| requests::tell(say.clone(), request, next));
        let compress = from_fn(move |request, next| compress::compress(is_for_all, request, next));
        let path = base.clone();
        let cut_off = from_fn(move |request, next| base::cut_off(path.clone(), request, next));
        let limited = quota.clone();
        let limit = from_fn(move |request, next| {
            let quota = limited.clone().expect("it is wrapped only where there are limits");
            quota::check(quota, request, next)
        });
        App::new()
            .wrap(Condition::new(!base.is_empty(), cut_off))
            .wrap(Condition::new(may_compress, compress))
            .wrap(Condition::new(is_verbose, tell))
            .wrap(Condition::new(quota.is_some(), limit))
            .configure(app.mount("/"))
    };
    let urls = Urls::new(address, certificate.is_some(), certificate.as_ref().is_some_and(|it| it.authority.is_some()));
    // To other machines, that of this machine alone would be themselves.
    let is_local = config.relay.as_ref().is_some_and(|relay| relay.url.is_local());
    if let Some(url) = urls.network.first().or(Some(&urls.here).filter(|_| is_local)) {
        live.announce(url);
    }
    let (stop, stopping) = watch::channel(false);
    let server = match &certificate {
        Some(certificate) => {
            let secure = Secure {
                tls: certificate.config.clone(),
                address,
                is_ours: certificate.authority.is_some(),
                authority: urls.certificate.clone(),
                say: told,
                stopping,
                write_buffer: WRITE_BUFFER,
                workers,
                connections,
            };
            secure.run(listener, routes)
        }
        None => HttpServer::new(routes)
            .workers(workers)
            .max_connections(connections)
            .disable_signals()
            // A browser that goes away is noticed at once, and not at the next write.
            .h1_allow_half_closed(false)
            .tcp_nodelay(true)
            .h1_write_buffer_size(WRITE_BUFFER)
            .shutdown_timeout(1)
            .listen(listener)
            .map(HttpServer::run),
    };
    let server = server.map_err(|error| ServerError::Listen(address, error))?;
    let handle = server.handle();
    let server = rt::spawn(server);

    ready(&config, &live, &urls, &terminal);
    if certificate.is_some_and(|certificate| !certificate.is_trusted) {
        terminal.say(&Notice::NotTrusted);
    }

    let ended = tokio::select! {
        () = stopped(&live, config.drain, &terminal) => Ok(()),
        () = over(ended_watching) => Err(ServerError::Pipeline),
        ended = server => ended.map_err(io::Error::other).flatten().map_err(ServerError::Server),
    };
    // First the streams, because the server waits for answers that are under way.
    live.close();
    stop.send_replace(true);
    // What takes longer is cut off by the end of the process.
    let end = async { tokio::join!(handle.stop(true), live.left()) };
    drop(rt::time::timeout(PATIENCE, end).await);
    ended
}

/// The servers behind this one.
fn behind(proxy: Proxy) -> ProxyOptions {
    let Proxy { servers, watch, asks, poll, insecure } = proxy;
    ProxyOptions { servers, trees: watch, asks, poll, believes_all: insecure }
}

/// What connects this instance to others. Secrets in the environment are not seen by those who list processes.
fn connected(Relay { url, site, is_edge }: Relay) -> relay::Options {
    let secret = |name| env::var(name).ok().filter(|value| !value.is_empty());
    relay::Options {
        url,
        site,
        is_edge,
        user: secret("SAVECAST_RELAY_USER"),
        password: secret("SAVECAST_RELAY_PASSWORD"),
    }
}

/// Ends when files are no longer watched.
async fn over(ended: Option<oneshot::Receiver<()>>) {
    match ended {
        Some(ended) => drop(ended.await),
        None => std::future::pending().await,
    }
}

/// Whether what happens at a place never reloads a page. A pattern without a slash means a name, wherever it is: that of a file, or
/// of a directory and all that is in it.
fn is_ignored(patterns: &[Pattern], path: &str) -> bool {
    let inside = path.trim_start_matches('/');
    patterns.iter().any(|pattern| {
        let is_name = !pattern.as_str().contains('/');
        pattern.matches(inside)
            || pattern.matches(path)
            || (is_name && inside.split('/').any(|segment| pattern.matches(segment)))
    })
}

/// What is never served: the options, the key, and the token.
fn secrets(config: &Config) -> impl Iterator<Item = PathBuf> {
    let key = match &config.https {
        Some(Https::Files { key, .. }) => Some(key.clone()),
        Some(Https::Made) | None => None,
    };
    let token = match &config.publishing {
        config::Publishing::Token(file, _) => Some(file.clone()),
        config::Publishing::Anybody | config::Publishing::Nobody => None,
    };
    config.file.clone().into_iter().chain(key).chain(token)
}

fn ready(config: &Config, live: &Live, urls: &Urls, terminal: &Terminal) {
    let Urls { here: url, network, certificate } = urls;
    // A phone without the certificate could not open the site.
    let first = certificate.as_ref().or(network.first());
    let code = first.and_then(|first| network::squares(first)).unwrap_or_default();
    live.reached(Network { urls: network.clone(), code });
    let notice = Notice::Ready { name: &live.name(), url, network, certificate: certificate.as_deref() };
    if config.log.json {
        terminal.say(&notice);
    }
    console::say(&notice);
    let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    if let (Some(first), Some(width), false) = (first, width, config.log.quiet)
        && io::stdout().is_terminal()
        && let Some(code) = network::code(first, width)
    {
        drop(io::stdout().lock().write_all(code.as_bytes()));
    }
    if let Some(path) = &config.open
        && let Err(error) = open_browser(&format!("{}{}", url.trim_end_matches('/'), path.replace(' ', "%20")))
    {
        terminal.say(&Notice::NotOpened { url, error: &error });
    }
}

/// Opens the person's browser. On Linux, nobody is there to do it without a desktop, and the programs that look for one say so
/// with numbers.
fn open_browser(url: &str) -> io::Result<()> {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_wsl = || std::env::var_os("WSL_DISTRO_NAME").is_some();
    if cfg!(target_os = "linux") && !["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"].into_iter().any(is_set) && !is_wsl() {
        return Err(io::Error::other("there is no desktop here"));
    }
    open::that_detached(url).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other("no program for that is installed"),
        // What the programs that look for one say is a number.
        _ => io::Error::other("the program for that has failed"),
    })
}

async fn stop_signal() -> Stop {
    #[cfg(unix)]
    {
        use tokio::signal::unix::SignalKind;
        use tokio::signal::unix::signal;
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            return tokio::select! {
                _ = tokio::signal::ctrl_c() => Stop::AtOnce,
                _ = terminate.recv() => Stop::Gracefully,
            };
        }
    }
    drop(tokio::signal::ctrl_c().await);
    Stop::AtOnce
}

/// Waits until somebody wants it to stop, and with SIGTERM until most streams have ended.
async fn stopped(live: &Live, time: Duration, terminal: &Terminal) {
    if stop_signal().await == Stop::Gracefully && !time.is_zero() {
        terminal.say(&Notice::Draining { time });
        // Whoever is in a hurry says so again.
        tokio::select! {
            () = drain(live, time) => {}
            _ = stop_signal() => {}
        }
    }
}

/// Ends streams one after the other, so that those who come back do not come all at once to the other instances.
async fn drain(live: &Live, time: Duration) {
    /// How often some are ended.
    const STEPS: u32 = 50;
    live.drain();
    for step in 1..=STEPS {
        rt::time::sleep(time / STEPS).await;
        live.end_some(f64::from(step) / f64::from(STEPS));
    }
}

/// What is served.
fn live(
    config: &Config,
    certificate: Option<&Certificate>,
    downloads: usize,
    say: &Say,
    terminal: &Terminal,
) -> Result<Live, LiveError> {
    let reporter = terminal.clone();
    let ignore = config.ignore.clone();
    let mut live = Live::builder(&config.directory)
        .max_push(config.max_push)
        .cors(config.cors.clone())
        .downloads(downloads)
        .app(config.spa)
        .base(config.base.clone())
        .hidden(secrets(config))
        .tls(certificate.map(|certificate| Tls { authority: certificate.authority.clone() }))
        .ignore(move |path| is_ignored(&ignore, path))
        .proxy(behind(config.proxy.clone()))
        .relay(config.relay.clone().map(connected))
        .publishing(publishing(&config.publishing))
        .console(match config.console {
            config::PageConsole::Errors => PageConsole::Errors,
            config::PageConsole::All => PageConsole::All,
            config::PageConsole::Off => PageConsole::Off,
        })
        .files_only()
        .say(say.clone())
        .on_report(move |report| reporter.report(report));
    if let Some(every) = config.poll {
        live = live.poll(every);
    }
    for host in &config.allowed_hosts {
        live = live.allow_host(host);
    }
    for (prefix, directory) in &config.mounts {
        live = live.mounted(prefix.clone(), directory.clone());
    }
    live.build()
}

/// Who may publish to channels.
fn publishing(publishing: &config::Publishing) -> Publishing {
    match publishing {
        config::Publishing::Anybody => Publishing::Anybody,
        config::Publishing::Token(_, token) => Publishing::Bearer(token.as_str().into()),
        config::Publishing::Nobody => Publishing::Nobody,
    }
}

/// How somebody wants it to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    AtOnce,
    Gracefully,
}
