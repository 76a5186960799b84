//! What a listener of a channel is sent. Of an event that is large, no more than a part is kept for a listener that
//! does not read.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::Weak;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;

use crate::event::Encoding;
use crate::event::Event;
use crate::hub::ChannelDelivery;
use crate::hub::ChannelEvent;
use crate::hub::Subscriber;

/// How many bytes of the data of an event are written at once.
const PART: usize = 8 << 10;

/// What is sent next.
pub(crate) struct Text {
    pub(crate) bytes: Bytes,
    /// Whether the event ends with it.
    pub(crate) is_end: bool,
}

/// The events of a channel.
pub(crate) struct ChannelFeed {
    subscriber: Subscriber,
    encoding: Encoding,
    /// The event of which a part was sent, and where the next part begins. It belongs to the channel, which may forget it.
    begun: Option<(Weak<ChannelEvent>, usize)>,
}

/// The rest of an event is forgotten. Its listener has a half, so the connection is cut: when it comes back, it gets what
/// there still is.
#[derive(Debug)]
pub(crate) struct Forgotten;

impl fmt::Display for Forgotten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the rest of this event is forgotten")
    }
}

impl Error for Forgotten {}

impl ChannelFeed {
    pub(crate) fn new(subscriber: Subscriber, encoding: Encoding) -> Self {
        Self { subscriber, encoding, begun: None }
    }

    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Text, Forgotten>>> {
        let (event, at) = match self.begun.take() {
            Some((event, at)) => match event.upgrade() {
                Some(event) => (event, at),
                None => return Poll::Ready(Some(Err(Forgotten))),
            },
            None => match std::task::ready!(self.subscriber.poll_next(context)) {
                None => return Poll::Ready(None),
                Some(ChannelDelivery::Event(event)) => (event, 0),
                Some(ChannelDelivery::Gap) => {
                    let (text, _) =
                        self.encoding.write_part(&Event::named("", "gap", "Some events are forgotten"), 0, PART);
                    return Poll::Ready(Some(Ok(Text { bytes: text.into(), is_end: true })));
                }
            },
        };
        let words = Event::named(event.id, &event.name, event.data.as_str());
        let (text, next) = self.encoding.write_part(&words, at, PART);
        self.begun = next.map(|next| (Arc::downgrade(&event), next));
        Poll::Ready(Some(Ok(Text { bytes: text.into(), is_end: next.is_none() })))
    }
}
