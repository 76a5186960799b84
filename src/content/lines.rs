//! Appended bytes → complete lines, and where in which file they are. Pure.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How many bytes before a place tell that the file is still the same there.
pub const CONTEXT: u64 = 256;

/// The longest line that is sent as a whole, in bytes. A longer one is sent in parts of this length.
pub const LONGEST: usize = 1 << 20;

/// A place in a file: between two lines. As text, it is the id of the event of the line before it: the number of bytes, and
/// a hash of the file and of what stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which file it is, as the source tells.
    pub file: u64,
    /// How many bytes are before it.
    pub position: u64,
    hash: u64,
}

impl Mark {
    /// A place with these bytes before it, at most [`CONTEXT`] of them.
    #[must_use]
    pub fn new(file: u64, position: u64, before: &[u8]) -> Self {
        let context = usize::try_from(CONTEXT.min(position)).unwrap_or(0);
        let before = &before[before.len().saturating_sub(context)..];
        Self { file, position, hash: xxh3_64_with_seed(before, file ^ position) }
    }

    /// The start of a file.
    #[must_use]
    pub fn start(file: u64) -> Self {
        Self::new(file, 0, b"")
    }

    /// Whether a listener that has this id has seen the file up to here.
    #[must_use]
    pub fn is(&self, id: MarkId) -> bool {
        id == MarkId { position: self.position, hash: self.hash }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:016x}", self.position, self.hash)
    }
}

/// What a listener knows of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkId {
    /// How many bytes are before it.
    pub position: u64,
    hash: u64,
}

/// Not the id of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadMark;

impl FromStr for MarkId {
    type Err = BadMark;

    fn from_str(text: &str) -> Result<Self, BadMark> {
        let (position, hash) = text.split_once('-').ok_or(BadMark)?;
        let position = position.parse().map_err(|_| BadMark)?;
        let hash = u64::from_str_radix(hash, 16).map_err(|_| BadMark)?;
        Ok(Self { position, hash })
    }
}

/// How many of these bytes can be sent: complete lines, or a part of a line that is longer than [`LONGEST`].
#[must_use]
pub fn complete(bytes: &[u8]) -> usize {
    match bytes.iter().rposition(|byte| *byte == b'\n') {
        Some(last) => last + 1,
        None if bytes.len() < LONGEST => 0,
        // Not in the midst of a character.
        None => match std::str::from_utf8(&bytes[..LONGEST]) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => LONGEST,
        },
    }
}

/// Divides these bytes into parts of about `length` bytes, each of whole lines if there are ends of lines in it.
pub fn parts(bytes: &[u8], length: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let last = rest[..length.min(rest.len())].iter().rposition(|byte| *byte == b'\n');
        // A line that is longer is a part of its own.
        let end = last.or_else(|| rest.iter().position(|byte| *byte == b'\n')).map_or(rest.len(), |end| end + 1);
        let (part, others) = rest.split_at(end);
        rest = others;
        (!part.is_empty()).then_some(part)
    })
}

/// Where the last `count` lines of these bytes begin, or how many lines there are if they are fewer.
///
/// # Errors
///
/// The number of lines.
pub fn last(bytes: &[u8], count: usize) -> Result<usize, usize> {
    let mut ends = 0;
    for (place, byte) in bytes.iter().enumerate().rev() {
        if *byte == b'\n' {
            if ends == count {
                return Ok(place + 1);
            }
            ends += 1;
        }
    }
    Err(ends)
}

/// The lines in these bytes, which begin at `start` and have `before` before them: each with the place behind it, and
/// without its end. What is not UTF-8 is replaced.
pub fn lines<'a>(start: Mark, before: &'a [u8], bytes: &'a [u8]) -> impl Iterator<Item = (Mark, Cow<'a, str>)> {
    let mut end = 0;
    bytes.split_inclusive(|byte| *byte == b'\n').map(move |line| {
        end += line.len();
        let context = usize::try_from(CONTEXT).unwrap_or(0);
        let position = start.position + end as u64;
        let mark = if end >= context {
            Mark::new(start.file, position, &bytes[end - context..end])
        } else {
            let kept = &before[before.len().saturating_sub(context - end)..];
            Mark::new(start.file, position, &[kept, &bytes[..end]].concat())
        };
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        (mark, String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_place_behind_them() {
        let text = b"one\r\ntwo \xff\n\nfour\n";
        let found: Vec<_> = lines(Mark::start(7), b"", text).collect();
        assert_eq!(
            found.iter().map(|(_, line)| line.as_ref()).collect::<Vec<_>>(),
            ["one", "two \u{fffd}", "", "four"]
        );
        for (mark, _) in &found {
            let position = usize::try_from(mark.position).unwrap();
            assert_eq!(*mark, Mark::new(7, mark.position, &text[..position]));
            assert!(mark.is(mark.to_string().parse().unwrap()));
        }
    }

    #[test]
    fn a_place_is_the_same_however_it_was_read() {
        let text: Vec<u8> = (0..200).flat_map(|number| format!("line {number}\n").into_bytes()).collect();
        let all: Vec<_> = lines(Mark::start(1), b"", &text).collect();
        let (half, _) = all[99];
        let at = usize::try_from(half.position).unwrap();
        let rest: Vec<_> = lines(half, &text[..at], &text[at..]).collect();
        assert_eq!(all[100..], rest);
        assert_ne!(Mark::new(2, half.position, &text[..at]), half);
        assert_ne!(Mark::new(1, half.position, b"other"), half);
    }

    #[test]
    fn parts_are_of_whole_lines() {
        let check = |text: &str, expected: &[&str]| {
            let found = parts(text.as_bytes(), 4).map(|part| std::str::from_utf8(part).unwrap()).collect::<Vec<_>>();
            assert_eq!(found, expected);
        };
        check("", &[]);
        check("a\nb\nc\nd\n", &["a\nb\n", "c\nd\n"]);
        check("a\nlonger\nb\n", &["a\n", "longer\n", "b\n"]);
        check("without an end", &["without an end"]);
    }

    #[test]
    fn the_last_lines_are_found_from_the_end() {
        assert_eq!(complete(b"a\nb"), 2);
        assert_eq!(complete(b"ab"), 0);
        for (count, expected) in [(0, Ok(6)), (1, Ok(4)), (2, Ok(2)), (3, Err(3))] {
            assert_eq!(last(b"a\nb\nc\n", count), expected, "{count}");
        }
        let long = "é".repeat(LONGEST);
        assert_eq!(complete(long.as_bytes()), LONGEST);
        assert_eq!(complete(format!("x{long}").as_bytes()), LONGEST - 1);
        for id in ["", "1", "x-1", "1-", "-1-2", "1-x"] {
            assert_eq!(id.parse::<MarkId>(), Err(BadMark), "{id}");
        }
    }
}
