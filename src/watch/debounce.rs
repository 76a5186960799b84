//! When is a changed file done? Marks go in, looks come out. Pure: the clock is passed in.

use std::collections::HashMap;
use std::time::Duration;
use std::time::Instant;

use crate::site::SitePath;

/// How long a file that is being written must be quiet, where the system can't say that the writer is done. Longer than
/// the pauses of a program that writes in pieces, too short to be felt.
const QUIET: Duration = Duration::from_millis(50);

/// How long a writer that never pauses can delay a look.
const CAP: Duration = Duration::from_millis(500);

/// How long bad news is held back: longer than editors take between removing and creating a file, and than generators
/// leave a file empty (175 ms were seen), shorter than a person needs to look from the editor to the page.
const DOUBT: Duration = Duration::from_millis(200);

/// How long a writer that goes on can hold back the news that the file is broken.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a look can be put off. Longer than the system takes to tell of a write, also when the machine is busy.
const LATE: Duration = Duration::from_millis(10);

/// How often a file that is followed line by line is looked at while it is being written.
const HASTE: Duration = Duration::from_millis(5);

/// What a change says about whether the file is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Closed by its writer, or renamed into place: look now.
    Done,
    /// Written to: look when it is quiet.
    Written,
    /// Something else was done to it, such as a link or a `chmod`: the same, but it is no part of a save.
    Touched,
    /// Removed, or renamed away: perhaps only for a moment.
    Gone,
    /// Looked at, and found to be what a save in progress looks like.
    Doubted,
    /// Somebody wants to know what is there; nothing has happened to it.
    Asked,
}

/// What has happened to a file since it was time to look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// Nothing.
    Nothing,
    /// It was written to.
    Written,
    /// It was written to or replaced, and that is done: the next look follows at once.
    Done,
}

/// Why it is time to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The writer is done.
    Done,
    /// It is quiet, although nobody has said that the writer is done.
    Quiet,
    /// Somebody wants to know. A change may be on its way.
    Asked,
    /// What was doubtful is so still. What this look finds is true.
    Again,
    /// It is followed line by line, and the writer may not be done.
    Haste,
}

/// A place to look at now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The file or directory.
    pub path: SitePath,
    /// Why now.
    pub reason: Reason,
    /// Whether it was found before what a save in progress looks like, and is being written to.
    pub is_doubted: bool,
    /// Whether it was written to, and nobody has said since then that this is done.
    pub is_written: bool,
    /// When the system told of the first change since the look before.
    pub changed: Instant,
}

/// The paths that wait to be looked at.
#[derive(Debug, Default)]
pub(super) struct Debouncer {
    waiting: HashMap<SitePath, Wait>,
    /// What is followed line by line, by how many, and when it was looked at last.
    hasty: HashMap<SitePath, (usize, Option<Instant>)>,
}

#[derive(Debug, Default)]
struct Wait {
    /// When the first change was since the last look.
    changed: Option<Instant>,
    /// When it was done.
    done: Option<Instant>,
    /// When it was first touched since then, and when it is quiet.
    touched: Option<Instant>,
    /// Whether it was written to since then.
    is_written: bool,
    quiet: Option<Instant>,
    /// When it is looked at, although it may not be done.
    hasty: Option<Instant>,
    /// When somebody wanted to know.
    asked: Option<Instant>,
    /// When it is true that it is gone.
    gone: Option<Instant>,
    /// When it was first found broken, and when that is true.
    doubted: Option<Instant>,
    broken: Option<Instant>,
}

impl Debouncer {
    /// A change of `path` was seen at `now`.
    pub(super) fn note(&mut self, path: SitePath, mark: Mark, now: Instant) {
        let hasty = self.hasty.get(&path).map(|(_, last)| last.map_or(now, |last| (last + HASTE).max(now)));
        let wait = self.waiting.entry(path).or_default();
        if !matches!(mark, Mark::Doubted | Mark::Asked) {
            wait.changed.get_or_insert(now);
        }
        match mark {
            Mark::Done => {
                wait.done = Some(now);
                (wait.touched, wait.quiet, wait.gone) = (None, None, None);
                wait.is_written = false;
            }
            // What is done stays done: a `chmod` follows many saves, and must not delay them.
            Mark::Written | Mark::Touched => {
                wait.is_written |= mark == Mark::Written;
                let first = *wait.touched.get_or_insert(now);
                wait.quiet = Some((now + QUIET).min(first + CAP));
                wait.gone = None;
                wait.hasty = wait.hasty.or(hasty);
                // As long as somebody writes, it is no wonder that it isn't whole.
                wait.broken = wait.doubted.map(|first| (now + DOUBT).min(first + PATIENCE));
            }
            // Further doubts do not postpone the second look.
            Mark::Gone => drop(wait.gone.get_or_insert(now + DOUBT)),
            Mark::Doubted => {
                wait.doubted.get_or_insert(now);
                wait.broken.get_or_insert(now + DOUBT);
            }
            // In the midst of a save it is too early; there will be a look anyway.
            Mark::Asked if wait.touched.is_none() && wait.gone.is_none() => drop(wait.asked.get_or_insert(now)),
            Mark::Asked => wait.hasty = wait.hasty.or(hasty),
        }
    }

    /// Puts off the look at what is done.
    pub(super) fn put_off(&mut self, path: SitePath, now: Instant) {
        let wait = self.waiting.entry(path).or_default();
        wait.done.get_or_insert(now + LATE);
    }

    /// Looks at what is followed line by line at this time, whether something happens to it or not.
    pub(super) fn look_later(&mut self, path: &SitePath, at: Instant) {
        if self.hasty.contains_key(path) {
            self.waiting.entry(path.clone()).or_default().hasty.get_or_insert(at);
        }
    }

    /// What is waited for began with a change at this time.
    pub(super) fn remember(&mut self, path: &SitePath, changed: Instant) {
        if let Some(wait) = self.waiting.get_mut(path) {
            wait.changed = Some(wait.changed.map_or(changed, |first| first.min(changed)));
        }
    }

    /// Good news came: there is no second look.
    pub(super) fn trust(&mut self, path: &SitePath) {
        if let Some(wait) = self.waiting.get_mut(path) {
            (wait.doubted, wait.broken) = (None, None);
            if wait.is_over() {
                self.waiting.remove(path);
            }
        }
    }

    /// Nobody follows `path` any more.
    pub(super) fn forget(&mut self, path: &SitePath) {
        self.waiting.remove(path);
    }

    /// What is to be looked at by now.
    pub(super) fn take(&mut self, now: Instant) -> Vec<Look> {
        let mut batch = Vec::new();
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        self.waiting.retain(|path, wait| {
            let again = is_due(wait.gone) || is_due(wait.broken);
            let quiet = is_due(wait.quiet);
            let reason = if again {
                Some(Reason::Again)
            } else if is_due(wait.done) {
                Some(Reason::Done)
            } else if quiet {
                Some(Reason::Quiet)
            } else if is_due(wait.asked) {
                Some(Reason::Asked)
            } else {
                is_due(wait.hasty).then_some(Reason::Haste)
            };
            if let Some(reason) = reason {
                let changed = wait.changed.unwrap_or(now).min(now);
                let (is_doubted, is_written) = (wait.doubted.is_some(), wait.is_written);
                batch.push(Look { path: path.clone(), reason, is_doubted, is_written, changed });
                wait.hasty = None;
                if reason != Reason::Haste {
                    (wait.changed, wait.done, wait.asked) = (None, None, None);
                }
            }
            if again {
                (wait.gone, wait.doubted, wait.broken) = (None, None, None);
            }
            if again || quiet {
                (wait.touched, wait.quiet) = (None, None);
                wait.is_written = false;
            }
            !wait.is_over()
        });
        for Look { path, .. } in &batch {
            if let Some((_, last)) = self.hasty.get_mut(path) {
                *last = Some(now);
            }
        }
        batch
    }

    /// What has happened to `path` since it was taken.
    pub(super) fn since(&self, path: &SitePath) -> Since {
        match self.waiting.get(path) {
            Some(wait) if wait.done.is_some() => Since::Done,
            Some(wait) if wait.is_written => Since::Written,
            _ => Since::Nothing,
        }
    }

    /// One more follows `path` line by line.
    pub(super) fn hasten(&mut self, path: SitePath) {
        self.hasty.entry(path).or_default().0 += 1;
    }

    /// One less does.
    pub(super) fn slow_down(&mut self, path: &SitePath) {
        let Some((count, _)) = self.hasty.get_mut(path) else { return };
        *count -= 1;
        if *count == 0 {
            self.hasty.remove(path);
        }
    }

    /// When there will be something to take; `None` while nothing waits.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.values().flat_map(Wait::times).flatten().min()
    }
}

impl Wait {
    fn times(&self) -> [Option<Instant>; 6] {
        [self.done, self.quiet, self.hasty, self.asked, self.gone, self.broken]
    }

    fn is_over(&self) -> bool {
        self.times().iter().all(Option::is_none)
    }
}

#[cfg(test)]
mod tests;
