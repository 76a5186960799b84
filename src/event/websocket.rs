//! Events as messages of a WebSocket: `{"data","event","id"}`, where `data` is the text that the listener of a stream gets.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::Value;

use crate::event::named::Event;

/// The last message of a WebSocket. A server that stops has nothing to come back to, so there is no id.
#[must_use]
pub fn end() -> Event<'static> {
    Event::named("", "end", "Connection closed")
}

/// The message of an event.
#[must_use]
pub fn write(event: &Event<'_>) -> String {
    write_part(event, 0, usize::MAX).0
}

/// The part of a message with about `length` bytes of the data from `at` on, and where the next part begins.
#[must_use]
pub fn write_part(event: &Event<'_>, at: usize, length: usize) -> (String, Option<usize>) {
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
    write!(message, "\",\"event\":{name},\"id\":{id}}}").expect("writing to a string can't fail");
    (message, None)
}
