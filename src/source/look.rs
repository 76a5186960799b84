//! What every source can do.

use std::path::Path;
use std::path::PathBuf;

use crate::content::listing::Entry;
use crate::site::SitePath;
use crate::site::resolve::Standing;
use crate::source::directory::tailed::TailedFile;
use crate::source::file::FileContent;
use crate::source::file::ReadError;
use crate::source::found::Fetched;
use crate::source::found::Found;

/// Where contents come from: a directory, a program, another server.
///
/// Its places are its own: what is mounted at `/vendor/` finds `/vendor/a.js` as `/a.js`. All of it may wait, for a disk or for
/// whatever it asks, and so is asked where that holds up nobody; only [`find_now`](Self::find_now) may not.
pub trait Source: Send + Sync {
    /// What stands at a place now, to be pushed.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    fn find(&self, place: &SitePath) -> Result<Found, ReadError>;

    /// What stands at a place now, to be sent once. What is large need not be kept in memory.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    fn fetch(&self, place: &SitePath) -> Result<Fetched, ReadError> {
        self.find(place)?.try_into()
    }

    /// What stands at a place, if that needs no waiting at all; `None` says nothing but that [`fetch`](Self::fetch) has to be
    /// asked.
    fn find_now(&self, _place: &SitePath) -> Option<FileContent> {
        None
    }

    /// Whether what is found has settled, so that nothing of it is a moment in a save.
    fn has_settled(&self) -> bool {
        false
    }

    /// What kind of thing stands at a place.
    fn standing(&self, place: &SitePath) -> Standing {
        match self.find(place) {
            Ok(Found::Directory) => Standing::Directory,
            Ok(_) | Err(ReadError::Unreadable(_) | ReadError::Away(_)) => Standing::File,
            Err(ReadError::Missing | ReadError::Outside) => Standing::Missing,
        }
    }

    /// What a browser may see of a directory, in no order.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    fn entries(&self, _directory: &SitePath) -> Result<Vec<Entry>, ReadError> {
        Err(ReadError::Missing)
    }

    /// A file that is followed line by line.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    fn tail(&self, _place: &SitePath) -> Result<TailedFile, ReadError> {
        Err(ReadError::Missing)
    }

    /// The directory whose changes make a look at a place due. A source without one says itself when it is time
    /// ([`WatchHandle::changed`](crate::watch::WatchHandle::changed)).
    fn directory(&self) -> Option<&Path> {
        None
    }

    /// Somebody follows a place from now on. A program starts, another server is asked.
    fn begin(&self, _place: &SitePath) {}

    /// The last one who followed a place has gone.
    fn end(&self, _place: &SitePath) {}

    /// The directories below which any save may have changed what stands at any place. They are watched while one of the places
    /// is followed.
    fn trees(&self) -> &[PathBuf] {
        &[]
    }

    /// What is below the trees is watched from now on, or no longer.
    fn watched(&self, _is_watched: bool) {}

    /// These files below the trees were saved.
    fn saved(&self, _files: &[PathBuf]) {}
}
