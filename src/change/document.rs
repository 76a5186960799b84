//! The text of a JSON file becomes one line, or a [`Problem`] with its place.

use serde::de::IgnoredAny;

use crate::change::Problem;

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
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| problem(text, &error))?;
    Ok(without_white_space(text))
}

/// Copies runs of tokens. Correct for valid JSON only: there, a quote outside of a string begins one.
fn without_white_space(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut line = String::with_capacity(text.len());
    let mut start = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at + 1),
            b' ' | b'\t' | b'\n' | b'\r' => {
                line.push_str(&text[start..at]);
                while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                    at += 1;
                }
                start = at;
            }
            _ => at += 1,
        }
    }
    line.push_str(&text[start..]);
    line
}

/// The offset behind the closing quote of the string whose first character is at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
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
    fn deep_nesting_costs_no_stack() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        check(&deep, &deep);
    }

    #[test]
    fn problems_have_a_place() {
        refuse(b"", "the file is empty", None);
        refuse(b" \n", "the file is empty", None);
        refuse(b"{\"a\":1", "EOF while parsing an object", Some((1, 6)));
        refuse(b"{\n  \"a\": 1,\n  b: 2\n}", "key must be a string", Some((3, 3)));
        refuse(b"[1,]", "expected value", Some((1, 4)));
        refuse(b"[1] [2]", "trailing characters", Some((1, 5)));
        refuse("{\"ä\": \"ö\" x}".as_bytes(), "expected `,` or `}`", Some((1, 11)));
        refuse(b"[\"a\nb\"]", "control character (\\u0000-\\u001F) found while parsing a string", Some((1, 3)));
        refuse(b"[\"caf\xe9\"]", "not UTF-8", Some((1, 6)));
        refuse(b"[01]", "invalid number", Some((1, 3)));
    }
}
