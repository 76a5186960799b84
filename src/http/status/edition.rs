//! What all that look at the overview share: its text is written once for all of them.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;

use crate::content::Version;
use crate::content::diff;
use crate::event::Encoding;
use crate::event::Event;

/// How often the overview is written at most.
pub(crate) const PAUSE: Duration = Duration::from_millis(200);

/// The newest edition of the overview.
#[derive(Default)]
pub struct Editions(Mutex<Option<Written>>);

struct Written {
    at: Instant,
    edition: Arc<Edition>,
}

/// The overview as it was at some time.
pub(crate) struct Edition {
    pub(crate) number: u64,
    text: String,
    /// As an event: all of it, and what makes it of the edition before, if that is smaller.
    whole: Bytes,
    patch: Option<Bytes>,
}

impl Editions {
    /// The newest one, which `write` writes if the last one is old `now`. Whoever comes meanwhile waits for it.
    pub(crate) fn newest(&self, now: Instant, write: impl FnOnce() -> String) -> Arc<Edition> {
        // If `write` panics, the edition before is still whole.
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match &*newest {
            Some(Written { at, edition }) if now.saturating_duration_since(*at) < PAUSE => return edition.clone(),
            before => before.as_ref().map(|written| written.edition.clone()),
        };
        let text = write();
        let edition = match before {
            Some(before) if before.text == text => before,
            before => Arc::new(Edition::new(text, before.as_deref())),
        };
        *newest = Some(Written { at: now, edition: edition.clone() });
        edition
    }
}

impl Edition {
    fn new(text: String, before: Option<&Self>) -> Self {
        let version = Version::of(text.as_bytes());
        let patch = before.and_then(|before| diff::patch(&before.text, &text, text.len()));
        let patch = patch.map(|patch| Encoding::Sse.write(&Event::named(version, "patch", patch)));
        let whole = Encoding::Sse.write(&Event::message(version, text.as_str()));
        Self { number: before.map_or(0, |before| before.number + 1), text, whole, patch }
    }

    /// The event for somebody who has the edition with this number.
    pub(crate) fn event(&self, has: Option<u64>) -> Bytes {
        let patch = self.patch.as_ref().filter(|_| has.is_some_and(|has| has + 1 == self.number));
        patch.unwrap_or(&self.whole).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_once_for_all_and_patched_for_those_who_have_the_one_before() {
        let editions = Editions::default();
        let text = |n: u32| format!("{{\"a\":{n},\"b\":\"{}\"}}", "x".repeat(1000));
        let start = Instant::now();
        let first = editions.newest(start, || text(1));
        assert_eq!(editions.newest(start + PAUSE / 2, || unreachable!("it is new")).number, first.number);
        assert_eq!(editions.newest(start + PAUSE, || text(1)).number, 0);
        let second = editions.newest(start + 2 * PAUSE, || text(2));
        let event = |has| String::from_utf8(second.event(has).to_vec()).unwrap();
        assert!(event(Some(0)).contains("event: patch") && event(Some(0)).len() < 200);
        assert!(event(None).len() > 1000 && event(Some(7)).len() > 1000);
    }
}
