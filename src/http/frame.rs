//! An update becomes text on a stream of server-sent events (WHATWG HTML, section 9.2). Pure.

use std::fmt::Write;

use bytes::Bytes;
use serde_json::Value;
use serde_json::json;

use crate::change::News;
use crate::change::Update;
use crate::change::kind;
use crate::hub::Audience;

/// The first text of every stream: how long a browser waits before it connects again, in milliseconds. Short, because
/// a server that restarts is back at once, and this server is near.
pub const OPENING: &str = "retry: 500\n\n";

/// A comment that no listener sees. It keeps proxies from closing a quiet stream.
pub const KEEP_ALIVE: &str = ":\n\n";

/// The last event of a stream.
pub const END: &str = "event: end\ndata: Connection closed\n\n";

/// What a page is told when many files begin to change at once, and when that is over.
#[must_use]
pub fn burst(burst: bool) -> &'static str {
    if burst { "event: burst\ndata: {\"burst\":true}\n\n" } else { "event: burst\ndata: {\"burst\":false}\n\n" }
}

/// The event for this audience.
#[must_use]
pub fn write(update: &Update, audience: Audience) -> Bytes {
    match audience {
        Audience::File => for_file(update),
        Audience::Reader => for_reader(update),
        Audience::User => for_user(update),
    }
    .into()
}

/// An event of the stream of one file. Its id is the version.
fn for_file(update: &Update) -> String {
    let path = update.path.as_str();
    let mut frame = format!("id: {}\n", update.version);
    match &update.news {
        // Known to be one line, which may be long.
        News::Document(line) => return format!("{frame}data: {line}\n\n"),
        News::Text(text) => data(&mut frame, text),
        News::Other(size) => data(
            &mut frame,
            &json!({
                "path": path,
                "version": update.version.to_string(),
                "size": size,
                "type": kind::media_type(&update.path).essence_str(),
            })
            .to_string(),
        ),
        News::Large(_) | News::Problem(_) => {
            frame.push_str("event: problem\n");
            let (message, line, column) = words(&update.news);
            data(&mut frame, &json!({ "path": path, "message": message, "line": line, "column": column }).to_string());
        }
        News::Removed => {
            frame.push_str("event: removed\n");
            data(&mut frame, &json!({ "path": path }).to_string());
        }
    }
    frame.push('\n');
    frame
}

/// An event of the stream of a page that shows this file: the contents inside an object that says which file it is.
fn for_reader(update: &Update) -> String {
    let head = head(update);
    match &update.news {
        // The document goes in as it is: a parser would turn its numbers into others.
        News::Document(line) => format!("data: {{{head},\"document\":{line}}}\n\n"),
        News::Text(text) => format!("data: {{{head},\"text\":{}}}\n\n", Value::from(text.as_str())),
        News::Other(size) => {
            let media_type = kind::media_type(&update.path);
            format!("data: {{{head},\"size\":{size},\"type\":{}}}\n\n", Value::from(media_type.essence_str()))
        }
        News::Large(_) | News::Problem(_) => problem(update, &head),
        News::Removed => format!("event: removed\ndata: {{{head}}}\n\n"),
    }
}

/// An event of the stream of a page that uses this file in some other way: that it is another one now.
fn for_user(update: &Update) -> String {
    let head = head(update);
    match &update.news {
        News::Document(_) | News::Text(_) | News::Other(_) | News::Large(_) => {
            format!("event: change\ndata: {{{head}}}\n\n")
        }
        News::Problem(_) => problem(update, &head),
        News::Removed => format!("event: removed\ndata: {{{head}}}\n\n"),
    }
}

fn problem(update: &Update, head: &str) -> String {
    let (message, line, column) = words(&update.news);
    let (message, line, column) = (Value::from(message), Value::from(line), Value::from(column));
    format!("event: problem\ndata: {{{head},\"message\":{message},\"line\":{line},\"column\":{column}}}\n\n")
}

/// The members with which the data of every event of a page begins.
fn head(update: &Update) -> String {
    format!("\"path\":{},\"version\":\"{}\"", Value::from(update.path.as_str()), update.version)
}

/// What is wrong, in words, with line and column.
fn words(news: &News) -> (String, Option<usize>, Option<usize>) {
    let Some(problem) = news.problem() else { return Default::default() };
    let (line, column) = problem.place.unzip();
    (problem.message, line, column)
}

/// A line of a stream ends at LF, CRLF and CR alike, so the lines of a text do too. The listener gets LF for each.
fn data(frame: &mut String, text: &str) {
    let mut rest = text;
    loop {
        let end = rest.find(['\n', '\r']);
        writeln!(frame, "data: {}", &rest[..end.unwrap_or(rest.len())]).expect("writing to a string can't fail");
        let Some(end) = end else { break };
        rest = rest[end..].strip_prefix("\r\n").unwrap_or(&rest[end + 1..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Problem;
    use crate::change::Version;
    use crate::site_path::SitePath;

    fn update(path: &str, news: News) -> Update {
        Update { path: SitePath::from_url(path).unwrap(), version: Version::ABSENT, news }
    }

    #[track_caller]
    fn check(audience: Audience, path: &str, news: News, expected: &str) {
        let frame = write(&update(path, news), audience);
        let expected = expected.replace("ID", &Version::ABSENT.to_string());
        assert_eq!(std::str::from_utf8(&frame).unwrap(), expected);
    }

    #[track_caller]
    fn text(text: &str, data: &str) {
        check(Audience::File, "/a.txt", News::Text(text.into()), &format!("id: ID\n{data}\n"));
    }

    fn problem() -> News {
        News::Problem(Problem { message: "no \"a\"".into(), place: Some((3, 5)) })
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
    fn files_have_their_events() {
        let check = |path: &str, news: News, expected: &str| check(Audience::File, path, news, expected);
        check("/a.json", News::Document("{\"a\":1.0}".into()), "id: ID\ndata: {\"a\":1.0}\n\n");
        check(
            "/a b.png",
            News::Other(7),
            "id: ID\ndata: {\"path\":\"/a b.png\",\"size\":7,\"type\":\"image/png\",\"version\":\"ID\"}\n\n",
        );
        check(
            "/a.json",
            problem(),
            "id: ID\nevent: problem\ndata: {\"column\":5,\"line\":3,\"message\":\"no \\\"a\\\"\",\"path\":\"/a.json\"}\n\n",
        );
        check("/a.json", News::Removed, "id: ID\nevent: removed\ndata: {\"path\":\"/a.json\"}\n\n");
    }

    #[test]
    fn pages_are_told_which_file_it_is() {
        let reader = |path: &str, news: News, expected: &str| check(Audience::Reader, path, news, expected);
        let head = r#"data: {"path":"/a","version":"ID""#;
        reader("/a", News::Document("[1.0]".into()), &format!("{head},\"document\":[1.0]}}\n\n"));
        reader("/a", News::Text("a\n\"b\"".into()), &format!("{head},\"text\":\"a\\n\\\"b\\\"\"}}\n\n"));
        reader("/a", News::Other(7), &format!("{head},\"size\":7,\"type\":\"application/octet-stream\"}}\n\n"));
        reader("/a", News::Removed, &format!("event: removed\n{head}}}\n\n"));
        let broken = format!("event: problem\n{head},\"message\":\"no \\\"a\\\"\",\"line\":3,\"column\":5}}\n\n");
        reader("/a", problem(), &broken);

        let user = |path: &str, news: News, expected: &str| check(Audience::User, path, news, expected);
        user("/a", News::Document("[1.0]".into()), &format!("event: change\n{head}}}\n\n"));
        user("/a", News::Large(1 << 30), &format!("event: change\n{head}}}\n\n"));
        user("/a", problem(), &broken);
        user("/a", News::Removed, &format!("event: removed\n{head}}}\n\n"));
    }
}
