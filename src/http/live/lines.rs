//! Lines in a file: where they begin and end, and what is sent of them.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;

use bytes::Bytes;

use crate::content::lines;
use crate::content::lines::LONGEST;
use crate::content::lines::Mark;
use crate::event::Encoding;
use crate::event::Event;
use crate::event::sse;
use crate::hub::Generation;
use crate::hub::Grown;

/// How much of a file is read at once, in bytes, and how much text is made of it at once.
pub(crate) const PART: usize = 64 << 10;

/// How far back the last lines are looked for, in bytes.
const LOOK_BACK: u64 = 8 << 20;

/// Lines of a file, with what is before them.
pub(crate) struct Part<'a> {
    pub(crate) start: Mark,
    pub(crate) before: &'a [u8],
    pub(crate) bytes: &'a [u8],
}

impl<'a> Part<'a> {
    pub(crate) fn of(grown: &'a Grown) -> Self {
        Self { start: grown.start, before: &grown.before, bytes: &grown.lines }
    }

    /// The first of them as events of a stream, about as much text as said; and where they end. A line of a file that is no
    /// longer there has no id, because who comes back goes on in the one that is.
    pub(crate) fn frames(&self, limit: usize, has_id: bool) -> (Bytes, Mark) {
        let (mut text, mut end) = (String::new(), self.start);
        for (mark, line) in lines::lines(self.start, self.before, self.bytes) {
            text.push_str(&sse::write(&event(mark, line, has_id)));
            end = mark;
            if text.len() >= limit {
                break;
            }
        }
        (text.into(), end)
    }

    /// The first of them as messages, about as much text as said; returns where they end.
    pub(crate) fn messages(&self, limit: usize, has_id: bool, owed: &mut VecDeque<Bytes>) -> Mark {
        let (mut length, mut end) = (0, self.start);
        for (mark, line) in lines::lines(self.start, self.before, self.bytes) {
            let message = Encoding::WebSocket.write(&event(mark, line, has_id));
            length += message.len();
            owed.push_back(message);
            end = mark;
            if length >= limit {
                break;
            }
        }
        end
    }
}

fn event(mark: Mark, line: Cow<'_, str>, has_id: bool) -> Event<'_> {
    if has_id { Event::message(mark, line) } else { Event::message("", line) }
}

/// The end of the last complete line behind `end`, as far as that is looked for.
pub(crate) fn present_end(log: &dyn Generation, end: Mark) -> io::Result<Mark> {
    let mut position = end.position;
    while position - end.position < LOOK_BACK {
        match lines::complete(&log.read(position, LONGEST)?) {
            0 => break,
            complete => position += complete as u64,
        }
    }
    log.mark(position)
}

/// Where the last `count` lines before `end` begin, as far as that is looked for.
pub(crate) fn last_lines(log: &dyn Generation, end: Mark, count: usize) -> io::Result<Mark> {
    // One more than there are lines: that before the first of them.
    let (mut to, mut ends) = (end.position, count.saturating_add(1));
    let mut first = end.position;
    while to > 0 && end.position - to < LOOK_BACK {
        let from = to.saturating_sub(PART as u64);
        let bytes = log.read(from, usize::try_from(to - from).unwrap_or(0))?;
        match lines::last(&bytes, ends - 1) {
            Ok(place) => return log.mark(from + place as u64),
            Err(found) => ends -= found,
        }
        if let Some(place) = bytes.iter().position(|byte| *byte == b'\n') {
            first = from + place as u64 + 1;
        }
        to = from;
    }
    // There are not so many, or they are too many: then from the first one that is whole.
    if to == 0 { Ok(Mark::start(end.file)) } else { log.mark(first) }
}
