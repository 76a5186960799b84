//! The trees below which every save counts, for servers whose answers are made from files that nobody names. They are watched
//! while one of their answers is followed, and for a moment before and after that.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use crate::watch::debounce::Mark;
use crate::watch::ignored::Ignored;
use crate::watch::registry::WatchRegistry;

/// How long a page that was sent may take until it follows what it uses.
#[cfg(feature = "cli")]
const ARRIVAL: Duration = Duration::from_secs(10);

/// How long the trees are watched after the last follower has gone: a page that is loaded again comes back in a moment.
const LINGER: Duration = Duration::from_millis(500);

/// How long a file must be quiet of which nobody says that its writer is done, and how long that may take.
const QUIET: Duration = Duration::from_millis(50);
const CAP: Duration = Duration::from_millis(500);

/// How long a file is gone until that is a change. Many programs save by removing.
const DOUBT: Duration = Duration::from_millis(200);

/// How many directories are watched at most.
const LARGEST: usize = 20_000;

/// The trees, as far as they are watched.
pub(super) struct Tree {
    roots: Vec<PathBuf>,
    ignored: Ignored,
    /// How many answers are followed.
    followed: usize,
    /// Until when it is watched, if none is.
    until: Option<Instant>,
    /// Nothing, while it is not watched.
    directories: BTreeSet<PathBuf>,
    is_watched: bool,
    /// What has changed, since when, and when it is done.
    changed: HashMap<PathBuf, (Instant, Instant)>,
}

impl Tree {
    pub(super) fn new(roots: Vec<PathBuf>, ignored: Ignored) -> Self {
        Self {
            roots,
            ignored,
            followed: 0,
            until: None,
            directories: BTreeSet::new(),
            is_watched: false,
            changed: HashMap::new(),
        }
    }

    /// One more answer is followed.
    pub(super) fn follow(&mut self) {
        self.followed += 1;
    }

    /// One less is.
    pub(super) fn unfollow(&mut self, now: Instant) {
        self.followed -= 1;
        if self.followed == 0 {
            self.until = self.until.max(Some(now + LINGER));
        }
    }

    /// A page was sent that is about to follow.
    #[cfg(feature = "cli")]
    pub(super) fn expect(&mut self, now: Instant) {
        self.until = self.until.max(Some(now + ARRIVAL));
    }

    /// Watches what is to be watched now; says if that has begun or ended. What others need stays watched.
    pub(super) fn turn(
        &mut self,
        now: Instant,
        registry: &mut WatchRegistry,
        is_needed: impl Fn(&Path) -> bool,
    ) -> Option<bool> {
        let is_wanted = !self.roots.is_empty() && (self.followed > 0 || self.until.is_some_and(|until| until > now));
        if is_wanted == self.is_watched {
            return None;
        }
        self.is_watched = is_wanted;
        if is_wanted {
            for root in self.roots.clone() {
                // Another directory may take its place.
                root.parent().into_iter().for_each(|parent| registry.add(parent, None));
                self.explore(&root, None, registry);
            }
        } else {
            let parents = self.roots.iter().filter_map(|root| root.parent()).map(Path::to_path_buf);
            let watched = std::mem::take(&mut self.directories).into_iter().chain(parents);
            registry.remove(&watched.filter(|place| !is_needed(place)).collect::<Vec<_>>());
            self.changed.clear();
            self.until = None;
            self.ignored.forget();
        }
        Some(is_wanted)
    }

    /// Something happened to a place, and what was watched from there down is no longer. False if that counts for nothing, `None` if
    /// it is in no tree.
    pub(super) fn note(
        &mut self,
        place: &Path,
        mark: Mark,
        now: Instant,
        registry: &mut WatchRegistry,
    ) -> Option<bool> {
        if !self.is_watched || !self.roots.iter().any(|root| place.starts_with(root)) {
            return None;
        }
        let metadata = fs::symlink_metadata(place).ok();
        let is_directory = metadata.as_ref().is_some_and(fs::Metadata::is_dir);
        if self.directories.contains(place) || is_directory {
            // Another directory may have taken its place.
            self.directories.retain(|directory| !directory.starts_with(place));
        }
        if is_directory {
            // What is in it came with it, or before it was watched.
            self.explore(place, Some(now), registry);
            return Some(false);
        }
        if self.ignored.is_ignored(place, false, &self.roots) {
            return Some(false);
        }
        let (first, due) = self.changed.get(place).map_or((now, None), |(first, due)| (*first, Some(*due)));
        let quiet = match mark {
            Mark::Done => now,
            Mark::Gone => now + DOUBT,
            // What is done stays done.
            _ if due.is_some_and(|due| due <= now) => now,
            _ => (now + QUIET).min(first + CAP),
        };
        self.changed.insert(place.to_path_buf(), (first, quiet));
        Some(true)
    }

    /// Anything may have happened.
    pub(super) fn look_everywhere(&mut self, now: Instant, registry: &mut WatchRegistry) {
        if !self.is_watched {
            return;
        }
        self.directories.clear();
        self.roots.clone().iter().for_each(|root| self.explore(root, Some(now), registry));
    }

    /// The files whose saves have settled.
    pub(super) fn take(&mut self, now: Instant) -> Vec<PathBuf> {
        let mut settled = self.changed.extract_if(|_, (_, due)| *due <= now).map(|(file, _)| file).collect::<Vec<_>>();
        settled.sort();
        settled
    }

    /// When there is something to take.
    pub(super) fn due(&self) -> Option<Instant> {
        self.changed.values().map(|(_, due)| *due).min()
    }

    /// When it is to be watched no longer.
    pub(super) fn end(&self) -> Option<Instant> {
        self.until.filter(|_| self.followed == 0 && self.is_watched)
    }

    /// Its directories, as far as they are watched.
    pub(super) fn directories(&self) -> impl Iterator<Item = &PathBuf> {
        self.directories.iter()
    }

    /// Whether this is watched for it.
    pub(super) fn needs(&self, place: &Path) -> bool {
        let is_parent = || self.is_watched && self.roots.iter().any(|root| root.parent() == Some(place));
        self.directories.contains(place) || is_parent()
    }

    /// Watches a directory and all below it. What is in there has changed `at` this time, if it has.
    fn explore(&mut self, directory: &Path, at: Option<Instant>, registry: &mut WatchRegistry) {
        let mut todo = vec![directory.to_path_buf()];
        while let Some(directory) = todo.pop() {
            let is_root = self.roots.contains(&directory);
            if !is_root && self.ignored.is_ignored(&directory, true, &self.roots) {
                continue;
            }
            if self.directories.len() >= LARGEST {
                return registry.tell_vast(&directory, LARGEST);
            }
            // That of a data base, perhaps, and nobody's to write.
            if !is_root && fs::read_dir(&directory).is_err() {
                continue;
            }
            // First the watch: what comes while it is read is seen either way.
            registry.add(&directory, None);
            self.directories.insert(directory.clone());
            self.ignored.read(&directory);
            for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
                match entry.file_type() {
                    // Not through links: they may lead anywhere, and round.
                    Ok(kind) if kind.is_dir() => todo.push(entry.path()),
                    Ok(_) => {
                        if let Some(at) = at
                            && !self.ignored.is_ignored(&entry.path(), false, &self.roots)
                        {
                            self.changed.entry(entry.path()).or_insert((at, at + QUIET));
                        }
                    }
                    Err(_) => {}
                }
            }
        }
    }
}
