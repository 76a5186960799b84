//! Why there is nothing live.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;

#[cfg(feature = "cli")]
use crate::relay::RelayError;

/// Why there is nothing live.
///
/// ```
/// let error = savecast::Live::new("no/such/directory").expect_err("there is none");
/// assert!(error.to_string().contains("cannot serve"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum LiveError {
    /// There is no such directory, or it can't be read.
    Directory(PathBuf, io::Error),
    /// That is no name of a channel.
    ChannelName(String),
    /// Other instances can't be connected.
    #[cfg(feature = "cli")]
    Relay(RelayError),
}

impl LiveError {
    /// What the person can do.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Directory(_, error) if error.kind() == io::ErrorKind::NotADirectory => {
                Some("pass the directory that holds the file")
            }
            Self::Directory(path, _) if path.to_str().is_some_and(|name| name.parse::<u16>().is_ok()) => {
                Some("a port is passed with --port N")
            }
            Self::Directory(path, _) if is_command(path) => {
                Some("there is no such command: pass a directory, or nothing")
            }
            Self::Directory(path, _) if path.to_str().is_some_and(|name| name.contains("://")) => {
                Some("pass a directory: another server can't be shown yet")
            }
            Self::Directory(..) => None,
            Self::ChannelName(_) => Some("a name has 1 to 200 bytes without control characters"),
            #[cfg(feature = "cli")]
            Self::Relay(_) => Some("such a URL is redis://USER:PASSWORD@HOST:PORT/DB, or rediss:// with TLS"),
        }
    }
}

/// Whether this is what other tools are told to do.
fn is_command(path: &Path) -> bool {
    ["build", "dev", "preview", "serve", "server", "start"].iter().any(|command| path.as_os_str() == *command)
}

impl fmt::Display for LiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path, _) => write!(f, "cannot serve {}", path.display()),
            Self::ChannelName(name) => write!(f, "cannot open the channel {name:?}"),
            #[cfg(feature = "cli")]
            Self::Relay(error) => error.fmt(f),
        }
    }
}

impl Error for LiveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Directory(_, error) => Some(error),
            Self::ChannelName(_) => None,
            #[cfg(feature = "cli")]
            Self::Relay(error) => error.source(),
        }
    }
}
