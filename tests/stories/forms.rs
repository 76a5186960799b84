//! One value, patches, long polling: the other ways to follow a file.

use std::io::Read;

use serde_json::Value;
use serde_json::json;

use crate::support::Events;
use crate::support::Site;

#[test]
fn a_pointer_follows_one_value_and_only_its_changes() {
    let site = Site::with(&[("a.json", r#"{"btc": {"usd": 97234.10}, "other": 1}"#)]);
    let server = site.serve();
    let value = server.follow("/a.json?at=/btc/usd");
    let whole = server.follow("/a.json");
    let first = value.next();
    assert_eq!((first.event.as_str(), first.data.as_str()), ("message", "97234.10"));
    whole.next();
    for (saved, expected) in [
        (r#"{"btc": {"usd": 97234.10}, "other": 2}"#, None),
        (r#"{"btc": {"usd": 97235.0}, "other": 2}"#, Some(("message", "97235.0"))),
        (r#"{"btc": {}}"#, Some(("removed", "{\"path\":\"/a.json\"}"))),
        (r#"{"eth": {}}"#, None),
        (r#"{"btc": {"usd": null}}"#, Some(("message", "null"))),
    ] {
        site.write("a.json", saved);
        // A marker: who follows all of it is told of each.
        whole.next();
        if let Some(expected) = expected {
            let event = value.next();
            assert_eq!((event.event.as_str(), event.data.as_str()), expected, "{saved}");
        }
    }
    site.write("a.json", "{");
    assert_eq!(value.expect_event("problem")["line"], 1);
    // The next good save sends a message, or else nobody would know that it is good again.
    site.write("a.json", r#"{"btc": {"usd": null}}"#);
    value.expect("null");
    drop(value);
    let resumed = server.resume("/a.json?at=/btc/usd", &first.id);
    resumed.expect("null");
}

#[test]
fn a_pointer_that_is_none_is_refused() {
    let site = Site::with(&[("a.json", "{}"), ("a.txt", "")]);
    let server = site.serve();
    for url in ["/a.json?at=btc", "/a.json?at=/~2", "/a.txt?at=/a", "/a.json?as=xml", "/a.json?as=patch&at=/a"] {
        let answer = server.request("GET", url, &[("accept", "text/event-stream")]);
        assert_eq!(answer.status, 400, "{url}: {}", answer.text);
    }
    // It may come.
    server.follow("/a.json?at=/btc/usd").expect_event("removed");
    server.follow("/none.json?at=/btc/usd").expect_event("removed");
}

#[test]
fn patches_come_after_the_document_while_they_are_smaller() {
    let document = |number: usize| json!({"rows": (0..50).collect::<Vec<_>>(), "number": number}).to_string();
    let site = Site::with(&[("a.json", &document(0))]);
    let server = site.serve();
    let events = server.follow("/a.json?as=patch");
    events.expect(&serde_json::to_string(&serde_json::from_str::<Value>(&document(0)).unwrap()).unwrap());
    let id = server.get("/a.json").header("etag").to_owned();
    site.write("a.json", document(1));
    assert_eq!(events.expect_event("patch"), json!([{"op": "replace", "path": "/number", "value": 1}]));
    assert_ne!(server.get("/a.json").header("etag"), id);
    // All of it is others.
    site.write("a.json", "[1,2,3]");
    events.expect("[1,2,3]");
    // Broken, and good again: not one version behind.
    site.write("a.json", document(2));
    events.expect(&document(2));
    site.write("a.json", "{");
    events.expect_event("problem");
    site.write("a.json", document(3));
    let last = events.next();
    assert_eq!((last.event.as_str(), last.data.as_str()), ("message", document(3).as_str()));
    drop(events);
    site.write("a.json", document(4));
    server.resume("/a.json?as=patch", &last.id).expect(&document(4));
}

#[test]
fn a_page_that_takes_patches_gets_them_of_what_it_reads() {
    let document = |number: usize| json!({"rows": (0..50).collect::<Vec<_>>(), "number": number}).to_string();
    let site = Site::with(&[("a.json", &document(0))]);
    let server = site.serve();
    let id = server.get("/a.json").header("etag").trim_matches('"').to_owned();
    let wishes = json!({"reads": {"/a.json": id}, "patches": true}).to_string();
    // When somebody else was told of it, it was looked at.
    let other = server.follow("/a.json");
    other.next();
    let events = server.follow_with("POST", "/_savecast/events", &[], &wishes);
    server.wait_for_status(|status| status["streams"] == 2);
    site.write("a.json", document(1));
    let patch = events.expect_event("patch");
    assert_eq!((&patch["path"], &patch["before"]), (&json!("/a.json"), &json!(id)));
    assert_eq!(patch["patch"], json!([{"op": "replace", "path": "/number", "value": 1}]));
}

#[test]
fn a_listing_has_patches_too() {
    let names: Vec<_> = (10..30).map(|number| format!("{number}.txt")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let site = Site::with(&files);
    let server = site.serve();
    let events: Events = server.follow("/?as=patch");
    assert_eq!(events.expect_event("message").as_array().unwrap().len(), 20);
    site.write("15b.txt", "new");
    let patch = events.expect_event("patch");
    assert_eq!(
        (&patch[0]["op"], &patch[0]["path"], &patch[0]["value"]["name"]),
        (&json!("add"), &json!("/6"), &json!("15b.txt"))
    );
}

#[test]
fn who_prefers_to_wait_is_answered_when_the_file_is_another() {
    let site = Site::with(&[("a.json", "1"), ("page.html", "<p>1"), ("sub/index.html", "<p>1")]);
    let server = site.serve();
    for (url, file) in [("/a.json", "a.json"), ("/page.html", "page.html"), ("/sub/", "sub/index.html")] {
        let etag = server.get(url).header("etag").to_owned();
        let mut waiting = server.open(&format!(
            "GET {url} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nIf-None-Match: {etag}\r\nPrefer: wait=20\r\n\r\n"
        ));
        server.wait_for_status(|status| status["streams"] == 1);
        site.write(file, "2");
        let mut answer = String::new();
        waiting.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("preference-applied: wait=20\r\n"),
            "{url}: {answer}"
        );
        assert!(answer.ends_with('2') && !answer.contains(&etag), "{url}: {answer}");
    }
    let etag = server.get("/a.json").header("etag").to_owned();
    // A stream knows the version that a poll has seen, and the other way round.
    let events = server.resume("/a.json", etag.trim_matches('"'));
    site.write("a.json", "3");
    let id = format!("\"{}\"", events.next().id);
    assert_eq!(server.request("GET", "/a.json", &[("if-none-match", &id)]).status, 304);
    drop(events);
    let answer = server.request("GET", "/a.json", &[("if-none-match", &etag), ("prefer", "wait=20")]);
    assert_eq!(answer.status, 200, "what is another already is sent at once");
    let answer = server.request("GET", "/a.json", &[("if-none-match", &id), ("prefer", "wait=1")]);
    assert_eq!((answer.status, answer.header("preference-applied")), (304, "wait=1"));
    server.wait_for_status(|status| status["streams"] == 0);
}

#[cfg(unix)]
#[test]
fn a_wait_ends_with_the_server_and_with_the_one_who_waits() {
    let site = Site::with(&[("a.json", "1")]);
    let mut server = site.serve();
    let etag = server.get("/a.json").header("etag").to_owned();
    let request = format!("GET /a.json HTTP/1.1\r\nHost: HOST\r\nIf-None-Match: {etag}\r\nPrefer: wait=60\r\n\r\n");
    let waiting = server.open(&request);
    server.wait_for_status(|status| status["streams"] == 1);
    drop(waiting);
    server.wait_for_status(|status| status["streams"] == 0);
    let _waiting = server.open(&request);
    server.wait_for_status(|status| status["streams"] == 1);
    server.signal("TERM");
    assert!(server.wait_for_end().0.success());
}
