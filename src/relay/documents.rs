//! What origins say to Redis, and what edges ask it. With `link`, the only place that names its client.

use std::time::Duration;

use bytes::Bytes;
use redis::Value;

use crate::relay::document;
use crate::relay::document::Document;
use crate::relay::document::IN_MESSAGE;
use crate::relay::link::ALIVE;
use crate::relay::link::Link;
use crate::relay::link::LinkError;
use crate::relay::link::milliseconds;
use crate::site::SitePath;

/// How long an origin is the one that tells without saying so again.
const LEASE: Duration = Duration::from_secs(5);

/// How long a document is kept without its origin's saying so again.
const KEPT: Duration = Duration::from_secs(60);

/// What Redis knows of a place.
#[derive(Debug)]
pub(super) struct Known {
    /// Whether the origin that is there tells of it.
    pub(super) is_current: bool,
    /// Which one it is: later ones have larger numbers.
    pub(super) number: u64,
    /// What stands there; `None` if that is what the edge has already.
    pub(super) document: Option<Document>,
}

/// The origin of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OriginName {
    /// The id of the instance.
    pub(super) instance: String,
    /// Its URL, if it has told one.
    pub(super) address: Option<String>,
}

impl Link {
    /// This instance is the origin for some time more, if no other one is. Returns whether it is.
    pub(super) async fn claim(&mut self, instance: &str, address: Option<&str>) -> Result<bool, LinkError> {
        self.hold(instance, address.unwrap_or("-"), milliseconds(LEASE)).await
    }

    /// This instance is no origin any more.
    pub(super) async fn cede(&mut self, instance: &str) -> Result<bool, LinkError> {
        self.hold(instance, "-", 0).await
    }

    async fn hold(&mut self, instance: &str, address: &str, time: u64) -> Result<bool, LinkError> {
        let mut invocation = self.scripts.claim.prepare_invoke();
        invocation.key(self.keys.origin()).arg(instance).arg(address).arg(time);
        Ok(invocation.invoke_async(&mut self.connection).await?)
    }

    /// The origin of the site, if there is one.
    pub(super) async fn origin(&mut self) -> Result<Option<OriginName>, LinkError> {
        let origin: Option<String> =
            redis::cmd("GET").arg(self.keys.origin()).query_async(&mut self.connection).await?;
        Ok(origin.map(|origin| {
            let (instance, address) = origin.split_once(' ').unwrap_or((&origin, "-"));
            let address = Some(address).filter(|address| *address != "-").map(str::to_owned);
            OriginName { instance: instance.to_owned(), address }
        }))
    }

    /// Hears what edges ask, from now on.
    pub(super) async fn hear_asks(&mut self) -> Result<(), LinkError> {
        Ok(self.connection.subscribe(self.keys.asks()).await?)
    }

    /// Tells what stands at a place. Returns whether this instance is the origin; if not, nothing is told.
    pub(super) async fn put(
        &mut self,
        instance: &str,
        place: &SitePath,
        document: &Document,
    ) -> Result<bool, LinkError> {
        let bytes = document.bytes();
        let (before, after) = document::head(document, bytes.len());
        let mut invocation = self.scripts.put.prepare_invoke();
        invocation
            .key(self.keys.origin())
            .key(self.keys.document(place))
            .key(self.keys.number())
            .arg(instance)
            .arg(self.keys.news(place))
            .arg(before)
            .arg(after)
            .arg(document.version.to_string())
            .arg(document.kind())
            .arg(document.modified())
            .arg(&*bytes)
            .arg(u8::from(bytes.len() <= IN_MESSAGE))
            .arg(milliseconds(KEPT));
        Ok(invocation.invoke_async(&mut self.connection).await?)
    }

    /// Tells that nothing stands at a place in this moment, as far as an answer is concerned.
    pub(super) async fn tell_nothing(&mut self, place: &SitePath) -> Result<(), LinkError> {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(self.keys.news(place)).arg(document::NOTHING);
        Ok(publish.query_async(&mut self.connection).await?)
    }

    /// These documents are kept for some time more.
    pub(super) async fn keep_documents(&mut self, places: &[&SitePath]) -> Result<(), LinkError> {
        let mut pipe = redis::pipe();
        for place in places {
            pipe.cmd("PEXPIRE").arg(self.keys.document(place)).arg(milliseconds(KEPT)).ignore();
        }
        Ok(pipe.query_async(&mut self.connection).await?)
    }

    /// The places that edges want.
    pub(super) async fn wanted(&mut self) -> Result<Vec<SitePath>, LinkError> {
        let mut invocation = self.scripts.wanted.prepare_invoke();
        invocation.key(self.keys.instances()).arg(self.keys.wants(""));
        let urls: Vec<String> = invocation.invoke_async(&mut self.connection).await?;
        Ok(urls.iter().filter_map(|url| SitePath::from_url(url)).collect())
    }

    /// The origin looks no longer at a place, if nobody wants it. Returns whether that is so.
    pub(super) async fn release(&mut self, instance: &str, place: &SitePath) -> Result<bool, LinkError> {
        let mut invocation = self.scripts.release.prepare_invoke();
        invocation
            .key(self.keys.origin())
            .key(self.keys.document(place))
            .key(self.keys.instances())
            .arg(instance)
            .arg(place.to_url())
            .arg(self.keys.wants(""));
        Ok(invocation.invoke_async(&mut self.connection).await?)
    }

    /// From now on, it is told when something else stands at these places.
    pub(super) async fn hear_of(&mut self, places: &[SitePath]) -> Result<(), LinkError> {
        let news = places.iter().map(|place| self.keys.news(place)).collect::<Vec<_>>();
        Ok(self.connection.subscribe(news).await?)
    }

    /// An edge wants to know what stands at a place, of which it has this version. `None` if Redis does not know it: then the origin is asked.
    pub(super) async fn want(
        &mut self,
        edge: &str,
        place: &SitePath,
        version: Option<String>,
    ) -> Result<Option<Known>, LinkError> {
        let mut invocation = self.scripts.want.prepare_invoke();
        invocation
            .key(self.keys.wants(edge))
            .arg(place.to_url())
            .arg(self.keys.asks())
            .arg(milliseconds(ALIVE))
            .arg(version.unwrap_or_default())
            .arg(self.keys.document(place))
            .arg(self.keys.origin());
        let answer: Vec<Value> = invocation.invoke_async(&mut self.connection).await?;
        Ok(read(&answer))
    }

    /// An edge wants to know of these places no longer.
    pub(super) async fn leave_places(&mut self, edge: &str, places: &[SitePath]) -> Result<(), LinkError> {
        let news = places.iter().map(|place| self.keys.news(place)).collect::<Vec<_>>();
        self.connection.unsubscribe(news).await?;
        let mut pipe = redis::pipe();
        for url in places.iter().map(SitePath::to_url) {
            pipe.cmd("SREM").arg(self.keys.wants(edge)).arg(&url).ignore();
            pipe.cmd("PUBLISH").arg(self.keys.asks()).arg(format!("1 leave {url}")).ignore();
        }
        Ok(pipe.query_async(&mut self.connection).await?)
    }

    /// An edge wants nothing, as far as anybody knows.
    pub(super) async fn forget_wants(&mut self, edge: &str) -> Result<(), LinkError> {
        Ok(redis::cmd("DEL").arg(self.keys.wants(edge)).query_async(&mut self.connection).await?)
    }

    /// The wishes of an edge are kept for some time more. Returns whether Redis still has them.
    pub(super) async fn keep_wants(&mut self, edge: &str) -> Result<bool, LinkError> {
        let mut command = redis::cmd("PEXPIRE");
        command.arg(self.keys.wants(edge)).arg(milliseconds(ALIVE));
        Ok(command.query_async(&mut self.connection).await?)
    }
}

/// Reads what the script says. What makes no sense is not known.
fn read(answer: &[Value]) -> Option<Known> {
    let text = |value: &Value| match value {
        Value::BulkString(text) => String::from_utf8(text.clone()).ok(),
        _ => None,
    };
    let [Value::Int(is_current), number, version, kind, modified, bytes] = answer else { return None };
    let document = match bytes {
        Value::BulkString(bytes) => {
            let bytes = Bytes::from(bytes.clone());
            Some(Document::read(&text(version)?, &text(kind)?, &text(modified)?, bytes)?)
        }
        _ => None,
    };
    Some(Known { is_current: *is_current == 1, number: text(number)?.parse().ok()?, document })
}
