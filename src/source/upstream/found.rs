//! What stands at a place of another server, as far as it is known. Nobody waits for an answer here.

use std::io;
use std::path::PathBuf;

use crate::content::Version;
use crate::site::SitePath;
use crate::source::file::ReadError;
use crate::source::found::Fetched;
use crate::source::found::Found;
use crate::source::look::Source;
use crate::source::upstream::known::Contents;
use crate::source::upstream::server::Upstream;
use crate::source::upstream::signal::Signal;

impl Source for Upstream {
    fn find(&self, place: &SitePath) -> Result<Found, ReadError> {
        let state = self.state();
        if place.is_pages() {
            let trouble = state.trouble.clone().map(Found::Away);
            return Ok(trouble.unwrap_or_else(|| Found::Unread(self.version(self.generation()))));
        }
        if place.is_answer_with_contents() {
            return match (&state.trouble, state.contents.get(place)) {
                (Some(trouble), _) => Ok(Found::Away(trouble.clone())),
                (None, Some(Contents::Whole(bytes, kind))) => Ok(Found::Answer(bytes.to_vec(), *kind)),
                (None, Some(Contents::Large(length, version))) => Ok(Found::Large(*length, *version)),
                (None, Some(Contents::Refused(why))) => Ok(Found::Away(why.clone())),
                (None, Some(Contents::Missing)) => Err(ReadError::Missing),
                (None, None) => Ok(Found::Unknown),
            };
        }
        match state.known.get(place).and_then(|known| known.version) {
            Some(Version::ABSENT) => Err(ReadError::Missing),
            Some(version) => Ok(Found::Unread(version)),
            None => Ok(Found::Unknown),
        }
    }

    /// It answers requests itself.
    fn fetch(&self, _: &SitePath) -> Result<Fetched, ReadError> {
        Err(ReadError::Unreadable(io::Error::other("it is asked by those who want it")))
    }

    fn begin(&self, place: &SitePath) {
        self.state().followed.insert(place.clone());
        self.signal(Signal::Begin(place.clone()));
    }

    fn end(&self, place: &SitePath) {
        let mut state = self.state();
        state.followed.remove(place);
        state.contents.remove(place);
        drop(state);
        self.signal(Signal::End);
    }

    fn trees(&self) -> &[PathBuf] {
        &self.options.trees
    }

    fn watched(&self, is_watched: bool) {
        self.signal(Signal::Watched(is_watched));
    }

    fn saved(&self, files: &[PathBuf]) {
        let is_ours = |file: &&PathBuf| self.options.trees.iter().any(|tree| file.starts_with(tree));
        let files = files.iter().filter(is_ours).cloned().collect::<Vec<_>>();
        if !files.is_empty() {
            self.signal(Signal::Saved(files));
        }
    }
}
