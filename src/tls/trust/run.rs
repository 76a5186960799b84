//! Commands of the system.

use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

/// What became of one of the places where certificates are trusted.
#[derive(Debug)]
pub struct Outcome {
    /// Whose it is, for people.
    pub store: String,
    /// Whether something has changed there.
    pub result: Result<bool, TrustError>,
}

/// Why a store could not be changed.
#[derive(Debug)]
pub enum TrustError {
    /// A program is needed that isn't there; and how to get it, or do without it.
    Missing(String, String),
    /// A command failed, with these words.
    Failed(String, String),
}

impl TrustError {
    /// What the person can do.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Missing(_, hint) => Some(hint),
            Self::Failed(..) => None,
        }
    }
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(program, _) => write!(f, "{program} is not installed"),
            Self::Failed(command, words) if words.is_empty() => write!(f, "{command} has failed"),
            Self::Failed(command, words) => write!(f, "{command} has failed: {words}"),
        }
    }
}

impl Error for TrustError {}

/// Where a program is. What only administrators use is not on the path of everybody.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(more).map(|directory| directory.join(program)).find(|file| file.is_file())
}

/// Runs a program, and says what it has written, or in its own words why it has failed.
pub(super) fn run<A: AsRef<OsStr>>(program: &Path, arguments: &[A]) -> Result<String, TrustError> {
    let failed = |words: String| TrustError::Failed(program.display().to_string(), words);
    let output = Command::new(program).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let output = output.and_then(std::process::Child::wait_with_output).map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(failed(words.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")))
}
