//! Files of the person's that nobody else can read.

use std::env;
use std::fs;
use std::fs::DirBuilder;
use std::io;
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

/// The text in a file. If there is none, it is made; of two who make it at the same time, both get the text of one.
pub(super) fn read_or_make(file: &Path, make: impl FnOnce() -> io::Result<String>) -> io::Result<String> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        text => return text,
    }
    match written(file, &make()?)?.persist_noclobber(file) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.error),
    }
    fs::read_to_string(file)
}

/// Replaces a file.
pub(super) fn replace(file: &Path, text: &str) -> io::Result<()> {
    written(file, text)?.persist(file).map(drop).map_err(|error| error.error)
}

/// A new file beside this one, which only the person can read.
fn written(file: &Path, text: &str) -> io::Result<NamedTempFile> {
    let mut new = NamedTempFile::new_in(file.parent().unwrap_or(Path::new(".")))?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    Ok(new)
}
