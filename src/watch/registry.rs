//! What of the plan is watched, what is polled, and why.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::site::verbatim::plain;
use crate::source::fingerprint::Identity;
use crate::source::remote::remote_file_system;
use crate::watch::system::SystemWatcher;
use crate::watch::system::WatchError;

/// The places that are watched or polled now. Those of the plan that are neither do not exist.
pub(super) struct WatchRegistry {
    roots: Vec<PathBuf>,
    /// `None` where all is polled.
    source: Option<SystemWatcher>,
    /// Directories, and files with several names.
    watched: BTreeSet<PathBuf>,
    /// Which of the watched are files.
    shared: HashMap<PathBuf, Identity>,
    /// What can't be watched, or is watched in vain.
    polled: BTreeSet<PathBuf>,
    every: Duration,
    /// The causes of polling that were told.
    told: BTreeSet<String>,
    tell: Box<dyn Fn(Polled) + Send>,
}

/// A directory is polled, although nobody asked for it.
#[derive(Debug)]
pub struct Polled {
    /// Why.
    pub cause: Cause,
    /// The pause between two rounds.
    pub every: Duration,
}

/// Why a directory is polled.
#[derive(Debug)]
pub enum Cause {
    /// The system doesn't watch it.
    Unwatched(WatchError),
    /// It is on a file system of this name, and changes made elsewhere don't reach the system.
    Remote(PathBuf, &'static str),
    /// There are more directories than this number, and it is one of those that are not looked at at all.
    Vast(PathBuf, usize),
}

impl WatchRegistry {
    /// `source` is what the system watches with; `None` if it isn't to be asked.
    pub(super) fn new(
        roots: Vec<PathBuf>,
        source: Option<Result<SystemWatcher, WatchError>>,
        every: Duration,
        tell: Box<dyn Fn(Polled) + Send>,
    ) -> Self {
        let refused = |error| tell(Polled { cause: Cause::Unwatched(error), every });
        let source = source.and_then(|source| source.map_err(refused).ok());
        Self {
            roots,
            source,
            watched: BTreeSet::new(),
            shared: HashMap::new(),
            polled: BTreeSet::new(),
            every,
            told: BTreeSet::new(),
            tell,
        }
    }

    /// Watches a place from now on, or else polls it. A file is watched for the sake of its other names.
    pub(super) fn add(&mut self, place: &Path, shared: Option<Identity>) {
        if self.watched.contains(place) {
            return;
        }
        let cause = match self.source.as_mut().map(|source| source.watch(place)) {
            // All is polled.
            None => None,
            Some(Ok(())) => {
                self.watched.insert(place.to_path_buf());
                self.shared.extend(shared.map(|identity| (place.to_path_buf(), identity)));
                let Some(name) = remote_file_system(place) else {
                    self.polled.remove(place);
                    return;
                };
                Some(Cause::Remote(plain(place).into_owned(), name))
            }
            // Its parent will tell when it is there.
            Some(Err(error)) if error.is_missing() => return,
            // The parent of a root may be nobody's to read. Only a new root would go unnoticed.
            Some(Err(_)) if !self.roots.iter().any(|root| place.starts_with(root)) => return,
            Some(Err(error)) => Some(Cause::Unwatched(error)),
        };
        self.polled.insert(place.to_path_buf());
        if let Some(cause) = cause
            && self.told.insert(cause.summary())
        {
            (self.tell)(Polled { cause, every: self.every });
        }
    }

    /// Says that there are too many directories to watch.
    pub(super) fn tell_vast(&mut self, place: &Path, most: usize) {
        let cause = Cause::Vast(plain(place).into_owned(), most);
        if self.told.insert(cause.summary()) {
            (self.tell)(Polled { cause, every: self.every });
        }
    }

    pub(super) fn remove(&mut self, places: &[PathBuf]) {
        for place in places {
            self.polled.remove(place);
            self.shared.remove(place);
            if self.watched.remove(place)
                && let Some(source) = &mut self.source
            {
                source.unwatch(place);
            }
        }
    }

    /// From this place down, another thing may be watched than what stands there now: a watch does not move.
    pub(super) fn remove_below(&mut self, place: &Path, shared: Option<Identity>) {
        // But for a file that is the same: it need not be watched anew for every save.
        if shared.is_some() && self.shared.get(place).copied() == shared {
            return;
        }
        self.remove(&below(&self.watched, place));
        self.remove(&below(&self.polled, place));
    }

    /// Whether the system tells nothing, or not all, of what happens to this place.
    pub(super) fn is_polled(&self, place: &Path) -> bool {
        self.polled.contains(place) || place.parent().is_some_and(|directory| self.is_blind(directory))
    }

    /// The same for what is in this directory.
    pub(super) fn is_blind(&self, directory: &Path) -> bool {
        self.polled.contains(directory)
    }

    pub(super) fn is_polling(&self) -> bool {
        !self.polled.is_empty()
    }

    /// The number of watched directories.
    pub(super) fn directories(&self) -> usize {
        self.watched.len() - self.shared.len()
    }
}

impl Cause {
    /// What is told only once, however many directories it concerns.
    fn summary(&self) -> String {
        match self {
            Self::Unwatched(error) => error.source().map(ToString::to_string).unwrap_or_default(),
            Self::Remote(_, name) => (*name).to_owned(),
            Self::Vast(..) => "vast".to_owned(),
        }
    }
}

/// The places from this one down.
fn below(places: &BTreeSet<PathBuf>, place: &Path) -> Vec<PathBuf> {
    // Paths are ordered by their segments, so what lies below stands next to it.
    places.range(place.to_path_buf()..).take_while(|path| path.starts_with(place)).cloned().collect()
}
