//! Every file is a stream.

use serde_json::json;

use crate::support::Site;

#[test]
fn a_stream_has_the_contents_now_and_after_every_save() {
    let site = Site::with(&[("data.json", "{\n  \"b\": 1.0,\n  \"a\": 1e400\n}\n")]);
    let server = site.serve();
    let events = server.follow("/data.json");
    assert_eq!(events.head.status, 200);
    assert_eq!(events.head.header("content-type"), "text/event-stream");
    assert_eq!(events.head.header("cache-control"), "no-cache, no-transform");
    assert_eq!(events.head.header("x-accel-buffering"), "no");
    assert_eq!(events.head.header("access-control-allow-origin"), "");

    let first = events.next();
    assert_eq!((first.event.as_str(), first.data.as_str()), ("message", r#"{"b":1.0,"a":1e400}"#));
    site.write("data.json", "[1,\n2]");
    let second = events.next();
    assert_eq!(second.data, "[1,2]");
    assert_ne!(first.id, second.id);
}

#[test]
fn the_time_to_reconnect_comes_first() {
    let site = Site::with(&[("data.json", "1")]);
    let server = site.serve();
    // An HTTP/1.0 client gets the events without chunks.
    let request = "GET /data.json HTTP/1.0\r\nHost: HOST\r\nAccept: text/event-stream\r\n\r\n";
    let answer = server.raw_until(request, Some("data: 1\n\n"));
    assert!(answer.contains("\r\n\r\nretry: 500\n\nid: ") && !answer.contains("chunked"), "{answer}");
}

#[test]
fn text_and_other_files() {
    let site = Site::with(&[("a.csv", "a,b\r\n 1,2\n"), ("a.png", "PNG!"), ("empty.txt", "")]);
    let server = site.serve();
    server.follow("/a.csv").expect("a,b\n 1,2\n");
    server.follow("/empty.txt").expect("");
    let picture = server.follow("/a.png").expect_event("message");
    assert_eq!(
        (&picture["path"], &picture["size"], &picture["type"]),
        (&json!("/a.png"), &json!(4), &json!("image/png"))
    );
    assert_eq!(format!("\"{}\"", picture["version"].as_str().unwrap()), server.get("/a.png").header("etag"));
}

#[test]
fn a_broken_file_is_a_problem_until_the_next_good_save() {
    let site = Site::with(&[("data.json", "{\"a\": 1}")]);
    let server = site.serve();
    let events = server.follow("/data.json");
    events.expect("{\"a\":1}");
    site.write("data.json", "{\n  \"a\": 1,\n  b\n}");
    let problem = events.expect_event("problem");
    assert_eq!(
        problem,
        json!({"path": "/data.json", "message": "a name needs double quotes: \"b\"", "line": 3, "column": 3})
    );
    assert_eq!(server.status()["problems"], 1);
    site.write("data.json", "{\"a\": 1}");
    events.expect("{\"a\":1}");
    assert_eq!(server.status()["problems"], 0);
}

#[test]
fn a_file_that_is_broken_for_a_moment_is_no_problem() {
    let site = Site::with(&[("data.json", "1")]);
    let server = site.serve();
    let events = server.follow("/data.json");
    events.expect("1");
    for number in 2..20 {
        site.write("data.json", "{");
        site.write("data.json", number.to_string());
        events.expect(&number.to_string());
    }
}

#[test]
fn the_status_says_how_long_the_latest_update_took() {
    let site = Site::with(&[("data.json", "1")]);
    let server = site.serve();
    let streams = [server.follow("/data.json"), server.follow("/data.json")];
    streams.iter().for_each(|events| events.expect("1"));
    assert_eq!(server.status()["latest"], json!(null));
    site.write("data.json", "2");
    streams.iter().for_each(|events| events.expect("2"));
    let status = server.wait_for_status(|status| !status["latest"].is_null());
    assert_eq!((&status["latest"]["path"], &status["latest"]["listeners"]), (&json!("/data.json"), &json!(2)));
    assert!(status["latest"]["ms"].as_f64().is_some_and(|ms| ms > 0.0), "{status}");
}

#[test]
fn a_file_may_go_and_come_back() {
    let site = Site::with(&[("data.json", "1")]);
    let server = site.serve();
    let events = server.follow("/data.json");
    events.expect("1");
    site.remove("data.json");
    assert_eq!(events.expect_event("removed"), json!({"path": "/data.json"}));
    site.write("data.json", "1");
    events.expect("1");
}

#[test]
fn a_file_that_does_not_exist_yet() {
    let site = Site::with(&[]);
    let server = site.serve();
    let events = server.follow("/a/b/data.json");
    assert_eq!(events.expect_event("removed"), json!({"path": "/a/b/data.json"}));
    site.write("a/b/data.json", "[ 1 ]");
    events.expect("[1]");
}

#[test]
fn equal_bytes_are_no_event() {
    let site = Site::with(&[("data.json", "1")]);
    let server = site.serve();
    let events = server.follow("/data.json");
    events.expect("1");
    site.write("data.json", "1");
    #[cfg(unix)]
    site.shell("touch data.json && chmod 600 data.json && cat data.json");
    site.write("data.json", "2");
    events.expect("2");
}

#[test]
fn resuming_sends_only_what_is_new() {
    let site = Site::with(&[("data.json", "1")]);
    let server = site.serve();
    let id = server.follow("/data.json").next().id;

    let events = server.resume("/data.json", &id);
    site.write("data.json", "2");
    events.expect("2");

    server.resume("/data.json", &id).expect("2");
    server.resume("/data.json", "nonsense").expect("2");
}

#[test]
fn resuming_works_across_a_restart() {
    let site = Site::with(&[("data.json", "1"), ("other.json", "1")]);
    let server = site.serve();
    let id = server.follow("/data.json").next().id;
    drop(server);
    site.write("other.json", "2");

    let server = site.serve();
    let (same, other) = (server.resume("/data.json", &id), server.resume("/other.json", &id));
    other.expect("2");
    site.write("data.json", "3");
    same.expect("3");
}

#[test]
fn a_problem_and_a_removal_can_be_resumed_too() {
    let site = Site::with(&[("broken.json", "{")]);
    let server = site.serve();
    let broken = server.follow("/broken.json").next();
    let missing = server.follow("/missing.json").next();
    assert_eq!((broken.event.as_str(), missing.event.as_str()), ("problem", "removed"));
    let broken = server.resume("/broken.json", &broken.id);
    let missing = server.resume("/missing.json", &missing.id);
    site.write("broken.json", "1");
    site.write("missing.json", "2");
    broken.expect("1");
    missing.expect("2");
}

#[test]
fn a_stream_can_be_posted_for() {
    let site = Site::with(&[("data.json", "1")]);
    let server = site.serve();
    let events = server.follow_with("POST", "/data.json", &[("content-type", "application/json")], "{\"a\": 1}");
    events.expect("1");
    site.write("data.json", "2");
    events.expect("2");
}

#[test]
fn a_directory_streams_its_listing() {
    let site = Site::with(&[("photos/b.jpg", "x"), ("photos/.hidden", "x")]);
    let server = site.serve();
    let events = server.follow("/photos/");
    let names = |listing: serde_json::Value| {
        let names = listing.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(events.expect_event("message")), ["b.jpg"]);
    site.write("photos/a.jpg", "xy");
    assert_eq!(names(events.expect_event("message")), ["a.jpg", "b.jpg"]);
    site.remove("photos/b.jpg");
    assert_eq!(names(events.expect_event("message")), ["a.jpg"]);
}

#[test]
fn a_directory_without_its_slash_is_redirected() {
    let site = Site::with(&[("photos/b.jpg", "x")]);
    let server = site.serve();
    let answer = server.request("GET", "/photos", &[("accept", "text/event-stream")]);
    assert_eq!((answer.status, answer.header("location")), (307, "/photos/"));
}

#[test]
fn what_is_too_large_to_push() {
    let site = Site::with(&[("index.html", "")]);
    for name in ["large.json", "large.mp4"] {
        std::fs::File::create(site.path(name)).expect("a file").set_len(9 << 20).expect("room");
    }
    let server = site.serve();
    let video = server.follow("/large.mp4").expect_event("message");
    assert_eq!((&video["size"], &video["type"]), (&json!(9 << 20), &json!("video/mp4")));
    let document = server.follow("/large.json");
    assert_eq!(document.expect_event("problem")["message"], "too large to push: 9437184 bytes, more than --max-push");
    assert_eq!(server.status()["problems"], 1);
    site.write("large.json", "[ ]");
    document.expect("[]");
}

#[test]
fn a_page_hears_of_what_it_uses_and_reads_on_one_stream() {
    let site = Site::with(&[("a.css", "1"), ("b.css", "1"), ("c.json", "{ \"n\": 1.0 }"), ("d.txt", "a\nb")]);
    let server = site.serve();
    let old = "00000000000000000000000000000001";
    let version = server.get("/b.css").header("etag").trim_matches('"').to_owned();
    let body = json!({"uses": {"/a.css": old, "/b.css": version}, "reads": {"/c.json": null, "/d.txt": null}});
    let page = server.follow_with("POST", "/_savecast/events", &[], &body.to_string());

    let mut first = [page.next(), page.next(), page.next()].map(|event| (event.event, event.data));
    first.sort();
    assert_eq!(first[0].0, "change");
    assert!(first[0].1.starts_with(r#"{"path":"/a.css","version":""#), "{}", first[0].1);
    assert!(
        first[1].1.starts_with(r#"{"path":"/c.json","version":""#) && first[1].1.ends_with(r#","document":{"n":1.0}}"#)
    );
    assert!(first[2].1.ends_with(r#","text":"a\nb"}"#));

    site.write("b.css", "2");
    assert_eq!(page.expect_event("change")["path"], "/b.css");
    site.write("c.json", "[");
    let problem = page.expect_event("problem");
    assert_eq!((&problem["path"], &problem["line"]), (&json!("/c.json"), &json!(1)));
    site.remove("d.txt");
    assert_eq!(page.expect_event("removed")["path"], "/d.txt");
}

#[test]
fn a_page_may_not_know_what_it_has() {
    let site = Site::with(&[("a.css", "1"), ("b.css", "1")]);
    let server = site.serve();
    let page = server.follow_with("POST", "/_savecast/events", &[], r#"{"uses": {"/a.css": null, "/b.css": "x"}}"#);
    server.wait_for_status(|status| status["updates"] == 2);
    site.write("a.css", "2");
    assert_eq!(page.expect_event("change")["path"], "/a.css");
}

#[test]
fn nonsense_from_a_page_is_refused() {
    let site = Site::with(&[]);
    let server = site.serve();
    assert_eq!(server.follow_with("POST", "/_savecast/events", &[], "{").head.status, 400);
    assert_eq!(server.follow_with("POST", "/_savecast/events", &[], &"x".repeat(5 << 20)).head.status, 413);
    assert_eq!(server.follow_with("DELETE", "/_savecast/events", &[], "").head.status, 405);
    assert_eq!(server.get("/_savecast/events").status, 406);
    assert_eq!(server.request("POST", "/_savecast/status", &[]).status, 405);
    assert_eq!(server.request("HEAD", "/_savecast/status", &[]).status, 200);
}

#[test]
fn a_slow_listener_skips_and_ends_on_the_last() {
    let site = Site::with(&[("data.txt", "start")]);
    let server = site.serve();
    let events = server.follow("/data.txt");
    events.expect("start");
    for number in 1..=500 {
        site.write("data.txt", format!("{number}"));
    }
    let mut last = 0;
    while last < 500 {
        let number = events.next().data.parse::<u32>().expect("a number");
        assert!(number > last, "{number} after {last}");
        last = number;
    }
}
