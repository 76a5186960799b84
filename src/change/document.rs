//! The text of a JSON file becomes one line, or a [`Problem`] with its place.

use serde::de::IgnoredAny;

use crate::change::Problem;
use crate::change::mistake;

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

/// Checks a JSON text and leaves out its white space, in one pass.
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(content: &str, expected: &str) {
        assert_eq!(one_line(content.as_bytes()).as_deref(), Ok(expected));
    }

    #[track_caller]
    fn refuse(content: &[u8], message: &str, place: Option<(usize, usize)>) {
        assert_eq!(one_line(content), Err(Problem { message: message.into(), place }));
    }

    #[test]
    fn white_space_between_tokens_goes_and_nothing_else() {
        check("{}", "{}");
        check(" [ 1 ,\r\n\t2 ]\n", "[1,2]");
        check("{\n  \"b\": 1,\n  \"a\": 2,\n  \"b\": 3\n}", r#"{"b":1,"a":2,"b":3}"#);
        check(r#"{ "a b" : "c  d" }"#, r#"{"a b":"c  d"}"#);
        check(r#" [ "\" [ " , "\\" , "\\\"" ] "#, r#"["\" [ ","\\","\\\""]"#);
        check("\u{feff}[]", "[]");
        check("\"\u{2028}é\\u00e9\"", "\"\u{2028}é\\u00e9\"");
        check(" true ", "true");
    }

    #[test]
    fn numbers_stay_as_written() {
        let numbers = "[1.0,1e400,-0,12345678901234567890123456789,0.1000000000000000055511151231257827]";
        check(numbers, numbers);
    }

    #[test]
    fn strings_of_all_lengths() {
        for length in 0..40 {
            let text = "x".repeat(length);
            check(&format!("[\"{text}\"]"), &format!("[\"{text}\"]"));
            check(&format!("[\"{text}\\\"{text}\" , 1]"), &format!("[\"{text}\\\"{text}\",1]"));
            for bad in ["\u{1f}", "\n", "\\x", "\\u12g4", "\\u12", "\\"] {
                assert!(one_line(format!("[\"{text}{bad}{text}\"]").as_bytes()).is_err(), "{length} {bad:?}");
            }
            for good in ["\u{7f}", "\u{80}", " ", "!", "#", "[", "]", "\\u12aF", "\u{10ffff}"] {
                check(&format!("[\"{text}{good}{text}\"]"), &format!("[\"{text}{good}{text}\"]"));
            }
        }
    }

    /// Texts that are nearly JSON: tokens in any order.
    fn tokens() -> impl Strategy<Value = String> {
        const TOKENS: [&str; 31] = [
            "{", "}", "[", "]", ":", ",", "\"", "\"a\"", "\"a\":", "1", "0", "-", ".", "e", "E+", "1.5", "-0.0e-7",
            "01", "true", "false", "null", "nul", " ", "\n", "\r\n", "\t", "\\", "\\u00e9", "\\\"", "\u{1}", "ä",
        ];
        proptest::collection::vec(proptest::sample::select(TOKENS.as_slice()), 0..12).prop_map(|tokens| tokens.concat())
    }

    /// Values, as text with white space in all places.
    fn documents() -> impl Strategy<Value = String> {
        let space = || proptest::sample::select(["", " ", "\n", "\r\n\t  "].as_slice());
        let leaf = prop_oneof![
            any::<f64>().prop_filter("a number", |number| number.is_finite()).prop_map(|number| number.to_string()),
            any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
            proptest::sample::select(["true", "false", "null", "{}", "[ ]", "{\n}"].as_slice()).prop_map(str::to_owned),
        ];
        leaf.prop_recursive(4, 30, 5, move |value| {
            let item = (space(), value, space()).prop_map(|(before, value, after)| format!("{before}{value}{after}"));
            let member = (space(), any::<String>(), space(), item.clone()).prop_map(|(before, key, after, value)| {
                format!("{before}{}{after}:{value}", serde_json::Value::from(key))
            });
            prop_oneof![
                proptest::collection::vec(item, 1..5).prop_map(|items| format!("[{}]", items.join(","))),
                proptest::collection::vec(member, 1..5).prop_map(|members| format!("{{{}}}", members.join(","))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_json_is_agreed(text in tokens()) {
            let ours = Scanner::new(&text).document();
            prop_assert_eq!(ours.is_some(), serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{}", text);
            // No mistake is found in what is right, and looking for one comes to an end.
            let found = mistake::find(&text);
            prop_assert!(ours.is_none() || found.is_none(), "{}: {:?}", text, found);
            prop_assert!(found.is_none_or(|(_, at)| text.is_char_boundary(at)));
        }

        #[test]
        fn documents_keep_their_meaning(text in documents()) {
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            let line = Scanner::new(&text).document().unwrap();
            prop_assert!(!line.contains(['\n', '\r']));
            prop_assert_eq!(value(&line), value(&text));
            // On one line, nothing is left to leave out.
            prop_assert_eq!(Scanner::new(&line).document().unwrap(), line);
        }
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        check(&deep, &deep);
    }

    #[test]
    fn problems_have_a_place() {
        refuse(b"", "the file is empty", None);
        refuse(b" \n", "the file is empty", None);
        refuse(b"[1 x]", "a comma is missing here", Some((1, 3)));
        refuse("{\"ä\": \"ö\" ;}".as_bytes(), "expected `,` or `}`", Some((1, 11)));
        refuse(b"[\"a\x01b\"]", "a control character in a text is written \\u0001", Some((1, 4)));
        refuse(b"[\"caf\xe9\"]", "not UTF-8", Some((1, 6)));
        refuse(b"[01]", "invalid number", Some((1, 3)));
        refuse(b"[+1]", "expected value", Some((1, 2)));
        refuse(b"<!doctype html>", "expected value", Some((1, 1)));
    }

    #[test]
    fn mistakes_of_people_have_words() {
        let quotes = "single quotes: names and texts have double quotes";
        let second = "a second document: a .json file has one; name it .ndjson if each line is one";
        for (text, message, place) in [
            ("[1,]", "trailing comma: there is nothing behind it", (1, 3)),
            ("{\n  \"a\": 1,\n  \"b\": 2,\n}\n", "trailing comma: there is nothing behind it", (3, 9)),
            ("{\n  \"a\": 1\n  \"b\": 2\n}\n", "a comma is missing here", (2, 9)),
            ("[\"ä\" \"b\"]", "a comma is missing here", (1, 5)),
            ("[1,,2]", "a comma too many", (1, 4)),
            ("[,1]", "a comma too many", (1, 2)),
            ("{'a': 1}", quotes, (1, 2)),
            ("{\"a\": 'b'}", quotes, (1, 7)),
            ("{\n  \"a\": 1,\n  b: 2\n}", "a name needs double quotes: \"b\"", (3, 3)),
            ("{größe: 2}", "a name needs double quotes: \"größe\"", (1, 2)),
            ("{\"a\": yes}", "a text needs double quotes: \"yes\"", (1, 7)),
            ("// no\n{}", "a comment: JSON has none", (1, 1)),
            ("{\n  \"a\": 1, /* no */ \"b\": 2}", "a comment: JSON has none", (2, 11)),
            ("{\"a\": 1 // no\n}", "a comment: JSON has none", (1, 9)),
            ("{} # no", "a comment: JSON has none", (1, 4)),
            ("[NaN]", "NaN is no JSON: JSON has no such number, write null", (1, 2)),
            ("[1, -Infinity]", "-Infinity is no JSON: JSON has no such number, write null", (1, 5)),
            ("{\"a\": undefined}", "undefined is no JSON: write null", (1, 7)),
            ("{\"a\": True}", "True is no JSON: write true", (1, 7)),
            ("[None]", "None is no JSON: write null", (1, 2)),
            ("{\"a\":1}\n{\"a\":2}\n", second, (2, 1)),
            ("[1] [2]", second, (1, 5)),
            ("[\"a\nb\"]", "this text is not closed: `\"` is missing at its end", (1, 2)),
            ("[\"a", "this text is not closed: `\"` is missing at its end", (1, 2)),
            ("[\"a\tb\"]", "a tab in a text is written \\t", (1, 4)),
            ("{\"a\":1", "this `{` is not closed: `}` is missing at its end", (1, 1)),
            ("{\n  \"a\": [1,\n", "this `[` is not closed: `]` is missing at its end", (2, 8)),
            ("[1]]", "`]` closes nothing", (1, 4)),
            ("{\"a\" 1}", "expected `:` behind the name", (1, 5)),
            ("{\"a\"= 1}", "`=` instead of `:`", (1, 5)),
            ("{\"a\": }", "a value is missing behind the `:`", (1, 6)),
        ] {
            refuse(text.as_bytes(), message, Some(place));
        }
        // Depth costs no stack, and has no limit.
        let deep = "[".repeat(200_000) + "NaN";
        refuse(deep.as_bytes(), "NaN is no JSON: JSON has no such number, write null", Some((1, 200_001)));
    }
}
