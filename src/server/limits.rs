//! Shares what the system allows this process to have open.

/// How many files and connections may be open at once, after asking for as many as can be had: many systems allow 1,024 unless
/// asked for more, and every stream is one.
#[cfg(unix)]
pub(super) fn file_limit() -> Option<u64> {
    use rustix::process::Resource;
    use rustix::process::getrlimit;
    use rustix::process::setrlimit;
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Without it there is room for fewer streams.
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current
}

#[cfg(not(unix))]
pub(super) fn file_limit() -> Option<u64> {
    None
}

/// What the server itself has open: standard streams, watcher, signals.
const OWN_FILES: usize = 16;

/// What each of its threads has open: its poll, its events, the socket that accepts.
const WORKER_FILES: usize = 6;

/// How many files are read at once, at most, apart from those that are sent. They are open for a moment.
const READ_FILES: usize = 512;

/// Shares the open files that are allowed: how many connections each worker may have, of which each takes so many files, and how many
/// of the answers may be large files on their way. What is left is for looking at files, so that a crowd of connections can't keep listeners from
/// hearing of saves.
pub(super) fn share_files(limit: Option<u64>, workers: usize, files: usize) -> (usize, usize) {
    // More connections than anybody has ports for.
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(1 << 20).min(1 << 20);
    let free = limit.saturating_sub(OWN_FILES + workers * WORKER_FILES);
    let reserve = (free / 4).min(READ_FILES);
    let downloads = (free / 4).min(READ_FILES);
    (((free - reserve - downloads) / files / workers).max(1), downloads.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_left_for_looking_at_files() {
        for (limit, workers, expected) in [
            (Some(64), 2, (9, 9)),
            (Some(1024), 2, (249, 249)),
            (Some(1024), 16, (28, 228)),
            (Some(20_000), 2, (9474, 512)),
            (Some(20), 2, (1, 1)),
        ] {
            assert_eq!(share_files(limit, workers, 1), expected, "{limit:?}");
        }
        assert_eq!(share_files(Some(1024), 2, 2), (124, 249));
        let (connections, _) = share_files(None, 4, 1);
        assert!(connections > 200_000);
    }
}
