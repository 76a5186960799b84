//! What stands at a place.

use std::io;

use crate::content::Version;
use crate::content::kind::Kind;
use crate::source::directory::large::Large;
use crate::source::file::FileContent;
use crate::source::file::ReadError;

/// What stands at a place, to be pushed.
#[derive(Debug)]
pub enum Found {
    /// A file that was small enough to read.
    File(FileContent),
    /// A larger one of so many bytes, not read. The version stands for the content that nobody has read.
    Large(u64, Version),
    /// Something of which no more is known than whether it is another one.
    Unread(Version),
    /// What another server has answered, and what kind of contents that is.
    Answer(Vec<u8>, Kind),
    /// Nobody knows yet. Who finds out says so.
    Unknown,
    /// Another server does not give it now, for this reason.
    Away(String),
    /// A directory. Asked for without a slash at its end, it is found all the same.
    Directory,
}

/// What stands at a place, to be sent.
#[derive(Debug)]
pub enum Fetched {
    /// A small file.
    File(FileContent),
    /// A larger one, to be sent in parts.
    Large(Box<Large>),
    /// A file that is too large to be here. Another instance has it.
    Elsewhere,
    /// A directory. Asked for without a slash at its end, it is found all the same.
    Directory,
}

impl TryFrom<Found> for Fetched {
    type Error = ReadError;

    fn try_from(found: Found) -> Result<Self, ReadError> {
        match found {
            Found::File(content) => Ok(Self::File(content)),
            Found::Directory => Ok(Self::Directory),
            Found::Large(..) | Found::Unread(_) | Found::Answer(..) | Found::Unknown | Found::Away(_) => {
                Err(ReadError::Unreadable(io::Error::other("there is nothing to send of it")))
            }
        }
    }
}
