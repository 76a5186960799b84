//! Events of the one stream of a page, which says of each file that the page uses what has become of it.

use bytes::Bytes;
use serde_json::Value;

use crate::content::Content;
use crate::content::Snapshot;
use crate::content::Version;
use crate::content::kind;
use crate::event::named::description;

/// What a page gets when it is to be loaded again.
pub const RELOAD: &str = "event: reload\ndata: {}\n\n";

/// What a page gets when many files begin to change at once, and when that is over.
#[must_use]
pub fn burst(burst: bool) -> &'static str {
    if burst { "event: burst\ndata: {\"burst\":true}\n\n" } else { "event: burst\ndata: {\"burst\":false}\n\n" }
}

/// An event of the stream of a page that shows this file: the contents inside an object that says which file it is.
pub(super) fn reads(snapshot: &Snapshot) -> String {
    let head = head(snapshot);
    match &snapshot.content {
        // The document goes in as it is: a parser would turn its numbers into others.
        Content::Document(line) => format!("data: {{{head},\"document\":{line}}}\n\n"),
        Content::Text(text) => format!("data: {{{head},\"text\":{}}}\n\n", Value::from(text.as_str())),
        Content::Other(_) | Content::Unread => {
            let size = if let Content::Other(size) = snapshot.content { Value::from(size) } else { Value::Null };
            let media_type = kind::media_type_of_binary(&snapshot.path);
            format!("data: {{{head},\"size\":{size},\"type\":{}}}\n\n", Value::from(media_type.essence_str()))
        }
        Content::Large(_) | Content::Problem(_) => problem(snapshot, &head),
        Content::Removed => format!("event: removed\ndata: {{{head}}}\n\n"),
    }
}

/// An event of the stream of a page that has the version before of a document.
#[must_use]
pub fn patch(snapshot: &Snapshot, before: Version, patch: &str) -> Bytes {
    format!("event: patch\ndata: {{{},\"before\":\"{before}\",\"patch\":{patch}}}\n\n", head(snapshot)).into()
}

/// An event of the stream of a page that uses this file in some other way: that it is another one now.
pub(super) fn uses(snapshot: &Snapshot) -> String {
    let head = head(snapshot);
    match &snapshot.content {
        Content::Document(_) | Content::Text(_) | Content::Other(_) | Content::Unread | Content::Large(_) => {
            format!("event: change\ndata: {{{head}}}\n\n")
        }
        Content::Problem(_) => problem(snapshot, &head),
        Content::Removed => format!("event: removed\ndata: {{{head}}}\n\n"),
    }
}

fn problem(snapshot: &Snapshot, head: &str) -> String {
    let (message, line, column) = description(&snapshot.content);
    let (message, line, column) = (Value::from(message), Value::from(line), Value::from(column));
    format!("event: problem\ndata: {{{head},\"message\":{message},\"line\":{line},\"column\":{column}}}\n\n")
}

/// The members with which the data of every event of a page begins.
fn head(snapshot: &Snapshot) -> String {
    format!("\"path\":{},\"version\":\"{}\"", Value::from(snapshot.path.as_str()), snapshot.version)
}
