//! The relay can't start.

use std::error::Error;
use std::fmt;
use std::io;

use crate::site::RelayUrl;

/// The relay can't start.
#[derive(Debug)]
#[non_exhaustive]
pub enum RelayError {
    /// The URL makes no sense, for this reason.
    Url(RelayUrl, String),
    /// There is no thread for it.
    Thread(io::Error),
}

impl fmt::Display for RelayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url, why) => write!(f, "cannot connect to other instances through {url}: the client {why}"),
            Self::Thread(_) => f.write_str("cannot connect to other instances"),
        }
    }
}

impl Error for RelayError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Url(..) => None,
            Self::Thread(error) => Some(error),
        }
    }
}
