//! The text of a JSON file becomes one line, or a [`Problem`] with its place.

use serde::de::IgnoredAny;

use crate::content::mistake;
use crate::content::problem::Problem;
use crate::content::scan::end_of_scalar;

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
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        // It has better words for what people do wrong.
        return Err(match mistake::find(text) {
            Some((message, offset)) => Problem { message, place: Some(place_of(text.as_bytes(), offset)) },
            None => problem(text, &error),
        });
    }
    Ok(without_space(text))
}

/// A JSON text without the white space between its tokens.
fn without_space(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut line = String::with_capacity(text.len());
    // A run of tokens begins here.
    let (mut at, mut run) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_scalar(bytes, at),
            b' ' | b'\n' | b'\r' | b'\t' => {
                line.push_str(&text[run..at]);
                at += bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                run = at;
            }
            _ => at += 1,
        }
    }
    line.push_str(&text[run..]);
    line
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
