//! Files of the person's that nobody else can read.

use std::env;
use std::fs;
use std::fs::DirBuilder;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use tempfile::NamedTempFile;

/// Where programs keep what belongs to the person (XDG Base Directory Specification, and its likes elsewhere).
pub(super) fn data_home() -> Option<PathBuf> {
    if let Some(home) = absolute("XDG_DATA_HOME") {
        return Some(home);
    }
    if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Application Support"))
    } else {
        home().map(|home| home.join(".local/share"))
    }
}

/// The home of the person.
pub(super) fn home() -> Option<PathBuf> {
    env::home_dir().filter(|home| home.is_absolute())
}

/// The directory in this variable. A relative one would be another wherever it is started.
pub(super) fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Makes a directory that nobody else can look into, if it isn't there.
pub(super) fn make_directory(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// What is in a file. Neither a FIFO nor a file without an end is waited for.
pub(super) fn read(file: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The same, of a file of ours, which is text.
pub(super) fn read_text(file: &Path) -> io::Result<String> {
    String::from_utf8(read(file)?).map_err(|_| io::Error::other("it is no text"))
}

/// The text in a file, which nobody else can read. If there is none, it is made; of two who make it at the same time, both get the text
/// of one.
pub(super) fn read_or_make(file: &Path, make: impl FnOnce() -> io::Result<String>) -> io::Result<String> {
    match read_text(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        text => {
            #[cfg(unix)]
            drop(fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)));
            return text;
        }
    }
    let new = written(file, &make()?)?;
    // It is not made again, so it has to outlast a loss of power.
    new.as_file().sync_all()?;
    match new.persist_noclobber(file) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.error),
    }
    read_text(file)
}

/// Replaces a file that can be made again. It does not wait for the disk.
pub(super) fn replace(file: &Path, text: &str) -> io::Result<()> {
    written(file, text)?.persist(file).map(drop).map_err(|error| error.error)
}

/// A new file beside this one, which only the person can read.
fn written(file: &Path, text: &str) -> io::Result<NamedTempFile> {
    let mut new = NamedTempFile::new_in(file.parent().unwrap_or(Path::new(".")))?;
    new.write_all(text.as_bytes())?;
    Ok(new)
}
