//! All sources of a site, each at its prefix.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
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
pub struct Sources {
    files: Mounts<Arc<dyn Source>>,
    servers: Mounts<Arc<dyn Source>>,
}

impl Sources {
    /// Puts a source at this directory of the site.
    pub fn mount(&mut self, prefix: &SitePath, source: Arc<dyn Source>) {
        self.files.mount(prefix, source);
    }

    /// Puts another server at this directory of the site. Its places are [answers](SitePath::answer), and of no other source.
    pub fn mount_server(&mut self, prefix: &SitePath, server: Arc<dyn Source>) {
        self.servers.mount(prefix, server);
    }

    /// The sources that a place may belong to, and where it is in each.
    fn at(&self, place: &SitePath) -> impl Iterator<Item = (&Arc<dyn Source>, SitePath)> {
        if place.is_answer() { self.servers.at(place) } else { self.files.at(place) }
    }

    /// The longest prefix under which a file of this URL would be looked for.
    #[must_use]
    pub fn prefix_of(&self, place: &SitePath) -> Option<&SitePath> {
        self.files.iter().map(|(prefix, _)| prefix).find(|prefix| place.as_directory().below(prefix).is_some())
    }

    /// Where files are mounted; a prefix may come twice.
    pub fn prefixes(&self) -> impl Iterator<Item = &SitePath> {
        self.files.iter().map(|(prefix, _)| prefix)
    }

    /// The directories on which any of them depends.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().filter_map(|(_, source)| source.directory())
    }

    /// The directories below which any save counts, each once.
    #[must_use]
    pub fn trees(&self) -> Vec<PathBuf> {
        let trees = self.servers.iter().flat_map(|(_, server)| server.trees());
        trees.cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// See [`Source::watched`].
    pub fn watched(&self, is_watched: bool) {
        self.servers.iter().for_each(|(_, server)| server.watched(is_watched));
    }

    /// See [`Source::saved`].
    pub fn saved(&self, files: &[PathBuf]) {
        self.servers.iter().for_each(|(_, server)| server.saved(files));
    }

    /// The directory on which a place depends, and where it is in that.
    #[must_use]
    pub fn directory_of(&self, place: &SitePath) -> Option<(&Path, SitePath)> {
        self.at(place).find_map(|(source, inside)| Some((source.directory()?, inside)))
    }

    /// See [`Source::find`].
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn find(&self, place: &SitePath) -> Result<Found, ReadError> {
        self.or_mounted(place, self.first(place, |source, inside| source.find(inside)), Found::Directory)
    }

    /// See [`Source::fetch`].
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn fetch(&self, place: &SitePath) -> Result<Fetched, ReadError> {
        self.or_mounted(place, self.first(place, |source, inside| source.fetch(inside)), Fetched::Directory)
    }

    /// See [`Source::find_now`].
    #[must_use]
    pub fn find_now(&self, place: &SitePath) -> Option<FileContent> {
        self.at(place).find_map(|(source, inside)| source.find_now(&inside))
    }

    /// See [`Source::has_settled`].
    #[must_use]
    pub fn has_settled(&self, place: &SitePath) -> bool {
        self.at(place).next().is_some_and(|(source, _)| source.has_settled())
    }

    /// See [`Source::standing`].
    #[must_use]
    pub fn standing(&self, place: &SitePath) -> Standing {
        let mut found = self.at(place).map(|(source, inside)| source.standing(&inside));
        let found = found.find(|standing| *standing != Standing::Missing);
        let mounted = || if self.mounted_in(place).is_empty() { Standing::Missing } else { Standing::Directory };
        found.unwrap_or_else(mounted)
    }

    /// See [`Source::entries`].
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn entries(&self, directory: &SitePath) -> Result<Vec<Entry>, ReadError> {
        let mounted = self.mounted_in(directory);
        let mut entries = match self.first(directory, |source, inside| source.entries(inside)) {
            Err(ReadError::Missing | ReadError::Outside) if !mounted.is_empty() => Vec::new(),
            found => found?,
        };
        entries.retain(|entry| !mounted.contains(&entry.name));
        let directory = |name| Entry { name, is_directory: true, size: 0, modified: None };
        entries.extend(mounted.into_iter().map(directory));
        Ok(entries)
    }

    /// The names in a directory under which something is mounted, at once or further below.
    fn mounted_in(&self, directory: &SitePath) -> BTreeSet<String> {
        let directory = directory.as_directory();
        let below = self.files.iter().filter_map(|(prefix, _)| prefix.below(&directory));
        below
            .filter_map(|path| path.as_str().split('/').nth(1).map(str::to_owned))
            .filter(|name| !name.is_empty())
            .collect()
    }

    /// A directory is there, too, if there is nothing in it but what is mounted.
    fn or_mounted<T>(&self, place: &SitePath, found: Result<T, ReadError>, directory: T) -> Result<T, ReadError> {
        match found {
            Err(ReadError::Missing | ReadError::Outside) if !self.mounted_in(place).is_empty() => Ok(directory),
            found => found,
        }
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
        self.at(place).for_each(|(source, inside)| source.begin(&inside));
    }

    /// See [`Source::end`].
    pub fn end(&self, place: &SitePath) {
        self.at(place).for_each(|(source, inside)| source.end(&inside));
    }

    /// The answer of the first one that has something there.
    fn first<T>(
        &self,
        place: &SitePath,
        ask: impl Fn(&dyn Source, &SitePath) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let mut missing = ReadError::Missing;
        for (source, inside) in self.at(place) {
            match ask(&**source, &inside) {
                Err(error @ (ReadError::Missing | ReadError::Outside)) => missing = error,
                found => return found,
            }
        }
        Err(missing)
    }
}
