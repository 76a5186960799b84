//! One stream for each client that pages share: a newer one takes the place of the one before.
//!
//! A browser does not always close what a page has given up. Behind a service worker, Firefox keeps such a stream open, and
//! after six of them it asks this server for nothing more.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::Context;
use std::task::Poll;

use futures_util::FutureExt;
use tokio::sync::oneshot;
use tokio::sync::oneshot::Receiver;
use tokio::sync::oneshot::Sender;

/// How long the name of a client may be, in bytes.
const NAME: usize = 64;

/// The clients that have a stream, each with what ends it. There are at most as many as there are streams.
#[derive(Clone, Debug, Default)]
pub struct Clients(Arc<Mutex<HashMap<String, Sender<()>>>>);

/// The time of a stream: over when a newer one of the same client has begun, or the client has said so.
#[derive(Debug)]
pub(crate) struct Turn {
    clients: Clients,
    client: String,
    over: Receiver<()>,
}

impl Clients {
    /// Begins the turn of a new stream of this client, and ends that of the one before. `None` if that is no name.
    pub(crate) fn begin(&self, client: &str) -> Option<Turn> {
        if client.is_empty() || client.len() > NAME {
            return None;
        }
        let (end, over) = oneshot::channel();
        // What ended the one before is dropped, which is what it waits for.
        self.current().insert(client.to_owned(), end);
        Some(Turn { clients: self.clone(), client: client.to_owned(), over })
    }

    /// Ends the stream of this client.
    pub(crate) fn end(&self, client: &str) {
        self.current().remove(client);
    }

    /// No code panics while it holds this lock, so a poisoned lock is still whole.
    fn current(&self) -> MutexGuard<'_, HashMap<String, Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Ready when it is over.
    pub(crate) fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.over.poll_unpin(context).map(drop)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.over.close();
        let mut current = self.clients.current();
        // It may be the turn of a newer one by now, which is not over.
        if current.get(&self.client).is_some_and(Sender::is_closed) {
            current.remove(&self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn is_over(turn: &mut Turn) -> bool {
        turn.poll_over(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn the_newest_stream_of_a_client_is_the_only_one() {
        let clients = Clients::default();
        let [mut first, mut other, mut second] = ["a", "b", "a"].map(|client| clients.begin(client).unwrap());
        assert_eq!([&mut first, &mut other, &mut second].map(is_over), [true, false, false]);
        drop(first);
        assert!(!is_over(&mut second));
        clients.end("a");
        assert!(is_over(&mut second));
        drop((second, other));
        assert!(clients.current().is_empty());
        assert!(clients.begin("").is_none() && clients.begin(&"x".repeat(65)).is_none());
    }
}
