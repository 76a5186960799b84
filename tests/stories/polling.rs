//! Long polling: what is answered has settled, at whatever moment of a save one asks.

use std::fs;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use crate::support::Answer;
use crate::support::DEADLINE;
use crate::support::Server;
use crate::support::Site;

/// Somebody who has to wait so long for the processor, of two milliseconds, may also find that a save has rested for so long
/// that it counts as done.
const BUSY: Duration = Duration::from_millis(20);

/// A save that rests for longer than this may count as done: what is empty or half is believed after 200 ms.
const REST: Duration = Duration::from_millis(150);

/// How often each story asks:
///
/// ```sh
/// POLLS=10000 cargo test --release --test stories polling -- --nocapture
/// ```
fn polls() -> usize {
    std::env::var("POLLS").map_or(40, |polls| polls.parse().expect("a number"))
}

/// Waits for something else than this.
fn poll(server: &Server, url: &str, etag: &str) -> Answer {
    server.request("GET", url, &[("if-none-match", etag), ("prefer", "wait=20")])
}

/// Truncates, pauses, writes the first half, pauses, writes the rest, and says that it is done. Returns how long it rested at
/// most, which is longer than the pause where the processor or the disk is busy.
fn save_slowly(file: &Path, content: &str, pause: Duration) -> Duration {
    let (first, second) = content.split_at(content.len() / 2);
    let mut longest = Duration::ZERO;
    let mut step = Instant::now();
    let mut rest = || {
        thread::sleep(pause);
        longest = longest.max(step.elapsed());
        step = Instant::now();
    };
    let mut file = File::create(file).expect("a file");
    rest();
    file.write_all(first.as_bytes()).expect("a write");
    rest();
    file.write_all(second.as_bytes()).expect("a write");
    drop(file);
    longest.max(step.elapsed())
}

fn is_json(name: &str) -> bool {
    name == "data.json"
}

/// Content that shows whether all of it is there.
fn content(name: &str, number: usize) -> String {
    // Longer and shorter ones.
    let filling = "x".repeat(number * 7919 % 5000);
    if is_json(name) {
        format!("{{\n  \"number\": {number},\n  \"filling\": \"{filling}\",\n  \"again\": {number}\n}}\n")
    } else {
        format!("<p>{number}\n{filling}\n<p>{number}\n")
    }
}

/// Whether all of a content is there.
fn is_whole(name: &str, text: &str) -> bool {
    // In a page, the client stands before it.
    let Some(start) = text.find(if is_json(name) { "{\n" } else { "<p>" }) else { return false };
    let digits = text[start..].chars().skip_while(|c| !c.is_ascii_digit()).map_while(|c| c.to_digit(10));
    let number = digits.fold(0, |number, digit| number * 10 + digit as usize);
    text[start..] == content(name, number)
}

/// Saves `name` again and again with these pauses while somebody polls `url`; `and` is done between two saves.
#[track_caller]
fn check(site: &Site, server: &Server, url: &str, name: &str, pause: Duration, and: impl Fn(usize) + Sync) {
    let (file, is_over) = (site.path(name), AtomicBool::new(false));
    // When the machine was last seen to be too busy.
    let busy = Mutex::new(None::<Instant>);
    let saves = AtomicUsize::new(0);
    site.write(name, content(name, 0));
    let (mut torn, mut excused, mut waited) = (Vec::new(), Vec::new(), Duration::ZERO);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1.. {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                if save_slowly(&file, &content(name, number), pause) > REST {
                    *busy.lock().expect("no panic") = Some(Instant::now());
                }
                saves.fetch_add(1, Ordering::Relaxed);
                and(number);
                // So that there is something whole.
                thread::sleep(Duration::from_millis(1 + (number % 4) as u64 * 5));
            }
        });
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let start = Instant::now();
                thread::sleep(Duration::from_millis(2));
                if start.elapsed() > BUSY {
                    *busy.lock().expect("no panic") = Some(Instant::now());
                }
            }
        });
        let mut etag = server.get(url).header("etag").to_owned();
        for number in 0..polls() {
            let start = Instant::now();
            let answer = poll(server, url, &etag);
            waited = waited.max(start.elapsed());
            if answer.status != 200 || !is_whole(name, &answer.text) || answer.header("etag") == etag {
                let answer = format!("{number}: {} {:.60}", answer.status, answer.text);
                // The writer says at the end of its save how long it has rested.
                let save = saves.load(Ordering::Relaxed);
                while saves.load(Ordering::Relaxed) == save {
                    thread::sleep(BUSY);
                }
                let busy = *busy.lock().expect("no panic");
                let is_excused = busy.is_some_and(|busy| busy.elapsed() < Duration::from_secs(2));
                if is_excused { excused.push(answer) } else { torn.push(answer) }
            }
            answer.header("etag").clone_into(&mut etag);
            // At any moment of the next save.
            thread::sleep(Duration::from_millis(2) + pause * u32::try_from(number % 5).expect("small") / 2);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let (polls, torns, excused) = (polls(), torn.len(), excused.len());
    eprintln!(
        "{url}, {pause:?}: {polls} polls, {torns} torn, {excused} while the machine was busy, at most {waited:?}"
    );
    assert!(torn.is_empty(), "{url}, pauses of {pause:?}: {} torn, {torn:#?}", torn.len());
}

const PAUSES: [u64; 4] = [0, 5, 30, 100];

#[test]
fn a_poll_in_the_midst_of_a_save_is_answered_with_all_of_it() {
    thread::scope(|scope| {
        for name in ["data.json", "notes.txt", "page.html"] {
            scope.spawn(move || {
                let site = Site::with(&[]);
                let server = site.serve();
                for pause in PAUSES {
                    check(&site, &server, &format!("/{name}"), name, Duration::from_millis(pause), |_| {});
                }
            });
        }
    });
}

#[test]
fn a_poll_for_a_directory_is_answered_with_all_of_its_index() {
    let site = Site::with(&[]);
    let server = site.serve();
    for pause in PAUSES {
        check(&site, &server, "/sub/", "sub/index.html", Duration::from_millis(pause), |_| {});
    }
    // Removed for a moment, it is no listing.
    let index = site.path("sub/index.html");
    check(&site, &server, "/sub/", "sub/index.html", Duration::ZERO, |number| {
        fs::remove_file(&index).expect("a file");
        thread::sleep(Duration::from_millis(number as u64 % 80));
        fs::write(&index, content("index.html", number)).expect("a file");
    });
}

#[test]
fn a_poll_in_a_burst_of_other_files_is_answered_with_all_of_the_file() {
    thread::scope(|scope| {
        for name in ["data.json", "notes.txt"] {
            scope.spawn(move || {
                let site = Site::with(&[]);
                let server = site.serve();
                let others: Vec<PathBuf> = (0..100).map(|number| site.path(&format!("other{number}.txt"))).collect();
                // Somebody else follows the file, too.
                let _streams = (server.follow(&format!("/{name}")), server.follow("/"));
                for pause in [0, 30] {
                    check(&site, &server, &format!("/{name}"), name, Duration::from_millis(pause), |number| {
                        others.iter().for_each(|other| fs::write(other, number.to_string()).expect("a file"));
                    });
                }
            });
        }
    });
}

#[test]
fn a_poll_for_a_listing_is_answered_when_it_is_another() {
    let site = Site::with(&[("photos/0.jpg", "x")]);
    let server = site.serve();
    let mut etag = server.get("/photos/").header("etag").to_owned();
    for number in 1..10 {
        let file = format!("photos/{number}.jpg");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                thread::sleep(Duration::from_millis(number * 5));
                site.write(&file, "x");
            });
            let answer = poll(&server, "/photos/", &etag);
            assert_eq!(answer.status, 200);
            assert!(answer.text.contains(&format!("{number}.jpg")), "{}", answer.text);
            assert_eq!(answer.header("etag"), server.get("/photos/").header("etag"));
            answer.header("etag").clone_into(&mut etag);
            waiting.join().expect("no panic");
        });
    }
    // An index takes its place, and gives it back.
    site.write("photos/index.html", "<p>index");
    let answer = poll(&server, "/photos/", &etag);
    assert!(answer.text.ends_with("<p>index"), "{}", answer.text);
    site.remove("photos/index.html");
    let answer = poll(&server, "/photos/", answer.header("etag"));
    assert!(answer.text.contains("9.jpg"), "{}", answer.text);
}

#[test]
fn a_poll_has_what_a_get_has() {
    let site = Site::with(&[
        ("README.md", "me"),
        ("a.json", "{ \"a\":  1 }\n"),
        ("a.png", "PNG"),
        ("a.html", "<p>1"),
        ("LICENSE", "free"),
    ]);
    fs::File::create(site.path("large.mp4")).expect("a file").set_len(9 << 20).expect("room");
    fs::File::create(site.path("large.html")).expect("a file").set_len(2 << 20).expect("room");
    let server = site.serve_with(&["--max-push", "1M"]);
    for url in ["/a.json", "/a.png", "/a.html", "/LICENSE", "/large.mp4", "/large.html", "/"] {
        let get = server.get(url);
        let poll = poll(&server, url, "\"another\"");
        assert_eq!((poll.status, &poll.text), (get.status, &get.text), "{url}");
        for name in ["etag", "content-type", "last-modified", "server-timing", "cache-control", "vary", "accept-ranges"]
        {
            assert_eq!(poll.header(name), get.header(name), "{url}: {name}");
        }
        assert_eq!(poll.header("preference-applied"), "wait=20");
    }
    let part = [("if-none-match", "\"another\""), ("prefer", "wait=20"), ("range", "bytes=2-4")];
    let part = server.request("GET", "/a.json", &part);
    assert_eq!((part.status, part.text.as_str()), (206, "\"a\""));
    let latin = [("if-none-match", "\"another\""), ("prefer", "wait=20")];
    assert_eq!(server.request("GET", "/none.json", &latin).status, 404);
    assert_eq!(server.request("GET", "/../a.json", &latin).status, 404);
}

#[test]
fn a_poll_tells_of_what_is_broken_or_gone_when_it_stays_so() {
    let site = Site::with(&[("a.json", "1")]);
    let server = site.serve();
    let etag = server.get("/a.json").header("etag").to_owned();
    site.write("a.json", "{");
    let broken = poll(&server, "/a.json", &etag);
    assert_eq!((broken.status, broken.text.as_str()), (200, "{"));
    site.remove("a.json");
    assert_eq!(poll(&server, "/a.json", broken.header("etag")).status, 404);
    // What somebody follows has settled also for those who have nothing yet.
    let events = server.follow("/a.json");
    events.expect_event("removed");
    site.write("a.json", "2");
    events.expect("2");
    let start = Instant::now();
    let first = server.request("GET", "/a.json", &[("prefer", "wait=20")]);
    assert_eq!((first.status, first.text.as_str()), (200, "2"));
    let etag = first.header("etag").to_owned();
    let answer = server.request("GET", "/a.json", &[("if-none-match", &etag), ("prefer", "wait=1")]);
    assert_eq!((answer.status, answer.header("etag")), (304, etag.as_str()));
    assert!(start.elapsed() < DEADLINE);
}
