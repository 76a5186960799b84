//! [`Args`] and `savecast.toml` → [`Config`]: checked once, read-only afterwards.

mod error;
mod file;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::net::ToSocketAddrs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use clap::ArgMatches;
use clap::CommandFactory;
use clap::FromArgMatches;
use clap::Parser;
use clap::parser::ValueSource;
use glob::Pattern;

use crate::cli::Args;
use crate::cli::Instead;
use crate::cli::LogFormat;
use crate::cli::MountArg;
use crate::cli::ProxyArg;
use crate::cli::ServerArg;
use crate::cli::Switch;
pub use crate::config::error::ConfigError;
use crate::config::file::Reader;
use crate::running::Question;
use crate::running::Wish;
use crate::site::RelayUrl;
use crate::site::ServerUrl;
use crate::site::SitePath;

/// The port that is tried first.
pub const USUAL_PORT: u16 = 3000;

/// The name of the variable with which hosts say the port.
const PORT: &str = "PORT";

/// The largest file of options, in bytes.
const LARGEST: u64 = 1 << 20;

/// The shortest token: 128 bits in Base64.
const TOKEN: usize = 22;

/// What the server is to do.
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory to serve.
    pub directory: PathBuf,
    /// Other directories, each at a path of the site.
    pub mounts: Vec<(SitePath, PathBuf)>,
    /// The file with the options, which is never served.
    pub file: Option<PathBuf>,
    /// The largest file whose contents are pushed, in bytes.
    pub max_push: u64,
    /// The address to listen on.
    pub address: IpAddr,
    /// The port to listen on, 0 for any; `None` for the usual one or the next that is free.
    pub port: Option<u16>,
    /// Names under which the server may be reached, besides its address and `localhost`. In lower case.
    pub allowed_hosts: Vec<String>,
    /// Which other origins may use the server, if any; an empty list means all of them.
    pub cors: Option<Vec<String>>,
    /// The pause between two rounds, if all is to be polled.
    pub poll: Option<Duration>,
    /// Whether the start page answers for all pages that don't exist.
    pub spa: bool,
    /// The path at which a proxy has put this server, without a slash at its end.
    pub base: String,
    /// What never reloads or changes a page.
    pub ignore: Vec<Pattern>,
    /// How it is served over HTTPS, if it is.
    pub https: Option<Https>,
    /// Whether answers are compressed for this machine, too.
    pub compress: bool,
    /// The path at which to open the browser, if it is to be opened.
    pub open: Option<String>,
    /// Other servers behind this one.
    pub proxy: Proxy,
    /// What connects it to other instances, if something does.
    pub relay: Option<Relay>,
    /// Who may publish to channels.
    pub publishing: Publishing,
    /// What one address may have.
    pub limits: Limits,
    /// For how long streams are ended after SIGTERM.
    pub drain: Duration,
    /// How much pages tell of their consoles.
    pub console: PageConsole,
    /// How much is said.
    pub log: Log,
}

/// How much pages tell of their consoles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageConsole {
    /// What goes wrong.
    Errors,
    /// All.
    All,
    /// Nothing.
    Off,
}

/// What connects instances.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Where Redis is.
    pub url: RelayUrl,
    /// The name of the site. Instances with the same name belong together.
    pub site: String,
    /// Whether another instance tells what is served.
    pub is_edge: bool,
}

/// What one address may have.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// How many requests may be under way at once, streams among them.
    pub requests: Option<usize>,
    /// How many bytes it is sent in a minute. What is under way then goes on.
    pub bytes: Option<u64>,
    /// The proxies that are believed to say whom a request is of.
    pub proxies: Vec<IpAddr>,
}

/// Who may publish to channels.
#[derive(Clone, Debug)]
pub enum Publishing {
    /// Whoever may listen.
    Anybody,
    /// Who has the token in this file.
    Token(PathBuf, String),
    /// Nobody.
    Nobody,
}

/// Other servers behind this one.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Each at a path of the site.
    pub servers: Vec<(SitePath, ServerUrl)>,
    /// Where their sources are, if that is not the directory.
    pub watch: Vec<PathBuf>,
    /// Whether they may be asked again after a save.
    pub asks: bool,
    /// The pause between two questions for what is followed of them.
    pub poll: Option<Duration>,
    /// Whether any certificate is believed.
    pub insecure: bool,
}

/// What the person wants.
#[derive(Clone, Debug)]
pub enum Command {
    /// To serve.
    Serve(Box<Config>),
    /// That browsers believe the certificates that are made, or no longer.
    Trust {
        /// Whether they are to believe them no longer.
        remove: bool,
    },
    /// To ask something of a server that is running.
    Ask(Box<Question>),
}

/// Whose certificate is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Https {
    /// One that is made.
    Made,
    /// The one in these files, in PEM.
    Files {
        /// The certificate, and those that lead to its authority.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
}

/// How much is said, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log {
    /// Each request.
    pub verbose: bool,
    /// Nothing but the address and what goes wrong.
    pub quiet: bool,
    /// One JSON object a line.
    pub json: bool,
}

impl Command {
    /// What was typed, with what stands in `savecast.toml` and the environment for what was not.
    ///
    /// # Errors
    ///
    /// What makes no sense. Wrong usage of the command line itself is one, too, as are `--help` and `--version`.
    pub fn read() -> Result<Self, ConfigError> {
        Self::from_arguments(env::args_os().collect(), env::var_os(PORT))
    }

    fn from_arguments(typed: Vec<OsString>, port: Option<OsString>) -> Result<Self, ConfigError> {
        let matches = Args::command().try_get_matches_from(&typed).map_err(ConfigError::usage)?;
        let ask =
            |server: ServerArg, wish| Self::Ask(Box::new(Question { server: server.server(port.as_ref()), wish }));
        Ok(match Args::from_arg_matches(&matches).map_err(ConfigError::usage)?.instead {
            Some(Instead::Trust { remove }) => Self::Trust { remove },
            Some(Instead::Status { server, json }) => ask(server, Wish::Status { json }),
            Some(Instead::Reload { server, token_file: token }) => ask(server, Wish::Reload { token }),
            Some(Instead::Publish { channel, data, event, server, token_file: token }) => {
                ask(server, Wish::Publish { channel, event, data, token })
            }
            None => Self::Serve(Box::new(Config::from_arguments(typed, &matches, port)?)),
        })
    }
}

impl Config {
    fn from_arguments(typed: Vec<OsString>, matches: &ArgMatches, port: Option<OsString>) -> Result<Self, ConfigError> {
        let is_typed = |name: &str| {
            matches.value_source(&name.replace('-', "_")) == Some(ValueSource::CommandLine)
                || (name == "open" && matches.get_flag("no_open"))
                || (name == "console" && matches.get_flag("no_console"))
                || (name == "no-console" && matches.get_flag("console"))
                || (name == "port" && port.is_some())
        };
        let args = Args::from_arg_matches(matches).map_err(ConfigError::usage)?;
        let file = match &args.config {
            Some(file) => Some(file.clone()),
            None => Some(PathBuf::from(file::NAME)).filter(|file| file.exists()),
        };
        let Some(file) = file else { return Self::new(args, None, port) };
        let failed = |error| ConfigError::Unreadable(file.clone(), error);
        let metadata = fs::metadata(&file).map_err(failed)?;
        // A FIFO would be waited for, and a device has no end.
        if !metadata.is_file() || metadata.len() > LARGEST {
            return Err(failed(io::Error::other("this is no file with options")));
        }
        let text = fs::read_to_string(&file).map_err(failed)?;
        let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let reader = Reader { text: &text, directory, is_named: args.config.is_some() };
        let said = reader.read(is_typed).map_err(|error| ConfigError::File(file.clone(), error))?;
        // Behind what was typed, because a bare `--host` would take the directory for its value; but before a `--`.
        let end = typed.iter().position(|typed| typed == "--").unwrap_or(typed.len());
        let mut all = typed;
        all.splice(end..end, said.arguments);
        let mut args = Args::try_parse_from(all).map_err(ConfigError::usage)?;
        if args.mount.is_empty() {
            args.mount = said.mounts;
        }
        if args.proxy.is_empty() {
            args.proxy = said.proxies;
        }
        Self::new(args, Some(file), port)
    }

    fn new(args: Args, file: Option<PathBuf>, port: Option<OsString>) -> Result<Self, ConfigError> {
        let host = args.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let address = match (host.as_str(), 0).to_socket_addrs() {
            Ok(mut addresses) => addresses.next().ok_or_else(|| io::Error::other("it has none")),
            Err(error) => Err(error),
        };
        let address = address.map_err(|error| ConfigError::Host(args.host, error))?.ip();
        let mut allowed_hosts = args.allow_host;
        if host.parse::<IpAddr>().is_err() {
            // Who listens on a name wants to be reached under it.
            allowed_hosts.push(host);
        }
        for host in &mut allowed_hosts {
            host.make_ascii_lowercase();
        }
        let port = match (args.port, port) {
            (None, Some(port)) if !port.is_empty() => {
                let number = port.to_str().and_then(|port| port.trim().parse().ok());
                Some(number.ok_or_else(|| ConfigError::Port(port.to_string_lossy().into_owned()))?)
            }
            (port, _) => port,
        };
        let https = args.https.map(|files| match files.as_slice() {
            [] => Ok(Https::Made),
            [certificate, key] => Ok(Https::Files { certificate: certificate.clone(), key: key.clone() }),
            _ => Err(ConfigError::Https(files)),
        });
        let mut mounts = Vec::<(SitePath, PathBuf)>::new();
        for MountArg { prefix, directory } in args.mount {
            if let Err(error) = fs::read_dir(&directory) {
                return Err(ConfigError::Mount(prefix, directory, error));
            }
            if mounts.iter().any(|(other, _)| *other == prefix) {
                return Err(ConfigError::TwoMounts(prefix));
            }
            mounts.push((prefix, directory));
        }
        let proxy = Proxy {
            servers: servers(args.proxy)?,
            watch: args.watch.into_iter().map(watched).collect::<Result<_, _>>()?,
            asks: args.proxy_ask == Switch::On,
            poll: args.proxy_poll,
            insecure: args.proxy_insecure,
        };
        if proxy.servers.is_empty() && !proxy.watch.is_empty() {
            return Err(ConfigError::WatchedFor);
        }
        let open = args.open.filter(|_| !args.no_open);
        if let Some(path) = open.as_ref().filter(|path| !path.starts_with('/')) {
            return Err(ConfigError::Open(path.clone()));
        }
        Ok(Self {
            directory: args.directory,
            mounts,
            file,
            max_push: args.max_push,
            address,
            port,
            allowed_hosts,
            cors: args.cors,
            poll: args.poll,
            spa: args.spa,
            base: args.base,
            ignore: args.ignore,
            https: https.transpose()?,
            compress: args.compress,
            open,
            proxy,
            publishing: match args.publish_token_file.map(token).transpose()? {
                _ if args.edge && !args.publish => Publishing::Nobody,
                Some((file, token)) => Publishing::Token(file, token),
                None => Publishing::Anybody,
            },
            limits: Limits { requests: args.limit_requests, bytes: args.limit_bytes, proxies: args.trust_proxy },
            drain: Duration::from_secs(args.drain.map_or(if args.edge { 5 } else { 0 }, u64::from)),
            relay: args.relay.map(|url| Relay { url, site: args.relay_site, is_edge: args.edge }),
            console: match (args.console, args.no_console) {
                // Whoever visits the site would write at the terminal, so an edge does not hear its pages.
                _ if args.edge => PageConsole::Off,
                (true, _) => PageConsole::All,
                (false, true) => PageConsole::Off,
                (false, false) => PageConsole::Errors,
            },
            log: Log { verbose: args.verbose, quiet: args.quiet, json: args.log == LogFormat::Json },
        })
    }
}

/// Each server at a path of its own.
fn servers(typed: Vec<ProxyArg>) -> Result<Vec<(SitePath, ServerUrl)>, ConfigError> {
    let mut servers = Vec::<(SitePath, ServerUrl)>::new();
    for ProxyArg { prefix, server } in typed {
        if servers.iter().any(|(other, _)| *other == prefix) {
            return Err(ConfigError::TwoProxies(prefix));
        }
        servers.push((prefix, server));
    }
    Ok(servers)
}

/// The token in this file.
fn token(file: PathBuf) -> Result<(PathBuf, String), ConfigError> {
    let failed = |error| ConfigError::Token(file.clone(), error);
    let metadata = fs::metadata(&file).map_err(failed)?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err(failed(io::Error::other("this is no file with a token")));
    }
    let token = fs::read_to_string(&file).map_err(failed)?.trim().to_owned();
    let is_good = (TOKEN..=1000).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_good {
        return Err(failed(io::Error::other("a token has 22 to 1,000 characters of ASCII without spaces")));
    }
    Ok((file, token))
}

/// A directory that can be watched, as the system calls it.
fn watched(directory: PathBuf) -> Result<PathBuf, ConfigError> {
    match fs::read_dir(&directory).and_then(|_| directory.canonicalize()) {
        Ok(directory) => Ok(directory),
        Err(error) => Err(ConfigError::Watch(directory, error)),
    }
}
