//! Those who wait for something, and how they are woken.

use std::collections::HashMap;
use std::task::Context;
use std::task::Waker;

/// Those who were woken under the lock of the hub. They run when this is dropped, which has to be after the lock: they take it.
#[derive(Default)]
pub(super) struct Wakers(Vec<Waker>);

impl Wakers {
    pub(super) fn wake(&mut self, waiting: &mut Option<Waker>) {
        self.0.extend(waiting.take());
    }
}

impl Drop for Wakers {
    fn drop(&mut self) {
        self.0.drain(..).for_each(Waker::wake);
    }
}

/// Those who listen to the same thing, each with its waker while it waits.
#[derive(Default)]
pub(super) struct Waiters(HashMap<u64, Option<Waker>>);

impl Waiters {
    pub(super) fn add(&mut self, id: u64) {
        self.0.insert(id, None);
    }

    pub(super) fn remove(&mut self, id: u64) {
        self.0.remove(&id);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// It waits from now on.
    pub(super) fn wait(&mut self, id: u64, context: &Context<'_>) {
        self.0.insert(id, Some(context.waker().clone()));
    }

    pub(super) fn wake_all(&mut self, wakers: &mut Wakers) {
        self.0.values_mut().for_each(|waiting| wakers.wake(waiting));
    }
}
