//! An update becomes text: an event of a stream (WHATWG HTML, section 9.2), or a message of a WebSocket. Pure.

use std::borrow::Cow;
use std::fmt;
use std::fmt::Write;

use bytes::Bytes;
use serde_json::Value;
use serde_json::json;

use crate::change::News;
use crate::change::Update;
use crate::change::Version;
use crate::change::kind;
use crate::hub::Audience;
use crate::site_path::SitePath;

/// The first text of every stream: how long a browser waits before it connects again, in milliseconds. Short, because
/// a server that restarts is back at once, and this server is near.
pub const OPENING: &str = "retry: 500\n\n";

/// A comment that no listener sees. It keeps proxies from closing a quiet stream.
pub const KEEP_ALIVE: &str = ":\n\n";

/// The last event of a stream.
pub const END: &str = "event: end\ndata: Connection closed\n\n";

/// The last message of a WebSocket. A server that stops has nothing to come back to, so there is no id.
#[must_use]
pub fn end() -> Event<'static> {
    Event::named("", "end", "Connection closed")
}

/// What a page is told when many files begin to change at once, and when that is over.
#[must_use]
pub fn burst(burst: bool) -> &'static str {
    if burst { "event: burst\ndata: {\"burst\":true}\n\n" } else { "event: burst\ndata: {\"burst\":false}\n\n" }
}

/// The event for this audience.
#[must_use]
pub fn write(update: &Update, audience: Audience) -> Bytes {
    match audience {
        Audience::File => match &update.news {
            // Known to be one line, which may be long.
            News::Document(line) => format!("id: {}\ndata: {line}\n\n", update.version),
            _ => Event::of(update).to_frame(),
        },
        Audience::Socket => Event::of(update).to_message(),
        Audience::Reader => for_reader(update),
        Audience::User => for_user(update),
    }
    .into()
}

/// An event, before it is known how it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// What a listener says when it comes back. Without line breaks and NUL; empty if there is none.
    pub id: Cow<'a, str>,
    /// Its name, without line breaks.
    pub name: Cow<'a, str>,
    /// Any text.
    pub data: Cow<'a, str>,
}

/// The name of an event that has none on a stream.
pub const MESSAGE: &str = "message";

impl<'a> Event<'a> {
    /// A message with these data.
    #[must_use]
    pub fn message(id: impl fmt::Display, data: impl Into<Cow<'a, str>>) -> Self {
        Self::named(id, MESSAGE, data)
    }

    /// An event of this name.
    #[must_use]
    pub fn named(id: impl fmt::Display, name: &'a str, data: impl Into<Cow<'a, str>>) -> Self {
        Self { id: id.to_string().into(), name: name.into(), data: data.into() }
    }

    /// What was followed is gone, or is not there yet.
    #[must_use]
    pub fn removed(id: impl fmt::Display, path: &SitePath) -> Self {
        Self::named(id, "removed", json!({ "path": path.as_str() }).to_string())
    }

    /// What the listeners of one file are told. Its id is the version.
    #[must_use]
    pub fn of(update: &'a Update) -> Self {
        let path = update.path.as_str();
        let named = |name, data: Value| Self::named(update.version, name, data.to_string());
        match &update.news {
            News::Document(line) => Self::message(update.version, line),
            News::Text(text) => Self::message(update.version, text),
            News::Other(size) => {
                let media_type = kind::media_type(&update.path);
                let (version, media_type) = (update.version.to_string(), media_type.essence_str());
                named(MESSAGE, json!({ "path": path, "version": version, "size": size, "type": media_type }))
            }
            News::Large(_) | News::Problem(_) => {
                let (message, line, column) = words(&update.news);
                named("problem", json!({ "path": path, "message": message, "line": line, "column": column }))
            }
            News::Removed => Self::removed(update.version, &update.path),
        }
    }

    /// On a stream of server-sent events.
    #[must_use]
    pub fn to_frame(&self) -> String {
        frame_part(self, 0, usize::MAX).0
    }

    /// As a message of a WebSocket: `{"data","event","id"}`, where `data` is the text that the listener of a stream gets.
    #[must_use]
    pub fn to_message(&self) -> String {
        message_part(self, 0, usize::MAX).0
    }

    /// Where a part ends that begins at `at`: not within a character, nor within an end of a line.
    fn end_of_part(&self, at: usize, length: usize) -> usize {
        let end = at.saturating_add(length).min(self.data.len());
        let end = (end..=self.data.len()).find(|end| self.data.is_char_boundary(*end)).unwrap_or(end);
        end + usize::from(self.data[at..end].ends_with('\r') && self.data[end..].starts_with('\n'))
    }
}

/// The part of an event on a stream with about `length` bytes of the data from `at` on, and where the next part begins.
#[must_use]
pub fn frame_part(event: &Event<'_>, at: usize, length: usize) -> (String, Option<usize>) {
    let end = event.end_of_part(at, length);
    let part = &event.data[at..end];
    let mut frame = String::with_capacity(event.id.len() + event.name.len() + part.len() + 32);
    if at == 0 {
        // Without an id, the listener keeps the one of the event before.
        if !event.id.is_empty() {
            writeln!(frame, "id: {}", event.id).expect(WRITES);
        }
        if event.name != MESSAGE {
            writeln!(frame, "event: {}", event.name).expect(WRITES);
        }
        frame.push_str("data: ");
    }
    data(&mut frame, part);
    if end < event.data.len() {
        return (frame, Some(end));
    }
    frame.push_str("\n\n");
    (frame, None)
}

/// The same for a message of a WebSocket.
#[must_use]
pub fn message_part(event: &Event<'_>, at: usize, length: usize) -> (String, Option<usize>) {
    let end = event.end_of_part(at, length);
    let part = &event.data[at..end];
    let mut message = String::with_capacity(event.id.len() + event.name.len() + part.len() + 64);
    if at == 0 {
        message.push_str("{\"data\":\"");
    }
    // On a stream, too, each end of a line is LF.
    let part = if part.contains('\r') {
        Cow::Owned(part.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(part)
    };
    // Each character is written for itself, so the parts of a string are the string.
    let quoted = Value::from(&*part).to_string();
    message.push_str(&quoted[1..quoted.len() - 1]);
    if end < event.data.len() {
        return (message, Some(end));
    }
    let (name, id) = (Value::from(&*event.name), Value::from(&*event.id));
    write!(message, "\",\"event\":{name},\"id\":{id}}}").expect(WRITES);
    (message, None)
}

const WRITES: &str = "writing to a string can't fail";

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

/// An event of the stream of a page that has the version before of a document.
#[must_use]
pub fn patch(update: &Update, before: Version, patch: &str) -> Bytes {
    format!("event: patch\ndata: {{{},\"before\":\"{before}\",\"patch\":{patch}}}\n\n", head(update)).into()
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
    while let Some(end) = rest.find(['\n', '\r']) {
        frame.push_str(&rest[..end]);
        frame.push_str("\ndata: ");
        rest = rest[end..].strip_prefix("\r\n").unwrap_or(&rest[end + 1..]);
    }
    frame.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Problem;

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
    fn the_parts_of_an_event_are_the_event() {
        for data in ["", "a", "a\nb\r\nc\rd\r", "é\"\\\u{1b}👩‍🚀\r\n\r\n", "\r\n"] {
            let event = Event::named(7, "count", data);
            let lines = data.replace("\r\n", "\n").replace('\r', "\n");
            let frame = format!("id: 7\nevent: count\ndata: {}\n\n", lines.replace('\n', "\ndata: "));
            let message = json!({ "id": "7", "event": "count", "data": lines }).to_string();
            assert_eq!((event.to_frame(), event.to_message()), (frame.clone(), message.clone()));
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
                assert_eq!(collect(&|at| frame_part(&event, at, length)), frame);
                assert_eq!(collect(&|at| message_part(&event, at, length)), message);
            }
        }
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
