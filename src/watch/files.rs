//! A few files that are no part of a site.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use crate::watch::system::SystemWatcher;
use crate::watch::system::WatchError;

/// Files that belong together are saved one after the other, and are not looked at in between.
const QUIET: Duration = Duration::from_millis(200);

/// A directory in which something happens all the time is looked at all the same.
const LONGEST: Duration = Duration::from_secs(1);

/// Calls `settled` from a thread of its own whenever something has happened in the directories of these files, and in those that
/// they are links to, and it is quiet again. It goes on to the end of the program.
///
/// # Errors
///
/// If the system doesn't watch them.
pub fn follow(files: &[&Path], settled: impl Fn() + Send + 'static) -> Result<(), WatchError> {
    let real = files.iter().filter_map(|file| file.canonicalize().ok());
    let named = files.iter().filter_map(|file| {
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(parent.canonicalize().ok()?.join(file.file_name()?))
    });
    let directories = real.chain(named).filter_map(|file| file.parent().map(Path::to_path_buf));
    let directories = directories.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let (sender, changes) = mpsc::channel();
    // Nobody hears of changes that come after the end, and nobody needs to.
    let mut watcher = SystemWatcher::new(&directories, move |_| sender.send(()).unwrap_or_default())?;
    directories.iter().try_for_each(|directory| watcher.watch(directory))?;
    let run = move || {
        let _watcher = watcher;
        while changes.recv().is_ok() {
            let end = Instant::now() + LONGEST;
            while Instant::now() < end && changes.recv_timeout(QUIET).is_ok() {}
            settled();
        }
    };
    // Without a thread, the files stay as they were read.
    drop(thread::Builder::new().name("certificate".into()).spawn(run));
    Ok(())
}
