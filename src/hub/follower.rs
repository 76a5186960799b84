//! One who follows: a cursor, never a queue. What it has, and what it is still owed.

use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use crate::hub::Audience;
use crate::hub::Demand;
use crate::hub::Hub;
use crate::hub::Interest;
use crate::hub::Known;
use crate::hub::Listener;
use crate::hub::Need;
use crate::hub::Owed;
use crate::site_path::SitePath;

/// Follows one or more paths. Dropping it ends that, and with the last follower of a path its watch.
///
/// It is told the newest state of each path, whenever that is another than the one it has. States that come and go while
/// it is busy are skipped.
pub struct Follower {
    hub: Arc<Hub>,
    id: u64,
    cursors: Vec<Cursor>,
    /// What it was told last of a burst.
    burst: bool,
}

struct Cursor {
    path: SitePath,
    audience: Audience,
    need: Need,
    has: Known,
}

impl Follower {
    /// Begins to follow. What is there now is told after a look that begins after this call.
    #[must_use]
    pub fn new(hub: &Arc<Hub>, interests: Vec<Interest>) -> Self {
        let mut state = hub.state();
        let id = state.next_follower;
        state.next_follower += 1;
        let hears_bursts = interests.iter().any(|interest| interest.audience == Audience::User);
        state.followers.entry(id).or_default().hears_bursts = hears_bursts;
        let mut cursors = Vec::with_capacity(interests.len());
        let since = state.looks + 1;
        for (place, Interest { path, has, audience, need }) in interests.into_iter().enumerate() {
            let topic = state.topics.entry(path.clone()).or_default();
            topic.followers.insert((id, place), Listener { since, first: None, is_left: false });
            topic.waiting.push((id, place));
            topic.needs.add(&need);
            cursors.push(Cursor { path: path.clone(), audience, need, has });
            (hub.demand)(Demand::Follow(path));
        }
        drop(state);
        Self { hub: hub.clone(), id, cursors, burst: false }
    }

    /// The next thing it is owed; `None` when the hub has closed.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Owed>> {
        let state = &mut *self.hub.state();
        if state.closed {
            return Poll::Ready(None);
        }
        let Some(slot) = state.followers.get_mut(&self.id) else { return Poll::Ready(None) };
        let burst = Some(state.burst).filter(|burst| slot.hears_bursts && self.burst != *burst);
        // Its beginning comes before what it brings, and its end after that.
        if burst == Some(true) {
            self.burst = true;
            return Poll::Ready(Some(Owed::Burst(true)));
        }
        // First owed, first told: a file that is saved again and again can't hold up the others.
        while let Some(place) = slot.owed.pop_front() {
            let cursor = &mut self.cursors[place];
            let Some(topic) = state.topics.get_mut(&cursor.path) else { continue };
            let Some(listener) = topic.followers.get_mut(&(self.id, place)) else { continue };
            if topic.looked < listener.since {
                topic.waiting.push((self.id, place));
                continue;
            }
            let Some(latest) = topic.latest.clone() else { continue };
            if cursor.has == Known::Present {
                // What was present when it came, which may not be any more.
                cursor.has = Known::Version(listener.first.unwrap_or(latest.update.version));
            }
            let had = std::mem::replace(&mut cursor.has, Known::Version(latest.update.version));
            let is_told = had != cursor.has;
            if std::mem::take(&mut listener.is_left)
                && let Some(report) = topic.settle(&cursor.path, is_told)
            {
                (self.hub.report)(&report);
                state.report = Some(report);
            }
            if is_told {
                return Poll::Ready(Some(Owed::News(latest, cursor.audience)));
            }
        }
        if burst == Some(false) {
            self.burst = false;
            return Poll::Ready(Some(Owed::Burst(false)));
        }
        if !slot.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            slot.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }

    /// The next thing it is owed; `None` when the hub has closed.
    pub async fn next(&mut self) -> Option<Owed> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let state = &mut *self.hub.state();
        state.followers.remove(&self.id);
        for (place, cursor) in self.cursors.drain(..).enumerate() {
            if let Some(topic) = state.topics.get_mut(&cursor.path) {
                topic.needs.remove(&cursor.need);
                // Nobody waits for one who has gone.
                let listener = topic.followers.remove(&(self.id, place));
                if listener.is_some_and(|listener| listener.is_left)
                    && let Some(report) = topic.settle(&cursor.path, false)
                {
                    (self.hub.report)(&report);
                    state.report = Some(report);
                }
                if topic.followers.is_empty() {
                    state.topics.remove(&cursor.path);
                }
            }
            (self.hub.demand)(Demand::Unfollow(cursor.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Update;
    use crate::change::Version;
    use futures::FutureExt;
    use std::sync::Mutex;
    use std::time::Instant;

    struct Story {
        hub: Arc<Hub>,
        demands: Arc<Mutex<Vec<String>>>,
    }

    impl Story {
        fn new() -> Self {
            let demands = Arc::new(Mutex::new(Vec::new()));
            let heard = demands.clone();
            let hub = Hub::new(
                move |demand| {
                    heard.lock().unwrap().push(match demand {
                        Demand::Follow(path) => format!("+{path}"),
                        Demand::Unfollow(path) => format!("-{path}"),
                        Demand::FollowLines(path) | Demand::UnfollowLines(path) => format!("lines {path}"),
                    });
                },
                |_| {},
            );
            Self { hub, demands }
        }

        fn follow(&self, urls: &[(&str, Known)]) -> Follower {
            let interest = |(url, has): &(&str, Known)| Interest {
                path: path(url),
                has: *has,
                audience: Audience::File,
                need: Need::Nothing,
            };
            Follower::new(&self.hub, urls.iter().map(interest).collect())
        }

        fn save(&self, url: &str, text: &str) -> Option<usize> {
            let ticket = self.hub.look(&path(url))?;
            self.hub.publish(ticket, Update::content(path(url), text.into()), Instant::now())
        }
    }

    fn path(url: &str) -> SitePath {
        SitePath::from_url(url).unwrap()
    }

    fn version(text: &str) -> Known {
        Known::Version(Version::of(text.as_bytes()))
    }

    /// All that the follower is told now.
    #[track_caller]
    fn expect(follower: &mut Follower, urls: &[&str]) {
        let told = std::iter::from_fn(|| follower.next().now_or_never().flatten());
        let told = told.map(|owed| match owed {
            Owed::News(told, _) => told.update.path.to_string(),
            Owed::Burst(burst) => format!("burst {burst}"),
        });
        let told = told.collect::<Vec<_>>();
        assert_eq!(told, urls);
    }

    #[test]
    fn is_told_what_there_is_and_then_what_changes() {
        let story = Story::new();
        let mut follower = story.follow(&[("/a.txt", Known::Nothing)]);
        expect(&mut follower, &[]);
        assert_eq!(story.save("/a.txt", "1"), Some(1));
        expect(&mut follower, &["/a.txt"]);
        assert_eq!(story.save("/a.txt", "1"), None);
        expect(&mut follower, &[]);
        story.save("/a.txt", "2");
        story.save("/a.txt", "3");
        expect(&mut follower, &["/a.txt"]);
    }

    #[test]
    fn is_not_told_what_it_has() {
        let story = Story::new();
        let mut follower =
            story.follow(&[("/a.txt", version("1")), ("/b.txt", version("1")), ("/c.txt", Known::Present)]);
        for url in ["/a.txt", "/b.txt", "/c.txt"] {
            story.save(url, if url == "/b.txt" { "2" } else { "1" });
        }
        expect(&mut follower, &["/b.txt"]);
        story.save("/c.txt", "2");
        expect(&mut follower, &["/c.txt"]);
        story.save("/c.txt", "3");
        story.save("/c.txt", "2");
        expect(&mut follower, &[]);
    }

    #[test]
    fn what_was_present_is_what_was_found_first() {
        let story = Story::new();
        let mut follower = story.follow(&[("/a.txt", Known::Present)]);
        story.save("/a.txt", "1");
        // It was busy, and has missed nothing.
        story.save("/a.txt", "2");
        expect(&mut follower, &["/a.txt"]);
    }

    #[test]
    fn is_never_told_something_older_than_itself() {
        let story = Story::new();
        let mut first = story.follow(&[("/a.txt", Known::Nothing)]);
        story.save("/a.txt", "old");
        let early = story.hub.look(&path("/a.txt")).unwrap();
        // It has read the new content from disk, which the look that is going on has not seen.
        let mut second = story.follow(&[("/a.txt", version("new"))]);
        expect(&mut second, &[]);
        story.hub.publish(early, Update::content(path("/a.txt"), "old".into()), Instant::now());
        expect(&mut second, &[]);
        story.save("/a.txt", "new");
        expect(&mut second, &[]);
        expect(&mut first, &["/a.txt"]);
    }

    #[test]
    fn a_look_for_those_who_have_left_is_not_for_those_who_come() {
        let story = Story::new();
        let first = story.follow(&[("/a.txt", Known::Nothing)]);
        let early = story.hub.look(&path("/a.txt")).unwrap();
        drop(first);
        let mut second = story.follow(&[("/a.txt", version("new"))]);
        story.hub.publish(early, Update::content(path("/a.txt"), "old".into()), Instant::now());
        expect(&mut second, &[]);
        story.save("/a.txt", "new");
        expect(&mut second, &[]);
    }

    #[test]
    fn a_look_without_news_answers_those_who_wait_for_it() {
        let story = Story::new();
        let mut first = story.follow(&[("/a.txt", Known::Nothing)]);
        story.save("/a.txt", "1");
        expect(&mut first, &["/a.txt"]);
        let mut second = story.follow(&[("/a.txt", Known::Nothing)]);
        assert_eq!(story.save("/a.txt", "1"), None);
        expect(&mut first, &[]);
        expect(&mut second, &["/a.txt"]);
    }

    #[test]
    fn the_first_and_the_last_are_demanded_too() {
        let story = Story::new();
        let follower = story.follow(&[("/a.txt", Known::Nothing), ("/b.txt", Known::Nothing)]);
        drop(story.follow(&[("/a.txt", Known::Nothing)]));
        assert_eq!(story.hub.census().followed, 2);
        drop(follower);
        assert_eq!(*story.demands.lock().unwrap(), ["+/a.txt", "+/b.txt", "+/a.txt", "-/a.txt", "-/a.txt", "-/b.txt"]);
        assert_eq!(story.hub.census().followed, 0);
        assert_eq!(story.save("/a.txt", "1"), None);
    }

    #[test]
    fn a_page_is_told_of_a_burst_around_what_it_brings() {
        let story = Story::new();
        let mut stream = story.follow(&[("/a.txt", version("0"))]);
        let interest =
            Interest { path: path("/a.txt"), has: version("0"), audience: Audience::User, need: Need::Nothing };
        let mut page = Follower::new(&story.hub, vec![interest]);
        story.hub.burst(true);
        story.save("/a.txt", "1");
        expect(&mut page, &["burst true", "/a.txt"]);
        story.hub.burst(true);
        story.save("/a.txt", "2");
        story.hub.burst(false);
        expect(&mut page, &["/a.txt", "burst false"]);
        expect(&mut stream, &["/a.txt"]);
        // What is no news in the end does not hold it back.
        story.hub.burst(true);
        expect(&mut page, &["burst true"]);
        story.save("/a.txt", "3");
        story.save("/a.txt", "2");
        story.hub.burst(false);
        expect(&mut page, &["burst false"]);
        // What it has slept through is nothing to it.
        story.hub.burst(true);
        story.hub.burst(false);
        expect(&mut page, &[]);
    }

    #[test]
    fn it_is_reported_when_the_last_one_was_told() {
        let story = Story::new();
        let mut followers = [(); 2].map(|()| story.follow(&[("/a.txt", Known::Nothing)]));
        let listeners = |story: &Story| story.hub.latest_report().map(|report| report.listeners);
        story.save("/a.txt", "1");
        followers.iter_mut().for_each(|follower| expect(follower, &["/a.txt"]));
        assert_eq!(listeners(&story), None, "the first look follows no save");
        story.save("/a.txt", "2");
        expect(&mut followers[0], &["/a.txt"]);
        assert_eq!(listeners(&story), None);
        expect(&mut followers[1], &["/a.txt"]);
        assert_eq!(listeners(&story), Some(2));
        // Who goes or has it already keeps nobody waiting, and who comes later counts for nothing.
        story.save("/a.txt", "3");
        expect(&mut followers[0], &["/a.txt"]);
        let mut late = story.follow(&[("/a.txt", Known::Nothing)]);
        story.save("/a.txt", "3");
        expect(&mut late, &["/a.txt"]);
        assert_eq!(listeners(&story), Some(2));
        let [first, second] = followers;
        drop(second);
        assert_eq!(listeners(&story), Some(1));
        drop(first);
    }

    #[test]
    fn closing_ends_all_also_later_ones() {
        let story = Story::new();
        let mut early = story.follow(&[("/a.txt", Known::Nothing)]);
        story.save("/a.txt", "1");
        story.hub.close();
        let mut late = story.follow(&[("/a.txt", Known::Nothing)]);
        assert!(early.next().now_or_never().expect("ends").is_none());
        assert!(late.next().now_or_never().expect("ends").is_none());
    }

    #[test]
    fn a_waiting_follower_is_woken() {
        let story = Story::new();
        let mut follower = story.follow(&[("/a.txt", Known::Nothing)]);
        let waiting = std::thread::spawn(move || futures::executor::block_on(follower.next()).is_some());
        story.save("/a.txt", "1");
        assert!(waiting.join().unwrap());
    }
}
