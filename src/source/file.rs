//! What was read, or why it could not be.

use std::io;
use std::time::SystemTime;

use bytes::Bytes;

/// What was read to its end.
#[derive(Clone, Debug)]
pub struct FileContent {
    /// All of it.
    pub bytes: Bytes,
    /// When it was modified, if that is known.
    pub modified: Option<SystemTime>,
    /// Whether it stood still meanwhile. If not, `bytes` may be torn, and it will be time for another look when it is done.
    pub is_whole: bool,
}

/// Why there is nothing to show.
#[derive(Debug)]
pub enum ReadError {
    /// Nothing is there, or nothing that may be shown; nobody can tell the difference.
    Missing,
    /// A link is there that leads out of the root. For a browser, nothing is there; its author may want to know.
    Outside,
    /// Something is there, but it can't be read.
    Unreadable(io::Error),
    /// Who knows what is there does not say it now, for this reason.
    Away(String),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // A file name that is too long or malformed for this system names nothing either.
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput => Self::Missing,
            _ => Self::Unreadable(error),
        }
    }
}
