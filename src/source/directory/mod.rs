//! The served directory: the only place that opens its files. A [`SitePath`] goes in, what stands there comes out.
//!
//! A link may lead anywhere inside the root, but never out of it, and never to what is hidden or a secret.

mod access;
mod entries;
pub mod large;
mod settled;
pub mod tailed;

use std::borrow::Cow;
use std::fs;
use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::content::Version;
use crate::content::listing::Entry;
use crate::site::SitePath;
use crate::site::path;
use crate::site::resolve::Standing;
use crate::source::directory::access::Device;
use crate::source::directory::entries::Seen;
use crate::source::directory::large::Large;
use crate::source::directory::large::identity;
use crate::source::directory::settled::Settled;
use crate::source::directory::tailed::TailedFile;
use crate::source::file::FileContent;
use crate::source::file::ReadError;
use crate::source::fingerprint;
use crate::source::fingerprint::Fingerprint;
use crate::source::found::Fetched;
use crate::source::found::Found;
use crate::source::look::Source;

/// How often a file that changes while it is read is read again at once.
const ATTEMPTS: usize = 10;

/// The size in bytes up to which a file is read at once. It takes a few millionths of a second.
const AT_HAND: u64 = 128 << 10;

/// The served directory.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
    /// The size in bytes up to which files are read.
    limit: u64,
    /// What is never shown, whatever leads there.
    hidden: Vec<PathBuf>,
    /// What is not listed, and shown under its own name alone.
    unlinked: Vec<PathBuf>,
    /// The device it is on, if files can be read there without waiting.
    disk: Option<Device>,
    /// The files that were read with care, and nobody has written to since.
    settled: Arc<Settled>,
}

/// What was found, before it is known what for.
enum Opened {
    Read(FileContent),
    /// A file of more bytes than the limit, not read.
    Large(File, Metadata),
    Directory,
}

impl Directory {
    /// The directory `path`, which is resolved here once. Files of more than `limit` bytes are found, but not read.
    ///
    /// # Errors
    ///
    /// If there is no such directory or it can't be read.
    pub fn new(path: &Path, limit: u64) -> io::Result<Self> {
        let path = path.canonicalize()?;
        // Windows has another error for it.
        fs::read_dir(&path)
            .map_err(|error| if path.is_file() { io::ErrorKind::NotADirectory.into() } else { error })?;
        let disk = access::disk(&path);
        Ok(Self { path, limit, hidden: Vec::new(), unlinked: Vec::new(), disk, settled: Arc::default() })
    }

    /// Where it is, without links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name, for people: the last segment of its path.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy()
    }

    /// The same without this file, whatever leads there: its own name, or links.
    #[must_use]
    pub fn without(mut self, file: &Path) -> Self {
        // Where it stands, which may be a link, and where that leads.
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let named = parent.canonicalize().ok().zip(file.file_name()).map(|(parent, name)| parent.join(name));
        self.hidden.extend(named.into_iter().chain(file.canonicalize()));
        self
    }

    /// The same where this file is found under its own name alone, and is not listed.
    #[must_use]
    pub fn unlisted(mut self, file: PathBuf) -> Self {
        self.unlinked.push(file);
        self
    }

    fn is_hidden(&self, name: &Path) -> bool {
        self.hidden.iter().any(|hidden| hidden == name)
    }

    /// Whether this is a hidden file under another of its names (a hard link).
    fn is_namesake(&self, metadata: &Metadata) -> bool {
        let Some(shared) = fingerprint::shared(metadata) else { return false };
        let mut hidden = self.hidden.iter().filter_map(|hidden| fs::metadata(hidden).ok());
        hidden.any(|hidden| fingerprint::identity(&hidden) == shared)
    }

    fn is_unlinked(&self, name: &Path) -> bool {
        self.unlinked.iter().any(|unlinked| unlinked == name)
    }

    fn find_once(&self, path: &SitePath, limit: u64) -> Result<Opened, ReadError> {
        let name = path.to_file(&self.path).ok_or(ReadError::Missing)?;
        if self.is_hidden(&name) {
            return Err(ReadError::Missing);
        }
        // Looked at before it is opened: opening a FIFO or a device is felt at its other end.
        let metadata = fs::metadata(&name)?;
        if metadata.is_dir() {
            return self.resolve(&name).map(|_| Opened::Directory);
        }
        if path.is_directory() {
            return Err(ReadError::Missing);
        }
        let (mut file, before) = self.regular(&name, &metadata)?;
        if before.len() > self.limit {
            return Ok(Opened::Large(file, before));
        }
        let since = SystemTime::now();
        access::wait_for_writer(&mut file)?;
        if before.len() > limit {
            return Ok(Opened::Large(file, before));
        }
        // One byte more than expected shows that it grows; the limit holds for a file that grows while it is read.
        let mut bytes = Vec::with_capacity(usize::try_from(before.len()).unwrap_or(0) + 1);
        (&file).take(limit + 1).read_to_end(&mut bytes)?;
        let metadata = file.metadata()?;
        let is_whole = metadata.len() == bytes.len() as u64
            && Fingerprint::of(&metadata) == Fingerprint::of(&before)
            && fs::metadata(&name).is_ok_and(|now| Fingerprint::of(&now) == Fingerprint::of(&metadata));
        if is_whole && self.disk.is_some() {
            self.settled.note(&name, &metadata, since);
        }
        Ok(Opened::Read(FileContent { bytes: bytes.into(), modified: metadata.modified().ok(), is_whole }))
    }

    /// Opens a regular file. Never blocks on a FIFO.
    fn regular(&self, name: &Path, metadata: &Metadata) -> Result<(File, Metadata), ReadError> {
        if !metadata.is_file() {
            // What kind of thing a link to elsewhere leads to is nobody's business.
            self.resolve(name)?;
            return Err(ReadError::Unreadable(io::Error::other("not a regular file")));
        }
        let file = self.open(name)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(ReadError::Unreadable(io::Error::other("not a regular file")));
        }
        if self.is_namesake(&metadata) {
            return Err(ReadError::Missing);
        }
        Ok((file, metadata))
    }

    fn open(&self, name: &Path) -> Result<File, ReadError> {
        match access::without_links(name) {
            Err(error) if access::is_link(&error) => Ok(access::without_links(&self.resolve(name)?)?),
            opened => Ok(opened?),
        }
    }

    /// Follows links, and refuses where they lead out of the root, or to what is hidden or a secret.
    fn resolve(&self, name: &Path) -> Result<PathBuf, ReadError> {
        let real = name.canonicalize()?;
        let inside = real.strip_prefix(&self.path).map_err(|_| ReadError::Outside)?;
        let is_secret = inside.iter().any(|segment| !segment.to_str().is_some_and(path::may_be_passed));
        if is_secret || self.is_hidden(&real) || (real != name && self.is_unlinked(&real)) {
            return Err(ReadError::Missing);
        }
        Ok(real)
    }
}

impl Source for Directory {
    fn find(&self, path: &SitePath) -> Result<Found, ReadError> {
        let mut attempt = 1;
        loop {
            match self.find_once(path, self.limit)? {
                Opened::Read(content) if !content.is_whole && attempt < ATTEMPTS => attempt += 1,
                Opened::Read(content) => return Ok(Found::File(content)),
                Opened::Large(_, metadata) => {
                    return Ok(Found::Large(metadata.len(), Version::of(identity(&metadata).as_bytes())));
                }
                Opened::Directory => return Ok(Found::Directory),
            }
        }
    }

    fn fetch(&self, path: &SitePath) -> Result<Fetched, ReadError> {
        let mut attempt = 1;
        loop {
            let (fetched, is_whole) = match self.find_once(path, AT_HAND.min(self.limit))? {
                Opened::Directory => return Ok(Fetched::Directory),
                Opened::Read(content) => {
                    let is_whole = content.is_whole;
                    (Fetched::File(content), is_whole)
                }
                Opened::Large(file, metadata) => {
                    let (large, is_whole) = Large::new(file, metadata, self.limit)?;
                    (Fetched::Large(Box::new(large)), is_whole)
                }
            };
            if is_whole || attempt == ATTEMPTS {
                return Ok(fetched);
            }
            attempt += 1;
        }
    }

    fn find_now(&self, path: &SitePath) -> Option<FileContent> {
        if path.is_directory() {
            return None;
        }
        let name = path.to_file(&self.path)?;
        if self.is_hidden(&name) {
            return None;
        }
        let is_settled = |found: &Fingerprint| self.settled.is(&name, found);
        access::read_now(&name, self.disk?, AT_HAND.min(self.limit), self.hidden.is_empty(), is_settled)
    }

    fn standing(&self, path: &SitePath) -> Standing {
        let Some(name) = path.to_file(&self.path) else { return Standing::Missing };
        let metadata = fs::metadata(&name).map_err(ReadError::from);
        match metadata.and_then(|metadata| self.resolve(&name).map(|_| metadata)) {
            Ok(metadata) if metadata.is_dir() => Standing::Directory,
            Ok(_) | Err(ReadError::Unreadable(_) | ReadError::Away(_)) => Standing::File,
            Err(ReadError::Missing | ReadError::Outside) => Standing::Missing,
        }
    }

    fn entries(&self, directory: &SitePath) -> Result<Vec<Entry>, ReadError> {
        let real = self.resolve(&directory.to_file(&self.path).ok_or(ReadError::Missing)?)?;
        let mut entries = Vec::new();
        let add = |name: &str, mut seen: Seen| {
            let place = real.join(name);
            if !directory.may_have(name) || self.is_hidden(&place) || self.is_unlinked(&place) {
                return;
            }
            if matches!(seen, Seen::Link) {
                // What is gone by now or leads out is not listed.
                let Ok(target) = self.resolve(&real.join(name)) else { return };
                let Ok(metadata) = access::look(&target) else { return };
                seen = metadata.into();
            }
            let (is_directory, size, modified) = match seen {
                Seen::File { size, modified } => (false, size, modified),
                Seen::Directory => (true, 0, None),
                Seen::Link | Seen::Other => return,
            };
            entries.push(Entry { name: name.to_owned(), is_directory, size, modified });
        };
        match entries::read(&real, add) {
            // A link has taken its place a moment ago.
            Err(error) if access::is_link(&error) => Err(ReadError::Missing),
            done => Ok(done.map(|()| entries)?),
        }
    }

    fn tail(&self, path: &SitePath) -> Result<TailedFile, ReadError> {
        let name = path.to_file(&self.path).ok_or(ReadError::Missing)?;
        if self.is_hidden(&name) {
            return Err(ReadError::Missing);
        }
        // Looked at before it is opened: opening a FIFO or a device is felt at its other end.
        let (open, metadata) = self.regular(&name, &fs::metadata(&name)?)?;
        let identity = format!("{:?}", access::identity(&open, &metadata));
        Ok(TailedFile { open, file: Version::of(identity.as_bytes()).short() })
    }

    fn directory(&self) -> Option<&Path> {
        Some(&self.path)
    }
}

#[cfg(test)]
mod tests;
