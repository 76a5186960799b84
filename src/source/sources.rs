//! All sources of a site, each at its prefix.

use std::path::Path;
use std::sync::Arc;

use crate::content::listing::Entry;
use crate::site::Mounts;
use crate::site::SitePath;
use crate::site::resolve::Standing;
use crate::source::directory::tailed::TailedFile;
use crate::source::file::FileContent;
use crate::source::file::ReadError;
use crate::source::found::Fetched;
use crate::source::found::Found;
use crate::source::look::Source;

/// The sources of a site. It is asked for places of the site, and asks the source that each belongs to: of several at the same
/// prefix, the first one that has something there.
#[derive(Clone, Default)]
pub struct Sources(Mounts<Arc<dyn Source>>);

impl Sources {
    /// Puts a source at this directory of the site.
    pub fn mount(&mut self, prefix: &SitePath, source: Arc<dyn Source>) {
        self.0.mount(prefix, source);
    }

    /// The directories on which any of them depends.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().filter_map(|(_, source)| source.directory())
    }

    /// The directory on which a place depends, and where it is in that.
    #[must_use]
    pub fn directory_of(&self, place: &SitePath) -> Option<(&Path, SitePath)> {
        self.0.at(place).find_map(|(source, inside)| Some((source.directory()?, inside)))
    }

    /// See [`Source::find`].
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn find(&self, place: &SitePath) -> Result<Found, ReadError> {
        self.first(place, |source, inside| source.find(inside))
    }

    /// See [`Source::fetch`].
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn fetch(&self, place: &SitePath) -> Result<Fetched, ReadError> {
        self.first(place, |source, inside| source.fetch(inside))
    }

    /// See [`Source::find_now`].
    #[must_use]
    pub fn find_now(&self, place: &SitePath) -> Option<FileContent> {
        self.0.at(place).find_map(|(source, inside)| source.find_now(&inside))
    }

    /// See [`Source::standing`].
    #[must_use]
    pub fn standing(&self, place: &SitePath) -> Standing {
        let mut found = self.0.at(place).map(|(source, inside)| source.standing(&inside));
        found.find(|standing| *standing != Standing::Missing).unwrap_or(Standing::Missing)
    }

    /// See [`Source::entries`].
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn entries(&self, directory: &SitePath) -> Result<Vec<Entry>, ReadError> {
        self.first(directory, |source, inside| source.entries(inside))
    }

    /// See [`Source::tail`].
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn tail(&self, place: &SitePath) -> Result<TailedFile, ReadError> {
        self.first(place, |source, inside| source.tail(inside))
    }

    /// See [`Source::begin`].
    pub fn begin(&self, place: &SitePath) {
        self.0.at(place).for_each(|(source, inside)| source.begin(&inside));
    }

    /// See [`Source::end`].
    pub fn end(&self, place: &SitePath) {
        self.0.at(place).for_each(|(source, inside)| source.end(&inside));
    }

    /// The answer of the first one that has something there.
    fn first<T>(
        &self,
        place: &SitePath,
        ask: impl Fn(&dyn Source, &SitePath) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let mut missing = ReadError::Missing;
        for (source, inside) in self.0.at(place) {
            match ask(&**source, &inside) {
                Err(error @ (ReadError::Missing | ReadError::Outside)) => missing = error,
                found => return found,
            }
        }
        Err(missing)
    }
}
