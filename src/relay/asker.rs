//! What an edge says to Redis, and hears from there.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::TryStreamExt as _;
use futures_util::stream;

use crate::relay::document::News;
use crate::relay::edge::Edge;
use crate::relay::link::Link;
use crate::relay::link::LinkError;
use crate::site::SitePath;

/// How many places are asked for at once.
const BATCH: usize = 100;

/// How many answers are waited for at once. Each of them may be as large as what is told.
const AT_ONCE: usize = 8;

/// Why nobody answers.
const NO_REDIS: &str = "Redis is away, through which the origin tells it";
const NO_ORIGIN: &str = "there is no origin";

/// Asks for what an edge wants.
pub(super) struct Asker {
    edge: Edge,
    instance: String,
}

impl Asker {
    pub(super) fn new(edge: Edge, instance: String) -> Self {
        Self { edge, instance }
    }

    /// Begins with a new connection. What was told in between is asked for.
    pub(super) async fn begin(&self, link: &mut Link) -> Result<(), LinkError> {
        // What was taken back meanwhile, or too late.
        link.forget_wants(&self.instance).await?;
        self.edge.ask_all();
        self.settle(link).await
    }

    /// The connection is lost.
    pub(super) fn lose(&self) {
        self.edge.lose();
        self.edge.set_origin(Err(NO_REDIS));
    }

    /// Looks whether there is an origin. Returns that if it is another thing than before.
    pub(super) async fn look_for_origin(&self, link: &mut Link) -> Result<Option<bool>, LinkError> {
        let origin = link.origin().await?;
        let is_there = origin.is_some();
        let is_other = self.edge.set_origin(origin.ok_or(NO_ORIGIN));
        Ok(is_other.then_some(is_there))
    }

    /// Asks for what is wanted from now on, and leaves the rest.
    pub(super) async fn settle(&self, link: &mut Link) -> Result<(), LinkError> {
        let (asked, left) = self.edge.take();
        let left = left.into_iter().collect::<Vec<_>>();
        for places in left.chunks(BATCH) {
            link.leave_places(&self.instance, places).await?;
        }
        let answered = self.ask(link, &asked).await;
        if answered.is_err() {
            // It is asked later.
            self.edge.ask_again(asked);
        }
        answered
    }

    async fn ask(&self, link: &mut Link, places: &BTreeSet<SitePath>) -> Result<(), LinkError> {
        let places = places.iter().cloned().collect::<Vec<_>>();
        for places in places.chunks(BATCH) {
            // First it listens, and then it asks, so that nothing is lost between the two.
            link.hear_of(places).await?;
            let answers = places.iter().map(|place| {
                let mut link = link.clone();
                async move {
                    let known = link.want(&self.instance, place, self.edge.version(place)).await?;
                    known.into_iter().for_each(|known| self.edge.found(place, known));
                    Ok::<_, LinkError>(())
                }
            });
            // What has come is kept, whatever becomes of the others.
            stream::iter(answers).buffer_unordered(AT_ONCE).try_for_each(|()| std::future::ready(Ok(()))).await?;
        }
        Ok(())
    }

    /// Redis tells of a place. What makes no sense is left out.
    pub(super) async fn hear(&self, link: &mut Link, place: &SitePath, message: &Bytes) -> Result<(), LinkError> {
        if News::read(message).is_some_and(|news| self.edge.hear(place, news)) {
            self.settle(link).await?;
        }
        Ok(())
    }

    /// What nobody asks for any more is left, and what was not answered is asked again.
    pub(super) async fn tidy(&self, link: &mut Link) -> Result<(), LinkError> {
        if self.edge.tidy() { self.settle(link).await } else { Ok(()) }
    }

    /// Says that all of it is still wanted.
    pub(super) async fn stay(&self, link: &mut Link) -> Result<(), LinkError> {
        if !link.keep_wants(&self.instance).await? {
            self.edge.ask_all();
            self.settle(link).await?;
        }
        Ok(())
    }
}
