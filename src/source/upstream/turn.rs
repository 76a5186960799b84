//! What the thread does at one moment, with the server that it is for.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use hyper::HeaderMap;
use hyper::header;
use hyper::header::HeaderValue;
use tokio::sync::mpsc::UnboundedSender;

use crate::site::SitePath;
use crate::source::upstream::known::Answered;
use crate::source::upstream::known::Known;
use crate::source::upstream::known::Question;
use crate::source::upstream::server::Upstream;
use crate::source::upstream::signal::Signal;

/// What there is for a moment: nobody is kept alive by the thread.
pub(super) struct Turn {
    pub(super) upstream: Arc<Upstream>,
    pub(super) sender: UnboundedSender<Signal>,
    pub(super) now: Instant,
}

impl Turn {
    pub(super) fn changed(&self, place: SitePath) {
        (self.upstream.tell.changed)(place);
    }

    pub(super) fn followed(&self) -> Vec<SitePath> {
        self.upstream.state().followed.iter().cloned().collect()
    }

    /// How a place is asked for: as it was asked for before.
    pub(super) fn question(&self, place: &SitePath) -> Option<Question> {
        if place.is_pages() {
            return None;
        }
        let state = self.upstream.state();
        let asked = state.questions.get(place).or_else(|| state.known.get(place).map(|known| &known.question));
        Some(asked.cloned().unwrap_or_else(|| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
            if let Ok(host) = HeaderValue::from_str(&self.upstream.options.server.authority()) {
                headers.insert(header::HOST, host);
            }
            Question { url: place.to_url(), headers: Arc::new(headers), took: Duration::ZERO }
        }))
    }

    /// What a save has changed is not to be asked for: a stylesheet of the same name is taken for another one, else all pages are.
    pub(super) fn changed_without_asking(&self, saved: &[&PathBuf]) {
        let mut state = self.upstream.state();
        let followed = state.followed.iter().filter(|place| !place.is_answer_with_contents() && !place.is_pages());
        let is_saved = |place: &&SitePath| saved.iter().any(|file| is_stylesheet_of(place, file));
        let swapped = followed.filter(is_saved).cloned().collect::<Vec<_>>();
        let is_swapped = |file: &&PathBuf| swapped.iter().any(|place| is_stylesheet_of(place, file));
        let is_all = saved.iter().all(is_swapped);
        self.upstream.next_generation();
        let version = Some(self.upstream.version(self.upstream.generation()));
        for place in &swapped {
            if let Some(known) = state.known.get(place) {
                let answered = Answered { hash: version, ..Answered::default() };
                let known = Known { question: known.question.clone(), answered, version, at: self.now };
                state.know(place.clone(), known);
            }
        }
        drop(state);
        let pages = (!is_all).then(|| self.upstream.pages.clone());
        swapped.into_iter().chain(pages).for_each(|place| self.changed(place));
    }
}

/// Whether a stylesheet that a page uses seems to be made from this file: it has the same name.
fn is_stylesheet_of(place: &SitePath, file: &Path) -> bool {
    let is_style = file.extension().is_some_and(|ending| ending == "css");
    is_style && file.file_name().and_then(|name| name.to_str()) == Some(place.name())
}
