//! An answer on its way to a browser: which version it is, is known at its end.

use std::sync::Arc;
use std::time::Instant;

use hyper::HeaderMap;
use hyper::StatusCode;
use hyper::header;
use mime_guess::mime;

use crate::content::Hasher;
use crate::content::Version;
use crate::content::kind;
use crate::site::SitePath;
use crate::source::upstream::asking;
use crate::source::upstream::decode::Coding;
use crate::source::upstream::known::Answered;
use crate::source::upstream::known::Known;
use crate::source::upstream::known::LARGEST_TEXT;
use crate::source::upstream::known::Question;
use crate::source::upstream::loads::Coming;
use crate::source::upstream::server::Upstream;
use crate::source::upstream::signal::Coded;
use crate::source::upstream::signal::Loaded;
use crate::source::upstream::signal::Signal;

/// How much of a coded body is kept to be decoded, in bytes. Of larger ones, the version is not known.
const LARGEST_CODED: usize = 2 << 20;

/// An answer on its way to a browser that will use it.
pub struct Delivery {
    upstream: Arc<Upstream>,
    place: SitePath,
    load: u64,
    question: Question,
    answered: Answered,
    at: Instant,
    coding: Option<Coding>,
    hasher: Hasher,
    /// What has come, if it is needed.
    kept: Option<Coming>,
    is_over: bool,
}

impl Delivery {
    /// Begins, with what was asked and the head of the answer. `None` if nothing is to be known of it.
    #[must_use]
    pub fn begin(
        upstream: &Arc<Upstream>,
        url: &str,
        asked: &HeaderMap,
        at: Instant,
        status: StatusCode,
        head: &HeaderMap,
    ) -> Option<Self> {
        let place = SitePath::answer(url)?;
        let media_type = asking::media_type_of(head);
        let is_stream =
            matches!(media_type.type_(), mime::AUDIO | mime::VIDEO) || media_type == mime::TEXT_EVENT_STREAM;
        let is_known = matches!(status, StatusCode::OK | StatusCode::NOT_MODIFIED);
        let coding = Coding::of(head).ok()?;
        if is_stream || !is_known {
            return None;
        }
        let load = upstream.loads.begin();
        let question = Question::new(url, asked, at.elapsed());
        let answered = asking::answered(head, None, None);
        let is_over = status == StatusCode::NOT_MODIFIED;
        if is_over {
            upstream.is_still_known(load, &place, &question, at, head);
        }
        let most = if coding.is_some() { LARGEST_CODED } else { LARGEST_TEXT };
        Some(Self {
            upstream: upstream.clone(),
            place,
            load,
            question,
            answered,
            at,
            coding,
            hasher: Hasher::default(),
            kept: (coding.is_some() || kind::is_text(&media_type)).then(|| Coming::new(&upstream.loads, most)),
            is_over,
        })
    }

    /// What `Server-Timing` says of it, for the client: how the load is called, and of what it is.
    #[must_use]
    pub fn description(&self) -> String {
        format!("savecast;desc=\"~{:x} {}\"", self.load, self.place.to_url())
    }

    /// A part of it is sent.
    pub fn take(&mut self, part: &[u8]) {
        if self.coding.is_none() {
            self.hasher.update(part);
        }
        if self.kept.as_mut().is_some_and(|kept| !kept.extend(part)) {
            self.kept = None;
        }
    }

    /// All of it is sent.
    pub fn end(&mut self) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let kept = self.kept.take();
        if let Some(coding) = self.coding {
            match kept {
                Some(coded) => self.upstream.signal(Signal::Delivered(Box::new(self.coded(coded, coding)))),
                None => self.upstream.loads.end(self.load, None),
            }
            return;
        }
        let text = kept.map(|mut kept| kept.take());
        let answered = Answered { hash: Some(self.hasher.version()), text, ..self.answered.clone() };
        let known = self.known(answered);
        self.upstream.loaded(Loaded { load: self.load, place: self.place.clone(), known });
    }

    fn known(&self, answered: Answered) -> Known {
        Known { question: self.question.clone(), answered, version: None, at: self.at }
    }

    fn coded(&self, body: Coming, coding: Coding) -> Coded {
        let known = self.known(self.answered.clone());
        Coded { load: self.load, place: self.place.clone(), known, body, coding }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        // It was cut off.
        if !self.is_over {
            self.upstream.loads.end(self.load, None);
        }
    }
}

impl Upstream {
    /// This was loaded. It is no news by itself: who loads it later may only have another time in it, or be somebody else.
    pub(super) fn loaded(&self, loaded: Loaded) {
        let Loaded { load, place, known } = &loaded;
        let hash = known.answered.hash;
        let mut state = self.state();
        let had = state.known.get(place);
        // An answer that has overtaken another one is the newer one.
        let is_newer = had.is_none_or(|had| had.at <= known.at);
        // It was missing, or nobody could say which version it was.
        let is_first = had.is_some_and(|had| had.version.is_none_or(|version| version == Version::ABSENT));
        let version = match had {
            Some(had) if !is_first && had.answered.hash == hash => had.version,
            Some(had) if !is_first && state.is_in_use(place, had) => {
                if hash.is_some() && state.may_have_changed(had.at) {
                    drop(state);
                    return self.signal(Signal::Loaded(Box::new(loaded)));
                }
                had.version
            }
            _ => hash,
        };
        if is_newer {
            let (question, answered) = (known.question.clone(), known.answered.clone());
            state.know(place.clone(), Known { question, answered, version, at: known.at });
        }
        drop(state);
        self.loads.end(*load, version);
        if is_first {
            (self.tell.changed)(place.clone());
        }
    }

    /// The browser has it already, as the server says.
    fn is_still_known(&self, load: u64, place: &SitePath, question: &Question, at: Instant, head: &HeaderMap) {
        let mut state = self.state();
        if state.known.get(place).is_none() {
            let (question, answered) = (question.clone(), Answered::default());
            state.know(place.clone(), Known { question, answered, version: None, at });
        }
        let known = state.known.get(place);
        let version = known.filter(|known| {
            let tag = head.get(header::ETAG);
            tag.is_some() && known.answered.etag.as_ref() == tag
        });
        let version = version.and_then(|known| known.version);
        drop(state);
        self.loads.end(load, version);
    }
}
