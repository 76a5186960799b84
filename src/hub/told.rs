//! An update, with what was made of it for those who follow a part of it.

use std::ops::Range;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use bytes::Bytes;

use crate::change::News;
use crate::change::Update;
use crate::change::Version;
use crate::change::listing::Entry;
use crate::change::patch;
use crate::change::pointer;
use crate::change::pointer::Pointer;
use crate::hub::Audience;
use crate::hub::needs::Needed;

/// The texts of the values of a document that are kept for those who come later: at most so many times the document, and
/// always this much in bytes. What is beyond that is written again for each listener.
const KEPT: (usize, usize) = (2, 64 << 10);

/// An update with what was made of it, which all its listeners share.
#[derive(Debug)]
pub struct Told {
    /// What happened.
    pub update: Update,
    texts: [OnceLock<Bytes>; 4],
    /// What pointers lead to. Those who come later may bring others.
    values: Mutex<Arc<Values>>,
    patch: Option<(Version, String)>,
    source: OnceLock<Source>,
}

/// What an update is of, for those who are answered with it. It is kept while it is the latest one and somebody needs it.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file as it is on disk, and when it was modified.
    File(Bytes, Option<SystemTime>),
    /// The entries of a directory.
    Listing(Vec<Entry>),
}

#[derive(Debug, Default)]
struct Values {
    pointers: Arc<[Arc<Pointer>]>,
    found: Vec<Arc<Found>>,
    kept: AtomicUsize,
}

/// One value of a document.
#[derive(Debug)]
struct Found {
    place: Option<Range<usize>>,
    version: Version,
    texts: [OnceLock<Bytes>; 2],
}

/// One value of a document, for those who follow it.
#[derive(Debug)]
pub struct Value<'a> {
    line: &'a str,
    values: Arc<Values>,
    place: usize,
}

impl Told {
    /// Finds all that is needed, in one pass for each; `before` is the update before.
    pub(super) fn new(update: Update, before: Option<&Self>, needed: &Needed) -> Self {
        let line = document(&update);
        let values = line.map(|line| Values::find(line, needed, &Values::default())).unwrap_or_default();
        // If it is clearly smaller: at most three quarters.
        let patch = before.filter(|_| needed.patch).and_then(|before| {
            let (old, new) = (document(&before.update)?, line?);
            Some((before.update.version, patch::patch(old, new, new.len() / 4 * 3)?))
        });
        Self { texts: Default::default(), values: Mutex::new(Arc::new(values)), patch, source: OnceLock::new(), update }
    }

    /// What it is of, if that is known: of what was not read it is not.
    #[must_use]
    pub fn source(&self) -> Option<&Source> {
        self.source.get()
    }

    pub(super) fn set_source(&self, source: Option<Source>) {
        // What is there already is the same.
        source.into_iter().for_each(|source| drop(self.source.set(source)));
    }

    /// Finds what was not needed until now.
    pub(super) fn find(&self, needed: &Needed) {
        let Some(line) = document(&self.update) else { return };
        let known = self.values();
        if !Arc::ptr_eq(&known.pointers, &needed.pointers) {
            let values = Arc::new(Values::find(line, needed, &known));
            *self.values.lock().unwrap_or_else(PoisonError::into_inner) = values;
        }
    }

    /// The text for this audience; `write` is called for the first listener only.
    pub fn text(&self, audience: Audience, write: impl FnOnce(&Update) -> Bytes) -> Bytes {
        self.texts[audience as usize].get_or_init(|| write(&self.update)).clone()
    }

    /// One value of the document, if it is one.
    #[must_use]
    pub fn value(&self, pointer: &Pointer) -> Option<Value<'_>> {
        let line = document(&self.update)?;
        let values = self.values();
        let place = values.pointers.binary_search_by(|other| (**other).cmp(pointer));
        // Whoever follows a value is told of no look that does not know of it.
        place.ok().map(|place| Value { line, values, place })
    }

    /// The JSON Patch that makes this document out of the one of the version before, if somebody needs it and it is
    /// clearly smaller.
    #[must_use]
    pub fn patch(&self) -> Option<(Version, &str)> {
        self.patch.as_ref().map(|(version, patch)| (*version, patch.as_str()))
    }

    fn values(&self) -> Arc<Values> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn document(update: &Update) -> Option<&str> {
    match &update.news {
        News::Document(line) => Some(line),
        _ => None,
    }
}

impl Values {
    /// Finds all that are needed, in one pass; what is `known` of this line already is taken over.
    fn find(line: &str, needed: &Needed, known: &Self) -> Self {
        let pointers = needed.pointers.clone();
        let mut known_ones = known.pointers.iter().zip(&known.found).peekable();
        // Both are sorted.
        let mut take = |pointer: &Arc<Pointer>| {
            while known_ones.next_if(|(other, _)| !Arc::ptr_eq(other, pointer) && *other < pointer).is_some() {}
            known_ones.next_if(|(other, _)| *other == pointer).map(|(_, found)| found.clone())
        };
        let mut found = pointers.iter().map(&mut take).collect::<Vec<_>>();
        let is_missing = |(pointer, found): (&Arc<Pointer>, &Option<_>)| found.is_none().then(|| pointer.clone());
        let missing = pointers.iter().zip(&found).filter_map(is_missing).collect::<Vec<_>>();
        if !missing.is_empty() {
            let mut places = pointer::find(line, &missing).into_iter();
            let find = |found: &mut Option<_>| *found = places.next().map(|place| Arc::new(Found::new(line, place)));
            found.iter_mut().filter(|found| found.is_none()).for_each(find);
        }
        let kept = AtomicUsize::new(known.kept.load(Ordering::Relaxed));
        Self { found: found.into_iter().flatten().collect(), pointers, kept }
    }
}

impl Found {
    fn new(line: &str, place: Option<Range<usize>>) -> Self {
        let version = place.clone().map_or(Version::ABSENT, |place| Version::of(line[place].as_bytes()));
        Self { place, version, texts: Default::default() }
    }
}

impl Value<'_> {
    /// The version of the value alone.
    #[must_use]
    pub fn version(&self) -> Version {
        self.found().version
    }

    /// The text for those who listen this way; `write` gets the value as it is written, if there is one.
    pub fn text(&self, is_socket: bool, write: impl FnOnce(Option<&str>) -> Bytes) -> Bytes {
        let text = &self.found().texts[usize::from(is_socket)];
        if let Some(text) = text.get() {
            return text.clone();
        }
        let made = write(self.found().place.clone().map(|place| &self.line[place]));
        let limit = (self.line.len() * KEPT.0).max(KEPT.1);
        if self.values.kept.fetch_add(made.len(), Ordering::Relaxed) + made.len() <= limit {
            return text.get_or_init(|| made).clone();
        }
        made
    }

    fn found(&self) -> &Found {
        &self.values.found[self.place]
    }
}
