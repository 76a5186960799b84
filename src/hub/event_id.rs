//! What an event of a channel is called.

use std::fmt;

/// The id of an event of a channel. Who comes back says the one that it has heard last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventId {
    /// One of ours. They rise by one, from the time in microseconds at which the channel began; so after a restart, too, later
    /// ones are higher.
    Number(u64),
    /// That of an entry in a stream of Redis: `1764393600000-0`, the milliseconds of its clock and a number. It means the same to
    /// all instances, and after their restarts.
    Entry(u64, u64),
}

impl EventId {
    /// `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('-') {
            None => text.parse().ok().map(Self::Number),
            Some((time, number)) => Some(Self::Entry(time.parse().ok()?, number.parse().ok()?)),
        }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Entry(time, number) => write!(f, "{time}-{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        for text in ["0", "1764393600000000", "1764393600000-0", "0-18446744073709551615"] {
            assert_eq!(EventId::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "-", "1-", "-1", "a", "1-2-3", "18446744073709551616", "1 "] {
            assert_eq!(EventId::parse(text), None, "{text}");
        }
    }
}
