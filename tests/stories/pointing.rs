//! Values of large documents, and what they cost those who have nothing to do with them.

#[cfg(target_os = "linux")]
use std::time::Duration;
#[cfg(target_os = "linux")]
use std::time::Instant;

use crate::support::Events;
#[cfg(target_os = "linux")]
use crate::support::Server;
use crate::support::Site;
use crate::websocket::Socket;

/// An array of so many numbers.
#[cfg(target_os = "linux")]
fn numbers(first: &str, count: usize) -> String {
    format!("[{first}{}]", ",0".repeat(count - 1))
}

/// The most memory that the server has used since it began, in bytes.
#[cfg(target_os = "linux")]
fn peak(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") << 10
}

#[cfg(target_os = "linux")]
#[test]
fn a_value_of_a_large_document_costs_neither_time_of_others_nor_memory() {
    let document = numbers("1", 3 << 20);
    let site = Site::with(&[("large.json", &document), ("small.txt", "small")]);
    let server = site.serve();
    server.follow("/large.json").next();
    let before = peak(&server);
    let mut slowest = Duration::ZERO;
    let mut get = || {
        let start = Instant::now();
        assert_eq!(server.get("/small.txt").text, "small");
        slowest = slowest.max(start.elapsed());
    };
    let values = ["0", "3145727", "5", "x"].map(|index| server.follow(&format!("/large.json?at=/{index}")));
    let patches = server.follow("/large.json?as=patch");
    let mut answered = 0;
    while answered < values.len() {
        get();
        answered += usize::from(values[answered].next_before(Instant::now()).is_some());
    }
    patches.next();
    site.write("large.json", numbers("2", 3 << 20));
    let next = loop {
        get();
        if let Some((event, _)) = values[0].next_before(Instant::now()) {
            break event;
        }
    };
    assert_eq!(next.data, "2");
    assert_eq!(patches.next().event, "message", "more values than are compared");
    assert!(slowest < Duration::from_secs(3), "a small file took {slowest:?}");
    let used = peak(&server).saturating_sub(before);
    assert!(used < 12 * document.len(), "{} MB for a document of {} MB", used >> 20, document.len() >> 20);
}

#[test]
fn many_values_of_one_document_come_together() {
    let document = |number: usize| {
        let members = (0..300).map(|name| format!("\"{name}\":[{},{}]", name + number, name)).collect::<Vec<_>>();
        format!("{{{}}}", members.join(","))
    };
    let site = Site::with(&[("a.json", &document(0))]);
    let server = site.serve();
    let follow = |name: usize| server.follow(&format!("/a.json?at=/{name}/0"));
    let streams: Vec<Events> = (0..300).map(follow).collect();
    let still = server.follow("/a.json?at=/7/1");
    let mut socket = Socket::open(&server, "/a.json?at=/7/0");
    still.expect("7");
    socket.expect("7");
    streams.iter().enumerate().for_each(|(name, events)| events.expect(&name.to_string()));
    site.write("a.json", document(1000));
    streams.iter().enumerate().for_each(|(name, events)| events.expect(&(name + 1000).to_string()));
    socket.expect("1007");
    // Who comes later gets its value, and nobody else anything.
    server.follow("/a.json?at=/8").expect("[1008,8]");
    site.write("a.json", document(2000).replace("[2007,7]", "[2007,8]"));
    still.expect("8");
}

#[test]
fn a_name_that_is_no_text_is_not_the_empty_one() {
    let site = Site::with(&[("a.json", r#"{"":1,"\ud800":2}"#)]);
    let server = site.serve();
    server.follow("/a.json?at=/").expect("1");
}
