//! Is git changing files? It tells by its lock.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// A lock that is older than this was left behind by a program that has crashed, or waits for a person.
const STALE: Duration = Duration::from_secs(10);

/// Longer than the file that stands for `.git` in a linked work tree.
const LINK: u64 = 8 << 10;

/// The repositories that some directories are in.
#[derive(Debug)]
pub(super) struct Git {
    directories: Vec<PathBuf>,
    /// The lock of each index (`index.lock`), which is not there most of the time.
    locks: Vec<PathBuf>,
}

impl Git {
    pub(super) fn of(directories: Vec<PathBuf>) -> Self {
        let mut git = Self { directories, locks: Vec::new() };
        git.find();
        git
    }

    /// Finds the repositories, which may have been made or removed since.
    pub(super) fn find(&mut self) {
        let repositories = self.directories.iter().filter_map(|directory| directory.ancestors().find_map(repository));
        self.locks = repositories.map(|repository| repository.join("index.lock")).collect();
        self.locks.dedup();
    }

    /// Whether git is changing files. It comes to one directory after the other, perhaps a second apart, and holds the lock of its
    /// index until it is done.
    pub(super) fn is_at_work(&self) -> bool {
        let made = |lock: &PathBuf| fs::symlink_metadata(lock).ok()?.modified().ok();
        self.locks.iter().filter_map(made).any(|made| made.elapsed().is_ok_and(|age| age < STALE))
    }
}

/// The directory of the repository whose work tree this is.
fn repository(directory: &Path) -> Option<PathBuf> {
    let git = directory.join(".git");
    let metadata = fs::symlink_metadata(&git).ok()?;
    // In a linked work tree or a submodule, it is a file that says where. What is neither is not opened: a FIFO would
    // hold us for ever.
    if metadata.is_file() && metadata.len() < LINK {
        let link = fs::read_to_string(&git).ok()?;
        return Some(git.with_file_name(link.strip_prefix("gitdir: ")?.trim_end()));
    }
    metadata.is_dir().then_some(git)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_is_known_by_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        fs::create_dir_all(path("repository/.git/worktrees/tree")).unwrap();
        fs::create_dir_all(path("repository/public")).unwrap();
        fs::create_dir(path("tree")).unwrap();
        fs::write(path("tree/.git"), "gitdir: ../repository/.git/worktrees/tree\n").unwrap();
        let check = |expected| {
            let found = ["repository", "repository/public", "tree"].map(|root| Git::of(vec![path(root)]).is_at_work());
            assert_eq!(found, expected);
        };
        check([false, false, false]);
        fs::write(path("repository/.git/index.lock"), "").unwrap();
        check([true, true, false]);
        fs::rename(path("repository/.git/index.lock"), path("repository/.git/worktrees/tree/index.lock")).unwrap();
        check([false, false, true]);
        let old = std::time::SystemTime::now() - STALE;
        fs::File::open(path("repository/.git/worktrees/tree/index.lock")).unwrap().set_modified(old).unwrap();
        check([false, false, false]);
    }

    #[cfg(unix)]
    #[test]
    fn what_only_has_the_name_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let status = std::process::Command::new("mkfifo").arg(folder.path().join(".git")).status();
        assert!(status.unwrap().success());
        assert!(!Git::of(vec![folder.path().to_path_buf()]).is_at_work());
    }
}
