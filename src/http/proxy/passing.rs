//! Bodies on their way through.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use actix_web::body::BodySize;
use actix_web::body::MessageBody;
use bytes::Bytes;
use futures_util::Stream;

use crate::http::html::inject::Injector;
use crate::source::Upstream;
use crate::source::upstream::client::Answer;
use crate::source::upstream::decode;
use crate::source::upstream::delivery::Delivery;
use crate::source::upstream::loads::Coming;
use crate::source::upstream::server::Asking;

/// The largest page that is kept as it was sent, in bytes.
const LARGEST_PAGE: usize = 1 << 20;

/// How many bytes are handed to the connection at once. They are copied, and who does not read makes us keep so many.
const PART: usize = 16 << 10;

/// A body that breaks in the midst of it cuts the connection, so that nobody takes what has come for the whole.
type Broken = Box<dyn Error>;

/// A body that passes as it is.
pub(super) struct Passing {
    pub(super) answer: Answer,
    /// How many bytes are still to come, as the head says.
    pub(super) left: Option<u64>,
    /// Whoever wants to know which version it was.
    pub(super) delivery: Option<Delivery>,
    /// The question that it answers.
    pub(super) asking: Option<Asking>,
    /// What has come, and is still to be handed over.
    pub(super) rest: Bytes,
}

impl MessageBody for Passing {
    type Error = Broken;

    fn size(&self) -> BodySize {
        self.left.map_or(BodySize::Stream, BodySize::Sized)
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        let this = &mut *self;
        if !this.rest.is_empty() {
            return Poll::Ready(Some(Ok(this.rest.split_to(this.rest.len().min(PART)))));
        }
        let part = ready!(Pin::new(&mut this.answer).poll_next(context));
        if let Some(Ok(part)) = &part {
            this.left = this.left.map(|left| left.saturating_sub(part.len() as u64));
            this.delivery.iter_mut().for_each(|delivery| delivery.take(part));
        }
        // Before the browser has the last of it, and asks.
        if part.is_none() || this.left == Some(0) || this.answer.is_over() {
            this.delivery.iter_mut().for_each(Delivery::end);
            this.asking = None;
        }
        Poll::Ready(part.map(|part| {
            let mut part = part?;
            this.rest = part.split_off(part.len().min(PART));
            Ok(part)
        }))
    }
}

/// Nothing is sent, and there would be so many bytes.
pub(super) struct Head(pub(super) Option<u64>);

impl MessageBody for Head {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        self.0.map_or(BodySize::Stream, BodySize::Sized)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(None)
    }
}

/// A page that gets the client while it comes, and is kept as it was for the client to ask for.
pub(super) struct Page {
    body: decode::Body,
    injector: Injector,
    is_over: bool,
    rest: Bytes,
    server: Arc<Upstream>,
    load: u64,
    kept: Option<Coming>,
}

impl Page {
    pub(super) fn new(body: decode::Body, injector: Injector, server: Arc<Upstream>, load: u64) -> Self {
        let kept = Some(Coming::new(server.loads(), LARGEST_PAGE));
        Self { body, injector, is_over: false, rest: Bytes::new(), server, load, kept }
    }
}

impl MessageBody for Page {
    type Error = Broken;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        let this = &mut *self;
        if !this.rest.is_empty() {
            return Poll::Ready(Some(Ok(this.rest.split_to(this.rest.len().min(PART)))));
        }
        while !this.is_over {
            let mut injected = match ready!(this.body.as_mut().poll_next(context)) {
                Some(Ok(part)) => {
                    if this.kept.as_mut().is_some_and(|kept| !kept.extend(&part)) {
                        this.kept = None;
                    }
                    this.injector.take(part)
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => {
                    this.is_over = true;
                    if let Some(mut kept) = this.kept.take() {
                        this.server.loads().keep(this.load, kept.take());
                    }
                    this.injector.finish()
                }
            };
            // Nothing is no part: it would be the end.
            if !injected.is_empty() {
                this.rest = injected.split_off(injected.len().min(PART));
                return Poll::Ready(Some(Ok(injected)));
            }
        }
        Poll::Ready(None)
    }
}
