//! What is known of the answers of another server: how they were asked for, and which version they were.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::HeaderValue;

use crate::content::Version;
use crate::content::kind::Kind;
use crate::site::SitePath;

/// Of how many answers something is known.
const ANSWERS: usize = 5000;

/// How many bytes of texts are kept, to see what changes by itself in them.
const TEXTS: usize = 32 << 20;

/// The largest text that is kept, in bytes.
pub(super) const LARGEST_TEXT: usize = 256 << 10;

/// How an answer is asked for.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// As it stands in a request to us.
    pub(super) url: String,
    pub(super) headers: Arc<HeaderMap>,
    /// How long it took until the head of the answer came; zero if nobody knows.
    pub(super) took: Duration,
}

/// What a browser says of what it has already, or of the part that it wants.
pub const OF_KEPT: [&str; 6] =
    ["if-none-match", "if-modified-since", "if-range", "range", "available-dictionary", "dictionary-id"];

impl Question {
    /// Asks for it anew and as a whole, as a browser has asked. It took so long until the head of the answer came; zero if nobody knows.
    pub(super) fn new(url: &str, asked: &HeaderMap, took: Duration) -> Self {
        let mut headers = asked.clone();
        OF_KEPT.iter().for_each(|name| drop(headers.remove(*name)));
        Self { url: url.to_owned(), headers: Arc::new(headers), took }
    }
}

/// What was answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Answered {
    /// The hash of what came; `None` if nobody knows.
    pub(super) hash: Option<Version>,
    /// The text, if it is one that is kept.
    pub(super) text: Option<Bytes>,
    /// With it, the server says whether it is still the same.
    pub(super) etag: Option<HeaderValue>,
    /// Whether it is a file that the server has.
    pub(super) is_file: bool,
    /// Whether it is a stylesheet or a script, in which people write numbers.
    pub(super) is_code: bool,
}

/// What is known of an answer.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) question: Question,
    pub(super) answered: Answered,
    /// Which version it is for those who have it. What is another one each time, such as a time, does not make another version.
    pub(super) version: Option<Version>,
    /// When it was asked for.
    pub(super) at: Instant,
}

/// What is known of all answers.
#[derive(Debug, Default)]
pub(super) struct AllKnown {
    known: HashMap<SitePath, Known>,
    texts: usize,
}

/// The contents of an answer, for those who follow them.
#[derive(Clone, Debug)]
pub(super) enum Contents {
    Whole(Bytes, Kind),
    /// So many bytes, which are too many to push.
    Large(u64, Version),
    Missing,
    /// Why there are none, in words.
    Refused(String),
}

impl AllKnown {
    pub(super) fn get(&self, place: &SitePath) -> Option<&Known> {
        self.known.get(place)
    }

    /// Knows it from now on. `is_used` says of what somebody follows, which is not forgotten for it.
    pub(super) fn insert(&mut self, place: SitePath, mut known: Known, is_used: impl Fn(&SitePath) -> bool) {
        self.remove(&place);
        let length = known.answered.text.as_ref().map_or(0, Bytes::len);
        if self.texts + length > TEXTS {
            known.answered.text = None;
        }
        self.texts += known.answered.text.as_ref().map_or(0, Bytes::len);
        if self.known.len() >= ANSWERS {
            let unused = self.known.iter().filter(|(place, _)| !is_used(place));
            let oldest = unused.min_by_key(|(_, known)| known.at).map(|(place, _)| place.clone());
            let oldest = oldest.or_else(|| self.known.keys().next().cloned());
            oldest.iter().for_each(|oldest| self.remove(oldest));
        }
        self.known.insert(place, known);
    }

    fn remove(&mut self, place: &SitePath) {
        let removed = self.known.remove(place);
        self.texts -= removed.and_then(|known| known.answered.text).map_or(0, |text| text.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_known_and_the_rest_has_a_bound() {
        let mut all = AllKnown::default();
        let place = |number: usize| SitePath::answer(&format!("/{number}")).unwrap();
        let known = |length| Known {
            question: Question { url: "/".into(), headers: Arc::default(), took: Duration::ZERO },
            answered: Answered { text: Some(vec![0; length].into()), ..Answered::default() },
            version: None,
            at: Instant::now(),
        };
        for number in 0..ANSWERS + 100 {
            all.insert(place(number), known(LARGEST_TEXT), |other| *other == place(0));
        }
        assert!(all.known.len() <= ANSWERS && all.texts <= TEXTS);
        assert!(all.get(&place(0)).is_some() && all.get(&place(1)).is_none());
        let texts = all.texts;
        all.insert(place(0), known(1), |_| true);
        assert_eq!(all.texts, texts - LARGEST_TEXT + 1);
    }
}
