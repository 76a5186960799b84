//! What the keys of a site are called in Redis.

use std::sync::Arc;

use crate::hub::ChannelName;
use crate::site::SitePath;

/// The keys of a site. All of them begin with `sc:{SITE}:`, and in a cluster stand on the same server.
#[derive(Clone, Debug)]
pub(super) struct Keys(Arc<str>);

impl Keys {
    pub(super) fn new(site: &str) -> Self {
        Self(format!("sc:{{{site}}}:").into())
    }

    /// The stream of a channel.
    pub(super) fn stream(&self, channel: &ChannelName) -> String {
        format!("{}ch:{}", self.0, channel.as_str())
    }

    /// Where events of a channel are told.
    pub(super) fn told(&self, channel: &ChannelName) -> String {
        format!("{}say:ch:{}", self.0, channel.as_str())
    }

    /// The channel whose events are told there.
    pub(super) fn channel(&self, told: &[u8]) -> Option<ChannelName> {
        let told = str::from_utf8(told).ok()?;
        ChannelName::new(told.strip_prefix(&*self.0)?.strip_prefix("say:ch:")?)
    }

    /// What stands at a place.
    pub(super) fn document(&self, place: &SitePath) -> String {
        format!("{}doc:{}", self.0, place.to_url())
    }

    /// Where it is told that something else stands at a place.
    pub(super) fn news(&self, place: &SitePath) -> String {
        format!("{}say:doc:{}", self.0, place.to_url())
    }

    /// The place of which is told there.
    pub(super) fn place(&self, told: &[u8]) -> Option<SitePath> {
        let told = str::from_utf8(told).ok()?;
        SitePath::from_url(told.strip_prefix(&*self.0)?.strip_prefix("say:doc:")?)
    }

    /// The number of the last document.
    pub(super) fn number(&self) -> String {
        format!("{}n", self.0)
    }

    /// The origin, and its address.
    pub(super) fn origin(&self) -> String {
        format!("{}origin", self.0)
    }

    /// Where edges ask origins.
    pub(super) fn asks(&self) -> String {
        format!("{}ask", self.0)
    }

    /// The places that an edge wants.
    pub(super) fn wants(&self, edge: &str) -> String {
        format!("{}want:{edge}", self.0)
    }

    /// The instances that are there, each with the time at which that is over.
    pub(super) fn instances(&self) -> String {
        format!("{}instances", self.0)
    }

    /// How many listen to each channel at an instance.
    pub(super) fn counts(&self, instance: &str) -> String {
        format!("{}count:{instance}", self.0)
    }
}
