//! Reading what is in a directory, and nothing that takes its place meanwhile.

use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::time::SystemTime;

#[cfg(unix)]
use crate::source::directory::access;

/// What a name in a directory stands for.
#[derive(Debug)]
pub(super) enum Seen {
    File { size: u64, modified: Option<SystemTime> },
    Directory,
    Link,
    Other,
}

impl From<Metadata> for Seen {
    fn from(metadata: Metadata) -> Self {
        match metadata.file_type() {
            kind if kind.is_dir() => Self::Directory,
            kind if kind.is_file() => Self::File { size: metadata.len(), modified: metadata.modified().ok() },
            kind if kind.is_symlink() => Self::Link,
            _ => Self::Other,
        }
    }
}

/// Calls `see` for each entry of a directory that is reached without links. Names that are no UTF-8 are passed over.
///
/// The directory is opened once. All that is asked about its entries is asked through that descriptor, so it makes no
/// difference what somebody puts in its place, such as a link to another one.
#[cfg(unix)]
pub(super) fn read(directory: &Path, mut see: impl FnMut(&str, Seen)) -> io::Result<()> {
    use rustix::fs::AtFlags;
    use rustix::fs::Dir;
    use rustix::fs::FileType;
    use std::time::Duration;

    let directory = access::without_links(directory)?;
    for entry in Dir::read_from(&directory)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else { continue };
        // Links are followed by those who know where they may lead.
        if entry.file_type() == FileType::Symlink {
            see(name, Seen::Link);
            continue;
        }
        // What is gone by now is no entry.
        let Ok(stat) = rustix::fs::statat(&directory, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) else { continue };
        let seen = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Seen::Directory,
            FileType::RegularFile => {
                let since = |seconds| Some(Duration::new(seconds, u32::try_from(stat.st_mtime_nsec).ok()?));
                Seen::File {
                    size: u64::try_from(stat.st_size).unwrap_or_default(),
                    modified: u64::try_from(stat.st_mtime)
                        .ok()
                        .and_then(since)
                        .map(|since| SystemTime::UNIX_EPOCH + since),
                }
            }
            FileType::Symlink => Seen::Link,
            _ => Seen::Other,
        };
        see(name, seen);
    }
    Ok(())
}

/// The same by names alone, for systems without such descriptors: what was read counts only if the directory is still the
/// same one afterwards.
#[cfg(not(unix))]
pub(super) fn read(directory: &Path, mut see: impl FnMut(&str, Seen)) -> io::Result<()> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(metadata) = entry.path().symlink_metadata() else { continue };
        entries.extend(entry.file_name().to_str().map(|name| (name.to_owned(), Seen::from(metadata))));
    }
    if directory.canonicalize()? != directory {
        return Err(io::ErrorKind::NotFound.into());
    }
    entries.into_iter().for_each(|(name, seen)| see(&name, seen));
    Ok(())
}
