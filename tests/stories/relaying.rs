//! Several instances, connected through Redis: a real one, that is killed, stopped, and loses what it has.

use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::redis::Redis;
use crate::support::DEADLINE;
use crate::support::Events;
use crate::support::Server;
use crate::support::Site;

const NEWS: &str = "/_savecast/channels/news";

fn publish(server: &Server, data: &str) -> Value {
    let answer = server.post(NEWS, &[], data);
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_str(&answer.text).expect("JSON")
}

/// Publishes until the last of so many listeners is counted, which takes a moment; returns the answer that counts all.
fn publish_to(server: &Server, listeners: usize) -> Value {
    let start = Instant::now();
    loop {
        let answer = publish(server, "counted");
        if answer["listeners"] == listeners {
            return answer;
        }
        assert!(start.elapsed() < DEADLINE, "{answer}");
    }
}

/// Publishes when it can.
fn publish_at_last(server: &Server, data: &str) {
    let start = Instant::now();
    while server.post(NEWS, &[], data).status != 200 {
        assert!(start.elapsed() < DEADLINE, "nothing can be published");
    }
}

fn is_up(server: &Server, is_up: bool) -> Value {
    server.wait_for_status(|status| status["relay"]["up"] == is_up)
}

/// The next message, however many gaps there are before it.
fn message(events: &Events) -> String {
    loop {
        let event = events.next();
        if event.event == "message" {
            return event.data;
        }
    }
}

#[test]
fn what_is_published_at_one_instance_is_heard_at_all() {
    let (redis, site) = (Redis::start(false), Site::with(&[]));
    let (a, b) = (redis.instance(&site), redis.instance(&site));
    let [here, there, also] = [&a, &b, &b].map(|server| server.follow(NEWS));
    let other = b.follow("/_savecast/channels/other");
    let answer = publish_to(&a, 3);
    for events in [&here, &there, &also] {
        let event = events.next();
        assert_eq!((event.event.as_str(), event.id.as_str()), ("message", answer["id"].as_str().unwrap()));
    }
    drop(also);
    b.wait_for_status(|status| status["streams"] == 2);
    let answer = b.post(&format!("{NEWS}?event=a%20name"), &[], "two\nlines");
    assert_eq!(answer.status, 200);
    for events in [&here, &there] {
        let event = events.next();
        assert_eq!((event.event.as_str(), event.data.as_str()), ("a name", "two\nlines"));
    }
    // Who listens to something else has heard nothing.
    assert_eq!(b.post("/_savecast/channels/other", &[], "x").status, 200);
    other.expect("x");
}

#[test]
fn who_comes_back_to_another_instance_has_missed_nothing() {
    let (redis, site) = (Redis::start(false), Site::with(&[]));
    let (mut a, b) = (redis.instance(&site), redis.instance(&site));
    let first = publish(&a, "1");
    let first = first["id"].as_str().unwrap();
    for number in 2..=100 {
        publish(&a, &number.to_string());
    }
    a.signal("KILL");
    a.wait_for_end();
    let events = b.resume(NEWS, first);
    for number in 2..=100 {
        events.expect(&number.to_string());
    }
    // One more, and the first one is forgotten. The second one was not heard by who has only the first.
    publish(&b, "101");
    publish(&b, "102");
    events.expect("101");
    events.expect("102");
    drop(events);
    b.wait_for_status(|status| status["streams"] == 0);
    let events = b.resume(NEWS, first);
    events.expect_event("gap");
    events.expect("3");
    for unknown in ["17", "1-1", "x"] {
        b.resume(NEWS, unknown).expect_event("gap");
    }
}

#[test]
fn a_new_listener_hears_what_comes_and_costs_redis_nothing() {
    let (redis, site) = (Redis::start(false), Site::with(&[]));
    let server = redis.instance(&site);
    publish(&server, "before");
    let calls = || {
        let stats = redis.ask(&["INFO", "commandstats"]);
        let wanted = ["cmdstat_xrange", "cmdstat_subscribe"];
        wanted.map(|name| stats.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned())
    };
    let first = server.follow(NEWS);
    let before = calls();
    let others = (0..50).map(|_| server.follow(NEWS)).collect::<Vec<_>>();
    let answer = publish_to(&server, 51);
    for events in others.iter().chain([&first]) {
        while events.next().id != answer["id"].as_str().unwrap() {}
    }
    assert_eq!(calls(), before);
    drop((first, others));
    server.wait_for_status(|status| status["streams"] == 0);
    let start = Instant::now();
    while !redis.ask(&["PUBSUB", "CHANNELS", "*say:ch:*"]).trim().is_empty() {
        assert!(start.elapsed() < DEADLINE, "somebody is still subscribed");
    }
}

#[test]
fn listeners_stay_while_redis_is_away() {
    for keeps in [true, false] {
        let (mut redis, site) = (Redis::start(keeps), Site::with(&[]));
        let (a, b) = (redis.instance(&site), redis.instance(&site));
        let events = a.follow(NEWS);
        publish(&b, "1");
        let last = events.next().id;
        redis.kill();
        a.expect_complaint("nothing can be published");
        is_up(&a, false);
        let answer = a.post(NEWS, &[], "lost");
        assert_eq!(answer.status, 503);
        assert!(answer.text.contains("was not published"), "{}", answer.text);
        // Who comes now waits.
        let late = a.follow(NEWS);
        redis.restart();
        a.expect_complaint("answers again");
        is_up(&a, true);
        publish_at_last(&b, "2");
        if !keeps {
            events.expect_event("gap");
        }
        events.expect("2");
        // It came when its channel was known here, so it is told like the others.
        assert_eq!(message(&late), "2");
        let resumed = b.resume(NEWS, &last);
        if !keeps {
            resumed.expect_event("gap");
        }
        resumed.expect("2");
    }
}

#[test]
fn who_leaves_while_redis_is_away_has_missed_nothing_when_it_comes_back() {
    let (mut redis, site) = (Redis::start(true), Site::with(&[]));
    let (a, b) = (redis.instance(&site), redis.instance(&site));
    let events = a.follow(NEWS);
    publish(&b, "1");
    let last = events.next().id;
    redis.kill();
    is_up(&a, false);
    drop(events);
    a.wait_for_status(|status| status["streams"] == 0);
    redis.restart();
    is_up(&a, true);
    publish_at_last(&b, "2");
    let events = a.resume(NEWS, &last);
    events.expect("2");
    publish(&b, "3");
    events.expect("3");
}

#[test]
fn an_instance_that_starts_without_redis_waits_for_it() {
    let (mut redis, site) = (Redis::start(false), Site::with(&[("index.html", "hello")]));
    redis.kill();
    let server = site.serve_with(&["--relay", &redis.url()]);
    server.expect_complaint("nothing can be published");
    assert_eq!(server.get("/").status, 200);
    let events = server.follow(NEWS);
    redis.restart();
    is_up(&server, true);
    publish(&server, "1");
    events.expect("1");
}

#[test]
fn a_redis_that_says_nothing_is_noticed() {
    let (redis, site) = (Redis::start(false), Site::with(&[]));
    let (a, b) = (redis.instance(&site), redis.instance(&site));
    let events = a.follow(NEWS);
    publish(&b, "1");
    events.expect("1");
    redis.signal("STOP");
    a.expect_complaint("does not answer");
    redis.signal("CONT");
    is_up(&a, true);
    is_up(&b, true);
    publish(&b, "2");
    events.expect("2");
}

#[test]
fn connections_that_are_cut_lose_nothing() {
    let (redis, site) = (Redis::start(false), Site::with(&[]));
    let (a, b) = (redis.instance(&site), redis.instance(&site));
    let events = [a.follow(NEWS), a.follow(NEWS), b.follow(NEWS)];
    let reconnects = || a.status()["relay"]["reconnects"].as_u64().unwrap();
    let mut sent = 0;
    // What was published while the answer was lost may be there, so each has a number of its own.
    while reconnects() < 10 {
        redis.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]);
        for _ in 0..5 {
            sent += usize::from(b.post(NEWS, &[], &sent.to_string()).status == 200);
        }
        // More than is remembered would be a gap.
        is_up(&a, true);
    }
    publish_at_last(&b, "end");
    for events in events {
        let mut heard = Vec::new();
        loop {
            let event = events.next();
            assert_eq!(event.event, "message", "a gap after {heard:?}");
            if event.data == "end" {
                break;
            }
            heard.push(event.data.parse::<usize>().unwrap());
        }
        // One whose answer was lost is sent again under the same number by this test.
        heard.dedup();
        assert_eq!(heard, (0..sent).collect::<Vec<_>>());
    }
}

#[test]
fn listeners_of_an_instance_that_dies_do_not_count_for_long() {
    let (redis, site) = (Redis::start(false), Site::with(&[]));
    let (a, mut b, mut c) = (redis.instance(&site), redis.instance(&site), redis.instance(&site));
    let events = [&a, &b, &c].map(|server| server.follow(NEWS));
    assert_eq!(publish(&a, "1")["listeners"], 3);
    // One that ends says so.
    c.signal("TERM");
    c.wait_for_end();
    let start = Instant::now();
    while publish(&a, "2")["listeners"] != 2 {
        assert!(start.elapsed() < DEADLINE, "it still counts");
    }
    assert!(start.elapsed().as_secs() < 5, "it has not said that it ends");
    b.signal("KILL");
    b.wait_for_end();
    while publish(&a, "3")["listeners"] != 1 {
        assert!(start.elapsed() < DEADLINE, "it still counts");
    }
    drop(events);
}

#[test]
fn what_redis_keeps_of_a_channel_has_a_bound() {
    let (redis, site) = (Redis::start(false), Site::with(&[]));
    let server = redis.instance(&site);
    let stream = "sc:{site}:ch:news";
    for number in 0..150 {
        publish(&server, &number.to_string());
    }
    assert_eq!(redis.ask(&["XLEN", stream]).trim(), "100");
    let large = "x".repeat(300 << 10);
    for _ in 0..10 {
        publish(&server, &large);
    }
    assert_eq!(redis.ask(&["XLEN", stream]).trim(), "3");
    // An instance keeps as much, so who has the oldest one misses nothing.
    let oldest = redis.ask(&["XRANGE", stream, "-", "+", "COUNT", "1"]);
    let other = redis.instance(&site);
    let events = other.resume(NEWS, oldest.lines().next().expect("an id"));
    events.expect(&large);
    events.expect(&large);
    assert!(redis.ask(&["TTL", stream]).trim().parse::<u64>().unwrap() > 3600);
    // What comes first stays, however large it is.
    publish(&server, &"x".repeat(1 << 20));
    assert_eq!(redis.ask(&["XLEN", stream]).trim(), "1");
}

#[test]
fn nothing_that_others_write_to_redis_stops_it() {
    let (redis, site) = (Redis::start(false), Site::with(&[]));
    let server = redis.instance(&site);
    let events = server.follow(NEWS);
    let (stream, told) = ("sc:{site}:ch:news", "sc:{site}:say:ch:news");
    for message in ["", "1", "1 x y z\n", "2 1-1 - message\nx", "1 1-1 - end\nx"] {
        redis.ask(&["PUBLISH", told, message]);
    }
    redis.ask_with(&["PUBLISH", told], &format!("1 1-1 - x\n{}", "x".repeat(2 << 20)));
    redis.ask(&["XADD", stream, "*", "nonsense", "x"]);
    redis.ask(&["XADD", stream, "*", "p", "-", "n", "gap", "d", "x"]);
    publish(&server, "1");
    assert_eq!(message(&events), "1");
    // A key of another kind is an error of Redis, which is passed on.
    redis.ask(&["DEL", stream]);
    redis.ask(&["SET", stream, "x"]);
    let answer = server.post(NEWS, &[], "2");
    assert_eq!(answer.status, 503);
    assert!(answer.text.contains("WRONGTYPE"), "{}", answer.text);
    redis.ask(&["DEL", stream]);
    publish(&server, "3");
    assert_eq!(message(&events), "3");
}

#[test]
fn users_and_passwords_are_asked_for_and_not_shown() {
    let (redis, site) = (Redis::start(false), Site::with(&[]));
    redis.ask(&["ACL", "SETUSER", "me", "on", ">a/secret", "~sc:*", "&sc:*", "+@all"]);
    redis.ask(&["ACL", "SETUSER", "default", "off"]);
    let url = redis.url();
    let server = site.serve_with(&["--relay", &format!("{url}?user=me&pass=wrong")]);
    server.expect_complaint("WRONGPASS");
    let server = site.serve_with(&["--relay", &format!("{url}?user=me&pass=a%2Fsecret")]);
    let status = is_up(&server, true);
    assert!(!status.to_string().contains("secret") && status["relay"]["server"] == url.as_str(), "{status}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_savecast"));
    command.arg(site.path("")).env("SAVECAST_RELAY_USER", "me").env("SAVECAST_RELAY_PASSWORD", "a/secret");
    let server = Server::start(command, &["--relay", &url]).expect("a start");
    is_up(&server, true);
    // What the URL says counts more.
    let mut command = Command::new(env!("CARGO_BIN_EXE_savecast"));
    command.arg(site.path("")).env("SAVECAST_RELAY_USER", "you").env("SAVECAST_RELAY_PASSWORD", "wrong");
    let server = Server::start(command, &["--relay", &format!("{url}?user=me&pass=a%2Fsecret")]).expect("a start");
    is_up(&server, true);
}

#[test]
fn a_bad_url_is_an_error() {
    let site = Site::with(&[]);
    for url in ["localhost:6379", "http://localhost", "redis://", "rediss://localhost#insecure"] {
        let (status, error) = Server::run(&site.path(""), &["--relay", url]).err().expect(url);
        assert_eq!(status.code(), Some(2), "{url}: {error}");
    }
    let (status, error) = Server::run(&site.path(""), &["--relay", "redis://localhost/x"]).err().expect("an end");
    assert_eq!(status.code(), Some(1), "{error}");
    assert!(error.contains("cannot connect to other instances"), "{error}");
}
