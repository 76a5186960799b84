//! What comes from outside, and is kept or told in part.

/// At most so many bytes of a text, without half a letter at the end.
pub(crate) fn shortened(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_whole_or_not_there() {
        for (text, most, expected) in
            [("", 3, ""), ("abc", 3, "abc"), ("abcd", 3, "abc"), ("aé", 2, "a"), ("😀", 3, ""), ("abc", 0, "")]
        {
            assert_eq!(shortened(text, most), expected);
        }
    }
}
