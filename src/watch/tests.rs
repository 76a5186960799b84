use super::*;
use crate::source::directory::Directory;
use std::fs;

struct Story {
    /// Dropped before the site: on old versions of Windows, and under wine, a directory can't be removed while it is watched.
    watch: Watch,
    site: tempfile::TempDir,
    remote: WatchHandle,
}

impl Story {
    fn new() -> Self {
        Self::of(tempfile::tempdir().unwrap())
    }

    fn of(site: tempfile::TempDir) -> Self {
        let root = site.path().canonicalize().unwrap();
        let mut sources = Sources::default();
        sources.mount(&SitePath::root(), Arc::new(Directory::new(&root, 100).unwrap()));
        let (remote, signals) = signals();
        let watch = Watch::new(signals, sources, None, Box::new(|_| false), |polled| panic!("{polled:?}"));
        Self { watch, site, remote }
    }

    fn follow(&mut self, url: &str) {
        self.remote.follow(SitePath::from_url(url).unwrap());
        self.expect(url);
    }

    /// The next look is at this path.
    #[track_caller]
    fn expect(&mut self, url: &str) {
        let looks = self.watch.next_batch().unwrap().looks;
        assert_eq!(looks.iter().map(|look| look.path.as_str()).collect::<Vec<_>>(), [url]);
    }

    fn file(&self, name: &str) -> PathBuf {
        self.site.path().canonicalize().unwrap().join(name)
    }
}

#[test]
fn watches_what_is_followed_and_stops_with_it() {
    let mut story = Story::new();
    fs::create_dir(story.file("sub")).unwrap();
    assert_eq!(story.remote.watched(), (0, 0));
    story.follow("/sub/a.json");
    story.follow("/sub/a.json");
    story.follow("/b.json");
    assert_eq!(story.remote.watched(), (2, 3));

    let unfollow = |url| story.remote.unfollow(SitePath::from_url(url).unwrap());
    unfollow("/sub/a.json");
    unfollow("/sub/a.json");
    story.follow("/b.json");
    assert_eq!(story.remote.watched(), (1, 2));
}

#[test]
fn tells_of_saves() {
    let mut story = Story::new();
    story.follow("/a.json");
    fs::write(story.file("other.json"), "1").unwrap();
    fs::write(story.file("a.json"), "1").unwrap();
    story.expect("/a.json");
    fs::write(story.file("temporary"), "2").unwrap();
    fs::rename(story.file("temporary"), story.file("a.json")).unwrap();
    story.expect("/a.json");
}

#[test]
fn finds_files_in_directories_that_come_later() {
    let mut story = Story::new();
    story.follow("/a/b/c.json");
    assert_eq!(story.remote.watched(), (1, 2));
    fs::create_dir_all(story.file("a/b")).unwrap();
    fs::write(story.file("a/b/c.json"), "1").unwrap();
    story.expect("/a/b/c.json");
    while story.remote.watched() != (1, 4) {
        story.expect("/a/b/c.json");
    }
}

#[test]
fn stops() {
    let mut story = Story::new();
    story.remote.stop();
    assert!(story.watch.next_batch().is_none());
}

#[test]
fn what_git_does_is_a_burst_however_late_we_look() {
    let site = tempfile::tempdir().unwrap();
    fs::create_dir(site.path().join(".git")).unwrap();
    let mut story = Story::of(site);
    story.follow("/a.json");
    fs::write(story.file(".git/index.lock"), "").unwrap();
    fs::write(story.file("a.json"), "0").unwrap();
    // From the first file on.
    assert!(story.watch.next_batch().unwrap().is_burst);
    // We look when the time that a burst is held is over, and the next file has come.
    story.watch.burst = Burst::default();
    story.watch.note(Change::Done(story.file("a.json")), Instant::now());
    let batch = story.watch.next_batch().unwrap();
    assert_eq!(batch.looks.len(), 1);
    assert!(batch.is_burst);
    fs::remove_file(story.file(".git/index.lock")).unwrap();
    while story.watch.next_batch().unwrap().is_burst {}
}
