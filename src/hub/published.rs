//! A snapshot that was published, with what was made of it for those who follow a part of it.

use std::ops::Range;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use bytes::Bytes;

use crate::content::Content;
use crate::content::Snapshot;
use crate::content::Version;
use crate::content::diff;
use crate::content::listing::Entry;
use crate::content::pointer;
use crate::content::pointer::Pointer;
use crate::event::Encoding;
use crate::event::Event;
use crate::event::Format;
use crate::hub::needs::Needed;

/// The texts of the values of a document that are kept for those who come later: at most so many times the document, and
/// always this much in bytes. What is beyond that is written again for each listener.
const KEPT: (usize, usize) = (2, 64 << 10);

/// A snapshot with what was made of it, which all its listeners share.
#[derive(Debug)]
pub struct Published {
    /// What there is.
    pub snapshot: Snapshot,
    texts: [OnceLock<Bytes>; Format::COUNT],
    /// What pointers lead to. Those who come later may bring others.
    values: Mutex<Arc<Values>>,
    patch: Option<(Version, String)>,
    original: OnceLock<Original>,
}

/// What a snapshot is of, for those who are answered with it. It is kept while it is the latest one and somebody needs it.
#[derive(Clone, Debug)]
pub enum Original {
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
    snapshot: &'a Snapshot,
    line: &'a str,
    values: Arc<Values>,
    place: usize,
}

impl Published {
    /// Finds all that is needed, in one pass for each; `before` is the update before.
    pub(super) fn new(snapshot: Snapshot, before: Option<&Self>, needed: &Needed) -> Self {
        let line = document(&snapshot);
        let values = line.map(|line| Values::find(line, needed, &Values::default())).unwrap_or_default();
        // If it is clearly smaller: at most three quarters.
        let patch = before.filter(|_| needed.patch).and_then(|before| {
            let (old, new) = (document(&before.snapshot)?, line?);
            Some((before.snapshot.version, diff::patch(old, new, new.len() / 4 * 3)?))
        });
        Self {
            texts: Default::default(),
            values: Mutex::new(Arc::new(values)),
            patch,
            original: OnceLock::new(),
            snapshot,
        }
    }

    /// What it is of, if that is known: of what was not read it is not.
    #[must_use]
    pub fn original(&self) -> Option<&Original> {
        self.original.get()
    }

    pub(super) fn set_original(&self, original: Option<Original>) {
        // What is there already is the same.
        original.into_iter().for_each(|original| drop(self.original.set(original)));
    }

    /// Finds what was not needed until now.
    pub(super) fn find(&self, needed: &Needed) {
        let Some(line) = document(&self.snapshot) else { return };
        let known = self.values();
        if !Arc::ptr_eq(&known.pointers, &needed.pointers) {
            let values = Arc::new(Values::find(line, needed, &known));
            *self.values.lock().unwrap_or_else(PoisonError::into_inner) = values;
        }
    }

    /// Its event in this format, which is written for the first listener only.
    pub fn event(&self, format: Format) -> Bytes {
        self.texts[format as usize].get_or_init(|| format.write(&self.snapshot)).clone()
    }

    /// One value of the document, if it is one.
    #[must_use]
    pub fn value(&self, pointer: &Pointer) -> Option<Value<'_>> {
        let line = document(&self.snapshot)?;
        let values = self.values();
        let place = values.pointers.binary_search_by(|other| (**other).cmp(pointer));
        // Whoever follows a value is told of no look that does not know of it.
        place.ok().map(|place| Value { snapshot: &self.snapshot, line, values, place })
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

fn document(snapshot: &Snapshot) -> Option<&str> {
    match &snapshot.content {
        Content::Document(line) => Some(line),
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

    /// Its event: a message with the value as it is written, or that there is none.
    #[must_use]
    pub fn event(&self, encoding: Encoding) -> Bytes {
        let text = &self.found().texts[encoding as usize];
        if let Some(text) = text.get() {
            return text.clone();
        }
        let made = encoding.write(&match self.found().place.clone() {
            Some(place) => Event::message(self.version(), &self.line[place]),
            None => Event::removed(self.version(), &self.snapshot.path),
        });
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
