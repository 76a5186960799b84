//! Why a server that is running has not done what it was asked to.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use hyper::StatusCode;

use crate::site::ServerUrl;

/// A server that is running has not done what it was asked to.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunningError {
    /// It can't be reached, for this reason.
    Unreachable(ServerUrl, String),
    /// It is no savecast.
    Foreign(ServerUrl),
    /// It says no, in these words.
    Refused(ServerUrl, StatusCode, String),
    /// The token can't be read.
    Token(PathBuf, io::Error),
    /// The data can't be read.
    Input(io::Error),
}

impl RunningError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreachable(..) | Self::Foreign(_) => {
                "start savecast first, or say which server you mean: --server PORT, or --server URL"
            }
            Self::Refused(_, StatusCode::UNAUTHORIZED, _) => "name the file with the token: --token-file FILE",
            Self::Refused(..) | Self::Token(..) | Self::Input(_) => return None,
        };
        Some(hint.to_owned())
    }
}

impl fmt::Display for RunningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(server, why) => write!(f, "the server at {} {why}", server.origin()),
            Self::Foreign(server) => write!(f, "the server at {} is no savecast, or an older one", server.origin()),
            Self::Refused(server, status, words) if words.is_empty() => {
                write!(f, "the server at {} answers {}", server.origin(), status.as_u16())
            }
            Self::Refused(server, status, words) => {
                write!(f, "the server at {} answers {}: {words}", server.origin(), status.as_u16())
            }
            Self::Token(file, _) => write!(f, "cannot read the token in {}", file.display()),
            Self::Input(_) => f.write_str("cannot read standard input"),
        }
    }
}

impl Error for RunningError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Token(_, error) | Self::Input(error) => Some(error),
            Self::Unreachable(..) | Self::Foreign(_) | Self::Refused(..) => None,
        }
    }
}
