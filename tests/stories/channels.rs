//! Events that are not files.

use serde_json::Value;
use serde_json::json;

use crate::support::Server;
use crate::support::Site;

const NEWS: &str = "/_savecast/channels/users/42";

fn publish(server: &Server, url: &str, data: &str) -> Value {
    let answer = server.post(url, &[], data);
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_str(&answer.text).expect("JSON")
}

#[test]
fn what_is_published_reaches_those_who_listen_to_the_name() {
    let site = Site::with(&[]);
    let server = site.serve();
    let events = server.follow(NEWS);
    let other = server.follow("/_savecast/channels/users/43");
    let answer = publish(&server, &format!("{NEWS}?event=count"), "3");
    assert_eq!(answer["listeners"], 1);
    let event = events.next();
    assert_eq!((event.event.as_str(), event.data.as_str()), ("count", "3"));
    assert_eq!(event.id, answer["id"].as_str().unwrap());
    publish(&server, "/_savecast/channels/users%2F42", "two\nlines");
    events.expect("two\nlines");
    publish(&server, "/_savecast/channels/users/43", "");
    other.expect("");
    let channels: Value = serde_json::from_str(&server.get("/_savecast/channels/").text).unwrap();
    assert_eq!(
        (&channels[0]["name"], &channels[0]["listeners"], &channels[0]["events"]),
        (&json!("users/42"), &json!(1), &json!(2))
    );
}

#[cfg(unix)]
#[test]
fn who_comes_back_hears_what_it_has_missed() {
    let site = Site::with(&[]);
    let mut server = site.serve();
    let first = publish(&server, NEWS, "1");
    publish(&server, NEWS, "2");
    let id = first["id"].as_str().unwrap();
    server.resume(NEWS, id).expect("2");
    server.follow(&format!("{NEWS}?last-event-id={id}")).expect("2");
    server.resume(NEWS, "17").expect_event("gap");
    server.signal("TERM");
    server.wait_for_end();
    let server = site.serve();
    publish(&server, NEWS, "3");
    let events = server.resume(NEWS, id);
    events.expect_event("gap");
    events.expect("3");
}

#[test]
fn bad_publishing_is_refused() {
    let site = Site::with(&[]);
    let server = site.serve();
    let status = |url: &str, headers: &[(&str, &str)], body: &str| server.post(url, headers, body).status;
    assert_eq!(status(NEWS, &[("origin", "http://evil.test")], "x"), 403);
    assert_eq!(status(NEWS, &[("sec-fetch-site", "cross-site")], "x"), 403);
    assert_eq!(status(&format!("{NEWS}?event="), &[], "x"), 400);
    assert_eq!(status(&format!("{NEWS}?event=a%0Ab"), &[], "x"), 400);
    assert_eq!(status("/_savecast/channels/a%0Ab", &[], "x"), 400);
    assert_eq!(status("/_savecast/channels/", &[], "x"), 405);
    assert_eq!(status(NEWS, &[], &"x".repeat((1 << 20) + 1)), 413);
    assert_eq!(server.request("DELETE", NEWS, &[]).status, 405);
    assert_eq!(server.get(NEWS).status, 406);
    assert_eq!(publish(&server, NEWS, &"x".repeat(1 << 20))["listeners"], 0);
}

#[cfg(unix)]
#[test]
fn the_end_of_the_server_is_told() {
    let site = Site::with(&[]);
    let server = site.serve();
    let events = server.follow(NEWS);
    server.signal("TERM");
    events.expect_event("end");
    events.expect_end();
}

#[test]
fn other_origins_come_in_where_they_are_asked_for() {
    let site = Site::with(&[("a.json", "1")]);
    let origin = [("origin", "http://app.test:5173"), ("sec-fetch-site", "cross-site")];
    let events = [origin[0], origin[1], ("accept", "text/event-stream")];
    let server = site.serve();
    assert_eq!(server.request("GET", "/a.json", &origin).header("access-control-allow-origin"), "");
    assert_eq!(server.follow_with("GET", "/a.json", &origin, "").head.status, 403);

    let server = site.serve_with(&["--cors", "http://app.test:5173"]);
    let answer = server.request("GET", "/a.json", &origin);
    assert_eq!(answer.header("access-control-allow-origin"), "http://app.test:5173");
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    let stream = server.follow_with("GET", "/a.json", &origin, "");
    assert_eq!(stream.head.header("access-control-allow-origin"), "http://app.test:5173");
    stream.expect("1");
    assert_eq!(server.post(NEWS, &origin, "x").status, 200);
    let preflight = [origin[0], ("access-control-request-method", "POST")];
    let answer = server.request("OPTIONS", NEWS, &preflight);
    assert_eq!((answer.status, answer.header("access-control-allow-methods")), (204, "GET, HEAD, POST"));
    let evil = [("origin", "http://evil.test"), events[2]];
    let answer = server.request("GET", "/a.json", &evil);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (403, ""));

    let server = site.serve_with(&["--cors"]);
    let answer = server.request("GET", "/a.json", &origin);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(!answer.has("access-control-allow-credentials"));
}
