//! A stream of a URL goes on with another place when the URL means that one: because a rule has changed, or a file has come that
//! answers it first.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use actix_web::web;
use actix_web::web::Data;

use crate::http::files::find::Question;
use crate::http::live::channel::Forgotten;
use crate::http::live::channel::Text;
use crate::http::live::feed::Feed;
use crate::http::state::AppState;
use crate::hub::Follower;
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
    /// Nothing, where a URL always means itself.
    guides: Vec<SitePath>,
}

/// Looks at what stands in the sources, and keeps at what.
struct Standings<'a> {
    sources: &'a Sources,
    looked_at: Vec<SitePath>,
}

impl Look for Standings<'_> {
    fn look(&mut self, place: &SitePath) -> Option<Standing> {
        self.looked_at.push(place.clone());
        Some(self.sources.standing(place))
    }
}

/// What a stream of this URL is of. `None` when the server stops.
pub(crate) async fn meaning(state: &Data<AppState>, question: &Question, rules: &Arc<CurrentRules>) -> Option<Meaning> {
    let has_rules = !rules.rules.redirects.is_empty();
    let url = &question.url;
    // What others follow was looked at.
    if !has_rules && (url.is_directory() || state.hub.has_content(url)) {
        return Some(Meaning { resolution: Resolution::of(url.clone(), Answer::File), guides: Vec::new() });
    }
    let (state, question, rules) = (state.clone(), question.clone(), rules.clone());
    // A look waits for the disk.
    let look = web::block(move || {
        let mut look = Standings { sources: &state.sources, looked_at: Vec::new() };
        let resolution = resolve::stream(&question.asked(), &state.conventions(&rules), &mut look)?;
        // A name with an ending means a file, unless there are rules.
        let is_itself = resolution.place == question.url && question.url.name().contains('.') && !has_rules;
        let mut guides = if is_itself { Vec::new() } else { look.looked_at };
        guides.retain(|place| *place != resolution.place);
        if !is_itself && rules.are_read {
            guides.extend(FILES.iter().filter_map(|file| SitePath::from_url(file)));
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
        let changes = Follower::guide(&state.hub, guides);
        let (state, place, begin) = (state.clone(), resolution.place, Box::new(begin));
        Self { feed, guide: Some(Box::new(Guide { state, question, place, changes, looking: None, begin })) }
    }

    /// The text of the next event, or a part of it; `None` when the server stops.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Text, Forgotten>>> {
        if let Some(guide) = &mut self.guide
            && let Some(feed) = guide.poll_other(context)
        {
            self.feed = feed;
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
                    // The new one begins before the old one ends.
                    self.changes = Follower::guide(&self.state.hub, guides);
                    if resolution.place != self.place {
                        self.place = resolution.place;
                        other = Some((self.begin)(self.place.clone()));
                    }
                }
            }
            // When the hub has closed, the feed says so.
            let Poll::Ready(Some(_)) = self.changes.poll_next(context) else { return other };
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
