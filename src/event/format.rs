//! In which form events are sent.

use bytes::Bytes;

use crate::content::Content;
use crate::content::Snapshot;
use crate::event::named::Event;
use crate::event::page;
use crate::event::sse;
use crate::event::websocket;

/// How events travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As server-sent events.
    Sse,
    /// As messages of a WebSocket.
    WebSocket,
}

impl Encoding {
    /// The text of an event.
    #[must_use]
    pub fn write(self, event: &Event<'_>) -> Bytes {
        match self {
            Self::Sse => sse::write(event).into(),
            Self::WebSocket => websocket::write(event).into(),
        }
    }

    /// The part of its text with about `length` bytes of the data from `at` on, and where the next part begins.
    #[must_use]
    pub fn write_part(self, event: &Event<'_>, at: usize, length: usize) -> (String, Option<usize>) {
        match self {
            Self::Sse => sse::write_part(event, at, length),
            Self::WebSocket => websocket::write_part(event, at, length),
        }
    }
}

/// The event of a snapshot has a few forms, and each of them is written only once for all who get it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a stream of one file.
    Stream,
    /// For a WebSocket of one file.
    WebSocket,
    /// For a page that shows the contents of the file among others.
    PageReads,
    /// For a page that uses the file and wants to know when it is another.
    PageUses,
}

impl Format {
    /// How many there are.
    pub const COUNT: usize = 4;

    /// The event of a snapshot.
    #[must_use]
    pub fn write(self, snapshot: &Snapshot) -> Bytes {
        match self {
            Self::Stream => match &snapshot.content {
                // Known to be one line, which may be long.
                Content::Document(line) => format!("id: {}\ndata: {line}\n\n", snapshot.version),
                _ => sse::write(&Event::of(snapshot)),
            },
            Self::WebSocket => websocket::write(&Event::of(snapshot)),
            Self::PageReads => page::reads(snapshot),
            Self::PageUses => page::uses(snapshot),
        }
        .into()
    }
}

#[cfg(test)]
mod tests;
