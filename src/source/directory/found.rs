//! What stands at a place, or why nothing can be shown there.

use std::fs::File;
use std::fs::Metadata;
use std::io;

use crate::source::directory::access::FileContent;
use crate::source::directory::large::Large;

/// What stands at a place.
#[derive(Debug)]
pub enum Found {
    /// A file that was small enough to read.
    File(FileContent),
    /// A larger one, not read.
    Large(File, Metadata),
    /// A directory. Asked for without a slash at its end, it is found all the same.
    Directory,
}

/// What is sent to those who ask for a place.
#[derive(Debug)]
pub enum Fetched {
    /// A small file.
    File(FileContent),
    /// A larger one, to be sent in parts.
    Large(Box<Large>),
    /// A directory. Asked for without a slash at its end, it is found all the same.
    Directory,
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
