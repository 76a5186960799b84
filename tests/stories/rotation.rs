//! Logs that are rotated: no line is lost, and none comes twice, whoever listens and however.

use std::fmt::Write as _;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::thread;
use std::time::Duration;

use crate::support::Events;
use crate::support::Server;
use crate::support::Site;
use crate::websocket::Socket;

const URL: &str = "/b.log?as=lines";

/// Numbered lines, at least so many bytes of them. Where there are many bytes, they are longer.
fn burst(first: &mut usize, bytes: usize) -> String {
    let (mut text, filling) = (String::new(), " filling".repeat(if bytes < 1 << 20 { 0 } else { 100 }));
    while text.len() < bytes {
        writeln!(text, "line {first:07}{filling}").expect("a string");
        *first += 1;
    }
    text
}

fn open(site: &Site) -> File {
    OpenOptions::new().create(true).append(true).open(site.path("b.log")).expect("a log")
}

fn rename(site: &Site, number: usize) {
    fs::rename(site.path("b.log"), site.path(&format!("b.log.{number}"))).expect("a log");
}

/// A listener on each transport, which has heard where it begins.
fn listeners(server: &Server) -> (Events, Socket) {
    let events = server.follow(&format!("{URL}&last=1"));
    let mut socket = Socket::open(server, &format!("{URL}&last=1"));
    events.expect("start");
    let id = socket.next();
    assert!(id["id"].as_str().is_some_and(|id| id.starts_with("0-")) && id.get("event").is_none(), "{id}");
    socket.expect("start");
    (events, socket)
}

/// The next lines have these numbers, with resets among them; how many resets there were.
#[track_caller]
fn expect(mut next: impl FnMut() -> (String, String), numbers: std::ops::Range<usize>) -> usize {
    let mut resets = 0;
    for number in numbers {
        loop {
            let (event, data) = next();
            if event == "message" {
                assert!(data.starts_with(&format!("line {number:07}")), "{number}: {data:.20}");
                break;
            }
            // On a busy machine, there may be no file for long enough to say so.
            assert!(["reset", "removed"].contains(&event.as_str()), "{event} {data}");
            resets += usize::from(event == "reset");
        }
    }
    resets
}

#[track_caller]
fn expect_both((events, socket): &mut (Events, Socket), numbers: std::ops::Range<usize>) -> [usize; 2] {
    let of_stream = || {
        let event = events.next();
        (event.event, event.data)
    };
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let of_socket = || {
        let message = socket.next();
        (text(&message["event"]), text(&message["data"]))
    };
    [expect(of_stream, numbers.clone()), expect(of_socket, numbers)]
}

#[test]
fn a_burst_right_before_a_rotation_is_told_by_all_transports() {
    for bytes in [10 << 10, 100 << 10, 300 << 10, 5 << 20] {
        let site = Site::with(&[("b.log", "start\n")]);
        let server = site.serve();
        let mut listeners = listeners(&server);
        let mut next = 0;
        for round in 0..3 {
            let first = next;
            open(&site).write_all(burst(&mut next, bytes).as_bytes()).expect("a write");
            rename(&site, round);
            open(&site).write_all(burst(&mut next, 100).as_bytes()).expect("a write");
            assert_eq!(expect_both(&mut listeners, first..next), [1, 1], "{bytes} bytes, round {round}");
        }
    }
}

#[test]
fn what_is_written_to_a_file_after_its_rotation_is_told() {
    let site = Site::with(&[("b.log", "start\n")]);
    let server = site.serve();
    let mut listeners = listeners(&server);
    let (mut old, mut next) = (open(&site), 0);
    // As logrotate does it: the writer hears of it later.
    rename(&site, 0);
    drop(open(&site));
    assert_eq!(listeners.0.next().event, "reset");
    assert_eq!(listeners.1.next()["event"], "reset");
    for _ in 0..5 {
        let first = next;
        old.write_all(burst(&mut next, 1000).as_bytes()).expect("a write");
        assert_eq!(expect_both(&mut listeners, first..next), [0, 0]);
    }
    // More than is kept in memory, and then to the new one.
    let first = next;
    old.write_all(burst(&mut next, 2 << 20).as_bytes()).expect("a write");
    assert_eq!(expect_both(&mut listeners, first..next), [0, 0]);
    let first = next;
    open(&site).write_all(burst(&mut next, 1000).as_bytes()).expect("a write");
    assert_eq!(expect_both(&mut listeners, first..next), [0, 0]);
    // A late line has no id, because who comes back goes on in the new file.
    let first = next;
    old.write_all(burst(&mut next, 1).as_bytes()).expect("a write");
    assert_eq!(listeners.1.next()["id"], "");
    let late = listeners.0.next();
    assert_eq!(late.data, format!("line {first:07}"));
    let first = next;
    open(&site).write_all(burst(&mut next, 100).as_bytes()).expect("a write");
    drop(listeners);
    let resumed = server.resume(URL, &late.id);
    let mut of_stream = || {
        let event = resumed.next();
        (event.event, event.data)
    };
    assert_eq!(expect(&mut of_stream, first..next), 0);
}

#[test]
fn a_writer_goes_on_while_there_is_no_new_file() {
    let site = Site::with(&[("b.log", "start\n")]);
    let server = site.serve();
    let mut listeners = listeners(&server);
    let (mut old, mut next) = (open(&site), 0);
    rename(&site, 0);
    old.write_all(burst(&mut next, 1000).as_bytes()).expect("a write");
    assert_eq!(expect_both(&mut listeners, 0..next), [0, 0]);
    assert_eq!(listeners.0.next().event, "removed");
    assert_eq!(listeners.1.next()["event"], "removed");
    let first = next;
    old.write_all(burst(&mut next, 1000).as_bytes()).expect("a write");
    assert_eq!(expect_both(&mut listeners, first..next), [0, 0]);
    let first = next;
    open(&site).write_all(burst(&mut next, 1000).as_bytes()).expect("a write");
    assert_eq!(expect_both(&mut listeners, first..next), [1, 1]);
}

#[test]
fn a_log_is_copied_and_truncated() {
    let site = Site::with(&[("b.log", "start\n")]);
    let server = site.serve();
    let mut listeners = listeners(&server);
    let (mut log, mut next) = (open(&site), 0);
    for round in 0..5 {
        let first = next;
        log.write_all(burst(&mut next, 300 << 10).as_bytes()).expect("a write");
        // What was truncated before it was read nobody can know, so one listener shows that it was.
        assert_eq!(expect_both(&mut listeners, first..next), [usize::from(round > 0); 2]);
        log.set_len(0).expect("a truncation");
    }
}

#[test]
fn many_short_generations_are_told_in_their_order() {
    let site = Site::with(&[("b.log", "start\n")]);
    let server = site.serve();
    let mut listeners = listeners(&server);
    let mut next = 0;
    for round in 0..30 {
        let first = next;
        open(&site).write_all(burst(&mut next, 3000).as_bytes()).expect("a write");
        thread::sleep(Duration::from_millis(20));
        // What was there for a shorter time than it takes to look at it nobody can know.
        let resets = expect_both(&mut listeners, first..next);
        assert_eq!(resets, [usize::from(round > 0); 2]);
        rename(&site, round);
    }
}

#[test]
fn who_is_far_behind_is_told_all_of_several_generations() {
    let site = Site::with(&[("b.log", "start\n")]);
    let server = site.serve();
    let mut listeners = listeners(&server);
    // Nobody reads meanwhile, and there is more of it than connections and memory hold.
    let (mut next, rounds) = (0, 5);
    let fast = server.follow(&format!("{URL}&last=1"));
    fast.expect("start");
    for round in 0..rounds {
        let first = next;
        open(&site).write_all(burst(&mut next, 3 << 20).as_bytes()).expect("a write");
        let of_stream = || {
            let event = fast.next();
            (event.event, event.data)
        };
        expect(of_stream, first..next);
        rename(&site, round);
    }
    open(&site).write_all(burst(&mut next, 100).as_bytes()).expect("a write");
    assert_eq!(expect_both(&mut listeners, 0..next), [rounds, rounds]);
}

#[cfg(target_os = "linux")]
#[test]
fn few_files_are_kept_open_and_none_when_nobody_listens() {
    let site = Site::with(&[("b.log", "start\n")]);
    let server = site.serve();
    let mut listeners = listeners(&server);
    let opened = || {
        let files = fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("a process").flatten();
        files
            .filter(|file| fs::read_link(file.path()).is_ok_and(|file| file.to_string_lossy().contains("b.log")))
            .count()
    };
    let mut next = 0;
    for round in 0..40 {
        let first = next;
        open(&site).write_all(burst(&mut next, 100).as_bytes()).expect("a write");
        expect_both(&mut listeners, first..next);
        rename(&site, round);
    }
    assert!(opened() <= 10, "{} are open", opened());
    drop(listeners);
    server.wait_for_status(|status| status["watched_dirs"] == 0);
    let start = std::time::Instant::now();
    while opened() > 0 {
        assert!(start.elapsed() < crate::support::DEADLINE, "{} are open", opened());
    }
}
