//! Which files nobody is writing to, although they were saved a moment ago.
//!
//! The time of a file is set when a write begins, so a file may be half written for as long as a write takes. Whoever reads it with care
//! waits for that write. If its time was long enough ago then, any later write gives it another time: as long as it has this one, what
//! was read is what is there.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::SystemTime;

use crate::source::fingerprint::Fingerprint;

/// Longer than a tick of the clock that times files, which takes up to 10 ms.
const TICK: Duration = Duration::from_millis(20);

/// Of how many files it is known.
const FILES: usize = 10_000;

/// The files that were read with care, each with the stamp that it had.
#[derive(Debug, Default)]
pub(super) struct Settled(Mutex<HashMap<PathBuf, Fingerprint>>);

impl Settled {
    /// This file was read with care, and found whole. Whoever was writing to it at `since` was waited for.
    pub(super) fn note(&self, name: &Path, found: &Metadata, since: SystemTime) {
        let age = found.modified().ok().and_then(|modified| since.duration_since(modified).ok());
        if age.is_none_or(|age| age <= TICK) {
            return;
        }
        let mut files = self.files();
        if files.len() >= FILES && !files.contains_key(name) {
            files.clear();
        }
        files.insert(name.to_path_buf(), Fingerprint::of(found));
    }

    /// Whether nobody has written to it since.
    pub(super) fn is(&self, name: &Path, found: &Fingerprint) -> bool {
        self.files().get(name) == Some(found)
    }

    /// No code panics while it holds this lock, so a poisoned lock is still whole.
    fn files(&self) -> MutexGuard<'_, HashMap<PathBuf, Fingerprint>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_settled_until_it_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("file");
        fs::write(&name, "1").unwrap();
        let settled = Settled::default();
        let look = || fs::metadata(&name).unwrap();
        let modified = look().modified().unwrap();
        // Too soon: the next write may have the same time.
        settled.note(&name, &look(), modified + Duration::from_millis(5));
        assert!(!settled.is(&name, &Fingerprint::of(&look())));
        settled.note(&name, &look(), modified + TICK * 2);
        assert!(settled.is(&name, &Fingerprint::of(&look())));
        // Of the same length, and with the same time: what nobody can set is another one.
        #[cfg(unix)]
        {
            let before = Fingerprint::of(&look());
            while Fingerprint::of(&look()) == before {
                fs::write(&name, "2").unwrap();
                fs::File::options().write(true).open(&name).unwrap().set_modified(modified).unwrap();
            }
            assert!(!settled.is(&name, &Fingerprint::of(&look())));
        }
    }

    #[test]
    fn not_all_files_are_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let settled = Settled::default();
        for number in 0..FILES + 10 {
            let name = folder.path().join(number.to_string());
            settled.note(&name, &folder.path().metadata().unwrap(), SystemTime::now() + TICK * 2);
        }
        assert!(settled.files().len() <= FILES);
    }
}
