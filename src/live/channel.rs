//! Named events without a file, from Rust.

use std::fmt;
use std::sync::Arc;

use crate::event::MESSAGE;
use crate::hub::ChannelName;
use crate::live::shared::Shared;

/// Named events without a file. See [`Live::channel`](crate::Live::channel).
///
/// ```
/// # fn main() -> Result<(), savecast::LiveError> {
/// # let live = savecast::Live::new(std::env::temp_dir())?;
/// let channel = live.channel("news")?;
/// channel.publish("", "hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Channel {
    pub(super) shared: Arc<Shared>,
    pub(super) name: ChannelName,
}

impl Channel {
    /// Publishes an event, with any text as its data, and returns how many listeners it has. An empty name is that of a plain
    /// message. Those who come later get it from the history, which is bounded.
    ///
    /// It reaches nobody if the channel would be one more than the 1,000 that may have listeners.
    pub fn publish(&self, event: &str, data: impl Into<String>) -> usize {
        // A line break would begin another field, or another event.
        let event = event.replace(char::is_control, " ");
        let event = if event.is_empty() { MESSAGE } else { event.as_str() };
        self.shared.hub.publish_to(&self.name, event, data.into()).map_or(0, |(_, listeners)| listeners)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Channel").field(&self.name.as_str()).finish()
    }
}
