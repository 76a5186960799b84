//! A stream of a URL goes on with another place when the URL means that one: because a rule has changed, or a file has come that
//! answers it first.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use actix_web::web;
use actix_web::web::Data;

use crate::content::Content;
use crate::content::Version;
use crate::event::Format;
use crate::http::files::find::Question;
use crate::http::live::channel::Forgotten;
use crate::http::live::channel::Text;
use crate::http::live::feed::Feed;
use crate::http::state::AppState;
use crate::hub::Delivery;
use crate::hub::Follower;
use crate::hub::Hub;
use crate::hub::Interest;
use crate::hub::Known;
use crate::hub::Need;
use crate::hub::Published;
use crate::site::SitePath;
use crate::site::resolve;
use crate::site::resolve::Answer;
use crate::site::resolve::Look;
use crate::site::resolve::Resolution;
use crate::site::resolve::Standing;
use crate::site::rules::FILES;
use crate::source::CurrentRules;
use crate::source::Sources;

/// What a stream is of, and what decides that.
pub(crate) struct Meaning {
    pub(crate) resolution: Resolution,
    guides: Guides,
}

/// What was found where, and decided what a stream is of. Nothing, where a URL always means itself.
type Guides = HashMap<SitePath, Found>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// Only that something is there, or nothing.
    Contents(bool),
    /// Rules of this version.
    Rules(Version),
}

impl Found {
    /// Whether this is what was found.
    fn is(self, published: &Published) -> bool {
        match self {
            Self::Contents(is_there) => is_there == (published.snapshot.content != Content::Removed),
            Self::Rules(version) => version == published.snapshot.version,
        }
    }
}

/// Looks at what stands in the sources, and keeps what it has found.
struct Standings<'a> {
    sources: &'a Sources,
    found: Guides,
}

impl Look for Standings<'_> {
    fn look(&mut self, place: &SitePath) -> Option<Standing> {
        let standing = self.sources.standing(place);
        // The hub says of a directory without its slash that nothing is there, because there is no file.
        let is_there = match standing {
            Standing::File => true,
            Standing::Directory => place.is_directory(),
            Standing::Missing => false,
        };
        self.found.insert(place.clone(), Found::Contents(is_there));
        Some(standing)
    }
}

/// What a stream of this URL is of. `None` when the server stops.
pub(crate) async fn meaning(state: &Data<AppState>, question: &Question, rules: &Arc<CurrentRules>) -> Option<Meaning> {
    let has_rules = !rules.rules.redirects.is_empty();
    let url = &question.url;
    // A name with an ending means a file, unless there are rules. What others follow was looked at.
    let has_ending = url.name().contains('.');
    if !has_rules && (url.is_directory() || has_ending && state.hub.has_content(url)) {
        return Some(Meaning { resolution: Resolution::of(url.clone(), Answer::File), guides: Guides::new() });
    }
    let (state, question, rules) = (state.clone(), question.clone(), rules.clone());
    // A look waits for the disk.
    let look = web::block(move || {
        let mut look = Standings { sources: &state.sources, found: Guides::new() };
        let resolution = resolve::stream(&question.asked(), &state.conventions(&rules), &mut look)?;
        if has_ending && !has_rules && resolution.place == question.url {
            return Some(Meaning { resolution, guides: Guides::new() });
        }
        let mut guides = look.found;
        if rules.are_read {
            let files = FILES.iter().filter_map(|file| SitePath::from_url(file));
            let found = rules.versions.map(|version| Found::Rules(version.unwrap_or(Version::ABSENT)));
            guides.extend(files.zip(found));
        }
        Some(Meaning { resolution, guides })
    });
    look.await.ok().flatten()
}

/// A feed that goes where its URL leads.
pub(crate) struct Guided {
    feed: Feed,
    guide: Option<Box<Guide>>,
}

struct Guide {
    state: Data<AppState>,
    question: Question,
    place: SitePath,
    guides: Guides,
    changes: Follower,
    looking: Option<Pin<Box<dyn Future<Output = Option<Meaning>>>>>,
    begin: Box<dyn Fn(SitePath) -> Feed>,
}

impl From<Feed> for Guided {
    fn from(feed: Feed) -> Self {
        Self { feed, guide: None }
    }
}

impl Guided {
    /// A feed of what this URL means, begun by `begin`.
    pub(crate) fn new(
        state: &Data<AppState>,
        question: Question,
        meaning: Meaning,
        feed: Feed,
        begin: impl Fn(SitePath) -> Feed + 'static,
    ) -> Self {
        let Meaning { resolution, guides } = meaning;
        if guides.is_empty() {
            return feed.into();
        }
        let changes = follow(&state.hub, &guides);
        let (state, place, begin) = (state.clone(), resolution.place, Box::new(begin));
        Self { feed, guide: Some(Box::new(Guide { state, question, place, guides, changes, looking: None, begin })) }
    }

    /// The text of the next event, or a part of it; `None` when the server stops.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Text, Forgotten>>> {
        if let Some(guide) = &mut self.guide {
            if let Some(feed) = guide.poll_other(context) {
                self.feed = feed;
            }
            // That a file is gone is no news where the URL means another one now.
            if guide.looking.is_some() {
                return Poll::Pending;
            }
        }
        self.feed.poll_next(context)
    }
}

impl Guide {
    /// Another feed, if the URL means another place now.
    fn poll_other(&mut self, context: &mut Context<'_>) -> Option<Feed> {
        let mut other = None;
        loop {
            if let Some(looking) = &mut self.looking {
                let Poll::Ready(meaning) = looking.as_mut().poll(context) else { return other };
                self.looking = None;
                if let Some(Meaning { resolution, guides }) = meaning {
                    // Who goes on listening to the same places has missed nothing since the look began.
                    if guides.len() != self.guides.len() || guides.keys().any(|place| !self.guides.contains_key(place))
                    {
                        // The new one begins before the old one ends.
                        self.changes = follow(&self.state.hub, &guides);
                    }
                    self.guides = guides;
                    if resolution.place != self.place {
                        self.place = resolution.place;
                        other = Some((self.begin)(self.place.clone()));
                    }
                }
            }
            // Each place says first what is there, and so whatever has changed since the look. When the hub has closed, the
            // feed says so.
            let Poll::Ready(Some(delivery)) = self.changes.poll_next(context) else { return other };
            if let Delivery::Snapshot(published, _) = delivery
                && self.guides.get(&published.snapshot.path).is_none_or(|found| found.is(&published))
            {
                continue;
            }
            let (state, question) = (self.state.clone(), self.question.clone());
            self.looking = Some(Box::pin(async move {
                let rules = web::block({
                    let state = state.clone();
                    move || state.rules()
                });
                meaning(&state, &question, &rules.await.ok()?).await
            }));
        }
    }
}

/// Hears what stands at each of these places.
fn follow(hub: &Arc<Hub>, guides: &Guides) -> Follower {
    let interest = |path: &SitePath| Interest {
        path: path.clone(),
        has: Known::Nothing,
        format: Format::PageUses,
        need: Need::Nothing,
    };
    Follower::aside(hub, guides.keys().map(interest).collect())
}
