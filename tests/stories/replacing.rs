//! A file becomes a directory, and a directory a file.

use std::fs;

use serde_json::json;

use crate::support::Site;
use crate::websocket::Socket;

#[test]
fn a_file_that_becomes_a_directory_is_gone_for_everybody_who_follows_it() {
    let site = Site::with(&[("y.json", r#"{"a":1,"b":[1,2,3,4,5,6,7,8,9,10]}"#)]);
    let server = site.serve();
    let etag = server.get("/y.json").header("etag").to_owned();
    let whole = server.follow("/y.json");
    let value = server.follow("/y.json?at=/a");
    let patch = server.follow("/y.json?as=patch");
    let lines = server.follow("/y.json?as=lines&last=1");
    let wishes = json!({"uses": {"/y.json": etag.trim_matches('"')}}).to_string();
    let page = server.follow_with("POST", "/_savecast/events", &[], &wishes);
    let mut socket = Socket::open(&server, "/y.json");
    value.expect("1");
    for events in [&whole, &patch] {
        events.expect(r#"{"a":1,"b":[1,2,3,4,5,6,7,8,9,10]}"#);
    }
    socket.expect(r#"{"a":1,"b":[1,2,3,4,5,6,7,8,9,10]}"#);
    server.wait_for_status(|status| status["streams"] == 6);

    site.shell("rm y.json && mkdir y.json && touch y.json/entry");
    for events in [&whole, &value, &patch, &page, &lines] {
        assert_eq!(events.expect_event("removed")["path"], "/y.json");
    }
    socket.expect_event("removed");
    // The directory has a URL of its own.
    let answer = server.request("GET", "/y.json", &[("accept", "text/event-stream")]);
    assert_eq!((answer.status, answer.header("location")), (307, "/y.json/"));
    let waiting = [("if-none-match", etag.as_str()), ("prefer", "wait=20")];
    assert_eq!(server.request("GET", "/y.json", &waiting).status, 307);
    let mut late = Socket::open(&server, "/y.json");
    late.expect_event("removed");
    let listing = server.follow("/y.json/");
    assert_eq!(listing.expect_event("message")[0]["name"], "entry");

    site.shell("rm -r y.json && echo '{\"a\":2}' > y.json");
    for events in [&whole, &patch] {
        events.expect(r#"{"a":2}"#);
    }
    value.expect("2");
    for socket in [&mut socket, &mut late] {
        socket.expect(r#"{"a":2}"#);
    }
    assert_eq!(page.expect_event("change")["path"], "/y.json");
    lines.expect_event("reset");
    lines.expect(r#"{"a":2}"#);
    assert_eq!(listing.expect_event("removed")["path"], "/y.json/");
    server.follow("/y.json").expect(r#"{"a":2}"#);
}

#[test]
fn a_directory_that_becomes_a_file_is_gone_until_it_is_back() {
    let site = Site::with(&[("photos/a.jpg", "x")]);
    let server = site.serve();
    let listing = server.follow("/photos/");
    let mut socket = Socket::open(&server, "/photos/");
    assert_eq!(listing.expect_event("message")[0]["name"], "a.jpg");
    socket.expect_event("message");
    site.shell("rm -r photos && echo file > photos");
    listing.expect_event("removed");
    socket.expect_event("removed");
    let file = server.follow("/photos");
    file.expect("file\n");
    // In one step, with a link.
    site.shell("mkdir real && touch real/b.jpg && ln -s real new && mv -T new photos");
    assert_eq!(listing.expect_event("message")[0]["name"], "b.jpg");
    assert!(socket.expect_event("message").contains("b.jpg"));
    file.expect_event("removed");
    fs::write(site.path("real/c.jpg"), "x").expect("a file");
    assert_eq!(listing.expect_event("message").as_array().map(Vec::len), Some(2));
}
