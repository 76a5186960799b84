//! What is sent: bytes in memory, or a file, of which only one part at a time is in memory.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use actix_web::body::BodySize;
use actix_web::body::MessageBody;
use actix_web::rt::task::JoinHandle;
use actix_web::rt::task::spawn_blocking;
use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use crate::source::directory::large::Large;
use crate::source::directory::large::Parts;

/// Bytes up to this many are handed to the connection at once, which copies them.
const AT_ONCE: usize = 256 << 10;

/// How many bytes of more than that are handed over at a time. Who does not read has so much copied, and no more.
const PART: usize = 64 << 10;

/// All that there is to send.
pub(crate) enum Body {
    /// It is in memory.
    Memory(Bytes),
    /// It is a file, of which these first bytes are sent as others. It is open as long as there is a permit for it.
    File { large: Box<Large>, head: Bytes, sent: Bytes, permit: OwnedSemaphorePermit },
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Memory(bytes)
    }
}

impl Body {
    /// The number of bytes.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { large, head, sent, .. } => large.length() - head.len() as u64 + sent.len() as u64,
        }
    }

    /// The bytes of this span, on their way.
    pub(crate) fn send(self, span: Range<u64>) -> Sending {
        let within = |bytes: &Bytes| {
            let at = |place: u64| usize::try_from(place).map_or(bytes.len(), |place| place.min(bytes.len()));
            bytes.slice(at(span.start)..at(span.end))
        };
        match self {
            Self::Memory(bytes) => Sending { first: within(&bytes), then: Then::Nothing, _permit: None },
            Self::File { large, head, sent, permit } => {
                let behind = |place: u64| place.saturating_sub(sent.len() as u64) + head.len() as u64;
                let (start, end) = (behind(span.start), behind(span.end));
                let known = (span.start == 0).then_some(&*head);
                Sending {
                    first: within(&sent),
                    then: Then::Parts(Box::new(large.parts(start, end, known))),
                    _permit: Some(permit),
                }
            }
        }
    }
}

/// Bytes on their way.
pub(crate) struct Sending {
    first: Bytes,
    then: Then,
    _permit: Option<OwnedSemaphorePermit>,
}

enum Then {
    Nothing,
    Parts(Box<Parts>),
    /// The next part is being read, where that may wait for the disk.
    Reading(JoinHandle<(io::Result<Vec<u8>>, Box<Parts>)>, u64),
}

impl MessageBody for Sending {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        let rest = match &self.then {
            Then::Nothing => 0,
            Then::Parts(parts) => parts.rest(),
            Then::Reading(_, rest) => *rest,
        };
        BodySize::Sized(self.first.len() as u64 + rest)
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let this = self.get_mut();
        if !this.first.is_empty() {
            let part = if this.first.len() > AT_ONCE { PART } else { this.first.len() };
            return Poll::Ready(Some(Ok(this.first.split_to(part))));
        }
        loop {
            match std::mem::replace(&mut this.then, Then::Nothing) {
                Then::Parts(mut parts) if parts.rest() > 0 => {
                    let rest = parts.rest();
                    this.then = Then::Reading(spawn_blocking(move || (parts.read(), parts)), rest);
                }
                Then::Nothing | Then::Parts(_) => return Poll::Ready(None),
                Then::Reading(mut reading, rest) => match Pin::new(&mut reading).poll(context) {
                    Poll::Pending => {
                        this.then = Then::Reading(reading, rest);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok((Ok(part), parts))) => {
                        this.then = Then::Parts(parts);
                        return Poll::Ready(Some(Ok(part.into())));
                    }
                    // The connection is cut, so that nobody takes what has come for the whole.
                    Poll::Ready(Ok((Err(error), _))) => return Poll::Ready(Some(Err(error))),
                    Poll::Ready(Err(stopped)) => return Poll::Ready(Some(Err(io::Error::other(stopped)))),
                },
            }
        }
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        if self.first.len() <= AT_ONCE && matches!(self.then, Then::Nothing) { Ok(self.first) } else { Err(self) }
    }
}
