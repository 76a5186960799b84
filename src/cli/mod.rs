//! argv → [`Args`], as typed.

pub mod known;
mod values;

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;
use glob::Pattern;

pub use crate::cli::values::MountArg;
pub use crate::cli::values::ProxyArg;
use crate::site::RelayUrl;
use crate::site::ServerUrl;

/// Who is listened to if nothing else is said: this machine.
const LOOPBACK: &str = "127.0.0.1";

/// All addresses of this machine.
const ALL: &str = "0.0.0.0";

/// Serve a directory in which every file is live.
///
/// Each file is also a stream of its own contents: new EventSource("/data.json") gets them now and again after every
/// save. Pages reload by themselves, and stylesheets are swapped in place.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[derive(Clone, Debug, Parser)]
#[command(version, max_term_width = 100, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Args {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub instead: Option<Instead>,

    /// The directory to serve
    #[arg(value_name = "DIR", default_value = ".")]
    pub directory: PathBuf,

    /// The port to listen on; 0 for any free one [default: 3000, or the next free one]
    #[arg(short, long, value_name = "N", value_parser = values::port)]
    pub port: Option<u16>,

    /// The address to listen on; all addresses, which shows the directory to the whole network, if none is given
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_value = LOOPBACK, default_missing_value = ALL)]
    pub host: String,

    /// Serve over HTTPS and HTTP/2: with a certificate that is made for this machine, or with yours, in PEM
    #[arg(long, value_names = ["CERT", "KEY"], num_args = 0..=2)]
    pub https: Option<Vec<PathBuf>>,

    /// Another name under which this server is reached, such as that of a proxy; may be given again
    #[arg(long, value_name = "NAME", value_parser = values::host_name)]
    pub allow_host: Vec<String>,

    /// Let pages of these origins (scheme, host and port) use files, streams and channels; pages of all origins, but without
    /// credentials, if none is given
    #[arg(long, value_name = "ORIGIN", num_args = 0.., value_parser = values::origin)]
    pub cors: Option<Vec<String>>,

    /// Do not rely on events of the file system: look at what is in use every MS milliseconds, 100 if not given
    #[arg(long, value_name = "MS", num_args = 0..=1, default_missing_value = "100", value_parser = values::milliseconds)]
    pub poll: Option<Duration>,

    /// The largest file whose contents are pushed, in bytes or as 512K, 8M or 1G; larger ones are served, and announced
    /// as a problem
    #[arg(long, value_name = "SIZE", default_value = "8M", value_parser = values::size)]
    pub max_push: u64,

    /// Open the browser, at this path if one is given
    #[arg(short, long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "/")]
    pub open: Option<String>,

    /// Do not open the browser, whatever savecast.toml says
    #[arg(long, overrides_with = "open")]
    pub no_open: bool,

    /// Answer with /index.html where a page doesn't exist, for single-page apps
    #[arg(long)]
    pub spa: bool,

    /// Serve another directory at this path of the site; may be given again
    #[arg(long, value_name = "/PATH=DIR", value_parser = values::mount)]
    pub mount: Vec<MountArg>,

    /// Put another server behind this one, and make its pages live; only a path of it with /PATH=URL; may be given again. With
    /// a URL alone, the directory is not served, but watched
    #[arg(long, value_name = "[/PATH=]URL", value_parser = values::proxy)]
    pub proxy: Vec<ProxyArg>,

    /// Where the sources of the servers behind --proxy are, if that is not the directory: what is saved there may change their
    /// answers; may be given again
    #[arg(long, value_name = "DIR")]
    pub watch: Vec<PathBuf>,

    /// Whether the servers behind --proxy may be asked again for what pages have loaded, to see what a save has changed; if
    /// off, a save reloads pages
    #[arg(long, value_name = "on|off", default_value = "on")]
    pub proxy_ask: Switch,

    /// Ask the servers behind --proxy every MS milliseconds, too, for answers that somebody follows as a stream
    #[arg(long, value_name = "MS", value_parser = values::pause)]
    pub proxy_poll: Option<Duration>,

    /// Believe any certificate of a server behind --proxy
    #[arg(long)]
    pub proxy_insecure: bool,

    #[expect(clippy::doc_markdown, reason = "--help shows it as it is written")]
    /// Share channels with other instances through this Redis server, and tell edges what stands in the directory. If the URL has no user or password, they are taken from
    /// SAVECAST_RELAY_USER and SAVECAST_RELAY_PASSWORD in the environment
    #[arg(long, value_name = "URL", value_parser = RelayUrl::parse)]
    pub relay: Option<RelayUrl>,

    /// Serve what an instance with a directory tells through --relay, instead of a directory of this machine
    #[arg(long, requires = "relay", conflicts_with_all = ["directory", "mount", "proxy", "watch", "poll"])]
    pub edge: bool,

    /// Let clients of this edge publish to channels, with the token of --publish-token-file
    #[arg(long, requires = "edge", requires = "publish_token_file")]
    pub publish: bool,

    /// Publishing to channels needs the token in this file: "Authorization: Bearer TOKEN"
    #[arg(long, value_name = "FILE")]
    pub publish_token_file: Option<PathBuf>,

    /// How many requests of one address may be under way at once, streams among them; more are answered with 429
    #[arg(long, value_name = "N", value_parser = values::count)]
    pub limit_requests: Option<usize>,

    /// How many bytes one address is sent in a minute, as 512K, 8M or 1G; after that, its requests are answered with 429
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub limit_bytes: Option<u64>,

    /// Believe what this proxy says in X-Forwarded-For of whom a request is; may be given again
    #[arg(long, value_name = "ADDRESS")]
    pub trust_proxy: Vec<IpAddr>,

    /// When it is stopped by SIGTERM, end streams over so many seconds, and take no new ones [default: 5 with --edge, 0 without]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(0..=3600))]
    pub drain: Option<u16>,

    /// The name of the site on that Redis server; instances with the same name belong together
    #[arg(long, value_name = "NAME", value_parser = values::site, default_value = "site")]
    pub relay_site: String,

    /// The path at which a proxy has put this server, such as /app/
    #[arg(long, value_name = "/PATH/", value_parser = values::base, default_value = "/")]
    pub base: String,

    /// What never reloads or changes a page, such as '*.map' or 'drafts/**'; may be given again
    #[arg(long, value_name = "GLOB", value_parser = values::glob, value_delimiter = ',')]
    pub ignore: Vec<Pattern>,

    /// Compress answers for browsers on this machine, too, and not only for those on others
    #[arg(long)]
    pub compress: bool,

    /// Show all that open pages write into their consoles, and not only what goes wrong in them
    #[arg(long, overrides_with = "no_console")]
    pub console: bool,

    /// Show nothing of what goes wrong in open pages
    #[arg(long, overrides_with = "console")]
    pub no_console: bool,

    /// Say each request: method, path, status, bytes, milliseconds
    #[arg(long, conflicts_with = "quiet")]
    pub verbose: bool,

    /// Say nothing but the address and what goes wrong
    #[arg(long)]
    pub quiet: bool,

    /// Write what is said on standard error as text, or as one JSON object a line
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log: LogFormat,

    /// A file with these options, instead of savecast.toml where it is started
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What is done instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Instead {
    /// Have this system, Chromium and Firefox believe the certificates that --https makes
    Trust {
        /// Have them believe these no longer
        #[arg(long)]
        remove: bool,
    },
    /// Say what a server that is running is doing: open pages, streams, problems
    Status {
        #[command(flatten)]
        server: ServerArg,
        /// Print the JSON of /_savecast/status
        #[arg(long)]
        json: bool,
    },
    /// Have every open page of a server that is running loaded again
    Reload {
        #[command(flatten)]
        server: ServerArg,
        /// The file with the token, if the server was started with --publish-token-file
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
    },
    /// Publish an event to a channel of a server that is running
    Publish {
        /// The channel, such as users/42
        #[arg(value_name = "CHANNEL")]
        channel: String,
        /// The data of the event; read from standard input if not given
        #[arg(value_name = "DATA", allow_hyphen_values = true)]
        data: Option<String>,
        /// The name of the event [default: message]
        #[arg(long, value_name = "NAME")]
        event: Option<String>,
        #[command(flatten)]
        server: ServerArg,
        /// The file with the token, if the server was started with --publish-token-file
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
    },
}

/// A server that is running.
#[derive(Clone, Debug, clap::Args)]
pub struct ServerArg {
    /// Which server: a port of this machine, or a URL [default: the port in PORT, or 3000]
    #[arg(short = 'p', long, visible_alias = "port", value_name = "PORT|URL", value_parser = ServerUrl::parse)]
    server: Option<ServerUrl>,
}

impl ServerArg {
    /// What was typed, else at the port of the environment, if that is one, else at the usual port.
    ///
    /// # Panics
    ///
    /// Never: the usual port is one.
    #[must_use]
    pub fn server(self, port: Option<&OsString>) -> ServerUrl {
        let port = || port.and_then(|port| ServerUrl::parse(port.to_str()?.trim()).ok());
        let usual = || ServerUrl::parse("3000").expect("this is a port");
        self.server.or_else(port).unwrap_or_else(usual)
    }
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

/// How notices are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}
