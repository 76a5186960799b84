//! Opening and reading files without being led astray, and without waiting where that can be had.

use std::fs::File;
use std::fs::Metadata;
use std::io;
#[cfg(target_os = "linux")]
use std::io::IoSliceMut;
use std::path::Path;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::time::Duration;

use crate::root::Content;
#[cfg(target_os = "linux")]
use crate::stamp::Stamp;

/// Reads a file of up to `limit` bytes if the way to it and its content are in memory, so that there is nothing to wait for.
/// `None` for everything else.
#[cfg(target_os = "linux")]
pub(super) fn read_now(name: &Path, limit: u64) -> Option<Content> {
    use rustix::fs::CWD;
    use rustix::fs::Mode;
    use rustix::fs::OFlags;
    use rustix::fs::ResolveFlags;
    use rustix::io::ReadWriteFlags;

    let open = |flags: OFlags| {
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::CACHED;
        rustix::fs::openat2(CWD, name, flags | OFlags::CLOEXEC, Mode::empty(), resolve).ok().map(File::from)
    };
    // Looked at before it is opened: opening a FIFO or a device is felt at its other end.
    let before = open(OFlags::PATH)?.metadata().ok()?;
    if !before.is_file() || before.len() > limit {
        return None;
    }
    let mut file = open(OFlags::RDONLY | OFlags::NONBLOCK)?;
    wait_for_writer(&mut file, &before).ok()?;
    // One byte more than expected shows that it grows.
    let mut bytes = vec![0; usize::try_from(before.len()).ok()? + 1];
    let length = rustix::io::preadv2(&file, &mut [IoSliceMut::new(&mut bytes)], 0, ReadWriteFlags::NOWAIT).ok()?;
    bytes.truncate(length);
    let metadata = file.metadata().ok()?;
    let is_whole = metadata.len() == length as u64 && Stamp::of(&metadata) == Stamp::of(&before);
    is_whole.then_some(Content { bytes, metadata, is_whole })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn read_now(_: &Path, _: u64) -> Option<Content> {
    None
}

/// How long ago a write must have begun to be over. None takes that long.
#[cfg(any(target_os = "linux", target_os = "android"))]
const OVER: Duration = Duration::from_secs(1);

/// Waits for the end of a write that is going on.
///
/// The time of a file is set when a write begins. A read within the same write would find the same time before and after,
/// and half of the content new. Some file systems look for data under the lock that writers hold, so looking waits for
/// them; what begins later has a later time. Others need it not, because they read under that lock (XFS), or must not be
/// asked, because they would write all that is dirty to the disk first (ZFS).
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn wait_for_writer(file: &mut File, metadata: &Metadata) -> io::Result<()> {
    use std::io::Seek;
    if metadata.modified().is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > OVER)) {
        return Ok(());
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of 32 bits, often in a wider field"
    )]
    let magic = rustix::fs::fstatfs(&*file)?.f_type as u32;
    // The kernel's magic.h: ext2 to ext4, tmpfs, btrfs, F2FS.
    if matches!(magic, 0xef53 | 0x0102_1994 | 0x9123_683e | 0xf2f5_2010) {
        // An empty file has no data (`ENXIO`).
        let _ = rustix::fs::seek(&*file, rustix::fs::SeekFrom::Data(0));
        file.rewind()?;
    }
    Ok(())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
pub(super) fn wait_for_writer(_: &mut File, _: &Metadata) -> io::Result<()> {
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
