//! The bytes of a changed file become an [`Update`]: what those who follow the file are told. Pure: values in, values
//! out.

pub mod document;
pub mod kind;
pub mod lines;
pub mod listing;
mod mistake;
pub mod patch;
pub mod pointer;
mod scan;
mod tree;

use std::fmt;
use std::str::FromStr;

use xxhash_rust::xxh3::Xxh3;
use xxhash_rust::xxh3::xxh3_128;

use crate::change::kind::Kind;
use crate::site_path::SitePath;

/// What is told about a file: its state from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The file or directory.
    pub path: SitePath,
    /// Names the state. Two updates of one path with the same version say the same.
    pub version: Version,
    /// The state.
    pub news: News,
}

/// The state of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A JSON document (or the listing of a directory), on one line.
    Document(String),
    /// The contents of a text file, without a byte order mark.
    Text(String),
    /// A file whose contents are not text: its size in bytes.
    Other(u64),
    /// A document or text that is too large to be pushed: its size in bytes.
    Large(u64),
    /// The file is broken; its last good contents stay what they are.
    Problem(Problem),
    /// There is no such file, or no more.
    Removed,
}

impl News {
    /// What is wrong, if something is.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        match self {
            Self::Problem(problem) => Some(problem.clone()),
            Self::Large(size) => {
                Some(Problem { message: format!("too large to push: {size} bytes, more than --max-push"), place: None })
            }
            Self::Document(_) | Self::Text(_) | Self::Other(_) | Self::Removed => None,
        }
    }
}

/// What is wrong with a file of the user's, in words for its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The cause, such as `expected ',' or '}'`.
    pub message: String,
    /// Line and column, both from 1; the column counts characters. `None` where the file as a whole is meant.
    pub place: Option<(usize, usize)>,
}

/// The version of a file: a hash of its content (XXH3-128). It is the event id and the `ETag`.
///
/// As text it is 32 hexadecimal digits. Equal content has the same version on every machine and after every restart, so
/// that resuming needs no memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    /// In two halves, because a `u128` wants places of 16 bytes, and every listener keeps a few versions.
    halves: (u64, u64),
}

impl Version {
    /// The version of a file that isn't there.
    pub const ABSENT: Self = Self { halves: (0, 0) };

    /// The version of this content.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self::from(xxh3_128(content))
    }

    /// Half of it, where that is enough.
    #[must_use]
    pub fn short(self) -> u64 {
        self.halves.0
    }
}

/// Makes a [`Version`] of content that comes in parts.
#[derive(Clone, Default)]
pub struct Hasher(Xxh3);

impl Hasher {
    /// Adds what comes next.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The version of all that has come.
    #[must_use]
    pub fn version(&self) -> Version {
        Version::from(self.0.digest128())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hasher({})", self.version())
    }
}

impl From<u128> for Version {
    #[expect(clippy::cast_possible_truncation, reason = "each half is half of it")]
    fn from(hash: u128) -> Self {
        Self { halves: ((hash >> 64) as u64, hash as u64) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from(self.halves.0) << 64 | u128::from(self.halves.1))
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Version {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self::from)
    }
}

impl Update {
    /// A file with this content. JSON that doesn't parse is a problem.
    #[must_use]
    pub fn content(path: SitePath, content: Vec<u8>) -> Self {
        let version = Version::of(&content);
        let news = match kind::of(&path) {
            Kind::Document => document::one_line(&content).map_or_else(News::Problem, News::Document),
            Kind::Text => News::Text(kind::text(content)),
            Kind::Other => News::Other(content.len() as u64),
            Kind::Unknown => match String::from_utf8(content) {
                Ok(text) if !text.contains('\0') => News::Text(kind::text(text.into_bytes())),
                Ok(text) => News::Other(text.len() as u64),
                Err(error) => News::Other(error.as_bytes().len() as u64),
            },
        };
        Self { path, version, news }
    }

    /// A file of `size` bytes that is too large to push. `identity` stands for the content that nobody has read.
    #[must_use]
    pub fn large(path: SitePath, size: u64, identity: &str) -> Self {
        let news = if kind::of(&path) == Kind::Other { News::Other(size) } else { News::Large(size) };
        Self { path, version: Version::of(identity.as_bytes()), news }
    }

    /// A directory with this listing.
    #[must_use]
    pub fn listing(path: SitePath, listing: String) -> Self {
        Self { path, version: Version::of(listing.as_bytes()), news: News::Document(listing) }
    }

    /// No such file.
    #[must_use]
    pub fn removed(path: SitePath) -> Self {
        Self { path, version: Version::ABSENT, news: News::Removed }
    }

    /// A file that is there but can't be read.
    #[must_use]
    pub fn unreadable(path: SitePath, message: String) -> Self {
        Self { path, version: Version::of(message.as_bytes()), news: News::Problem(Problem { message, place: None }) }
    }

    /// Whether this may be a part of what is being written, as far as its contents say: a text that is not the one before
    /// with something appended, or a file whose contents say nothing.
    #[must_use]
    pub fn may_be_a_part(&self, before: Option<&Self>) -> bool {
        match (&self.news, before.map(|before| &before.news)) {
            (News::Text(text), Some(News::Text(before))) => !text.starts_with(before.as_str()),
            (News::Text(_) | News::Other(_), _) => true,
            // A document is whole, or a problem.
            (News::Document(_) | News::Large(_) | News::Problem(_) | News::Removed, _) => false,
        }
    }

    /// Whether this is the kind of news that a save in progress looks like for a moment: nothing there, nothing in it,
    /// or half a document. Good news is told at once; doubtful news is looked at again first.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        match &self.news {
            News::Problem(_) | News::Removed | News::Other(0) => true,
            News::Text(text) => text.is_empty(),
            News::Document(_) | News::Other(_) | News::Large(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(path: &str, content: &[u8]) -> Update {
        Update::content(SitePath::from_url(path).unwrap(), content.to_vec())
    }

    #[test]
    fn the_name_decides_what_the_content_is() {
        assert_eq!(update("/a.json", b"{ \"a\": 1.0 }").news, News::Document("{\"a\":1.0}".into()));
        assert_eq!(update("/a.csv", b"a,b\r\n1,2\n").news, News::Text("a,b\r\n1,2\n".into()));
        assert_eq!(update("/a.png", b"PNG?").news, News::Other(4));
        assert_eq!(update("/LICENSE", b"free").news, News::Text("free".into()));
        assert_eq!(update("/core", b"\x7fELF\0").news, News::Other(5));
        assert_eq!(update("/core", b"\xff\xfe").news, News::Other(2));
        assert_eq!(update("/latin.txt", b"caf\xe9").news, News::Text("caf\u{fffd}".into()));
        assert_eq!(update("/bom.txt", b"\xef\xbb\xbfhi").news, News::Text("hi".into()));
    }

    #[test]
    fn what_a_save_in_progress_looks_like_is_doubtful() {
        assert!(update("/a.json", b"").is_doubtful());
        assert!(update("/a.json", b"{\"a\":").is_doubtful());
        assert!(update("/a.css", b"").is_doubtful());
        assert!(update("/a.png", b"").is_doubtful());
        assert!(!update("/a.json", b"{}").is_doubtful());
        assert!(!update("/a.css", b"a{}").is_doubtful());
    }

    #[test]
    fn what_is_appended_is_no_part_of_something_else() {
        let before = update("/a.txt", b"one\n");
        assert!(!update("/a.txt", b"one\ntwo\n").may_be_a_part(Some(&before)));
        assert!(update("/a.txt", b"two\n").may_be_a_part(Some(&before)));
        assert!(update("/a.txt", b"on").may_be_a_part(Some(&before)));
        assert!(update("/a.txt", b"one\n").may_be_a_part(None));
        assert!(update("/a.png", b"PNG").may_be_a_part(None));
        assert!(!update("/a.json", b"1").may_be_a_part(None));
    }

    #[test]
    fn versions_are_hashes_that_survive_as_text() {
        let version = Version::of(b"{}");
        assert_eq!(version.to_string().len(), 32);
        assert_eq!(version.to_string().parse(), Ok(version));
        assert_ne!(Version::of(b""), Version::ABSENT);
        assert!("not a version".parse::<Version>().is_err());
    }
}
