//! What is followed, one by one, for those who look at it.

use std::time::Duration;
use std::time::SystemTime;

use crate::content::Content;
use crate::content::Problem;
use crate::hub::report::Report;
use crate::hub::topics::Hub;
use crate::hub::topics::Topic;
use crate::site::SitePath;

/// How many paths are listed at most.
const LISTED: usize = 1000;

/// A path that somebody follows.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The file or directory.
    pub path: SitePath,
    /// How many follow it.
    pub listeners: usize,
    /// How much is sent of it, or how large the file is, in bytes; `None` if that is not known.
    pub size: Option<u64>,
    /// Whether it is not there.
    pub is_removed: bool,
    /// What is wrong with it.
    pub problem: Option<Problem>,
    /// When an update of it has reached everybody last, and how long that took; `None` if there was none.
    pub sent: Option<(SystemTime, Duration)>,
}

impl Hub {
    /// Paths that somebody follows, at most 1,000 of them.
    #[must_use]
    pub fn followed(&self) -> Vec<Followed> {
        let state = self.state();
        let topics = state.topics.iter().filter(|(path, _)| !path.is_pages());
        // Those that are broken first, because not all may be listed.
        let is_broken = |(_, topic): &(&SitePath, &Topic)| {
            topic.latest.as_ref().is_some_and(|latest| latest.snapshot.content.problem().is_some())
        };
        let (broken, others): (Vec<_>, Vec<_>) = topics.partition(is_broken);
        let files = broken.into_iter().chain(others).map(|(path, topic)| followed(path, topic));
        let only_lines = state.tails.by_path.iter().filter(|(path, _)| !state.topics.contains_key(path));
        let tails = only_lines.map(|(path, tail)| Followed {
            path: path.clone(),
            listeners: tail.listeners.len(),
            size: None,
            is_removed: tail.is_known && !tail.generations.is_there,
            problem: None,
            sent: None,
        });
        files.chain(tails).take(LISTED).collect()
    }

    /// The last 200 updates that have reached everybody, the oldest first, each with its number.
    #[must_use]
    pub fn reports(&self) -> Vec<(u64, Report)> {
        self.state().reports.all()
    }
}

fn followed(path: &SitePath, topic: &Topic) -> Followed {
    let content = topic.latest.as_ref().map(|latest| &latest.snapshot.content);
    Followed {
        path: path.clone(),
        listeners: topic.followers.len(),
        size: content.and_then(|content| match content {
            Content::Document(text) | Content::Text(text) => Some(text.len() as u64),
            Content::Other(size) | Content::Large(size) => Some(*size),
            Content::Unread | Content::Problem(_) | Content::Removed => None,
        }),
        is_removed: content == Some(&Content::Removed),
        problem: content.and_then(Content::problem),
        sent: topic.sent,
    }
}
