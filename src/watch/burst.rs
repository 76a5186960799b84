//! Are many files changing at once? Changes go in, yes or no comes out. The clock is passed in.

use std::collections::VecDeque;
use std::fs;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

/// So many files that change at once are a build or a checkout, and not somebody's saving.
const MANY: usize = 20;

/// How short a time is "at once".
const AT_ONCE: Duration = Duration::from_millis(300);

/// How long a sign of more to come counts, until it is looked for again.
const HOLD: Duration = Duration::from_millis(100);

/// A lock that is older than this was left behind by a program that has crashed.
const STALE: Duration = Duration::from_secs(10);

/// The places that changed last, each once.
#[derive(Debug, Default)]
pub(super) struct Burst {
    /// From the oldest change to the newest, at most [`MANY`].
    places: VecDeque<(u64, Instant)>,
    held: Option<Instant>,
}

impl Burst {
    /// Something changed at `place`.
    pub(super) fn note(&mut self, place: &Path, now: Instant) {
        // A hash is enough to count with, and needs no memory.
        let mut hasher = DefaultHasher::new();
        place.hash(&mut hasher);
        let place = hasher.finish();
        self.places.retain(|(other, _)| *other != place);
        if self.places.len() == MANY {
            self.places.pop_front();
        }
        self.places.push_back((place, now));
    }

    /// There are signs of more to come.
    pub(super) fn hold(&mut self, now: Instant) {
        self.held = Some(now + HOLD);
    }

    /// When the burst is over; `None` if there is none.
    pub(super) fn end(&self, now: Instant) -> Option<Instant> {
        let oldest = self.places.front().filter(|_| self.places.len() == MANY);
        let end = oldest.map(|(_, changed)| *changed + AT_ONCE);
        end.max(self.held).filter(|end| *end > now)
    }
}

/// Whether git is changing files of the repository that `root` is in. It comes to one directory after the other, perhaps a
/// second apart, and holds the lock of its index (`index.lock`) until it is done.
pub(super) fn git_is_at_work(root: &Path) -> bool {
    let Some(git) = root.ancestors().map(|directory| directory.join(".git")).find(|git| git.exists()) else {
        return false;
    };
    // In a linked work tree or a submodule, it is a file that says where.
    let link = fs::read_to_string(&git).ok();
    let link = link.as_deref().and_then(|text| text.strip_prefix("gitdir: "));
    let directory = link.map_or_else(|| git.clone(), |target| git.with_file_name(target.trim_end()));
    let lock = fs::metadata(directory.join("index.lock")).and_then(|lock| lock.modified());
    lock.is_ok_and(|made| made.elapsed().is_ok_and(|age| age < STALE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_files_at_once_are_a_burst() {
        let (mut burst, start) = (Burst::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        for number in 0..19 {
            burst.note(Path::new(&format!("/{number}")), at(number));
            assert_eq!(burst.end(at(number)), None);
        }
        burst.note(Path::new("/19"), at(19));
        assert_eq!(burst.end(at(19)), Some(at(300)));
        // It goes on in another directory.
        for number in 0..19 {
            burst.note(Path::new(&format!("/other/{number}")), at(200));
        }
        assert_eq!(burst.end(at(310)), Some(at(319)));
        assert_eq!(burst.end(at(319)), None);
    }

    #[test]
    fn signs_of_more_make_it_longer() {
        let (mut burst, now) = (Burst::default(), Instant::now());
        burst.hold(now);
        assert_eq!(burst.end(now), Some(now + HOLD));
        assert_eq!(burst.end(now + HOLD), None);
    }

    #[test]
    fn git_is_known_by_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        fs::create_dir_all(path("repository/.git/worktrees/tree")).unwrap();
        fs::create_dir_all(path("repository/public")).unwrap();
        fs::create_dir(path("tree")).unwrap();
        fs::write(path("tree/.git"), "gitdir: ../repository/.git/worktrees/tree\n").unwrap();
        let check = |expected| {
            let found = ["repository", "repository/public", "tree"].map(|root| git_is_at_work(&path(root)));
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

    #[test]
    fn one_file_many_times_is_none() {
        let (mut burst, now) = (Burst::default(), Instant::now());
        for _ in 0..100 {
            burst.note(Path::new("/temporary"), now);
            burst.note(Path::new("/data.json"), now);
        }
        assert_eq!(burst.end(now), None);
    }
}
