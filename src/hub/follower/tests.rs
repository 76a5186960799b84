use super::*;
use crate::content::Snapshot;
use crate::content::Version;
use futures::FutureExt;
use std::sync::Mutex;
use std::time::Instant;

struct Story {
    hub: Arc<Hub>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Story {
    fn new() -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let heard = requests.clone();
        let hub = Hub::new(
            move |request| {
                heard.lock().unwrap().push(match request {
                    WatchRequest::Follow(path) => format!("+{path}"),
                    WatchRequest::Unfollow(path) => format!("-{path}"),
                    WatchRequest::FollowLines(path) | WatchRequest::UnfollowLines(path) => format!("lines {path}"),
                });
            },
            |_| {},
        );
        Self { hub, requests }
    }

    fn follow(&self, urls: &[(&str, Known)]) -> Follower {
        let interest = |(url, has): &(&str, Known)| Interest {
            path: path(url),
            has: *has,
            format: Format::Stream,
            need: Need::Nothing,
        };
        Follower::new(&self.hub, urls.iter().map(interest).collect())
    }

    fn save(&self, url: &str, text: &str) -> Option<usize> {
        let ticket = self.hub.look(&path(url))?;
        self.hub.publish(ticket, Snapshot::of_file(path(url), text.into()), Instant::now())
    }
}

fn path(url: &str) -> SitePath {
    SitePath::from_url(url).unwrap()
}

fn version(text: &str) -> Known {
    Known::Version(Version::of(text.as_bytes()))
}

/// All that the follower is sent now.
#[track_caller]
fn expect(follower: &mut Follower, urls: &[&str]) {
    let told = std::iter::from_fn(|| follower.next().now_or_never().flatten());
    let told = told.map(|owed| match owed {
        Delivery::Snapshot(told, _) => told.snapshot.path.to_string(),
        Delivery::Burst(burst) => format!("burst {burst}"),
        Delivery::Reload => "reload".to_owned(),
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
    let mut follower = story.follow(&[("/a.txt", version("1")), ("/b.txt", version("1")), ("/c.txt", Known::Present)]);
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
    story.hub.publish(early, Snapshot::of_file(path("/a.txt"), "old".into()), Instant::now());
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
    story.hub.publish(early, Snapshot::of_file(path("/a.txt"), "old".into()), Instant::now());
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
    assert_eq!(story.hub.stats().followed, 2);
    drop(follower);
    assert_eq!(*story.requests.lock().unwrap(), ["+/a.txt", "+/b.txt", "+/a.txt", "-/a.txt", "-/a.txt", "-/b.txt"]);
    assert_eq!(story.hub.stats().followed, 0);
    assert_eq!(story.save("/a.txt", "1"), None);
}

#[test]
fn a_page_is_told_of_a_burst_around_what_it_brings() {
    let story = Story::new();
    let mut stream = story.follow(&[("/a.txt", version("0"))]);
    let interest = Interest { path: path("/a.txt"), has: version("0"), format: Format::PageUses, need: Need::Nothing };
    let mut page = Follower::of_page(&story.hub, vec![interest]);
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

#[test]
fn all_pages_that_are_open_are_loaded_again() {
    let story = Story::new();
    let mut stream = story.follow(&[("/a.txt", version("0"))]);
    let mut page = Follower::of_page(&story.hub, vec![]);
    story.hub.reload();
    story.hub.reload();
    let mut late = Follower::of_page(&story.hub, vec![]);
    expect(&mut page, &["reload"]);
    expect(&mut page, &[]);
    expect(&mut late, &[]);
    expect(&mut stream, &[]);
}
