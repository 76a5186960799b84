//! What the keys of a site are called in Redis.

use std::sync::Arc;

use crate::hub::ChannelName;

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

    /// The instances that are there, each with the time at which that is over.
    pub(super) fn instances(&self) -> String {
        format!("{}instances", self.0)
    }

    /// How many listen to each channel at an instance.
    pub(super) fn counts(&self, instance: &str) -> String {
        format!("{}count:{instance}", self.0)
    }
}
