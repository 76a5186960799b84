//! Opening and reading files without being led astray, and without waiting where that can be had.

#[cfg(target_os = "linux")]
use std::cell::RefCell;
use std::fs::File;
use std::fs::Metadata;
use std::io;
#[cfg(target_os = "linux")]
use std::io::IoSliceMut;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::time::Duration;

#[cfg(target_os = "linux")]
use bytes::Bytes;

use crate::source::file::FileContent;
#[cfg(not(windows))]
use crate::source::fingerprint;
use crate::source::fingerprint::Fingerprint;

/// The number of a device: major and minor.
pub(super) type Device = (u32, u32);

/// Longer than a write to a disk of this machine takes.
#[cfg(target_os = "linux")]
const WRITE: Duration = Duration::from_secs(60);

#[cfg(target_os = "linux")]
thread_local! {
    /// Where files are read to, of at most the limit of those that ask. A new place would have to be zeroed each time, for which
    /// the allocator asks the system.
    static PLACES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// How many places a thread keeps.
#[cfg(target_os = "linux")]
const KEPT: usize = 16;

/// From how many bytes on what was read stays where it was read to, until it is sent. Less than that is copied, so that nothing small
/// holds a large place.
#[cfg(target_os = "linux")]
const STAYS: usize = 32 << 10;

/// Where a file was read to. The place is used again when nobody needs what was read.
#[cfg(target_os = "linux")]
struct Read {
    place: Vec<u8>,
    length: usize,
}

#[cfg(target_os = "linux")]
impl Read {
    /// What `read` reads to a place of this size, and says the length of.
    fn with(size: usize, read: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<Bytes> {
        let place = PLACES.with_borrow_mut(Vec::pop).unwrap_or_default();
        let mut found = Self { place, length: 0 };
        if found.place.len() < size {
            found.place.resize(size, 0);
        }
        found.length = read(&mut found.place[..size])?;
        Some(if found.length < STAYS { Bytes::copy_from_slice(found.as_ref()) } else { Bytes::from_owner(found) })
    }
}

#[cfg(target_os = "linux")]
impl AsRef<[u8]> for Read {
    fn as_ref(&self) -> &[u8] {
        &self.place[..self.length]
    }
}

#[cfg(target_os = "linux")]
impl Drop for Read {
    fn drop(&mut self) {
        let place = std::mem::take(&mut self.place);
        // A thread that ends has no places any more.
        let _ = PLACES.try_with(|places| {
            let mut places = places.borrow_mut();
            if places.len() < KEPT {
                places.push(place);
            }
        });
    }
}

/// Reads a file of up to `limit` bytes if that needs no waiting at all: it is on this device, which is a disk of this machine,
/// the way to it and its content are in memory, and nobody can be writing to it now, because it is old or `is_settled`; and it has no
/// other names, unless `may_be_shared`. `None` for everything else.
#[cfg(target_os = "linux")]
pub(super) fn read_now(
    name: &Path,
    device: Device,
    limit: u64,
    may_be_shared: bool,
    is_settled: impl Fn(&Fingerprint) -> bool,
) -> Option<FileContent> {
    use rustix::fs::AtFlags;
    use rustix::fs::CWD;
    use rustix::fs::Mode;
    use rustix::fs::OFlags;
    use rustix::fs::ResolveFlags;
    use rustix::fs::StatxFlags;
    use rustix::io::ReadWriteFlags;

    let open = |flags: OFlags| {
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::CACHED;
        rustix::fs::openat2(CWD, name, flags | OFlags::CLOEXEC, Mode::empty(), resolve).ok().map(File::from)
    };
    // This question waits for nobody.
    let look = |file: &File| {
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        rustix::fs::statx(file, "", flags, StatxFlags::BASIC_STATS).ok()
    };
    // Looked at before it is opened: opening a FIFO or a device is felt at its other end, and opening a file of FUSE waits
    // for a program.
    let before = look(&open(OFlags::PATH)?)?;
    let (stamp, modified) = Fingerprint::of_file(&before)?;
    // The time of a file is set when a write begins.
    let is_at_rest = modified.elapsed().is_ok_and(|age| age > WRITE) || is_settled(&stamp);
    let is_shared = !may_be_shared && before.stx_nlink > 1;
    let is_here = (before.stx_dev_major, before.stx_dev_minor) == device;
    if !is_here || before.stx_size > limit || !is_at_rest || is_shared {
        return None;
    }
    let file = open(OFlags::RDONLY | OFlags::NONBLOCK)?;
    // One byte more than expected shows that it grows.
    let expected = usize::try_from(before.stx_size).ok()? + 1;
    let bytes = Read::with(expected, |place| {
        rustix::io::preadv2(&file, &mut [IoSliceMut::new(place)], 0, ReadWriteFlags::NOWAIT).ok()
    })?;
    let is_whole = before.stx_size == bytes.len() as u64 && Fingerprint::of_file(&look(&file)?)?.0 == stamp;
    is_whole.then_some(FileContent { bytes, modified: Some(modified), is_whole })
}

/// The number of the device that a directory is on, if it is a disk of this machine whose file system can read without
/// waiting.
#[cfg(target_os = "linux")]
pub(super) fn disk(directory: &Path) -> Option<Device> {
    use rustix::fs::AtFlags;
    use rustix::fs::CWD;
    use rustix::fs::StatxFlags;
    // The kernel's magic.h: ext2 to ext4, XFS, btrfs.
    if !matches!(magic(rustix::fs::statfs(directory).ok()?.f_type), 0xef53 | 0x5846_5342 | 0x9123_683e) {
        return None;
    }
    let found = rustix::fs::statx(CWD, directory, AtFlags::empty(), StatxFlags::BASIC_STATS).ok()?;
    Some((found.stx_dev_major, found.stx_dev_minor))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn disk(_: &Path) -> Option<Device> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(super) fn read_now(_: &Path, _: Device, _: u64, _: bool, _: impl Fn(&Fingerprint) -> bool) -> Option<FileContent> {
    None
}

/// Reads at a place of a file, as much as there is at once.
#[cfg(unix)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, position)
}

/// Reads at a place of a file, as much as there is at once.
#[cfg(windows)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, bytes, position)
}

/// Which file this is, whatever its names. The number of a file may be given to the next one, so the time when it was made belongs to it.
#[cfg(not(windows))]
pub(super) fn identity(_: &File, metadata: &Metadata) -> (fingerprint::Identity, Option<std::time::SystemTime>) {
    (fingerprint::identity(metadata), metadata.created().ok())
}

/// Which file this is, whatever its names: the volume, and the index of the file on it, which no other file gets (NTFS). The time when it
/// was made would not tell: a file that takes the name of another one within 15 seconds gets that of the other one (Microsoft's "File
/// System Tunneling").
#[cfg(windows)]
pub(super) fn identity(file: &File, _: &Metadata) -> Option<(u64, u64)> {
    let found = winapi_util::file::information(file).ok()?;
    Some((found.volume_serial_number(), found.file_index()))
}

/// Waits for the end of a write that is going on.
///
/// The time of a file is set when a write begins. A read within the same write would find the same time before and after,
/// and half of the content new. Some file systems look for data under the lock that writers hold, so looking waits for
/// them; what begins later has a later time. Others need it not, because they read under that lock (XFS), or must not be
/// asked, because they would write all that is dirty to the disk first (ZFS).
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn wait_for_writer(file: &mut File) -> io::Result<()> {
    use std::io::Seek;
    // The kernel's magic.h: ext2 to ext4, tmpfs, btrfs, F2FS.
    if matches!(magic(rustix::fs::fstatfs(&*file)?.f_type), 0xef53 | 0x0102_1994 | 0x9123_683e | 0xf2f5_2010) {
        // An empty file has no data (`ENXIO`).
        let _ = rustix::fs::seek(&*file, rustix::fs::SeekFrom::Data(0));
        file.rewind()?;
    }
    Ok(())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
pub(super) fn wait_for_writer(_: &mut File) -> io::Result<()> {
    Ok(())
}

/// Opens a file for reading; a link anywhere on the way is an error (`ELOOP`), in one step that nobody can race with.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn without_links(name: &Path) -> io::Result<File> {
    use rustix::fs::CWD;
    use rustix::fs::Mode;
    use rustix::fs::OFlags;
    use rustix::fs::ResolveFlags;
    use rustix::io::Errno;

    // openat2(2). Without NONBLOCK, a FIFO that took the file's place a moment ago would block us for ever.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    match rustix::fs::openat2(CWD, name, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        // Linux before 5.6, or a sandbox that doesn't know the call.
        Err(Errno::NOSYS | Errno::PERM) => checked(name),
        opened => Ok(opened?.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn without_links(name: &Path) -> io::Result<File> {
    checked(name)
}

/// What stands at a place, without opening it; a link anywhere on the way is an error.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn look(name: &Path) -> io::Result<Metadata> {
    use rustix::fs::CWD;
    use rustix::fs::Mode;
    use rustix::fs::OFlags;
    use rustix::fs::ResolveFlags;
    use rustix::io::Errno;

    match rustix::fs::openat2(CWD, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        Err(Errno::NOSYS | Errno::PERM) => name.symlink_metadata(),
        place => File::from(place?).metadata(),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn look(name: &Path) -> io::Result<Metadata> {
    name.symlink_metadata()
}

/// The kind of a file system, as a number of 32 bits, whatever the width of its field.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "that is what it is for")]
fn magic(kind: rustix::fs::FsWord) -> u32 {
    kind as u32
}

/// The same in two steps, for systems that can't do it in one.
fn checked(name: &Path) -> io::Result<File> {
    if name.canonicalize()? != name {
        return Err(io::Error::other(LinkOnTheWay));
    }
    let mut options = File::options();
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
        options.custom_flags(flags.bits().try_into().expect("open flags are small numbers"));
    }
    options.read(true).open(name)
}

/// The error of [`checked`] that stands for `ELOOP`.
#[derive(Debug)]
struct LinkOnTheWay;

impl std::fmt::Display for LinkOnTheWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a link is on the way")
    }
}

impl std::error::Error for LinkOnTheWay {}

pub(super) fn is_link(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return true;
    }
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<LinkOnTheWay>)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_stays_until_nobody_needs_it_and_few_places_are_kept() {
        let read = |byte: u8, length: usize| {
            let fill = |place: &mut [u8]| {
                place[..length].fill(byte);
                Some(length)
            };
            Read::with(length + 1, fill).unwrap()
        };
        let numbers = 0..3 * u8::try_from(KEPT).unwrap();
        let all = numbers.clone().map(|byte| read(byte, STAYS + usize::from(byte))).collect::<Vec<_>>();
        let part = all[7].slice(3..);
        for (byte, bytes) in numbers.zip(&all) {
            assert!(bytes.len() == STAYS + usize::from(byte) && bytes.iter().all(|it| *it == byte));
        }
        drop(all);
        assert_eq!(PLACES.with_borrow(Vec::len), KEPT);
        // What was read before is not seen behind what is shorter, and what is in use is not written to.
        assert_eq!(*read(9, 5), [9; 5]);
        assert!(read(8, STAYS).iter().all(|it| *it == 8) && part.iter().all(|it| *it == 7));
        assert!(Read::with(9, |_| None).is_none());
        assert_eq!(PLACES.with_borrow(Vec::len), KEPT);
    }
}
