//! An event of a channel as Redis has it: in the stream of the channel, and in the message that tells of it. Pure.

use std::collections::HashMap;

use crate::hub::ChannelEvent;
use crate::hub::EVENT_DATA;
use crate::hub::EventId;

/// The form of messages. What has another one is of a later version, and left alone.
const FORM: &str = "1";

/// An event, and the one before it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The id of the event before; `None` if there was none.
    pub(super) before: Option<EventId>,
    pub(super) event: ChannelEvent,
}

impl Entry {
    /// Reads the message of an event: `1 ID BEFORE NAME`, a line break, and its data. `None` if it makes no sense.
    pub(super) fn of_message(message: &[u8]) -> Option<Self> {
        let line = message.iter().position(|byte| *byte == b'\n')?;
        let (head, data) = (str::from_utf8(&message[..line]).ok()?, &message[line + 1..]);
        let mut words = head.splitn(4, ' ');
        let (form, id, before, name) = (words.next()?, words.next()?, words.next()?, words.next()?);
        if form == FORM { Self::new(id, before, name, data) } else { None }
    }

    /// Reads an entry of a stream: `p` is the id of the one before, `n` its name and `d` its data. `None` if it makes no sense.
    pub(super) fn of_stream(id: &str, fields: &HashMap<String, Vec<u8>>) -> Option<Self> {
        let text = |field| str::from_utf8(fields.get(field)?).ok();
        Self::new(id, text("p")?, text("n")?, fields.get("d")?)
    }

    /// Whoever writes to Redis writes to the pages, but not more than others may.
    fn new(id: &str, before: &str, name: &str, data: &[u8]) -> Option<Self> {
        let entry = |text| EventId::parse(text).filter(|id| matches!(id, EventId::Entry(..)));
        let before = if before == "-" { None } else { Some(entry(before)?) };
        let is_good = ChannelEvent::may_be_named(name) && !ChannelEvent::is_ours(name) && data.len() <= EVENT_DATA;
        let data = str::from_utf8(data).ok().filter(|_| is_good)?.to_owned();
        Some(Self { before, event: ChannelEvent { id: entry(id)?, name: name.to_owned(), data } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_entries_say_the_same() {
        let event = ChannelEvent { id: EventId::Entry(17, 0), name: "a name".into(), data: "1\n 2".into() };
        let entry = Entry { before: Some(EventId::Entry(16, 3)), event };
        assert_eq!(Entry::of_message(b"1 17-0 16-3 a name\n1\n 2").as_ref(), Some(&entry));
        let fields = [("p", "16-3"), ("n", "a name"), ("d", "1\n 2"), ("t", "9")];
        let fields = fields.map(|(field, value)| (field.to_owned(), value.as_bytes().to_vec())).into();
        assert_eq!(Entry::of_stream("17-0", &fields), Some(entry));
        assert_eq!(Entry::of_message(b"1 17-0 - x\n").unwrap().before, None);
    }

    #[test]
    fn nothing_is_believed_beyond_its_bounds() {
        let large = [b"1 17-0 - x\n".to_vec(), vec![b'x'; EVENT_DATA + 1]].concat();
        let messages: [&[u8]; 11] = [
            b"",
            b"\n",
            b"1 17-0 - x",
            b"2 17-0 - x\n",
            b"1 17 - x\n",
            b"1 17-0 16 x\n",
            b"1 17-0 - \n",
            b"1 17-0 - end\n",
            b"1 17-0 - a\tb\n",
            b"1 17-0 - x\n\xff",
            &large,
        ];
        for message in messages {
            assert_eq!(
                Entry::of_message(message),
                None,
                "{:?}",
                String::from_utf8_lossy(&message[..message.len().min(20)])
            );
        }
    }
}
