//! The metadata of a file become something to compare: equal for the same file with the same content.

use std::fs::Metadata;
#[cfg(target_os = "linux")]
use std::time::Duration;
use std::time::SystemTime;

#[cfg(target_os = "linux")]
use rustix::fs::FileType;

/// Changes whenever a file is written to, replaced or protected, as far as the system tells. That of a directory changes
/// when another one takes its place, and not with what is in it.
///
/// Linux 6.13 and later give every write that somebody could have noticed a time of its own (multigrain timestamps);
/// before, two writes within one tick of the clock, a few milliseconds, look the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    identity: Identity,
    protection: u32,
    content: Option<(u64, Option<SystemTime>, system::Changed)>,
}

/// Which file it is, whatever its names, where the system can tell.
pub type Identity = system::Identity;

impl Fingerprint {
    /// The stamp of a file or directory with these metadata.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let content = || (metadata.len(), metadata.modified().ok(), system::changed(metadata));
        Self {
            identity: system::identity(metadata),
            protection: system::protection(metadata),
            content: (!metadata.is_dir()).then(content),
        }
    }
}

#[cfg(target_os = "linux")]
impl Fingerprint {
    /// The stamp of a regular file of which `statx(2)` says this, and when it was written to. `None` for what is no file, and for
    /// files from before 1970.
    #[must_use]
    pub fn of_file(found: &rustix::fs::Statx) -> Option<(Self, SystemTime)> {
        let since = Duration::new(u64::try_from(found.stx_mtime.tv_sec).ok()?, found.stx_mtime.tv_nsec);
        let modified = SystemTime::UNIX_EPOCH.checked_add(since)?;
        let changed = (found.stx_ctime.tv_sec, found.stx_ctime.tv_nsec.into());
        let stamp = Self {
            identity: (rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino),
            protection: found.stx_mode.into(),
            content: Some((found.stx_size, Some(modified), changed)),
        };
        FileType::from_raw_mode(found.stx_mode.into()).is_file().then_some((stamp, modified))
    }
}

/// Which file it is.
#[must_use]
pub fn identity(metadata: &Metadata) -> Identity {
    system::identity(metadata)
}

/// The identity of a file that has other names too (hard links), and so can be saved without any event under this one.
#[must_use]
pub fn shared(metadata: &Metadata) -> Option<Identity> {
    let is_shared = metadata.is_file() && system::names(metadata) > 1;
    is_shared.then(|| system::identity(metadata))
}

#[cfg(unix)]
mod system {
    use std::fs::Metadata;
    use std::os::unix::fs::MetadataExt;

    /// The device, and the number of the inode on it.
    pub(super) type Identity = (u64, u64);

    /// The time of the last change of content, names or protection, which nobody can set: seconds and nanoseconds.
    pub(super) type Changed = (i64, i64);

    pub(super) fn changed(metadata: &Metadata) -> Changed {
        (metadata.ctime(), metadata.ctime_nsec())
    }

    pub(super) fn identity(metadata: &Metadata) -> Identity {
        (metadata.dev(), metadata.ino())
    }

    pub(super) fn names(metadata: &Metadata) -> u64 {
        metadata.nlink()
    }

    pub(super) fn protection(metadata: &Metadata) -> u32 {
        metadata.mode()
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::Metadata;
    use std::time::SystemTime;

    /// That of the other systems. Metadata alone don't tell it here, so it is the same for all files.
    pub(super) type Identity = (u64, u64);

    /// The time of creation: a file that replaces another one has its own.
    pub(super) type Changed = Option<SystemTime>;

    pub(super) fn changed(metadata: &Metadata) -> Changed {
        metadata.created().ok()
    }

    pub(super) fn identity(_: &Metadata) -> Identity {
        (0, 0)
    }

    /// No file is known to have other names, so nobody compares files by their identity.
    pub(super) fn names(_: &Metadata) -> u64 {
        1
    }

    pub(super) fn protection(metadata: &Metadata) -> u32 {
        metadata.permissions().readonly().into()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::env;

    use rustix::fs::AtFlags;
    use rustix::fs::CWD;
    use rustix::fs::StatxFlags;

    use super::*;

    #[test]
    fn a_file_has_the_same_stamp_however_it_is_asked_for() {
        let name = env::current_exe().unwrap();
        let look = |name| rustix::fs::statx(CWD, name, AtFlags::empty(), StatxFlags::BASIC_STATS).unwrap();
        let metadata = name.metadata().unwrap();
        let expected = (Fingerprint::of(&metadata), metadata.modified().unwrap());
        assert_eq!(Fingerprint::of_file(&look(&*name)), Some(expected));
        assert_eq!(Fingerprint::of_file(&look(name.parent().unwrap())), None);
    }
}
