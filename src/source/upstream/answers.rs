//! A question to another server, and what is known by its answer.

use std::sync::Arc;
use std::time::Instant;

use futures_util::stream;

use crate::content::Version;
use crate::site::SitePath;
use crate::source::upstream::asking::Asker;
use crate::source::upstream::asking::Read;
use crate::source::upstream::asking::Reply;
use crate::source::upstream::decode;
use crate::source::upstream::known::Contents;
use crate::source::upstream::known::Known;
use crate::source::upstream::known::LARGEST_TEXT;
use crate::source::upstream::known::Question;
use crate::source::upstream::server::Upstream;
use crate::source::upstream::signal::Coded;
use crate::source::upstream::signal::Loaded;

/// Asks for a place and tells if it is another one; `Err` if the server is away.
pub(super) async fn ask(
    asker: &Asker,
    upstream: &Upstream,
    place: &SitePath,
    question: Question,
) -> Result<(), String> {
    let at = Instant::now();
    if place.is_answer_with_contents() {
        let (reply, took) = asker.ask(&question, None).await?;
        let Reply::Other(_, contents) = reply else { return Ok(()) };
        let mut state = upstream.state();
        state.questions.get_mut(place).into_iter().for_each(|question| question.took = took);
        // Somebody who has gone meanwhile leaves nothing behind.
        if state.followed.contains(place) {
            state.contents.insert(place.clone(), contents);
        }
        drop(state);
        (upstream.tell.changed)(place.clone());
        return Ok(());
    }
    let before = upstream.state().known.get(place).map(|known| (known.answered.clone(), known.version));
    let (before, version) = before.unwrap_or_default();
    let (reply, took) = asker.has_changed(&question, &before).await?;
    let question = Question { took, ..question };
    match reply {
        Reply::Other(_, Contents::Refused(_)) => {}
        Reply::Other(answered, _) => {
            upstream.state().know(place.clone(), Known { question, version: answered.hash, answered, at });
            (upstream.tell.changed)(place.clone());
        }
        Reply::Same => {
            let mut state = upstream.state();
            let known = Known { question, answered: before, version, at };
            if state.known.get(place).is_none_or(|known| known.at <= at) {
                state.know(place.clone(), known);
            }
        }
    }
    Ok(())
}

/// Finds out which version it was that a browser has got.
pub(super) async fn deliver(upstream: Arc<Upstream>, coded: Coded) {
    let Coded { load, place, mut known, body: mut coming, coding } = coded;
    let body = stream::iter([Ok::<_, std::io::Error>(coming.take())]);
    let read = Read::all(decode::decoded(body, Some(coding)), LARGEST_TEXT as u64).await;
    known.answered.hash = read.as_ref().ok().map(|read| read.version);
    known.answered.text = read.ok().and_then(|read| read.bytes);
    upstream.loaded(Loaded { load, place, known });
}

/// Finds out whether what a browser has got is another version than the one that is known: something was saved in between.
pub(super) async fn settle(asker: &Asker, upstream: &Upstream, loaded: &Loaded) -> Result<Option<Version>, String> {
    let Loaded { place, known: new, .. } = loaded;
    let at = Instant::now();
    let before = upstream.state().known.get(place).map(|known| (known.answered.clone(), known.version));
    let (before, version) = before.unwrap_or_default();
    let (reply, took) = asker.has_changed(&new.question, &before).await?;
    let question = Question { took, ..new.question.clone() };
    match reply {
        Reply::Other(answered, contents) => {
            let now = answered.hash;
            // It may have been the old one still.
            let is_now = new.answered.hash == now
                || matches!(asker.has_changed(&new.question, &new.answered).await?.0, Reply::Same);
            if !matches!(contents, Contents::Refused(_)) {
                upstream.state().know(place.clone(), Known { question, answered, version: now, at });
                (upstream.tell.changed)(place.clone());
            }
            Ok(if is_now { now } else { version })
        }
        // Or an old process has answered, or none to the end: what is known may not become what only this browser has.
        Reply::Same => Ok(version),
    }
}
