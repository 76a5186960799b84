use serde_json::json;

use super::*;
use crate::content::Problem;
use crate::content::Version;
use crate::site::SitePath;

fn snapshot(path: &str, content: Content) -> Snapshot {
    Snapshot { path: SitePath::from_url(path).unwrap(), version: Version::ABSENT, content }
}

#[track_caller]
fn check(format: Format, path: &str, content: Content, expected: &str) {
    let frame = format.write(&snapshot(path, content));
    let expected = expected.replace("ID", &Version::ABSENT.to_string());
    assert_eq!(std::str::from_utf8(&frame).unwrap(), expected);
}

#[track_caller]
fn text(text: &str, data: &str) {
    check(Format::Stream, "/a.txt", Content::Text(text.into()), &format!("id: ID\n{data}\n"));
}

fn problem() -> Content {
    Content::Problem(Problem { message: "no \"a\"".into(), place: Some((3, 5)) })
}

#[test]
fn text_goes_line_by_line() {
    text("a", "data: a\n");
    text("", "data: \n");
    text("a\nb\n", "data: a\ndata: b\ndata: \n");
    text("a\r\nb\rc\n\rd", "data: a\ndata: b\ndata: c\ndata: \ndata: d\n");
    text(" a\n:b\ndata: c\nid: d", "data:  a\ndata: :b\ndata: data: c\ndata: id: d\n");
}

#[test]
fn the_parts_of_an_event_are_the_event() {
    for data in ["", "a", "a\nb\r\nc\rd\r", "é\"\\\u{1b}👩‍🚀\r\n\r\n", "\r\n"] {
        let event = Event::named(7, "count", data);
        let lines = data.replace("\r\n", "\n").replace('\r', "\n");
        let frame = format!("id: 7\nevent: count\ndata: {}\n\n", lines.replace('\n', "\ndata: "));
        let message = json!({ "id": "7", "event": "count", "data": lines }).to_string();
        assert_eq!((sse::write(&event), websocket::write(&event)), (frame.clone(), message.clone()));
        for length in 1..10 {
            let collect = |part: &dyn Fn(usize) -> (String, Option<usize>)| {
                let (mut all, mut next) = (String::new(), Some(0));
                while let Some(at) = next {
                    let (text, then) = part(at);
                    all.push_str(&text);
                    next = then;
                }
                all
            };
            assert_eq!(collect(&|at| sse::write_part(&event, at, length)), frame);
            assert_eq!(collect(&|at| websocket::write_part(&event, at, length)), message);
        }
    }
}

#[test]
fn files_have_their_events() {
    let check = |path: &str, content: Content, expected: &str| check(Format::Stream, path, content, expected);
    check("/a.json", Content::Document("{\"a\":1.0}".into()), "id: ID\ndata: {\"a\":1.0}\n\n");
    check(
        "/a b.png",
        Content::Other(7),
        "id: ID\ndata: {\"path\":\"/a b.png\",\"size\":7,\"type\":\"image/png\",\"version\":\"ID\"}\n\n",
    );
    check(
        "/a.json",
        problem(),
        "id: ID\nevent: problem\ndata: {\"column\":5,\"line\":3,\"message\":\"no \\\"a\\\"\",\"path\":\"/a.json\"}\n\n",
    );
    check("/a.json", Content::Removed, "id: ID\nevent: removed\ndata: {\"path\":\"/a.json\"}\n\n");
}

#[test]
fn pages_are_told_which_file_it_is() {
    let reader = |path: &str, content: Content, expected: &str| check(Format::PageReads, path, content, expected);
    let head = r#"data: {"path":"/a","version":"ID""#;
    reader("/a", Content::Document("[1.0]".into()), &format!("{head},\"document\":[1.0]}}\n\n"));
    reader("/a", Content::Text("a\n\"b\"".into()), &format!("{head},\"text\":\"a\\n\\\"b\\\"\"}}\n\n"));
    reader("/a", Content::Other(7), &format!("{head},\"size\":7,\"type\":\"application/octet-stream\"}}\n\n"));
    reader("/a", Content::Removed, &format!("event: removed\n{head}}}\n\n"));
    let broken = format!("event: problem\n{head},\"message\":\"no \\\"a\\\"\",\"line\":3,\"column\":5}}\n\n");
    reader("/a", problem(), &broken);

    let user = |path: &str, content: Content, expected: &str| check(Format::PageUses, path, content, expected);
    user("/a", Content::Document("[1.0]".into()), &format!("event: change\n{head}}}\n\n"));
    user("/a", Content::Large(1 << 30), &format!("event: change\n{head}}}\n\n"));
    user("/a", problem(), &broken);
    user("/a", Content::Removed, &format!("event: removed\n{head}}}\n\n"));
}
