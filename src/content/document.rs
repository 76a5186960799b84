//! The text of a JSON file becomes one line, or a [`Problem`] with its place.

use serde::de::IgnoredAny;

use crate::content::mistake;
use crate::content::problem::Problem;

/// Puts a JSON document on one line: white space between its tokens is left out, nothing else is touched. Numbers,
/// key order, duplicate keys and escapes stay as they were written, because no value is ever built.
///
/// # Errors
///
/// What is wrong, and where, if `content` is no JSON text (RFC 8259). A byte order mark at the start is passed over.
pub fn one_line(content: &[u8]) -> Result<String, Problem> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let text = std::str::from_utf8(content).map_err(|error| {
        let valid = &content[..error.valid_up_to()];
        Problem { message: "not UTF-8".into(), place: Some(place_of(valid, valid.len())) }
    })?;
    Scanner::new(text).document().map_or_else(|| by_the_book(text), Ok)
}

/// Another opinion on what our scanner does not take, because it has words for what is wrong.
#[cold]
fn by_the_book(text: &str) -> Result<String, Problem> {
    if let Some((message, offset)) = mistake::find(text) {
        return Err(Problem { message, place: Some(place_of(text.as_bytes(), offset)) });
    }
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| problem(text, &error))?;
    // Nothing known comes here. If something does, it is valid, and any line break in it is white space.
    Ok(text.replace(['\r', '\n'], " "))
}

/// Checks a JSON text and leaves out its white space, in one pass. With `serde_json` and a second pass over the text, a whole save
/// of 64 KB takes 1.4 to 1.5 times as long.
struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// The line so far, without the run of tokens that begins here.
    line: String,
    run: usize,
}

/// What is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Object,
    Array,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, line: String::with_capacity(text.len()), run: 0 }
    }

    /// `None` if it isn't JSON. Depth costs no stack.
    fn document(mut self) -> Option<String> {
        let mut open = Vec::new();
        loop {
            match self.token()? {
                b'{' => {
                    self.at += 1;
                    if self.token()? != b'}' {
                        open.push(Container::Object);
                        self.key()?;
                        continue;
                    }
                    self.at += 1;
                }
                b'[' => {
                    self.at += 1;
                    if self.token()? != b']' {
                        open.push(Container::Array);
                        continue;
                    }
                    self.at += 1;
                }
                b'"' => self.string()?,
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => return None,
            }
            // A value is complete, and perhaps what it is in.
            loop {
                let token = self.token();
                match (open.last(), token) {
                    (None, None) => {
                        self.line.push_str(&self.text[self.run..]);
                        return Some(self.line);
                    }
                    (Some(container), Some(b',')) => {
                        self.at += 1;
                        if *container == Container::Object {
                            self.token()?;
                            self.key()?;
                        }
                        break;
                    }
                    (Some(Container::Object), Some(b'}')) | (Some(Container::Array), Some(b']')) => {
                        self.at += 1;
                        open.pop();
                    }
                    _ => return None,
                }
            }
        }
    }

    /// The first byte of the next token. White space before it is left out of the line.
    #[inline]
    fn token(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        if byte > b' ' { Some(byte) } else { self.token_after_space() }
    }

    fn token_after_space(&mut self) -> Option<u8> {
        self.line.push_str(&self.text[self.run..self.at]);
        let mut at = self.at;
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(at) {
            at += 1;
        }
        (self.at, self.run) = (at, at);
        self.bytes.get(at).copied()
    }

    /// The name of a member, and the colon behind it.
    fn key(&mut self) -> Option<()> {
        if self.bytes[self.at] != b'"' {
            return None;
        }
        self.string()?;
        (self.token()? == b':').then(|| self.at += 1)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.bytes[self.at..].starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        let next = |at: usize| self.bytes.get(at).copied().unwrap_or_default();
        let digits = |mut at: usize| {
            let start = at;
            while next(at).is_ascii_digit() {
                at += 1;
            }
            (at > start).then_some(at)
        };
        let mut at = self.at + usize::from(next(self.at) == b'-');
        at = if next(at) == b'0' { at + 1 } else { digits(at)? };
        if next(at) == b'.' {
            at = digits(at + 1)?;
        }
        if matches!(next(at), b'e' | b'E') {
            at = digits(at + 1 + usize::from(matches!(next(at + 1), b'+' | b'-')))?;
        }
        self.at = at;
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            self.at += plain(&self.bytes[self.at..]);
            match self.bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => match self.bytes.get(self.at + 1)? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
                    b'u' => {
                        let digits = self.bytes.get(self.at + 2..self.at + 6)?;
                        digits.iter().all(u8::is_ascii_hexdigit).then(|| self.at += 6)?;
                    }
                    _ => return None,
                },
                // A control character.
                _ => return None,
            }
        }
    }
}

/// How many bytes at the start are plain text in a string: no quote, no backslash, no control character.
pub(super) fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // Eight at a time. Subtracting makes the highest bit of a byte that is too small; a borrow can only make more of them
    // above one that is right, and the first one counts.
    let is_below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGH;
    let is_equal = |word: u64, byte: u8| is_below(word ^ (ONES * u64::from(byte)), 1);
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let special = is_below(word, b' ') | is_equal(word, b'"') | is_equal(word, b'\\');
        if special != 0 {
            return number * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | ..=0x1f);
    bytes.len() - rest.len() + rest.iter().take_while(is_plain).count()
}

fn problem(text: &str, error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(&*message, |(message, _)| message);
    // serde_json counts bytes in a line; its column is that of the last byte it read, or 0 for the line end before.
    let line_start = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let offset = (line_start + error.column().saturating_sub(1)).min(text.len());
    let empty = text.trim_ascii().is_empty();
    Problem {
        message: if empty { "the file is empty".into() } else { message.into() },
        place: (!empty).then(|| place_of(text.as_bytes(), offset)),
    }
}

/// Line and column of a byte offset, both from 1. The column counts characters, as editors do.
fn place_of(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = &bytes[..offset];
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
    let column = 1 + before[line_start..].iter().filter(|&&byte| !is_continuation(byte)).count();
    (line, column)
}

/// Whether this byte is not the first of its UTF-8 character.
fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

#[cfg(test)]
mod tests;
