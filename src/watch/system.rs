//! Events of the file system become [`Change`]s.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use notify::Config;
use notify::ErrorKind;
use notify::Event;
use notify::EventKind;
use notify::EventKindMask;
use notify::RecommendedWatcher;
use notify::RecursiveMode;
use notify::Watcher;
use notify::event::AccessKind;
use notify::event::AccessMode;
use notify::event::ModifyKind;
use notify::event::RenameMode;

use crate::site::verbatim::plain;

/// What happened to a path on disk. It is a reason to look there, not a truth.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Change {
    /// Closed after writing, or renamed into place: complete.
    Done(PathBuf),
    /// Written to; the writer may go on.
    Written(PathBuf),
    /// Something happened; it may still go on.
    Touched(PathBuf),
    /// Removed, or renamed away.
    Gone(PathBuf),
    /// Events were lost: anything may have happened.
    Lost,
}

impl Change {
    fn is_below(&self, roots: &[PathBuf]) -> bool {
        match self {
            Self::Done(place) | Self::Written(place) | Self::Touched(place) | Self::Gone(place) => {
                roots.iter().any(|root| place.starts_with(root))
            }
            Self::Lost => true,
        }
    }
}

/// The system's watcher.
pub(super) struct SystemWatcher {
    watcher: RecommendedWatcher,
}

impl SystemWatcher {
    /// Hears of changes at and below `roots`, of all that happens in what is watched.
    ///
    /// `hear` runs on the watcher's thread. It must be quick, and must not call back: the watcher would wait for itself.
    pub(super) fn new(roots: &[PathBuf], hear: impl Fn(Change) + Send + 'static) -> Result<Self, WatchError> {
        let roots = roots.to_vec();
        // Without ACCESS_OPEN and ACCESS_CLOSE_NOWRITE the kernel does not tell us of our own reading.
        let config = Config::default().with_event_kinds(EventKindMask::CORE | EventKindMask::ACCESS_CLOSE);
        let on_event = move |event: notify::Result<Event>| match event {
            // The parent of each is watched too, and what else happens there is no concern of ours.
            Ok(event) => changes(event).filter(|change| change.is_below(&roots)).for_each(&hear),
            // The watcher could not read its events.
            Err(_) => hear(Change::Lost),
        };
        let watcher = RecommendedWatcher::new(on_event, config).map_err(|error| WatchError::new(None, error))?;
        Ok(Self { watcher })
    }

    /// Watches the entries of a directory, or a file under all of its names; the watch is active on return.
    pub(super) fn watch(&mut self, place: &Path) -> Result<(), WatchError> {
        let watched = self.watcher.watch(place, RecursiveMode::NonRecursive);
        watched.map_err(|mut error| {
            if cfg!(windows) {
                error.kind = explained(error.kind, place.exists());
            }
            WatchError::new(Some(place.to_path_buf()), error)
        })
    }

    pub(super) fn unwatch(&mut self, place: &Path) {
        // Fails where it is gone and its watch with it.
        drop(self.watcher.unwatch(place));
    }
}

/// A directory, or a file with several names, can't be watched.
#[derive(Debug)]
pub struct WatchError {
    /// `None` if nothing can be watched.
    place: Option<PathBuf>,
    error: notify::Error,
}

impl WatchError {
    fn new(place: Option<PathBuf>, mut error: notify::Error) -> Self {
        // It would repeat them.
        error.paths.clear();
        Self { place, error }
    }

    /// Whether it isn't there.
    pub(super) fn is_missing(&self) -> bool {
        match &self.error.kind {
            ErrorKind::PathNotFound => true,
            ErrorKind::Io(error) => {
                matches!(
                    error.kind(),
                    // A name that is too long names nothing.
                    std::io::ErrorKind::NotFound
                        | std::io::ErrorKind::NotADirectory
                        | std::io::ErrorKind::InvalidFilename
                )
            }
            _ => false,
        }
    }

    /// What the person at the terminal can do.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        let is_limit = match &self.error.kind {
            ErrorKind::MaxFilesWatch => true,
            // EMFILE: too many watchers, on Linux.
            ErrorKind::Io(error) => cfg!(target_os = "linux") && error.raw_os_error() == Some(24),
            _ => false,
        };
        is_limit.then_some("raise fs.inotify.max_user_watches and fs.inotify.max_user_instances with sysctl")
    }
}

impl fmt::Display for WatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "cannot watch {}", plain(place).display()),
            None => f.write_str("cannot watch any file"),
        }
    }
}

impl Error for WatchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

/// What is wrong with a place on Windows. There, notify has words alone for what is missing, and says of a directory that it can't
/// open, for whatever reason, that it is missing.
fn explained(kind: ErrorKind, is_there: bool) -> ErrorKind {
    match kind {
        ErrorKind::Generic(_) if !is_there => ErrorKind::PathNotFound,
        ErrorKind::PathNotFound if is_there => ErrorKind::Generic("the system does not let us".to_owned()),
        other => other,
    }
}

fn changes(event: Event) -> impl Iterator<Item = Change> {
    // Asked first: an overflow comes without paths.
    let lost = event.need_rescan().then_some(Change::Lost);
    let change = meaning(event.kind);
    let paths = if change.is_some() { event.paths } else { Vec::new() };
    lost.into_iter().chain(paths.into_iter().filter_map(move |path| change.map(|change| change(path))))
}

/// On Linux, the kind of an event can be trusted. Elsewhere events are merged and late, and mean: look there.
fn meaning(kind: EventKind) -> Option<fn(PathBuf) -> Change> {
    let is_exact = cfg!(any(target_os = "linux", target_os = "android"));
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Change::Done),
        EventKind::Access(_) => None,
        EventKind::Modify(ModifyKind::Data(_)) if is_exact => Some(Change::Written),
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) if is_exact => Some(Change::Done),
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) | EventKind::Remove(_) if is_exact => Some(Change::Gone),
        // Follows its own From and To.
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) if is_exact => None,
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => {
            Some(Change::Touched)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::Flag;

    #[cfg(target_os = "linux")]
    #[track_caller]
    fn check(kind: EventKind, expected: &[Change]) {
        let event = Event::new(kind).add_path("/site/a".into());
        assert_eq!(changes(event).collect::<Vec<_>>(), expected);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn events_say_whether_the_file_is_done() {
        use notify::event::CreateKind;
        use notify::event::DataChange;
        use notify::event::MetadataKind;
        use notify::event::RemoveKind;

        let path = || PathBuf::from("/site/a");
        let name = |mode| EventKind::Modify(ModifyKind::Name(mode));
        check(EventKind::Access(AccessKind::Close(AccessMode::Write)), &[Change::Done(path())]);
        check(EventKind::Access(AccessKind::Close(AccessMode::Read)), &[]);
        check(name(RenameMode::To), &[Change::Done(path())]);
        check(name(RenameMode::From), &[Change::Gone(path())]);
        check(name(RenameMode::Both), &[]);
        check(EventKind::Remove(RemoveKind::File), &[Change::Gone(path())]);
        check(EventKind::Create(CreateKind::File), &[Change::Touched(path())]);
        check(EventKind::Modify(ModifyKind::Data(DataChange::Any)), &[Change::Written(path())]);
        check(EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)), &[Change::Touched(path())]);
        check(EventKind::Any, &[Change::Touched(path())]);
    }

    #[test]
    fn on_windows_the_disk_says_what_is_missing() {
        let words = || ErrorKind::Generic("neither a file nor a directory".to_owned());
        for (kind, is_there, is_missing) in [
            (words(), false, true),
            (words(), true, false),
            (ErrorKind::PathNotFound, false, true),
            (ErrorKind::PathNotFound, true, false),
            (ErrorKind::MaxFilesWatch, false, false),
        ] {
            let error = WatchError::new(None, notify::Error::new(explained(kind, is_there)));
            assert_eq!(error.is_missing(), is_missing, "{error:?}");
        }
    }

    #[test]
    fn an_overflow_has_no_path_and_is_not_overlooked() {
        let event = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(changes(event).collect::<Vec<_>>(), [Change::Lost]);
    }
}
