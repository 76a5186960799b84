//! Text that is safe at a terminal.

use std::error::Error;
use std::fmt::Write;

/// What comes from a file or a request may hold anything, also what a terminal takes for a command, or for another line.
/// What is no letter is written as in Rust: `\n`, `\u{1b}`.
pub(crate) fn printable(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for letter in line.chars() {
        if is_hidden(letter) {
            text.extend(letter.escape_default());
        } else {
            text.push(letter);
        }
    }
    text
}

/// Whether a terminal takes this for a command, or it has no width: also the marks and controls of Unicode that change the
/// direction of text (UAX #9), and its ends of lines and paragraphs.
pub(super) fn is_hidden(letter: char) -> bool {
    let marks = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'];
    letter.is_control()
        || marks.contains(&letter)
        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An error and what has caused it.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").expect("writing to a string can't fail");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_letters_reaches_the_terminal() {
        for (text, expected) in [
            ("/Tea & cake é 茶 👩‍🚀 \\n.txt", "/Tea & cake é 茶 👩‍🚀 \\n.txt"),
            ("a\nb\rc\td", "a\\nb\\rc\\td"),
            ("\u{1b}[2J\u{7f}\u{9b}31m\u{0}", "\\u{1b}[2J\\u{7f}\\u{9b}31m\\u{0}"),
            ("\u{202e}txt.exe\u{2066}\u{200f}\u{61c}", "\\u{202e}txt.exe\\u{2066}\\u{200f}\\u{61c}"),
            ("a\u{2028}b\u{2029}c", "a\\u{2028}b\\u{2029}c"),
        ] {
            assert_eq!(printable(text), expected);
        }
    }
}
