//! [`Args`] → [`Config`]: checked once, read-only afterwards.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::net::ToSocketAddrs;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::Args;

/// The port that is tried first.
pub const USUAL_PORT: u16 = 3000;

/// What the server is to do.
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory to serve.
    pub directory: PathBuf,
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
    /// Whether to open the browser.
    pub open: bool,
}

/// What was typed makes no sense here.
#[derive(Debug)]
pub enum ConfigError {
    /// There is no such address.
    Host(String, io::Error),
}

impl ConfigError {
    /// What the person can do.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Host(..) => Some("pass an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them"),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host, _) => write!(f, "cannot find the address {host}"),
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Host(_, error) => Some(error),
        }
    }
}

impl TryFrom<Args> for Config {
    type Error = ConfigError;

    fn try_from(args: Args) -> Result<Self, ConfigError> {
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
        Ok(Self {
            directory: args.directory,
            max_push: args.max_push,
            address,
            port: args.port,
            allowed_hosts,
            cors: args.cors,
            poll: args.poll,
            open: args.open,
        })
    }
}
