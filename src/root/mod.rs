//! The served directory: the only place that opens its files. A [`SitePath`] goes in, what stands there comes out.
//!
//! A link may lead anywhere inside the root, but never out of it, and never to what is hidden or a secret.

mod access;
mod directory;
mod large;

use std::borrow::Cow;
use std::fs;
use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::change::Version;
use crate::change::lines;
use crate::change::lines::Mark;
use crate::change::listing::Entry;
use crate::root::directory::Seen;
pub use crate::root::large::Large;
pub use crate::root::large::Parts;
use crate::site_path;
use crate::site_path::SitePath;
use crate::stamp;
use crate::stamp::Stamp;

/// How often a file that changes while it is read is read again at once.
const ATTEMPTS: usize = 10;

/// The size in bytes up to which a file is read at once. It takes a few millionths of a second.
const AT_HAND: u64 = 128 << 10;

/// The served directory.
#[derive(Clone, Debug)]
pub struct Root {
    path: PathBuf,
    /// The size in bytes up to which files are read.
    limit: u64,
    /// The device it is on, if files can be read there without waiting.
    disk: Option<Device>,
}

/// The number of a device: major and minor.
type Device = (u32, u32);

/// What stands at a place.
#[derive(Debug)]
pub enum Found {
    /// A file that was small enough to read.
    Content(Content),
    /// A larger one, not read.
    Large(File, Metadata),
    /// A directory. Asked for without a slash at its end, it is found all the same.
    Directory,
}

/// What is sent to those who ask for a place.
#[derive(Debug)]
pub enum Fetched {
    /// A small file.
    Content(Content),
    /// A larger one, to be sent in parts.
    Large(Box<Large>),
    /// A directory. Asked for without a slash at its end, it is found all the same.
    Directory,
}

/// A file that was read to its end.
#[derive(Debug)]
pub struct Content {
    /// All of it.
    pub bytes: Vec<u8>,
    /// As it was after reading.
    pub metadata: Metadata,
    /// Whether it stood still meanwhile. If not, `bytes` may be torn, and an event will follow when it is done.
    pub is_whole: bool,
}

/// A file that is read in parts.
#[derive(Debug)]
pub struct Log {
    open: File,
    /// Which file it is: another one in its place has another number.
    pub file: u64,
}

impl Log {
    /// Up to `count` bytes from `position` on.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    pub fn read(&self, position: u64, count: usize) -> io::Result<Vec<u8>> {
        let there = usize::try_from(self.length()?.saturating_sub(position)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; count.min(there)];
        let mut length = 0;
        while length < bytes.len() {
            // Without a place of its own in the file, because several may read it at once.
            match access::read_at(&self.open, &mut bytes[length..], position + length as u64) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(length);
        Ok(bytes)
    }

    /// How many bytes it has now.
    ///
    /// # Errors
    ///
    /// If the system doesn't tell.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.open.metadata()?.len())
    }

    /// The place at `position`, which stands for what is before it.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    pub fn mark(&self, position: u64) -> io::Result<Mark> {
        Ok(Mark::new(self.file, position, &self.before(position)?))
    }

    /// As much of what is before `position` as a [`Mark`] needs.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    pub fn before(&self, position: u64) -> io::Result<Vec<u8>> {
        let start = position.saturating_sub(lines::CONTEXT);
        self.read(start, usize::try_from(position - start).unwrap_or(0))
    }
}

/// Why there is nothing to show.
#[derive(Debug)]
pub enum Refusal {
    /// Nothing is there, or nothing that may be shown; nobody can tell the difference.
    Missing,
    /// A link is there that leads out of the root. For a browser, nothing is there; its author may want to know.
    Outside,
    /// Something is there, but it can't be read.
    Unreadable(io::Error),
}

impl From<io::Error> for Refusal {
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

impl Root {
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
    /// See [`Refusal`].
    pub fn find(&self, path: &SitePath) -> Result<Found, Refusal> {
        for _ in 1..ATTEMPTS {
            match self.find_once(path, self.limit) {
                Ok(Found::Content(content)) if !content.is_whole => {}
                found => return found,
            }
        }
        self.find_once(path, self.limit)
    }

    /// Finds what stands at `path` to send it. Of a file that is not small, nothing is kept.
    ///
    /// # Errors
    ///
    /// See [`Refusal`].
    pub fn fetch(&self, path: &SitePath) -> Result<Fetched, Refusal> {
        let mut attempt = 1;
        loop {
            let (fetched, is_whole) = match self.find_once(path, AT_HAND.min(self.limit))? {
                Found::Directory => return Ok(Fetched::Directory),
                Found::Content(content) => {
                    let is_whole = content.is_whole;
                    (Fetched::Content(content), is_whole)
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
    pub fn find_now(&self, path: &SitePath) -> Option<Content> {
        if path.is_directory() {
            return None;
        }
        access::read_now(&path.to_file(&self.path), self.disk?, AT_HAND.min(self.limit))
    }

    fn find_once(&self, path: &SitePath, limit: u64) -> Result<Found, Refusal> {
        let name = path.to_file(&self.path);
        // Looked at before it is opened: opening a FIFO or a device is felt at its other end.
        let metadata = fs::metadata(&name)?;
        if metadata.is_dir() {
            return self.resolve(&name).map(|_| Found::Directory);
        }
        if path.is_directory() {
            return Err(Refusal::Missing);
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
            && Stamp::of(&metadata) == Stamp::of(&before)
            && fs::metadata(&name).is_ok_and(|now| Stamp::of(&now) == Stamp::of(&metadata));
        Ok(Found::Content(Content { bytes, metadata, is_whole }))
    }

    /// Opens a file that is read in parts, however large it is.
    ///
    /// # Errors
    ///
    /// See [`Refusal`].
    pub fn log(&self, path: &SitePath) -> Result<Log, Refusal> {
        let name = path.to_file(&self.path);
        // Looked at before it is opened: opening a FIFO or a device is felt at its other end.
        let (open, metadata) = self.regular(&name, &fs::metadata(&name)?)?;
        // The number of a file may be given to the next one, so the time when it was made belongs to it.
        let made = metadata.created().ok();
        let identity = format!("{:?} {made:?}", stamp::identity(&metadata));
        Ok(Log { open, file: Version::of(identity.as_bytes()).short() })
    }

    /// Opens a regular file. Never blocks on a FIFO.
    fn regular(&self, name: &Path, metadata: &Metadata) -> Result<(File, Metadata), Refusal> {
        if !metadata.is_file() {
            // What kind of thing a link to elsewhere leads to is nobody's business.
            self.resolve(name)?;
            return Err(Refusal::Unreadable(io::Error::other("not a regular file")));
        }
        let file = self.open(name)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(Refusal::Unreadable(io::Error::other("not a regular file")));
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
    /// See [`Refusal`].
    pub fn entries(&self, directory: &SitePath) -> Result<Vec<Entry>, Refusal> {
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
        match directory::read(&real, add) {
            // A link has taken its place a moment ago.
            Err(error) if access::is_link(&error) => Err(Refusal::Missing),
            done => Ok(done.map(|()| entries)?),
        }
    }

    fn open(&self, name: &Path) -> Result<File, Refusal> {
        match access::without_links(name) {
            Err(error) if access::is_link(&error) => Ok(access::without_links(&self.resolve(name)?)?),
            opened => Ok(opened?),
        }
    }

    /// Follows links, and refuses where they lead out of the root, or to what is hidden or a secret.
    fn resolve(&self, name: &Path) -> Result<PathBuf, Refusal> {
        let real = name.canonicalize()?;
        let inside = real.strip_prefix(&self.path).map_err(|_| Refusal::Outside)?;
        if inside.iter().any(|segment| !segment.to_str().is_some_and(site_path::may_be_passed)) {
            return Err(Refusal::Missing);
        }
        Ok(real)
    }
}

/// A text that stands for the content of a file that is too large to read: it changes when the file does.
#[must_use]
pub fn identity(metadata: &Metadata) -> String {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        format!("{} {} {} {modified:?}", metadata.dev(), metadata.ino(), metadata.len())
    }
    #[cfg(not(unix))]
    format!("{} {modified:?}", metadata.len())
}

#[cfg(test)]
mod tests;
