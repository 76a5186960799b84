//! Why a server ends.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

use crate::live::LiveError;
use crate::tls::error::TlsError;

/// Why the server can't start or go on.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerError {
    /// There is nothing to serve.
    Live(LiveError),
    /// There is no certificate.
    Tls(TlsError),
    /// The port can't be had.
    Listen(SocketAddr, io::Error),
    /// The pipeline has stopped, which is a bug of ours.
    Pipeline,
    /// The server has stopped.
    Server(io::Error),
}

impl ServerError {
    /// What the person can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Tls(error) => return error.hint(),
            Self::Listen(_, error) => match error.kind() {
                io::ErrorKind::AddrInUse => Some("pass another --port, or none to get the next free one"),
                io::ErrorKind::AddrNotAvailable => Some("pass an address of this machine with --host"),
                io::ErrorKind::PermissionDenied => Some("pass a --port above 1023"),
                _ => None,
            },
            Self::Live(error) => error.hint(),
            Self::Pipeline => Some("this is a bug in savecast; the lines above say more"),
            Self::Server(_) => None,
        };
        hint.map(str::to_owned)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live(error) => error.fmt(f),
            Self::Tls(error) => error.fmt(f),
            Self::Listen(address, _) => write!(f, "cannot listen on {address}"),
            Self::Pipeline => f.write_str("cannot go on: files are no longer watched"),
            Self::Server(_) => f.write_str("cannot go on serving"),
        }
    }
}

impl Error for ServerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // It says itself what went wrong.
            Self::Live(error) => error.source(),
            Self::Tls(error) => error.source(),
            Self::Listen(_, error) | Self::Server(error) => Some(error),
            Self::Pipeline => None,
        }
    }
}
