//! Why another server gives no answer.

use std::error::Error;
use std::fmt;
use std::io;

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// Nobody listens there, or not to us.
    Connect(io::Error),
    /// We don't believe its certificate, or it does not speak TLS. That does not pass by itself.
    Tls(rustls::Error),
    /// The connection has ended before the head of an answer.
    Lost(hyper::Error),
    /// What came is no answer.
    Garbage(hyper::Error),
    /// The client that sent the request has stopped in the midst of it.
    Cancelled,
}

impl Failure {
    pub(super) fn of_tls(error: io::Error) -> Self {
        match error.downcast() {
            Ok(error) => Self::Tls(error),
            Err(error) => Self::Connect(error),
        }
    }

    pub(super) fn of(error: hyper::Error) -> Self {
        if is_garbage(&error) {
            Self::Garbage(error)
        } else if error.is_user() {
            Self::Cancelled
        } else {
            Self::Lost(error)
        }
    }
}

/// What the server does, for people: `refuses connections`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(rustls::Error::InvalidCertificate(why)) => {
                write!(f, "has a certificate that this system does not trust ({why}); --proxy-insecure accepts it")
            }
            Self::Tls(error) => write!(f, "does not speak TLS as we do: {error}"),
            Self::Connect(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => f.write_str("refuses connections"),
                io::ErrorKind::TimedOut => f.write_str("does not take connections"),
                io::ErrorKind::NotFound => f.write_str("is not there"),
                _ => write!(f, "can't be reached: {error}"),
            },
            Self::Lost(_) => f.write_str("closes the connection without an answer"),
            Self::Garbage(error) => write!(f, "answers what is no HTTP: {error}"),
            Self::Cancelled => f.write_str("did not get the whole request"),
        }
    }
}

impl Error for Failure {}

/// Whether what came is no HTTP.
pub(super) fn is_garbage(error: &hyper::Error) -> bool {
    error.is_parse() || error.is_parse_status()
}
