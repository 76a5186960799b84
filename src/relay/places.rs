//! The places that an edge wants, and what is known of each. Pure, but for the time.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::time::Duration;
use std::time::Instant;

use crate::relay::document::Document;
use crate::relay::documents::OriginName;
use crate::site::SitePath;

/// How many places are wanted at most, and how many of them because somebody follows them: who only asks needs some, too.
const PLACES: usize = 10_000;
const FOLLOWED: usize = 9_000;

/// How many bytes of contents are held that nobody follows.
const UNFOLLOWED: usize = 64 << 20;

/// How long a place is wanted after somebody has asked for it, so that the next one is answered at once.
const LINGER: Duration = Duration::from_secs(10);

/// The longest pause before an origin that has not answered is asked again.
const REPEAT: Duration = Duration::from_secs(2);

/// What an edge wants and knows.
#[derive(Default)]
pub(super) struct Places {
    pub(super) wanted: HashMap<SitePath, Place>,
    /// Places that are to be asked for.
    pub(super) asked: BTreeSet<SitePath>,
    /// Places that are not wanted any more.
    pub(super) left: BTreeSet<SitePath>,
    /// Places that somebody follows, and for which there is no room.
    pub(super) refused: BTreeSet<SitePath>,
    /// How many of those that are wanted are followed.
    followed: usize,
    /// Whether there is a connection on which something was asked.
    is_connected: bool,
    /// Why nobody answers, if nobody does.
    pub(super) away: Option<&'static str>,
    pub(super) origin: Option<OriginName>,
}

/// A place that is wanted.
pub(super) struct Place {
    /// Whether somebody follows it.
    pub(super) is_followed: bool,
    /// When it was asked for last.
    pub(super) used: Instant,
    /// What stands there.
    pub(super) document: Option<Document>,
    /// What stood there once, as Redis remembers. It is better than nothing while nobody answers.
    pub(super) rumour: Option<Document>,
    /// Whether nothing stood there in a moment in which it was asked for.
    pub(super) is_nothing: bool,
    /// The number of what is known.
    pub(super) number: u64,
    /// When the origin is asked again, if it has not answered, and after which pause.
    pub(super) again: (Instant, Duration),
}

impl Place {
    fn new() -> Self {
        let (used, pause) = (Instant::now(), Duration::from_millis(500));
        Self {
            is_followed: false,
            used,
            document: None,
            rumour: None,
            is_nothing: false,
            number: 0,
            again: (used + pause, pause),
        }
    }

    fn size(&self) -> usize {
        [&self.document, &self.rumour].into_iter().flatten().map(Document::size).sum()
    }
}

impl Places {
    /// The place, wanted from now on; `None` if there are too many.
    pub(super) fn want(&mut self, path: &SitePath, is_followed: bool) -> Option<&mut Place> {
        let is_more = is_followed && self.wanted.get(path).is_none_or(|place| !place.is_followed);
        if is_more && self.followed >= FOLLOWED {
            return None;
        }
        if !self.wanted.contains_key(path) {
            if self.wanted.len() >= PLACES {
                self.leave_oldest()?;
            }
            self.wanted.insert(path.clone(), Place::new());
            self.asked.insert(path.clone());
        }
        self.followed += usize::from(is_more);
        let place = self.wanted.get_mut(path)?;
        place.used = Instant::now();
        place.is_followed |= is_followed;
        Some(place)
    }

    /// Nobody follows a place any more. It is wanted for some time still.
    pub(super) fn unfollow(&mut self, path: &SitePath) {
        self.refused.remove(path);
        if let Some(place) = self.wanted.get_mut(path).filter(|place| place.is_followed) {
            place.is_followed = false;
            place.used = Instant::now();
            self.followed -= 1;
        }
    }

    /// What is known of a place, as far as there will be nothing better.
    pub(super) fn best(&self, path: &SitePath, is_late: bool) -> Option<&Document> {
        let place = self.wanted.get(path)?;
        let rumour = place.rumour.as_ref().filter(|_| is_late || self.away.is_some());
        place.document.as_ref().or(rumour)
    }

    pub(super) fn leave(&mut self, path: SitePath) {
        self.wanted.remove(&path);
        self.asked.remove(&path);
        // What nobody has heard of needs not be taken back.
        if self.is_connected {
            self.left.insert(path);
        }
    }

    /// What nobody follows takes no more room than it may. What has just come stays in any case.
    pub(super) fn make_room(&mut self, new: &SitePath) {
        let mut unfollowed: Vec<_> = self
            .wanted
            .iter()
            .filter(|(_, place)| !place.is_followed)
            .map(|(path, place)| (place.used, place.size(), path.clone()))
            .collect();
        let mut total: usize = unfollowed.iter().map(|(_, size, _)| size).sum();
        if total > UNFOLLOWED {
            unfollowed.sort();
            for (_, size, path) in unfollowed {
                if total <= UNFOLLOWED {
                    break;
                }
                if path == *new {
                    continue;
                }
                total -= size;
                self.leave(path);
            }
        }
    }

    /// The place that nobody follows and that was asked for longest ago is wanted no longer.
    pub(super) fn leave_oldest(&mut self) -> Option<()> {
        let unfollowed = self.wanted.iter().filter(|(_, place)| !place.is_followed);
        let (oldest, _) = unfollowed.min_by_key(|(_, place)| place.used)?;
        let oldest = oldest.clone();
        self.leave(oldest);
        Some(())
    }

    /// The places that are to be asked for, and those that are not wanted any more.
    pub(super) fn take(&mut self) -> (BTreeSet<SitePath>, BTreeSet<SitePath>) {
        let (asked, mut left) = (std::mem::take(&mut self.asked), std::mem::take(&mut self.left));
        left.retain(|place| !self.wanted.contains_key(place));
        (asked, left)
    }

    /// Everything is to be asked for anew. Numbers may begin anew, too.
    pub(super) fn ask_all(&mut self) {
        self.is_connected = true;
        self.asked = self.wanted.keys().cloned().collect();
        self.left.clear();
        self.wanted.values_mut().for_each(|place| place.number = 0);
    }

    /// There is no connection. With the next one, all that was asked for is forgotten by Redis.
    pub(super) fn lose(&mut self) {
        self.is_connected = false;
        self.left.clear();
    }

    /// What nobody asks for any more is not wanted, and who has not answered is asked again. Returns whether there is something to do.
    pub(super) fn tidy(&mut self, now: Instant) -> bool {
        let old = self.wanted.iter().filter(|(_, place)| !place.is_followed && now - place.used > LINGER);
        let old = old.map(|(path, _)| path.clone()).collect::<Vec<_>>();
        old.into_iter().for_each(|path| self.leave(path));
        for path in std::mem::take(&mut self.refused) {
            if self.want(&path, true).is_none() {
                self.refused.insert(path);
            }
        }
        for (path, place) in &mut self.wanted {
            let (due, pause) = &mut place.again;
            if place.document.is_none() && *due <= now {
                *pause = (*pause * 2).min(REPEAT);
                *due = now + *pause;
                self.asked.insert(path.clone());
            }
        }
        !self.asked.is_empty() || !self.left.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Version;
    use crate::relay::document::Contents;

    fn path(number: usize) -> SitePath {
        SitePath::from_url(&format!("/{number}")).unwrap()
    }

    #[test]
    fn what_was_asked_for_longest_ago_makes_room() {
        let mut places = Places::default();
        places.ask_all();
        assert!(places.want(&path(0), true).is_some());
        for number in 1..=PLACES {
            assert!(places.want(&path(number), false).is_some());
        }
        assert_eq!(places.wanted.len(), PLACES);
        assert!(places.wanted.contains_key(&path(0)) && !places.wanted.contains_key(&path(1)));
        let (asked, left) = places.take();
        assert_eq!((asked.len(), left), (PLACES, [path(1)].into()));
        // It is wanted again before it was left.
        places.leave(path(2));
        places.want(&path(2), false);
        assert_eq!(places.take(), ([path(2)].into(), BTreeSet::new()));
        for number in 10..10 + FOLLOWED - 1 {
            assert!(places.want(&path(number), true).is_some());
        }
        // Who only asks still finds room, and who follows waits for it.
        assert!(places.want(&path(PLACES + 1), false).is_some() && places.want(&path(PLACES + 2), true).is_none());
        places.refused.insert(path(PLACES + 2));
        places.unfollow(&path(10));
        places.tidy(Instant::now());
        assert!(places.refused.is_empty() && places.wanted[&path(PLACES + 2)].is_followed);
        // Without a connection, there is nothing to take back.
        places.lose();
        places.leave(path(11));
        assert!(places.left.is_empty());
    }

    #[test]
    fn contents_that_nobody_follows_have_a_bound() {
        let mut places = Places::default();
        for number in 0..100 {
            let contents = Contents::File(vec![0; 1 << 20].into(), None);
            let place = places.want(&path(number), number == 0).unwrap();
            place.document = Some(Document { version: Version::ABSENT, contents });
            places.make_room(&path(number));
        }
        let held: usize = places.wanted.values().map(Place::size).sum();
        assert!(held <= UNFOLLOWED + (2 << 20) && places.wanted.contains_key(&path(0)), "{held}");
    }

    #[test]
    fn who_does_not_answer_is_asked_again() {
        let mut places = Places::default();
        places.want(&path(0), true);
        places.want(&path(1), false);
        places.ask_all();
        places.take();
        let start = Instant::now();
        assert!(!places.tidy(start));
        assert!(places.tidy(start + Duration::from_secs(1)));
        assert_eq!(places.take().0.len(), 2);
        // Who only asked has gone by then.
        assert!(places.tidy(start + LINGER * 2));
        assert_eq!(places.take(), ([path(0)].into(), [path(1)].into()));
    }
}
