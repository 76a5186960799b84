//! Whether something is missing between two events of a channel. Pure.
//!
//! A stream of Redis that was trimmed, lost or forked does not say so. Therefore each entry names the one before it.

use std::collections::VecDeque;

use crate::hub::EventId;
use crate::relay::entry::Entry;

/// How many ids of events are kept to know them again. More than a channel has.
const RECENT: usize = 200;

/// What was heard of a channel.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// The ids of the last events, the newest one last.
    recent: VecDeque<EventId>,
    /// The id of the last event; `None` if there was never one.
    last: Option<EventId>,
}

/// What to do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is the next one.
    Take,
    /// It was heard already.
    Skip,
    /// Something is missing before it: ask for all that comes after the last one.
    Ask,
}

/// What came after the last event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    /// These, and nothing is missing.
    Whole(Vec<Entry>),
    /// Something is missing: ask for all that there are.
    Broken,
}

impl Chain {
    /// The id of the last event.
    pub(super) fn last(&self) -> Option<EventId> {
        self.last
    }

    /// Begins with all events that there are; returns the id of the one before them.
    pub(super) fn begin(&mut self, entries: &[Entry]) -> Option<EventId> {
        *self = Self::default();
        let before = entries.first().and_then(|entry| entry.before);
        self.note(entries);
        before
    }

    /// An event was told of.
    pub(super) fn step(&mut self, entry: &Entry) -> Step {
        if self.recent.contains(&entry.event.id) {
            Step::Skip
        } else if entry.before == self.last {
            self.note(std::slice::from_ref(entry));
            Step::Take
        } else {
            Step::Ask
        }
    }

    /// These are there from the last event on, that one included if it is still there.
    pub(super) fn after(&mut self, mut entries: Vec<Entry>) -> After {
        let first = entries.first().map(|entry| (entry.event.id, entry.before));
        match (self.last, first) {
            (None, None) => {}
            (Some(last), Some((id, _))) if id == last => drop(entries.remove(0)),
            (last, Some((_, before))) if before == last => {}
            _ => return After::Broken,
        }
        self.note(&entries);
        After::Whole(entries)
    }

    /// These are all that there are, after something was missing; returns those that are new.
    pub(super) fn mend(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        let heard = entries.iter().rposition(|entry| self.recent.contains(&entry.event.id));
        let new = entries.split_off(heard.map_or(0, |heard| heard + 1));
        // What was heard and is lost is not heard again.
        self.last = entries.last().map(|entry| entry.event.id);
        self.note(&new);
        new
    }

    fn note(&mut self, entries: &[Entry]) {
        self.recent.extend(entries.iter().map(|entry| entry.event.id));
        self.recent.drain(..self.recent.len().saturating_sub(RECENT));
        self.last = entries.last().map(|entry| entry.event.id).or(self.last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::ChannelEvent;

    fn id(number: u64) -> EventId {
        EventId::Entry(1, number)
    }

    /// An event, and the one before it; 0 if there was none.
    fn entry(before: u64, number: u64) -> Entry {
        let event = ChannelEvent { id: id(number), name: "message".into(), data: String::new() };
        Entry { before: (before > 0).then(|| id(before)), event }
    }

    fn entries(chain: &[u64]) -> Vec<Entry> {
        chain.windows(2).map(|pair| entry(pair[0], pair[1])).collect()
    }

    fn chain(heard: &[u64]) -> Chain {
        let mut chain = Chain::default();
        chain.begin(&entries(heard));
        chain
    }

    #[test]
    fn each_event_follows_the_one_before() {
        let mut chain = Chain::default();
        assert_eq!(chain.step(&entry(0, 1)), Step::Take);
        assert_eq!(chain.step(&entry(1, 2)), Step::Take);
        assert_eq!(chain.step(&entry(0, 1)), Step::Skip);
        assert_eq!(chain.step(&entry(1, 2)), Step::Skip);
        assert_eq!(chain.step(&entry(3, 4)), Step::Ask);
        assert_eq!(chain.after(entries(&[1, 2, 3, 4])), After::Whole(entries(&[2, 3, 4])));
        assert_eq!(chain.step(&entry(3, 4)), Step::Skip);
        assert_eq!(chain.step(&entry(4, 5)), Step::Take);
    }

    #[test]
    fn what_is_missing_is_noticed() {
        // Nothing is missing: the last one is there, or the first one names it, or there was never one.
        assert_eq!(chain(&[0, 1, 2]).after(entries(&[1, 2])), After::Whole(vec![]));
        assert_eq!(chain(&[0, 1, 2]).after(entries(&[2, 3])), After::Whole(entries(&[2, 3])));
        assert_eq!(chain(&[]).after(vec![]), After::Whole(vec![]));
        assert_eq!(chain(&[]).after(entries(&[0, 1])), After::Whole(entries(&[0, 1])));
        // Trimmed, gone, begun anew, or of another one.
        assert_eq!(chain(&[0, 1, 2]).after(entries(&[3, 4])), After::Broken);
        assert_eq!(chain(&[0, 1, 2]).after(vec![]), After::Broken);
        assert_eq!(chain(&[0, 1, 2]).after(entries(&[0, 9])), After::Broken);
        assert_eq!(chain(&[]).after(entries(&[3, 4])), After::Broken);
    }

    #[test]
    fn what_was_heard_is_not_heard_again() {
        // A failover has lost 3 and 4, which were heard, and others came instead.
        let mut forked = chain(&[0, 1, 2, 3, 4]);
        assert_eq!(forked.mend(entries(&[0, 1, 2, 13, 14])), entries(&[2, 13, 14]));
        assert_eq!(forked.step(&entry(14, 15)), Step::Take);
        // All is lost, and ids begin anew.
        let mut lost = chain(&[0, 7, 8]);
        assert_eq!(lost.mend(entries(&[0, 1])), entries(&[0, 1]));
        assert_eq!(lost.step(&entry(1, 2)), Step::Take);
        let mut empty = chain(&[0, 7, 8]);
        assert_eq!(empty.mend(vec![]), vec![]);
        assert_eq!(empty.step(&entry(0, 1)), Step::Take);
    }

    #[test]
    fn not_all_ids_are_kept() {
        let all: Vec<u64> = (0..10_000).collect();
        assert_eq!(chain(&all).recent.len(), RECENT);
    }
}
