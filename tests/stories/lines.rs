//! A file, line by line.

use std::fmt::Write as _;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io::Write as _;

use crate::support::Events;
use crate::support::Site;

fn append(site: &Site, text: impl AsRef<[u8]>) {
    let mut file = OpenOptions::new().append(true).open(site.path("app.log")).expect("a file to append to");
    file.write_all(text.as_ref()).expect("a file to append to");
}

#[track_caller]
fn expect(events: &Events, lines: &[&str]) {
    for line in lines {
        events.expect(line);
    }
}

#[test]
fn complete_lines_come_as_they_are_written() {
    let site = Site::with(&[("app.log", "one\ntwo\nthr")]);
    let server = site.serve();
    let events = server.follow("/app.log?as=lines");
    let last = server.follow("/app.log?as=lines&last=1");
    expect(&last, &["two"]);
    append(&site, "ee\nfo");
    expect(&events, &["three"]);
    expect(&last, &["three"]);
    append(&site, b"ur \xff\r\n\nsix\n");
    expect(&events, &["four \u{fffd}", "", "six"]);
    expect(&server.follow("/app.log?as=lines&last=100"), &["one", "two", "three", "four \u{fffd}", "", "six"]);
    // It is of no interest that the writer keeps the file open.
    let mut writer = OpenOptions::new().append(true).open(site.path("app.log")).unwrap();
    writer.write_all(b"seven\n").unwrap();
    expect(&events, &["seven"]);
    drop(writer);
    assert_eq!(server.status()["streams"], 2);
    drop((events, last));
    server.wait_for_status(|status| status["streams"] == 0 && status["watched_dirs"] == 0);
}

#[test]
fn who_comes_back_misses_nothing_and_hears_nothing_twice() {
    let site = Site::with(&[("app.log", "1\n2\n")]);
    let server = site.serve();
    let events = server.follow("/app.log?as=lines&last=1");
    let two = events.next();
    assert_eq!(two.data, "2");
    append(&site, "3\n");
    let three = events.next();
    drop(events);
    append(&site, "4\n5\n");
    expect(&server.resume("/app.log?as=lines", &two.id), &["3", "4", "5"]);
    expect(&server.resume("/app.log?as=lines&last=9", &three.id), &["4", "5"]);
    drop(server);
    let server = site.serve();
    expect(&server.resume("/app.log?as=lines", &three.id), &["4", "5"]);
    // Of another file, or of none.
    for id in ["2-0000000000000000", "999999-0000000000000000", "nonsense"] {
        let events = server.resume("/app.log?as=lines", id);
        events.expect_event("reset");
        expect(&events, &["1", "2", "3", "4", "5"]);
    }
}

#[test]
fn truncation_rotation_and_replacement_reset() {
    let site = Site::with(&[("app.log", "old\n")]);
    let server = site.serve();
    let events = server.follow("/app.log?as=lines&last=1");
    expect(&events, &["old"]);
    // copytruncate
    File::create(site.path("app.log")).unwrap();
    append(&site, "after truncation\n");
    events.expect_event("reset");
    expect(&events, &["after truncation"]);
    // rename and create
    fs::rename(site.path("app.log"), site.path("app.log.1")).unwrap();
    site.write("app.log", "after rotation\n");
    events.expect_event("reset");
    expect(&events, &["after rotation"]);
    // Written over with something longer.
    site.write("app.log", "something else that is longer\nand more\n");
    events.expect_event("reset");
    let last = {
        expect(&events, &["something else that is longer"]);
        events.next()
    };
    site.write("app.log.new", "replaced\n");
    fs::rename(site.path("app.log.new"), site.path("app.log")).unwrap();
    events.expect_event("reset");
    expect(&events, &["replaced"]);
    let resumed = server.resume("/app.log?as=lines", &last.id);
    resumed.expect_event("reset");
    expect(&resumed, &["replaced"]);
    site.remove("app.log");
    events.expect_event("removed");
    site.write("app.log", "again\n");
    events.expect_event("reset");
    expect(&events, &["again"]);
}

#[test]
fn a_file_that_comes_later_is_followed_from_its_start() {
    let site = Site::with(&[]);
    let server = site.serve();
    let events = server.follow("/app.log?as=lines");
    events.expect_event("removed");
    site.write("app.log", "first\n");
    expect(&events, &["first"]);
}

#[test]
fn many_lines_come_in_order_and_once() {
    let site = Site::with(&[("app.log", "start\n")]);
    let server = site.serve();
    let events = server.follow("/app.log?as=lines&last=1");
    expect(&events, &["start"]);
    let late = {
        let mut text = String::new();
        for number in 0..200_000 {
            writeln!(text, "line {number} {}", "x".repeat(number % 50)).unwrap();
            if number % 1000 == 0 {
                append(&site, &text);
                text.clear();
            }
        }
        append(&site, &text);
        server.follow("/app.log?as=lines&last=150000")
    };
    for number in 0..200_000 {
        let line = events.next().data;
        assert!(line.starts_with(&format!("line {number} ")), "{line}");
    }
    for number in 50_000..200_000 {
        let line = late.next().data;
        assert!(line.starts_with(&format!("line {number} ")), "{line}");
    }
    append(&site, "last\n");
    expect(&events, &["last"]);
    expect(&late, &["last"]);
}

/// Many lines, each with this word and its number.
fn many(word: &str, count: usize) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        writeln!(text, "{word} {number:06} {}", "x".repeat(20)).expect("a string");
        text
    })
}

#[track_caller]
fn expect_many(events: &Events, word: &str, count: usize) {
    for number in 0..count {
        let line = events.next().data;
        assert!(line.starts_with(&format!("{word} {number:06} ")), "{number}: {line}");
    }
}

#[test]
fn a_large_replacement_is_told_from_its_start() {
    let site = Site::with(&[("app.log", &many("old", 1000))]);
    let server = site.serve();
    let events = server.follow("/app.log?as=lines&last=1");
    events.next();
    site.write("app.log.new", many("new", 100_000));
    fs::rename(site.path("app.log.new"), site.path("app.log")).unwrap();
    events.expect_event("reset");
    expect_many(&events, "new", 100_000);
    // Larger than before, in the same file.
    site.write("app.log", many("again", 120_000));
    events.expect_event("reset");
    expect_many(&events, "again", 120_000);
}

#[test]
fn what_was_written_before_a_rotation_is_told_before_it() {
    let site = Site::with(&[("app.log", "start\n")]);
    let server = site.serve();
    let events = server.follow("/app.log?as=lines&last=1");
    expect(&events, &["start"]);
    for round in 0..20 {
        append(&site, format!("last of {round}\n"));
        fs::rename(site.path("app.log"), site.path("app.log.1")).unwrap();
        site.write("app.log", format!("first of {}\n", round + 1));
        expect(&events, &[&format!("last of {round}")]);
        events.expect_event("reset");
        expect(&events, &[&format!("first of {}", round + 1)]);
    }
}

#[test]
fn long_lines_are_whole_for_everybody() {
    let long = format!("x{}", "é".repeat(300_000));
    let site = Site::with(&[("app.log", "one\n")]);
    let server = site.serve();
    let live = server.follow("/app.log?as=lines&last=1");
    let one = live.next();
    append(&site, format!("{long}\n"));
    live.expect(&long);
    server.resume("/app.log?as=lines", &one.id).expect(&long);
    server.follow("/app.log?as=lines&last=1").expect(&long);
    // Longer than anything is told whole, and still without its end.
    append(&site, "é".repeat(800_000));
    let part = live.next();
    assert_eq!((part.data.len(), part.data.contains('\u{fffd}')), (1 << 20, false));
    append(&site, "end\n");
    let rest = server.resume("/app.log?as=lines", &part.id);
    assert!(live.next().data.ends_with("éend"));
    assert!(rest.next().data.ends_with("éend"));
}

#[test]
fn who_comes_back_while_the_file_is_away_misses_nothing() {
    let site = Site::with(&[("app.log", "1\n2\n")]);
    let server = site.serve();
    let id = server.follow("/app.log?as=lines&last=2").next().id;
    // As long as somebody listens, the lines of a file that was moved away are still told.
    server.wait_for_status(|status| status["followed"] == 0);
    fs::rename(site.path("app.log"), site.path("away.log")).unwrap();
    let events = server.resume("/app.log?as=lines", &id);
    events.expect_event("removed");
    fs::rename(site.path("away.log"), site.path("app.log")).unwrap();
    expect(&events, &["2"]);
    // An empty id is none.
    expect(&server.resume("/app.log?as=lines&last=1", ""), &["2"]);
}
