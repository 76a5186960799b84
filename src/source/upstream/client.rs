//! Connections to another server, kept for the next request. Each thread has its own.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::rc::Weak;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use futures_util::Stream;
use hyper::Request;
use hyper::Response;
use hyper::body::Body;
use hyper::body::Incoming;
use tokio_rustls::TlsConnector;

use crate::site::ServerUrl;
use crate::source::upstream::connect::Connector;
use crate::source::upstream::connect::Sender;
use crate::source::upstream::failure::Failure;
use crate::source::upstream::failure::is_garbage;
use crate::source::upstream::outgoing::Outgoing;

/// How long a connection without a request is kept. Node closes its own after 5 s, and what is sent then is lost.
const IDLE: Duration = Duration::from_secs(4);

/// How many of those are kept by each thread.
const KEPT: usize = 64;

/// Sends requests to another server.
#[derive(Clone)]
pub struct Client(Rc<Connections>);

struct Connections {
    connector: Connector,
    idle: RefCell<Vec<Idle>>,
}

struct Idle {
    sender: Sender,
    since: Instant,
}

impl Client {
    /// Sends requests there; with TLS if there is a connector for it.
    #[must_use]
    pub fn new(server: ServerUrl, tls: Option<TlsConnector>) -> Self {
        Self(Rc::new(Connections { connector: Connector::new(server, tls), idle: RefCell::default() }))
    }

    /// Sends a request that may change something, once, and waits for the head of its answer, for as long as it takes.
    ///
    /// # Errors
    ///
    /// See [`Failure`].
    pub async fn send(&self, request: Request<Outgoing>) -> Result<Response<Answer>, Failure> {
        self.send_or(request, || None).await
    }

    /// The same with one that changes nothing (RFC 9110, section 9.2.1). It is made and sent once more if the connection was an old
    /// one that the server has just closed (RFC 9112, section 9.3.1).
    ///
    /// # Errors
    ///
    /// See [`Failure`].
    pub async fn ask(&self, make: impl Fn() -> Request<Outgoing>) -> Result<Response<Answer>, Failure> {
        self.send_or(make(), || Some(make())).await
    }

    async fn send_or(
        &self,
        mut request: Request<Outgoing>,
        again: impl FnOnce() -> Option<Request<Outgoing>>,
    ) -> Result<Response<Answer>, Failure> {
        while let Some(mut sender) = self.idle() {
            match sender.try_send_request(request).await {
                Ok(response) => return Ok(self.answer(response, sender)),
                Err(mut refused) => match refused.take_message() {
                    // It was not sent.
                    Some(unsent) => request = unsent,
                    None => match again().filter(|_| !is_garbage(refused.error())) {
                        Some(again) => {
                            request = again;
                            break;
                        }
                        None => return Err(Failure::of(refused.into_error())),
                    },
                },
            }
        }
        let mut sender = self.connect().await?;
        match sender.try_send_request(request).await {
            Ok(response) => Ok(self.answer(response, sender)),
            Err(refused) => Err(Failure::of(refused.into_error())),
        }
    }

    /// Whether the server takes connections.
    ///
    /// # Errors
    ///
    /// See [`Failure`].
    pub async fn knock(&self) -> Result<(), Failure> {
        let sender = self.connect().await?;
        self.keep(sender);
        Ok(())
    }

    fn idle(&self) -> Option<Sender> {
        let mut idle = self.0.idle.borrow_mut();
        while let Some(Idle { sender, since }) = idle.pop() {
            if !sender.is_closed() && since.elapsed() < IDLE {
                return Some(sender);
            }
            // The others are older.
            if since.elapsed() >= IDLE {
                idle.clear();
            }
        }
        None
    }

    fn keep(&self, sender: Sender) {
        keep(&self.0, sender);
    }

    fn answer(&self, response: Response<Incoming>, sender: Sender) -> Response<Answer> {
        let client = Rc::downgrade(&self.0);
        response.map(|body| {
            let mut answer = Answer { body, back: Some((client, sender)) };
            answer.give_back();
            answer
        })
    }

    async fn connect(&self) -> Result<Sender, Failure> {
        // What it takes is not kept in every request that waits for its answer.
        let connected = Box::pin(self.0.connector.connect()).await;
        if matches!(connected, Err(Failure::Connect(_))) {
            // They belong to a server that is no more.
            self.0.idle.borrow_mut().clear();
        }
        connected
    }
}

fn keep(connections: &Connections, sender: Sender) {
    let mut idle = connections.idle.borrow_mut();
    if !sender.is_closed() && idle.len() < KEPT {
        idle.push(Idle { sender, since: Instant::now() });
    }
}

/// The body of an answer. When it is read to its end, its connection is kept for the next request.
pub struct Answer {
    body: Incoming,
    back: Option<(Weak<Connections>, Sender)>,
}

impl Answer {
    /// How many bytes are still to come, if that is known.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// Whether nothing is still to come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.body.is_end_stream()
    }

    fn give_back(&mut self) {
        if self.body.is_end_stream()
            && let Some((client, sender)) = self.back.take()
            && let Some(client) = client.upgrade()
        {
            keep(&client, sender);
        }
    }
}

impl Stream for Answer {
    type Item = Result<Bytes, hyper::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
            match frame {
                // What comes behind the body can't be passed on.
                Some(Ok(frame)) => {
                    self.give_back();
                    let Ok(part) = frame.into_data() else { continue };
                    return Poll::Ready(Some(Ok(part)));
                }
                Some(Err(error)) => {
                    self.back = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    self.give_back();
                    return Poll::Ready(None);
                }
            }
        }
    }
}
