//! A few files that are no part of a site.

use std::collections::BTreeSet;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::path::absolute;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use crate::watch::route::LINKS;
use crate::watch::spelling::IS_FREE;
use crate::watch::spelling::is_same;
use crate::watch::system::Change;
use crate::watch::system::SystemWatcher;
use crate::watch::system::WatchError;

/// Files that belong together are saved one after the other, and are not looked at in between.
const QUIET: Duration = Duration::from_millis(200);

/// Files that are saved all the time are looked at all the same.
const LONGEST: Duration = Duration::from_secs(1);

/// Calls `settled` from a thread of its own whenever something has happened to these files, or on the way to them, and it is quiet
/// again. It goes on to the end of the program.
///
/// # Errors
///
/// If the system doesn't watch them.
pub fn follow(files: &[&Path], settled: impl Fn() + Send + 'static) -> Result<(), WatchError> {
    let files = files.iter().map(|file| file.to_path_buf()).collect::<Vec<_>>();
    let (sender, changes) = mpsc::channel();
    // Anything on the way counts, wherever it is. Nobody hears of changes that come after the end, and nobody needs to.
    let everywhere = [PathBuf::new()];
    let mut watcher = SystemWatcher::new(&everywhere, move |change| sender.send(change).unwrap_or_default())?;
    let mut places = all_ways(&files);
    let mut telling = directories(&places);
    telling.iter().try_for_each(|directory| watcher.watch(directory))?;
    let run = move || {
        while let Ok(change) = changes.recv() {
            if !concerns(&change, &places) {
                continue;
            }
            let end = Instant::now() + LONGEST;
            while Instant::now() < end && changes.recv_timeout(QUIET).is_ok() {}
            // The way may lead elsewhere now. Watched before it is read, so that nothing is lost in between; and anew, because
            // another directory may have taken the place of one.
            telling.iter().for_each(|directory| watcher.unwatch(directory));
            places = all_ways(&files);
            telling = directories(&places);
            // What is missing is told by what it is missing in.
            telling.iter().for_each(|directory| watcher.watch(directory).unwrap_or_default());
            settled();
        }
    };
    // Without a thread, the files stay as they were read.
    drop(thread::Builder::new().name("certificate".into()).spawn(run));
    Ok(())
}

fn concerns(change: &Change, places: &BTreeSet<PathBuf>) -> bool {
    match change {
        Change::Done(place) | Change::Written(place) | Change::Touched(place) | Change::Gone(place) => {
            places.contains(place) || IS_FREE && places.iter().any(|other| is_same(place, other))
        }
        Change::Lost => true,
    }
}

fn all_ways(files: &[PathBuf]) -> BTreeSet<PathBuf> {
    files.iter().flat_map(|file| way(file)).collect()
}

/// The directories that tell of these places.
fn directories(places: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    places.iter().filter_map(|place| place.parent()).filter(|parent| parent.is_dir()).map(Path::to_path_buf).collect()
}

/// All that is looked up on the way to a file: directories, links, and the file itself.
fn way(file: &Path) -> BTreeSet<PathBuf> {
    let mut places = BTreeSet::new();
    let mut path = absolute(file).unwrap_or_else(|_| file.to_path_buf());
    for _ in 0..LINKS {
        path = without_dots(&path);
        let ancestors = path.ancestors().collect::<Vec<_>>();
        let mut link = None;
        for place in ancestors.into_iter().rev() {
            places.insert(place.to_path_buf());
            if let (Ok(target), Some(parent), Ok(rest)) = (place.read_link(), place.parent(), path.strip_prefix(place))
            {
                // A root of its own replaces what is before it.
                link = Some(parent.join(target).join(rest));
                break;
            }
        }
        match link {
            Some(next) => path = next,
            None => break,
        }
    }
    places
}

/// The same without `.` and `..`: there are no links before them.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    plain
}
