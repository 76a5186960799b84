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

/// What `--help` groups options by.
const FILES: &str = "Files";
const NETWORK: &str = "Network";
const PROXY: &str = "Proxy";
const MACHINES: &str = "Public and on more than one machine";
const OUTPUT: &str = "Output";

/// Serve a directory in which every file is live.
///
/// When you save a file, every open page shows it at once. Each URL is also a stream: new EventSource("/data.json") receives the
/// contents of the file now, and again after every save.
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

    /// Port to listen on; 0 for any free one [default: the environment variable PORT, or 3000, or the next free one]
    #[arg(help_heading = NETWORK, short, long, value_name = "N", value_parser = values::port)]
    pub port: Option<u16>,

    /// Address to listen on. Without ADDRESS, all addresses: everybody in your network can then read the directory
    #[arg(help_heading = NETWORK, long, value_name = "ADDRESS", num_args = 0..=1, default_value = LOOPBACK, default_missing_value = ALL)]
    pub host: String,

    /// Serve HTTPS and HTTP/2, with a certificate made for this machine, or with your own PEM files
    #[arg(help_heading = NETWORK, long, value_names = ["CERT", "KEY"], num_args = 0..=2)]
    pub https: Option<Vec<PathBuf>>,

    /// Another host name that requests may use, such as that of a reverse proxy; repeatable
    #[arg(help_heading = NETWORK, long, value_name = "NAME", value_parser = values::host_name)]
    pub allow_host: Vec<String>,

    /// Let pages of these origins use files, streams and channels. Without ORIGIN, pages of all origins, but without
    /// credentials
    #[arg(help_heading = NETWORK, long, value_name = "ORIGIN", num_args = 0.., value_parser = values::origin)]
    pub cors: Option<Vec<String>>,

    /// Check the files in use every MS milliseconds (100 if you leave MS out), instead of relying on file system events
    #[arg(help_heading = FILES, long, value_name = "MS", num_args = 0..=1, default_missing_value = "100", value_parser = values::milliseconds)]
    pub poll: Option<Duration>,

    /// Largest file whose contents are sent, in bytes or as 512K, 8M or 1G. Larger files are served, and reported as a
    /// problem
    #[arg(help_heading = FILES, long, value_name = "SIZE", default_value = "8M", value_parser = values::size)]
    pub max_push: u64,

    /// Open the browser, at PATH if you give one
    #[arg(short, long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "/")]
    pub open: Option<String>,

    /// Don't open the browser, whatever savecast.toml says
    #[arg(long, overrides_with = "open")]
    pub no_open: bool,

    /// For single-page apps: answer with /index.html where a page doesn't exist
    #[arg(help_heading = FILES, long)]
    pub spa: bool,

    /// Serve another directory at this path; repeatable
    #[arg(help_heading = FILES, long, value_name = "/PATH=DIR", value_parser = values::mount)]
    pub mount: Vec<MountArg>,

    /// Put savecast in front of another server, and make its pages live; with /PATH, only for that path. Without a path, the
    /// directory is watched, but not served. Repeatable
    #[arg(help_heading = PROXY, long, value_name = "[/PATH=]URL", value_parser = values::proxy)]
    pub proxy: Vec<ProxyArg>,

    /// Directory with the sources of the proxied server, if it is not DIR; repeatable
    #[arg(help_heading = PROXY, long, value_name = "DIR")]
    pub watch: Vec<PathBuf>,

    /// Whether savecast may request again what open pages have loaded, to see what a save has changed. If off, a save
    /// reloads pages
    #[arg(help_heading = PROXY, long, value_name = "on|off", default_value = "on")]
    pub proxy_ask: Switch,

    /// Also request streamed answers of the proxied server every MS milliseconds
    #[arg(help_heading = PROXY, long, value_name = "MS", value_parser = values::pause)]
    pub proxy_poll: Option<Duration>,

    /// Accept any certificate of a proxied server
    #[arg(help_heading = PROXY, long)]
    pub proxy_insecure: bool,

    #[expect(clippy::doc_markdown, reason = "--help shows it as it is written")]
    /// Share channels with other instances through this Redis server, and publish the directory to edges.
    /// SAVECAST_RELAY_USER and SAVECAST_RELAY_PASSWORD in the environment are used if the URL has no user or password
    #[arg(help_heading = MACHINES, long, value_name = "URL", value_parser = RelayUrl::parse)]
    pub relay: Option<RelayUrl>,

    /// Serve what an instance with a directory publishes through --relay, instead of a directory
    #[arg(help_heading = MACHINES, long, requires = "relay", conflicts_with_all = ["directory", "mount", "proxy", "watch", "poll"])]
    pub edge: bool,

    /// Let clients of this edge publish to channels, with the token of --publish-token-file
    #[arg(help_heading = MACHINES, long, requires = "edge", requires = "publish_token_file")]
    pub publish: bool,

    /// Require the token in this file to publish to channels and to reload pages: "Authorization: Bearer TOKEN"
    #[arg(help_heading = MACHINES, long, value_name = "FILE")]
    pub publish_token_file: Option<PathBuf>,

    /// How many requests one address may have open at once, streams included. More get 429
    #[arg(help_heading = MACHINES, long, value_name = "N", value_parser = values::count)]
    pub limit_requests: Option<usize>,

    /// How many bytes one address may receive in a minute, as 512K, 8M or 1G. After that, its requests get 429
    #[arg(help_heading = MACHINES, long, value_name = "SIZE", value_parser = values::size)]
    pub limit_bytes: Option<u64>,

    /// Trust the X-Forwarded-For header of this proxy when counting requests for an address; repeatable
    #[arg(help_heading = MACHINES, long, value_name = "ADDRESS")]
    pub trust_proxy: Vec<IpAddr>,

    /// On SIGTERM, accept no new streams, and close the open ones over this many seconds [default: 5 with --edge, 0 without]
    #[arg(help_heading = MACHINES, long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(0..=3600))]
    pub drain: Option<u16>,

    /// Name of the site on the Redis server. Instances with the same name belong together
    #[arg(help_heading = MACHINES, long, value_name = "NAME", value_parser = values::site, default_value = "site")]
    pub relay_site: String,

    /// Path at which a reverse proxy has put this server, such as /app/
    #[arg(help_heading = NETWORK, long, value_name = "/PATH/", value_parser = values::base, default_value = "/")]
    pub base: String,

    /// Files that never change or reload a page, such as '*.map' or 'drafts/**'; repeatable
    #[arg(help_heading = FILES, long, value_name = "GLOB", value_parser = values::glob, value_delimiter = ',')]
    pub ignore: Vec<Pattern>,

    /// Also compress answers for browsers on this machine. For other machines, they always are
    #[arg(help_heading = NETWORK, long)]
    pub compress: bool,

    /// Print everything that open pages write to their consoles, and not only their errors
    #[arg(help_heading = OUTPUT, long, overrides_with = "no_console")]
    pub console: bool,

    /// Print no errors of open pages
    #[arg(help_heading = OUTPUT, long, overrides_with = "console")]
    pub no_console: bool,

    /// Print a line for each request: status, method, path, size, time
    #[arg(help_heading = OUTPUT, long, conflicts_with = "quiet")]
    pub verbose: bool,

    /// Print only the address and problems
    #[arg(help_heading = OUTPUT, long)]
    pub quiet: bool,

    /// Format of the messages on standard error: text, or one JSON object a line
    #[arg(help_heading = OUTPUT, long, value_name = "FORMAT", default_value = "text")]
    pub log: LogFormat,

    /// Read options from this file instead of savecast.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What is done instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Instead {
    /// Make this system, Chromium and Firefox trust the certificates that --https makes
    Trust {
        /// Make them stop trusting these
        #[arg(long)]
        remove: bool,
    },
    /// Show what a running server is doing: open pages, streams, problems
    Status {
        #[command(flatten)]
        server: ServerArg,
        /// Print the JSON of /_savecast/status
        #[arg(long)]
        json: bool,
    },
    /// Reload every open page of a running server
    Reload {
        #[command(flatten)]
        server: ServerArg,
        /// The file with the token, if the server was started with --publish-token-file
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
    },
    /// Publish an event to a channel of a running server
    ///
    /// Pages listen at /_savecast/channels/CHANNEL.
    Publish {
        /// The channel, such as users/42
        #[arg(value_name = "CHANNEL", value_parser = values::channel)]
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
    /// Which server: a port of this machine, or a URL [default: the port in the environment variable PORT, or 3000]
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
        let number = || port.and_then(|port| port.to_str()?.trim().parse::<u16>().ok());
        let port = || number().and_then(|port| ServerUrl::parse(&port.to_string()).ok());
        let usual = || ServerUrl::parse("3000").expect("this is a port");
        self.server.or_else(port).unwrap_or_else(usual)
    }
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Yes
    On,
    /// No
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_a_port_and_no_host() {
        for (port, expected) in [
            (None, "http://localhost:3000"),
            (Some("8080"), "http://localhost:8080"),
            (Some(" 80 "), "http://localhost"),
            (Some("example.test"), "http://localhost:3000"),
            (Some("99999"), "http://localhost:3000"),
            (Some(""), "http://localhost:3000"),
        ] {
            let server = ServerArg { server: None }.server(port.map(OsString::from).as_ref());
            assert_eq!(server.origin(), expected);
        }
        let typed = ServerArg { server: ServerUrl::parse("http://a.test/").ok() };
        assert_eq!(typed.server(Some(&OsString::from("8080"))).origin(), "http://a.test");
    }
}
