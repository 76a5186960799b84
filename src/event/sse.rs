//! Events on a stream of server-sent events (WHATWG HTML, section 9.2).

use std::fmt::Write;

use crate::event::named::Event;
use crate::event::named::MESSAGE;

/// The first text of every stream: how long a browser waits before it connects again, in milliseconds. Short, because
/// a server that restarts is back at once, and this server is near.
pub const OPENING: &str = "retry: 500\n\n";

/// A comment that no listener sees. It keeps proxies from closing a quiet stream.
pub const KEEP_ALIVE: &str = ":\n\n";

/// The last event of a stream.
pub const END: &str = "event: end\ndata: Connection closed\n\n";

/// The text of an event.
#[must_use]
pub fn write(event: &Event<'_>) -> String {
    write_part(event, 0, usize::MAX).0
}

/// The part of an event on a stream with about `length` bytes of the data from `at` on, and where the next part begins.
#[must_use]
pub fn write_part(event: &Event<'_>, at: usize, length: usize) -> (String, Option<usize>) {
    let end = event.end_of_part(at, length);
    let part = &event.data[at..end];
    let mut frame = String::with_capacity(event.id.len() + event.name.len() + part.len() + 32);
    if at == 0 {
        // Without an id, the listener keeps the one of the event before.
        if !event.id.is_empty() {
            writeln!(frame, "id: {}", event.id).expect("writing to a string can't fail");
        }
        if event.name != MESSAGE {
            writeln!(frame, "event: {}", event.name).expect("writing to a string can't fail");
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
