//! The README of a directory, which its page shows below the entries.

use crate::content::Version;
use crate::content::listing::Entry;
use crate::site::SitePath;
use crate::source::Fetched;
use crate::source::Sources;

/// What it may be called. The first one that can be shown is.
const NAMES: [&str; 4] = ["README.md", "README", "README.txt", "readme.md"];

/// The largest one, in bytes. It is sent with the page, again after each change of the directory.
const LARGEST: u64 = 256 << 10;

/// A README with its text.
pub(crate) struct Readme {
    pub(crate) path: SitePath,
    pub(crate) version: Version,
    pub(crate) text: String,
}

/// That of a directory with these entries, if it has one that is a text. May wait.
pub(crate) fn find(sources: &Sources, directory: &SitePath, entries: &[Entry]) -> Option<Readme> {
    let is_there = |name: &&str| entries.iter().any(|entry| entry.name == *name && !entry.is_directory);
    NAMES.into_iter().filter(is_there).find_map(|name| read(sources, directory.file(name)?))
}

fn read(sources: &Sources, path: SitePath) -> Option<Readme> {
    let (version, bytes) = match sources.fetch(&path).ok()? {
        Fetched::File(file) => (Version::of(&file.bytes), file.bytes.into()),
        Fetched::Large(large) if large.length() <= LARGEST => (large.version, large.head(LARGEST).ok()?),
        Fetched::Large(_) | Fetched::Elsewhere | Fetched::Directory => return None,
    };
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))?;
    Some(Readme { path, version, text })
}
