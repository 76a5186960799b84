//! The served directory: the only place that opens its files. A [`SitePath`] goes in, what stands there comes out.
//!
//! A link may lead anywhere inside the root, but never out of it, and never to what is hidden or a secret.

mod access;
mod entries;
mod found;
mod large;
mod tailed;

use std::borrow::Cow;
use std::fs;
use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use crate::content::Version;
use crate::content::listing::Entry;
use crate::site::SitePath;
use crate::site::path;
use crate::source::directory::access::Device;
pub use crate::source::directory::access::FileContent;
use crate::source::directory::entries::Seen;
pub use crate::source::directory::found::Fetched;
pub use crate::source::directory::found::Found;
pub use crate::source::directory::found::ReadError;
pub use crate::source::directory::large::Large;
pub use crate::source::directory::large::Parts;
pub use crate::source::directory::large::identity;
pub use crate::source::directory::tailed::TailedFile;
use crate::source::fingerprint;
use crate::source::fingerprint::Fingerprint;

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
    /// The device it is on, if files can be read there without waiting.
    disk: Option<Device>,
}

impl Directory {
    /// The directory `path`, which is resolved here once. Files of more than `limit` bytes are found, but not read.
    ///
    /// # Errors
    ///
    /// If there is no such directory or it can't be read.
    pub fn new(path: &Path, limit: u64) -> io::Result<Self> {
        let path = path.canonicalize()?;
        fs::read_dir(&path)?;
        let disk = access::disk(&path);
        Ok(Self { path, limit, disk })
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

    /// Finds what stands at `path`, and reads it if it is a file that is not too large. Never blocks on a FIFO.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn find(&self, path: &SitePath) -> Result<Found, ReadError> {
        for _ in 1..ATTEMPTS {
            match self.find_once(path, self.limit) {
                Ok(Found::File(content)) if !content.is_whole => {}
                found => return found,
            }
        }
        self.find_once(path, self.limit)
    }

    /// Finds what stands at `path` to send it. Of a file that is not small, nothing is kept.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn fetch(&self, path: &SitePath) -> Result<Fetched, ReadError> {
        let mut attempt = 1;
        loop {
            let (fetched, is_whole) = match self.find_once(path, AT_HAND.min(self.limit))? {
                Found::Directory => return Ok(Fetched::Directory),
                Found::File(content) => {
                    let is_whole = content.is_whole;
                    (Fetched::File(content), is_whole)
                }
                Found::Large(file, metadata) => {
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

    /// Reads what is at `path` if it is a small file and at hand: nothing waits for a disk, so every thread may ask. `None`
    /// says nothing but that [`find`](Self::find) has to be asked.
    #[must_use]
    pub fn find_now(&self, path: &SitePath) -> Option<FileContent> {
        if path.is_directory() {
            return None;
        }
        access::read_now(&path.to_file(&self.path), self.disk?, AT_HAND.min(self.limit))
    }

    fn find_once(&self, path: &SitePath, limit: u64) -> Result<Found, ReadError> {
        let name = path.to_file(&self.path);
        // Looked at before it is opened: opening a FIFO or a device is felt at its other end.
        let metadata = fs::metadata(&name)?;
        if metadata.is_dir() {
            return self.resolve(&name).map(|_| Found::Directory);
        }
        if path.is_directory() {
            return Err(ReadError::Missing);
        }
        let (mut file, before) = self.regular(&name, &metadata)?;
        if before.len() > self.limit {
            return Ok(Found::Large(file, before));
        }
        access::wait_for_writer(&mut file)?;
        if before.len() > limit {
            return Ok(Found::Large(file, before));
        }
        // One byte more than expected shows that it grows; the limit holds for a file that grows while it is read.
        let mut bytes = Vec::with_capacity(usize::try_from(before.len()).unwrap_or(0) + 1);
        (&file).take(limit + 1).read_to_end(&mut bytes)?;
        let metadata = file.metadata()?;
        let is_whole = metadata.len() == bytes.len() as u64
            && Fingerprint::of(&metadata) == Fingerprint::of(&before)
            && fs::metadata(&name).is_ok_and(|now| Fingerprint::of(&now) == Fingerprint::of(&metadata));
        Ok(Found::File(FileContent { bytes, metadata, is_whole }))
    }

    /// Opens a file that is read in parts, however large it is.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn log(&self, path: &SitePath) -> Result<TailedFile, ReadError> {
        let name = path.to_file(&self.path);
        // Looked at before it is opened: opening a FIFO or a device is felt at its other end.
        let (open, metadata) = self.regular(&name, &fs::metadata(&name)?)?;
        // The number of a file may be given to the next one, so the time when it was made belongs to it.
        let made = metadata.created().ok();
        let identity = format!("{:?} {made:?}", fingerprint::identity(&metadata));
        Ok(TailedFile { open, file: Version::of(identity.as_bytes()).short() })
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
        Ok((file, metadata))
    }

    /// Whether a directory stands at `path`.
    #[must_use]
    pub fn is_directory(&self, path: &SitePath) -> bool {
        let name = path.to_file(&self.path);
        name.is_dir() && self.resolve(&name).is_ok()
    }

    /// What a browser may see of a directory, in no order.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn entries(&self, directory: &SitePath) -> Result<Vec<Entry>, ReadError> {
        let real = self.resolve(&directory.to_file(&self.path))?;
        let mut entries = Vec::new();
        let add = |name: &str, mut seen: Seen| {
            if !directory.may_have(name) {
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
        if inside.iter().any(|segment| !segment.to_str().is_some_and(path::may_be_passed)) {
            return Err(ReadError::Missing);
        }
        Ok(real)
    }
}

#[cfg(test)]
mod tests;
