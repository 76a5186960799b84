//! An instance without a directory: what stands at a place, an origin tells. A source like others.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use tokio::sync::Notify;

use crate::content::Version;
use crate::content::listing::Entry;
use crate::relay::document::Contents;
use crate::relay::document::Document;
use crate::relay::document::News;
use crate::relay::documents::Known;
use crate::relay::documents::OriginName;
use crate::relay::places::Places;
use crate::site::SitePath;
use crate::site::resolve::Standing;
use crate::site::rules;
use crate::source::Fetched;
use crate::source::FileContent;
use crate::source::Found;
use crate::source::ReadError;
use crate::source::RuleFiles;
use crate::source::look::Source;

/// How long an answer of the origin is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// The page for what is missing.
const NOT_FOUND: &str = "404.html";

/// Hears that something else stands at a place that somebody follows.
pub(crate) type Changed = Box<dyn Fn(SitePath) + Send + Sync>;

/// An edge. It is cheap to clone, and all clones are the same one.
#[derive(Clone)]
pub struct Edge(Arc<Shared>);

struct Shared {
    /// There is something to ask.
    wake: Arc<Notify>,
    rules: Arc<RuleFiles>,
    changed: Changed,
    state: Mutex<Places>,
    /// Something is known, or nothing will be for some time.
    known: Condvar,
}

impl Edge {
    pub(super) fn new(wake: Arc<Notify>, rules: Arc<RuleFiles>, changed: Changed) -> Self {
        let mut state = Places::default();
        for file in rules::FILES {
            if let Some(file) = SitePath::from_url(file) {
                state.want(&file, true);
            }
        }
        Self(Arc::new(Shared { wake, rules, changed, state: Mutex::new(state), known: Condvar::new() }))
    }

    /// The places that are to be asked for, and those that are not wanted any more.
    pub(super) fn take(&self) -> (BTreeSet<SitePath>, BTreeSet<SitePath>) {
        self.state().take()
    }

    /// Everything is to be asked for, on a new connection or by one who has forgotten it.
    pub(super) fn ask_all(&self) {
        self.state().ask_all();
    }

    /// These were not answered. Those that are still wanted are asked for once more.
    pub(super) fn ask_again(&self, places: BTreeSet<SitePath>) {
        let state = &mut *self.state();
        state.asked.extend(places.into_iter().filter(|place| state.wanted.contains_key(place)));
    }

    /// The connection is lost.
    pub(super) fn lose(&self) {
        self.state().lose();
    }

    /// The version that is known of a place.
    pub(super) fn version(&self, path: &SitePath) -> Option<String> {
        let state = self.state();
        let place = state.wanted.get(path)?;
        place.document.as_ref().or(place.rumour.as_ref()).map(|document| document.version.to_string())
    }

    /// Redis knows this of a place.
    pub(super) fn found(&self, path: &SitePath, known: Known) {
        let mut state = self.state();
        let Some(place) = state.wanted.get_mut(path) else { return };
        if known.number < place.number {
            return;
        }
        if !known.is_current {
            place.rumour = known.document.or(place.rumour.take());
            let is_new = place.document.is_none() && place.rumour.is_some();
            let is_wanted = is_new && place.is_followed && state.away.is_some();
            drop(state);
            self.0.known.notify_all();
            if is_wanted {
                (self.0.changed)(path.clone());
            }
            return;
        }
        // What Redis has is what was named: what is known, or else what was only heard.
        let document = match (&place.document, known.document) {
            (None, None) => place.rumour.take(),
            (_, document) => document,
        };
        self.believe(state, path, known.number, document);
    }

    /// An origin tells of a place. Returns whether it has to be asked for what stands there.
    pub(super) fn hear(&self, path: &SitePath, news: News) -> bool {
        let mut state = self.state();
        let Some(place) = state.wanted.get_mut(path) else { return false };
        match news {
            News::Nothing => {
                place.is_nothing = place.document.is_none();
                drop(state);
                self.0.known.notify_all();
                false
            }
            News::Document(number, _) if number <= place.number => false,
            News::Document(_, None) => {
                state.asked.insert(path.clone());
                true
            }
            News::Document(number, document) => {
                self.believe(state, path, number, document);
                false
            }
        }
    }

    /// This stands at a place, or what was known does so still.
    fn believe(&self, mut guard: MutexGuard<'_, Places>, path: &SitePath, number: u64, document: Option<Document>) {
        let state = &mut *guard;
        let Some(place) = state.wanted.get_mut(path) else { return };
        place.number = number;
        place.rumour = None;
        let is_first = place.document.is_none();
        let is_news = document.is_some() && place.document != document;
        place.document = document.or(place.document.take());
        let is_followed = place.is_followed;
        let rules = if is_news { place.document.clone().filter(|_| rules::is_rules(path)) } else { None };
        if is_news && !is_followed {
            state.make_room(path);
        }
        drop(guard);
        // They are read without the lock.
        self.tell_rules(path, rules.as_ref());
        self.0.known.notify_all();
        if is_followed && (is_news || is_first) {
            (self.0.changed)(path.clone());
        }
    }

    /// Something may have become of the rules. What can't be read leaves them as they are.
    fn tell_rules(&self, path: &SitePath, document: Option<&Document>) {
        let Some(at) = rules::FILES.iter().position(|file| *file == path.as_str()) else { return };
        match document.map(|document| &document.contents) {
            Some(Contents::File(bytes, _)) => self.0.rules.told(at, Some(bytes.as_ref())),
            Some(Contents::Missing) => self.0.rules.told(at, None),
            Some(Contents::Listing(_) | Contents::Large(_) | Contents::Unreadable(_)) => self.0.rules.not_told(at),
            None => {}
        }
    }

    /// Who is the origin, or why nobody answers. Returns whether that is another thing than before.
    pub(super) fn set_origin(&self, origin: Result<OriginName, &'static str>) -> bool {
        let mut state = self.state();
        let (origin, away) = match origin {
            Ok(origin) => (Some(origin), None),
            // Its address may be good for what is large.
            Err(why) => (state.origin.take(), Some(why)),
        };
        state.origin = origin;
        let is_other = state.away != away;
        state.away = away;
        if !is_other || away.is_none() {
            return is_other;
        }
        let rumoured = state.wanted.iter().filter(|(_, place)| place.is_followed && place.document.is_none());
        let rumoured = rumoured.map(|(path, place)| (path.clone(), place.rumour.clone())).collect::<Vec<_>>();
        drop(state);
        for (path, rumour) in rumoured {
            match (&rumour, rules::FILES.iter().position(|file| *file == path.as_str())) {
                // Nobody will say for some time.
                (None, Some(at)) => self.0.rules.not_told(at),
                _ => self.tell_rules(&path, rumour.as_ref()),
            }
            if rumour.is_some() {
                (self.0.changed)(path);
            }
        }
        self.0.known.notify_all();
        true
    }

    /// Why nobody answers, if nobody does.
    pub(crate) fn away(&self) -> Option<&'static str> {
        self.state().away
    }

    /// Whether some content has ever come.
    pub(crate) fn has_begun(&self) -> bool {
        self.state().wanted.values().any(|place| place.document.is_some())
    }

    /// The URL of the origin, if it has told one.
    pub(crate) fn origin(&self) -> Option<String> {
        self.state().origin.as_ref().and_then(|origin| origin.address.clone())
    }

    /// From time to time: what nobody asks for any more is not wanted, and who has not answered is asked again. Returns whether there
    /// is something to do.
    pub(super) fn tidy(&self) -> bool {
        self.state().tidy(Instant::now())
    }

    /// What stands there. Waits for the origin, and not for longer than it answers at all.
    fn get(&self, path: &SitePath) -> Result<Document, ReadError> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.state();
        if !state.wanted.contains_key(path) {
            // What is asked for next if nothing is there comes with the same answer.
            let not_found = SitePath::root().file(NOT_FOUND);
            for next in path.page().into_iter().chain(not_found).chain([path.as_directory()]) {
                state.want(&next, false);
            }
        }
        loop {
            if state.want(path, false).is_none() {
                return Err(ReadError::Away("too many files are in use".into()));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if let Some(document) = state.best(path, left.is_zero()) {
                return Ok(document.clone());
            }
            if state.wanted.get(path).is_some_and(|place| place.is_nothing && place.document.is_none()) {
                return Ok(Document { version: Version::ABSENT, contents: Contents::Missing });
            }
            if !state.asked.is_empty() {
                self.0.wake.notify_one();
            }
            if let Some(why) = state.away.or(left.is_zero().then_some("the origin does not answer")) {
                return Err(ReadError::Away(why.into()));
            }
            (state, _) = self.0.known.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn is_directory_without_slash(&self, place: &SitePath) -> Result<bool, ReadError> {
        let is_listing = |document: Document| matches!(document.contents, Contents::Listing(_));
        Ok(!place.is_directory() && self.get(&place.as_directory()).map(is_listing)?)
    }

    /// No code panics while it holds this lock, so a poisoned lock is still whole.
    fn state(&self) -> MutexGuard<'_, Places> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Edge {
    fn find(&self, place: &SitePath) -> Result<Found, ReadError> {
        let state = self.state();
        if !state.wanted.contains_key(place) {
            return Ok(Found::Away("too many files are in use".into()));
        }
        let Some(Document { version, contents }) = state.best(place, false).cloned() else { return Ok(Found::Unknown) };
        match contents {
            Contents::File(bytes, modified) => Ok(Found::File(FileContent { bytes, modified, is_whole: true })),
            Contents::Listing(_) => Ok(Found::Directory),
            Contents::Large(size) => Ok(Found::Large(size, version)),
            Contents::Unreadable(why) => Ok(Found::Away(why)),
            Contents::Missing => Err(ReadError::Missing),
        }
    }

    fn fetch(&self, place: &SitePath) -> Result<Fetched, ReadError> {
        match self.get(place)?.contents {
            Contents::File(bytes, modified) => Ok(Fetched::File(FileContent { bytes, modified, is_whole: true })),
            Contents::Listing(_) => Ok(Fetched::Directory),
            Contents::Large(_) => Ok(Fetched::Elsewhere),
            Contents::Unreadable(why) => Err(ReadError::Unreadable(io::Error::other(why))),
            // Asked for without the slash at its end, a directory is found all the same.
            Contents::Missing if self.is_directory_without_slash(place)? => Ok(Fetched::Directory),
            Contents::Missing => Err(ReadError::Missing),
        }
    }

    fn find_now(&self, place: &SitePath) -> Option<FileContent> {
        let state = &mut *self.state();
        let known = state.wanted.get_mut(place)?;
        known.used = Instant::now();
        match &known.document.as_ref()?.contents {
            Contents::File(bytes, modified) => {
                Some(FileContent { bytes: bytes.clone(), modified: *modified, is_whole: true })
            }
            _ => None,
        }
    }

    fn standing(&self, place: &SitePath) -> Standing {
        match self.fetch(place) {
            Ok(Fetched::Directory) => Standing::Directory,
            Err(ReadError::Missing | ReadError::Outside) => Standing::Missing,
            // What is not known now may be there.
            Ok(Fetched::File(_) | Fetched::Large(_) | Fetched::Elsewhere)
            | Err(ReadError::Unreadable(_) | ReadError::Away(_)) => Standing::File,
        }
    }

    /// The origin has seen to that.
    fn has_settled(&self) -> bool {
        true
    }

    fn entries(&self, directory: &SitePath) -> Result<Vec<Entry>, ReadError> {
        match self.get(directory)?.contents {
            Contents::Listing(entries) => Ok(entries),
            _ => Err(ReadError::Missing),
        }
    }

    fn begin(&self, place: &SitePath) {
        let mut state = self.state();
        let is_known = state.want(place, true).map(|place| place.document.is_some());
        if is_known.is_none() {
            // When there is room again, it is asked for.
            state.refused.insert(place.clone());
        }
        drop(state);
        let is_known = is_known.unwrap_or(true);
        if !is_known {
            self.0.wake.notify_one();
        }
    }

    fn end(&self, place: &SitePath) {
        // The rules are always followed.
        if !rules::FILES.contains(&place.as_str()) {
            self.state().unfollow(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &'static str) -> Document {
        let contents = Contents::File(text.into(), None);
        Document { version: Version::of(text.as_bytes()), contents }
    }

    fn text(edge: &Edge, path: &SitePath) -> Option<Vec<u8>> {
        edge.find_now(path).map(|content| content.bytes.to_vec())
    }

    #[test]
    fn what_is_known_is_not_replaced_by_what_was_only_heard() {
        let rules = Arc::new(RuleFiles::elsewhere(Box::new(|_, _| {})));
        let edge = Edge::new(Arc::default(), rules, Box::new(|_| {}));
        let path = SitePath::from_url("/a").unwrap();
        edge.begin(&path);
        let known = |is_current, number, document| Known { is_current, number, document };
        // Heard, and then found to be so still.
        edge.found(&path, known(false, 1, Some(document("0"))));
        assert_eq!(text(&edge, &path), None);
        edge.found(&path, known(true, 2, None));
        assert_eq!(text(&edge, &path), Some(b"0".to_vec()));
        assert!(!edge.hear(&path, News::Document(3, Some(document("1")))));
        assert!(!edge.hear(&path, News::Document(2, Some(document("0")))));
        // Redis comes back with what it had before, and hears from the origin only then.
        edge.ask_all();
        edge.found(&path, known(false, 1, Some(document("0"))));
        edge.found(&path, known(true, 4, None));
        assert_eq!(text(&edge, &path), Some(b"1".to_vec()));
        assert!(edge.hear(&path, News::Document(5, None)));
    }
}
