//! The pipeline doesn't know where contents come from: here it is neither a directory nor another server.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

use super::*;
use crate::content::Content;
use crate::event::Format;
use crate::hub::Delivery;
use crate::hub::Follower;
use crate::hub::Interest;
use crate::hub::Known;
use crate::hub::Need;
use crate::hub::WatchRequest;
use crate::source::FileContent;
use crate::source::look::Source;
use crate::watch::WatchHandle;
use crate::watch::signals;

/// What was put into it, for as long as somebody wants it.
#[derive(Default)]
struct Memory {
    contents: Mutex<HashMap<SitePath, Vec<u8>>>,
    followed: Mutex<Vec<String>>,
}

impl Source for Memory {
    fn find(&self, place: &SitePath) -> Result<Found, ReadError> {
        let bytes = self.contents.lock().unwrap().get(place).cloned().ok_or(ReadError::Missing)?;
        Ok(Found::File(FileContent { bytes: bytes.into(), modified: None, is_whole: true }))
    }

    fn begin(&self, place: &SitePath) {
        self.followed.lock().unwrap().push(format!("+{place}"));
    }

    fn end(&self, place: &SitePath) {
        self.followed.lock().unwrap().push(format!("-{place}"));
    }
}

struct Story {
    memory: Arc<Memory>,
    hub: Arc<Hub>,
    handle: WatchHandle,
    thread: thread::JoinHandle<()>,
}

impl Story {
    fn new() -> Self {
        let memory = Arc::new(Memory::default());
        let mut sources = Sources::default();
        sources.mount(&path("/memory/"), memory.clone());
        let (handle, signals) = signals();
        let watch = Watch::new(signals, sources.clone(), None, Box::new(|_| false), |_| {});
        let requests = handle.clone();
        let hub = Hub::new(
            move |request| match request {
                WatchRequest::Follow(path) => requests.follow(path),
                WatchRequest::Unfollow(path) => requests.unfollow(path),
                WatchRequest::FollowLines(path) => requests.follow_lines(path),
                WatchRequest::UnfollowLines(path) => requests.unfollow_lines(path),
            },
            |_| {},
        );
        let thread = {
            let hub = hub.clone();
            thread::spawn(move || run(watch, &sources, &hub, |_, _| {}))
        };
        Self { memory, hub, handle, thread }
    }

    fn put(&self, text: &str) {
        self.memory.contents.lock().unwrap().insert(path("/a.json"), text.into());
        self.handle.changed(path("/memory/a.json"));
    }

    fn follow(&self) -> Follower {
        let interest =
            Interest { path: path("/memory/a.json"), has: Known::Nothing, format: Format::Stream, need: Need::Nothing };
        Follower::new(&self.hub, vec![interest])
    }
}

fn path(url: &str) -> SitePath {
    SitePath::from_url(url).unwrap()
}

#[track_caller]
fn expect(follower: &mut Follower, content: &Content) {
    let delivery = futures::executor::block_on(follower.next());
    let Some(Delivery::Snapshot(published, _)) = delivery else { panic!("{delivery:?}") };
    assert_eq!(published.snapshot.content, *content);
}

#[test]
fn a_source_of_another_kind_is_live_in_the_same_ways() {
    let story = Story::new();
    let followed = || story.memory.followed.lock().unwrap().clone();
    // Nobody asks for it yet.
    story.put("[0]");
    let mut first = story.follow();
    expect(&mut first, &Content::Document("[0]".into()));
    let mut second = story.follow();
    expect(&mut second, &Content::Document("[0]".into()));
    story.put(" [ 1 ] ");
    for follower in [&mut first, &mut second] {
        expect(follower, &Content::Document("[1]".into()));
    }
    story.put("[1");
    let problem = |content: &Content| matches!(content, Content::Problem(_));
    let delivery = futures::executor::block_on(first.next());
    assert!(matches!(&delivery, Some(Delivery::Snapshot(published, _)) if problem(&published.snapshot.content)));
    assert_eq!(followed(), ["+/a.json"]);
    drop((first, second));
    story.handle.stop();
    story.thread.join().unwrap();
    assert_eq!(story.memory.followed.lock().unwrap().as_slice(), ["+/a.json", "-/a.json"]);
}
