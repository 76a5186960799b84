//! Pages that a program renders: nobody but the program knows when one of them is another.

use std::collections::HashMap;
use std::collections::HashSet;
use std::process;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::SystemTime;

use crate::content::Version;
use crate::site::SitePath;
use crate::source::file::ReadError;
use crate::source::found::Fetched;
use crate::source::found::Found;
use crate::source::look::Source;

/// How many pages are known to be rendered. Of others it is known where no file has the same name.
const KNOWN: usize = 10_000;

/// How many pages are known to have changed. After more than that, all of them count as changed.
const CHANGED: usize = 10_000;

/// The versions of rendered pages. They say nothing of what is in the pages: a page has another version when the program
/// says that it has changed, or is another program.
#[derive(Debug)]
pub struct Rendered {
    /// When this program began, and which one it is.
    start: String,
    state: Mutex<State>,
}

/// Pages are known by hashes of their paths, which browsers may choose as long as they like.
#[derive(Debug, Default)]
struct State {
    /// How often all of them have changed.
    all: u64,
    /// How often each has changed since then.
    changes: HashMap<u64, u64>,
    /// Which pages were rendered.
    known: HashSet<u64>,
}

impl Default for Rendered {
    fn default() -> Self {
        let start = format!("{:?} {}", SystemTime::now(), process::id());
        Self { start, state: Mutex::default() }
    }
}

impl Rendered {
    /// The version of a page now.
    #[must_use]
    pub fn version(&self, page: &SitePath) -> Version {
        let state = self.state();
        let changes = state.changes.get(&hash(page)).copied().unwrap_or_default();
        Version::of(format!("{} {} {changes} {page}", self.start, state.all).as_bytes())
    }

    /// A handler renders this page.
    pub fn note(&self, page: &SitePath) {
        let known = &mut self.state().known;
        if known.len() < KNOWN {
            known.insert(hash(page));
        }
    }

    fn is_known(&self, page: &SitePath) -> bool {
        self.state().known.contains(&hash(page))
    }

    /// The page is another one from now on.
    pub fn change(&self, page: &SitePath) {
        let mut state = self.state();
        if state.changes.len() >= CHANGED && !state.changes.contains_key(&hash(page)) {
            state.changes.clear();
            state.all += 1;
        }
        *state.changes.entry(hash(page)).or_default() += 1;
    }

    /// No code panics while it holds this lock, so a poisoned lock is still whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Rendered {
    fn find(&self, page: &SitePath) -> Result<Found, ReadError> {
        Ok(Found::Unread(self.version(page)))
    }

    /// A handler sends it, or nobody does.
    fn fetch(&self, _: &SitePath) -> Result<Fetched, ReadError> {
        Err(ReadError::Missing)
    }
}

/// Enough to tell pages apart.
fn hash(page: &SitePath) -> u64 {
    Version::of(page.as_str().as_bytes()).short()
}

/// The pages that were rendered. They come before files: at `/`, there is always a directory, too.
#[derive(Debug)]
pub struct KnownPages(pub Arc<Rendered>);

impl Source for KnownPages {
    fn find(&self, page: &SitePath) -> Result<Found, ReadError> {
        if self.0.is_known(page) { self.0.find(page) } else { Err(ReadError::Missing) }
    }

    fn fetch(&self, page: &SitePath) -> Result<Fetched, ReadError> {
        self.0.fetch(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_another_one_when_it_is_said() {
        let rendered = Rendered::default();
        let [a, b] = ["/a", "/b"].map(|url| SitePath::from_url(url).unwrap());
        let before = [rendered.version(&a), rendered.version(&b)];
        rendered.change(&a);
        let after = [rendered.version(&a), rendered.version(&b)];
        assert!(before[0] != after[0] && before[1] == after[1]);
        // However many change, no more of them are kept, and none is forgotten.
        for number in 0..=CHANGED {
            rendered.change(&SitePath::from_url(&format!("/{number}")).unwrap());
        }
        assert!(rendered.state().changes.len() <= CHANGED);
        assert!(rendered.version(&a) != after[0]);
        assert_ne!(Rendered::default().version(&b), before[1], "it is another program");
    }
}
