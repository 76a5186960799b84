//! Which files a server writes when it is asked. To ask because of them would go on for ever. Pure.

use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;

/// How often a file changes while the server is asked, and at no other time, until its changes count for nothing.
const OFTEN: u32 = 5;

/// How many files are remembered.
const FILES: usize = 1000;

/// The files that have changed while the server was asked.
#[derive(Debug, Default)]
pub(super) struct Echo {
    files: HashMap<PathBuf, Written>,
    /// How often everything was asked for.
    looks: u64,
}

#[derive(Debug, Default)]
struct Written {
    times: u32,
    /// How often everything had been asked for then.
    looks: u64,
}

/// What a change of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Somebody has saved it.
    Save,
    /// The server has written it, and that was not known before.
    New,
    /// The same once more.
    Echo,
}

impl Echo {
    /// Everything is asked for.
    pub(super) fn looked(&mut self) {
        self.looks += 1;
    }

    /// Judges a change of a file, which has come while the server is asked, or not; and whether everything will be asked for once more
    /// anyway.
    pub(super) fn judge(&mut self, file: &Path, is_asking: bool, is_looked_at: bool) -> Verdict {
        // The server would have written it at the last looks, too. And what would not be looked at any more must not be lost.
        let was_left_alone = |written: &Written| written.looks + 1 < self.looks;
        if !is_asking || (!is_looked_at && self.files.get(file).is_some_and(was_left_alone)) {
            self.files.remove(file);
            return Verdict::Save;
        }
        if self.files.len() >= FILES && !self.files.contains_key(file) {
            self.files.clear();
        }
        let written = self.files.entry(file.to_owned()).or_default();
        *written = Written { times: written.times.saturating_add(1), looks: self.looks };
        match written.times {
            times if times < OFTEN => Verdict::Save,
            OFTEN => Verdict::New,
            _ => Verdict::Echo,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "/app.db";

    #[test]
    fn what_the_server_writes_when_it_is_asked_is_no_save() {
        let mut echo = Echo::default();
        let mut judge = |is_asking| {
            echo.looked();
            echo.judge(Path::new(FILE), is_asking, false)
        };
        let judged = [(); 7].map(|()| judge(true));
        assert_eq!(judged[..4], [Verdict::Save; 4]);
        assert_eq!(judged[4..], [Verdict::New, Verdict::Echo, Verdict::Echo]);
        // Somebody saves it.
        assert_eq!([judge(false), judge(true)], [Verdict::Save, Verdict::Save]);
        for number in 0..10_000 {
            echo.judge(Path::new(&format!("/{number}")), true, false);
        }
        assert!(echo.files.len() <= FILES);
    }

    #[test]
    fn what_is_saved_while_a_page_is_loaded_is_a_save_however_often() {
        let mut echo = Echo::default();
        for _ in 0..100 {
            assert_eq!(echo.judge(Path::new(FILE), true, false), Verdict::Save);
            // Nothing was written at the looks after it.
            (0..7).for_each(|_| echo.looked());
        }
    }
}
