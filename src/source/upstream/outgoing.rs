//! The body of a request to another server, in parts that come in their own time.

use std::error::Error;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use bytes::Bytes;
use futures_util::Stream;
use hyper::body::Body;
use hyper::body::Frame;
use hyper::body::SizeHint;

/// The body of a request.
#[derive(Default)]
pub struct Outgoing(Option<Parts>);

/// A body in parts, on its way.
pub type Parts = Pin<Box<dyn Stream<Item = Result<Bytes, Box<dyn Error + Send + Sync>>>>>;

impl Outgoing {
    /// A body in parts.
    #[must_use]
    pub fn of(parts: Parts) -> Self {
        Self(Some(parts))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(parts) = &mut self.0 else { return Poll::Ready(None) };
        let part = ready!(parts.as_mut().poll_next(context));
        Poll::Ready(part.map(|part| part.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        if self.0.is_none() { SizeHint::with_exact(0) } else { SizeHint::default() }
    }
}
