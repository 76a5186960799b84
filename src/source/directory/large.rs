//! Files that are too large to be kept in memory for each who asks: they are looked through, and sent in parts.

use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::time::SystemTime;

use crate::content::Hasher;
use crate::content::Version;
use crate::source::directory::access;
use crate::source::fingerprint::Fingerprint;

/// How much is read at once, in bytes. It is what one who does not read the answer makes us keep.
const PART: usize = 64 << 10;

/// A file that is sent in parts.
#[derive(Debug)]
pub struct Large {
    file: File,
    /// As it was when it was looked through.
    pub metadata: Metadata,
    /// The hash of its content, or what stands for it if it is larger than what is pushed.
    pub version: Version,
    /// Whether it is UTF-8, as far as it was looked through.
    pub is_utf8: bool,
    /// Whether it is known to be text.
    pub is_text: bool,
    is_hashed: bool,
}

impl Large {
    /// Looks through a file of at most `limit` bytes, and says whether it stood still meanwhile; a larger one is only named.
    pub(super) fn new(mut file: File, metadata: Metadata, limit: u64) -> io::Result<(Self, bool)> {
        if metadata.len() > limit {
            let version = Version::of(identity(&metadata).as_bytes());
            return Ok((Self { file, metadata, version, is_utf8: true, is_text: false, is_hashed: false }, true));
        }
        let (mut hasher, mut text) = (Hasher::default(), Text::default());
        let mut rest = (&file).take(metadata.len());
        let (mut part, mut length) = (vec![0; PART], 0);
        loop {
            let count = rest.read(&mut part)?;
            if count == 0 {
                break;
            }
            length += count as u64;
            hasher.update(&part[..count]);
            text.note(&part[..count]);
        }
        file.rewind()?;
        let is_whole = length == metadata.len() && Fingerprint::of(&file.metadata()?) == Fingerprint::of(&metadata);
        let (is_utf8, has_nul) = text.end();
        let is_text = is_utf8 && !has_nul;
        Ok((Self { file, metadata, version: hasher.version(), is_utf8, is_text, is_hashed: true }, is_whole))
    }

    /// Its length in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.metadata.len()
    }

    /// The first bytes, up to `count`.
    ///
    /// # Errors
    ///
    /// If they can't be read.
    pub fn head(&self, count: u64) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        let mut file = &self.file;
        file.rewind()?;
        file.take(count.min(self.length())).read_to_end(&mut head)?;
        Ok(head)
    }

    /// Whether nothing has happened to it but that it has grown.
    fn is_unchanged(&self) -> io::Result<bool> {
        // Not the whole stamp: that of a file changes when another one takes its name, and not what is in it.
        let (now, then) = (self.file.metadata()?, &self.metadata);
        Ok(now.len() > then.len() || (now.len() == then.len() && now.modified().ok() == then.modified().ok()))
    }

    /// The parts from `start` to `end`. What is before is `known`, if it begins with the file: then the whole is checked
    /// against the version.
    #[must_use]
    pub fn parts(self, start: u64, end: u64, known: Option<&[u8]>) -> Parts {
        let is_all = self.is_hashed && end == self.length() && known.map_or(0, <[u8]>::len) as u64 == start;
        let hasher = is_all.then(|| {
            let mut hasher = Box::<Hasher>::default();
            hasher.update(known.unwrap_or_default());
            hasher
        });
        Parts { large: self, at: start, end, hasher }
    }
}

/// What is still to be sent of a file.
///
/// The file may change meanwhile. A part of another version than the one that was promised is an error, so that nobody takes
/// a mixture for the file; lines that are added to its end are no other version of what is before.
#[derive(Debug)]
pub struct Parts {
    large: Large,
    at: u64,
    end: u64,
    hasher: Option<Box<Hasher>>,
}

impl Parts {
    /// How many bytes are still to come.
    #[must_use]
    pub fn rest(&self) -> u64 {
        self.end - self.at
    }

    /// The next part, or nothing at the end.
    ///
    /// # Errors
    ///
    /// If it can't be read, or is of another version.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        let count = usize::try_from(self.rest()).unwrap_or(PART).min(PART);
        let mut part = Vec::with_capacity(count);
        let mut file = &self.large.file;
        file.seek(SeekFrom::Start(self.at))?;
        if file.take(count as u64).read_to_end(&mut part)? < count {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += count as u64;
        let is_last = self.rest() == 0;
        let is_same = if let Some(hasher) = &mut self.hasher {
            hasher.update(&part);
            // The last part is kept back until all are known to be of one version.
            !is_last || hasher.version() == self.large.version
        } else {
            self.large.is_unchanged()? || {
                // The time of a file is set before it grows.
                access::wait_for_writer(&mut self.large.file)?;
                self.large.is_unchanged()?
            }
        };
        if is_same { Ok(part) } else { Err(io::Error::other("the file has changed")) }
    }
}

/// Whether bytes that come in parts are UTF-8, and have a NUL among them.
#[derive(Default)]
struct Text {
    /// The beginning of a character whose end is in the next part.
    begun: Vec<u8>,
    is_other: bool,
    has_nul: bool,
}

impl Text {
    fn note(&mut self, part: &[u8]) {
        if self.is_other {
            return;
        }
        self.has_nul |= part.contains(&0);
        let mut rest = part;
        // A character has at most four bytes.
        while let (false, Some((&byte, behind))) = (self.begun.is_empty(), rest.split_first()) {
            self.begun.push(byte);
            rest = behind;
            match std::str::from_utf8(&self.begun) {
                Ok(_) => self.begun.clear(),
                Err(error) if error.error_len().is_some() => self.is_other = true,
                Err(_) => continue,
            }
            break;
        }
        if let Err(error) = std::str::from_utf8(rest) {
            self.is_other |= error.error_len().is_some();
            self.begun = rest[error.valid_up_to()..].to_vec();
        }
    }

    /// Whether it was UTF-8, and whether there was a NUL.
    fn end(self) -> (bool, bool) {
        (!self.is_other && self.begun.is_empty(), self.has_nul)
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
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    fn large(path: &std::path::Path, limit: u64) -> Large {
        let file = File::open(path).unwrap();
        let metadata = file.metadata().unwrap();
        Large::new(file, metadata, limit).unwrap().0
    }

    fn collect(mut parts: Parts) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        while parts.rest() > 0 {
            all.extend(parts.read()?);
        }
        Ok(all)
    }

    #[test]
    fn a_file_that_changes_is_not_mixed_with_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let old = "old ".repeat(PART);
        fs::write(&path, &old).unwrap();
        let length = old.len() as u64;
        let open = || {
            let all = large(&path, 1 << 30).parts(0, length, None);
            let known = large(&path, 1 << 30).parts(100, length, Some(&old.as_bytes()[..100]));
            let part = large(&path, 1 << 30).parts(10, 200_000, None);
            let unread = large(&path, 1).parts(0, length, None);
            [all, known, part, unread].map(|mut parts| (parts.read().unwrap(), parts))
        };
        for (first, rest) in open() {
            let start = usize::try_from(rest.at).unwrap() - first.len();
            let end = usize::try_from(rest.end).unwrap();
            let all = [first, collect(rest).unwrap()].concat();
            assert_eq!(all, &old.as_bytes()[start..end]);
        }
        // Lines are added.
        let parts = open();
        fs::OpenOptions::new().append(true).open(&path).unwrap().set_len(length + 5).unwrap();
        parts.into_iter().for_each(|(_, rest)| drop(collect(rest).unwrap()));
        // Another file takes its place: who has the old one goes on with it.
        fs::write(&path, &old).unwrap();
        let parts = open();
        fs::write(path.with_extension("new"), "new").unwrap();
        fs::rename(path.with_extension("new"), &path).unwrap();
        parts.into_iter().for_each(|(_, rest)| drop(collect(rest).unwrap()));
        // It is written anew, as long as before or shorter.
        for new in ["new ".repeat(PART), "new".to_owned()] {
            fs::write(&path, &old).unwrap();
            // Long ago, because some systems give the same time to all that happens within a few milliseconds.
            File::options().append(true).open(&path).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
            let parts = open();
            fs::write(&path, new).unwrap();
            for (number, (_, rest)) in parts.into_iter().enumerate() {
                assert!(collect(rest).is_err(), "{number}");
            }
        }
        // And longer: where the hash of the whole was promised, that is noticed, too.
        fs::write(&path, &old).unwrap();
        let [all, known, ..] = open();
        fs::write(&path, "new ".repeat(PART + 1)).unwrap();
        assert!(collect(all.1).is_err() && collect(known.1).is_err());
    }

    #[test]
    fn the_version_is_that_of_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for content in
            [Vec::new(), vec![b'x'; PART], "é".repeat(PART).into_bytes(), vec![0; 3 * PART + 1], vec![0xff; PART]]
        {
            fs::write(&path, &content).unwrap();
            let large = large(&path, 1 << 30);
            assert_eq!(large.version, Version::of(&content));
            assert_eq!(large.is_utf8, std::str::from_utf8(&content).is_ok());
            assert_eq!(large.is_text, large.is_utf8 && !content.contains(&0));
            assert_eq!(large.head(5).unwrap(), &content[..content.len().min(5)]);
        }
    }

    proptest! {
        #[test]
        fn utf8_is_known_in_parts(
            text in "\\PC{0,30}",
            junk in proptest::option::of((any::<proptest::sample::Index>(), any::<u8>())),
            part in 1..8_usize,
        ) {
            let mut bytes = text.into_bytes();
            if let (Some((place, byte)), false) = (junk, bytes.is_empty()) {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            let mut text = Text::default();
            bytes.chunks(part).for_each(|part| text.note(part));
            prop_assert_eq!(text.end().0, std::str::from_utf8(&bytes).is_ok());
        }
    }
}
