//! What a listener asked for of a file, and what it is sent: the whole, one value, or what has changed.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use actix_web::web::Data;
use actix_web::web::Query;
use bytes::Bytes;
use futures_util::Stream;

use crate::content::Content;
use crate::content::Version;
use crate::content::kind;
use crate::content::kind::Kind;
use crate::content::pointer::Pointer;
use crate::event::Encoding;
use crate::event::Event;
use crate::event::Format;
use crate::event::page;
use crate::http::live::channel::ChannelFeed;
use crate::http::live::channel::Forgotten;
use crate::http::live::channel::Text;
use crate::http::live::tail;
use crate::http::state::AppState;
use crate::hub::Delivery;
use crate::hub::Follower;
use crate::hub::Hub;
use crate::hub::Interest;
use crate::hub::Known;
use crate::hub::Need;
use crate::hub::Published;
use crate::site::SitePath;

/// The longest pointer, in bytes. Each listener keeps its own.
const POINTER: usize = 1000;

/// How the contents of a file are sent.
#[derive(Clone, Debug, Default)]
pub(crate) enum Representation {
    /// As they are.
    #[default]
    Whole,
    /// One value of a document, and only its changes.
    Value(Arc<Pointer>),
    /// The document, and then what has changed in it.
    Patch,
    /// The lines that come, after so many of those that are there.
    Lines(usize),
    /// All that a page uses; and the versions of the documents that it has, of which it takes patches.
    Page(HashMap<SitePath, Version>),
}

impl Representation {
    /// Reads it from the query of a URL.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words for the one who wrote it.
    pub(crate) fn parse(query: &str, path: &SitePath) -> Result<Self, String> {
        let query =
            Query::<HashMap<String, String>>::from_query(query).map_err(|error| error.to_string())?.into_inner();
        let representation = match (query.get("as").map(String::as_str), query.get("at")) {
            (None, None) => Self::Whole,
            (None, Some(pointer)) if pointer.len() > POINTER => {
                return Err(format!("at has more than {POINTER} bytes"));
            }
            (None, Some(pointer)) => {
                let pointer: Pointer = pointer.parse().map_err(|error| format!("at={pointer} is {error}"))?;
                Self::Value(pointer.into())
            }
            (Some("patch"), None) => Self::Patch,
            (Some("lines"), None) => {
                let last = query.get("last").map_or(Ok(0), |last| last.parse());
                Self::Lines(last.map_err(|_| "last is a number of lines".to_owned())?)
            }
            (Some("patch" | "lines"), Some(_)) => return Err("as and at do not go together".into()),
            (Some(representation), _) => return Err(format!("as={representation} is unknown: it is patch or lines")),
        };
        if matches!(representation, Self::Lines(_)) && path.is_directory() {
            return Err(format!("{path} is a directory, and has no lines"));
        }
        if matches!(representation, Self::Lines(_)) && path.is_answer() {
            return Err("another server answers as a whole, and not line by line".to_owned());
        }
        // A directory without its slash is sent to where it has one. What another server answers says itself what it is.
        let is_document =
            path.is_directory() || path.is_answer() || matches!(kind::of(path), Kind::Document | Kind::Unknown);
        if matches!(representation, Self::Value(_) | Self::Patch) && !is_document {
            return Err(format!("{path} is no JSON, so there are no values in it"));
        }
        Ok(representation)
    }
}

/// What a listener is sent, as text.
pub(crate) enum Feed {
    /// Of files.
    Files(FileFeed),
    /// Of a channel.
    Channel(ChannelFeed),
    /// Texts that are written elsewhere: of a file line by line, of what the server is doing.
    Texts(Pin<Box<dyn Stream<Item = Bytes>>>),
}

impl Feed {
    /// Begins to follow a file. `has` is the id of the last event that the listener has seen.
    pub(crate) fn file(
        state: &Data<AppState>,
        path: SitePath,
        representation: Representation,
        encoding: Encoding,
        has: Option<&str>,
    ) -> Self {
        if let Representation::Lines(last) = representation {
            return Self::Texts(Box::pin(tail::tell(state, path, last, encoding, has)));
        }
        // What we can't read was never ours, and counts as nothing.
        let has = has.and_then(|id| id.parse().ok());
        let known = match representation {
            // The version of the value says nothing of the document.
            Representation::Value(_) => Known::Nothing,
            _ => has.map_or(Known::Nothing, Known::Version),
        };
        let format = if encoding == Encoding::Sse { Format::Stream } else { Format::WebSocket };
        let need = match &representation {
            Representation::Value(pointer) => Need::Value(pointer.clone()),
            Representation::Patch => Need::Patch,
            Representation::Whole | Representation::Lines(_) | Representation::Page(_) => Need::Nothing,
        };
        let follower = Follower::new(&state.hub, vec![Interest { path, has: known, format, need }]);
        // Who comes back gets the document first, because its patch may be of long ago.
        let has = has.filter(|_| matches!(representation, Representation::Value(_)));
        Self::Files(FileFeed { follower, representation, encoding, has })
    }

    /// Begins to follow all that a page uses. `takes_patches` says whether documents that it reads may come as patches.
    pub(crate) fn page(hub: &Arc<Hub>, mut interests: Vec<Interest>, takes_patches: bool) -> Self {
        let readers = interests.iter_mut().filter(|interest| takes_patches && interest.format == Format::PageReads);
        readers.for_each(|interest| interest.need = Need::Patch);
        let version = |interest: &Interest| match interest.has {
            Known::Version(version) if interest.format == Format::PageReads => Some((interest.path.clone(), version)),
            _ => None,
        };
        let representation = if takes_patches {
            Representation::Page(interests.iter().filter_map(version).collect())
        } else {
            Representation::Whole
        };
        let follower = Follower::of_page(hub, interests);
        Self::Files(FileFeed { follower, representation, encoding: Encoding::Sse, has: None })
    }

    /// The text of the next event, or a part of it; `None` when the server stops.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Text, Forgotten>>> {
        let whole = |text: Option<Bytes>| text.map(|bytes| Ok(Text { bytes, is_end: true }));
        match self {
            Self::Files(files) => files.poll_next(context).map(whole),
            Self::Texts(texts) => texts.as_mut().poll_next(context).map(whole),
            Self::Channel(channel) => channel.poll_next(context),
        }
    }
}

/// A follower, and what its listener gets of each snapshot.
pub(crate) struct FileFeed {
    follower: Follower,
    representation: Representation,
    encoding: Encoding,
    /// What the listener has, in this form.
    has: Option<Version>,
}

impl FileFeed {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            let text = match std::task::ready!(self.follower.poll_next(context)) {
                Some(Delivery::Snapshot(published, format)) => self.event(&published, format),
                Some(Delivery::Reload) => Some(Bytes::from_static(page::RELOAD.as_bytes())),
                Some(Delivery::Burst(burst)) => Some(Bytes::from_static(page::burst(burst).as_bytes())),
                None => return Poll::Ready(None),
            };
            if text.is_some() {
                return Poll::Ready(text);
            }
        }
    }

    /// `None` if it is no news for this listener.
    fn event(&mut self, published: &Published, format: Format) -> Option<Bytes> {
        let whole = || published.event(format);
        let snapshot = &published.snapshot;
        let had = self.has.replace(snapshot.version);
        if let Representation::Page(documents) = &mut self.representation {
            if format != Format::PageReads || !matches!(snapshot.content, Content::Document(_)) {
                return Some(whole());
            }
            let had = documents.insert(snapshot.path.clone(), snapshot.version);
            let patch = published.patch().filter(|(before, _)| had == Some(*before));
            return Some(patch.map_or_else(whole, |(before, patch)| page::patch(snapshot, before, patch)));
        }
        match (&self.representation, &snapshot.content) {
            (Representation::Value(pointer), Content::Document(_)) => {
                let value = published.value(pointer)?;
                let version = value.version();
                self.has = Some(version);
                if had == Some(version) {
                    return None;
                }
                Some(value.event(self.encoding))
            }
            // A file that is gone has no value either, and the listener may know that.
            (Representation::Value(_), _) if had == Some(snapshot.version) => None,
            (Representation::Patch, Content::Document(_)) => match published.patch() {
                Some((before, patch)) if had == Some(before) => {
                    Some(self.encoding.write(&Event::named(snapshot.version, "patch", patch)))
                }
                _ => Some(whole()),
            },
            _ => Some(whole()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, query: &str, expected: &str) {
        let representation = Representation::parse(query, &SitePath::from_url(path).unwrap());
        let found = representation.map_or_else(|error| error, |representation| format!("{representation:?}"));
        assert!(found.contains(expected), "{query}: {found}");
    }

    #[test]
    fn the_query_says_what_is_wanted() {
        check("/a.json", "", "Whole");
        check("/a.json", "v=1&other", "Whole");
        check("/a.json", "at=/a~1b/0", "Value(Pointer { tokens: [\"a/b\", \"0\"] })");
        check("/a.json", "at=%2Fa%20b", "Value(Pointer { tokens: [\"a b\"] })");
        check("/a.json", "at=", "Value(Pointer { tokens: [] })");
        check("/photos/", "as=patch", "Patch");
        check("/a.log", "as=lines", "Lines(0)");
        check("/a.log", "as=lines&last=10", "Lines(10)");
    }

    #[test]
    fn a_query_that_makes_no_sense_is_refused() {
        check("/a.json", "at=a", "at=a is no JSON Pointer");
        check("/a.json", "at=/~2", "no JSON Pointer");
        check("/a.json", "as=xml", "as=xml is unknown");
        check("/a.json", "as=patch&at=/a", "do not go together");
        check("/a.log", "as=lines&last=-1", "last is a number");
        check("/a.txt", "at=/a", "/a.txt is no JSON");
        check("/a.png", "as=patch", "/a.png is no JSON");
    }
}
