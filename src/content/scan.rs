//! Where the values of a JSON text end that is known to be one: the steps of those who walk through documents.

use std::borrow::Cow;

use crate::content::document::plain;

/// The offset behind the value that begins here. Depth costs no stack.
pub(super) fn end_of_value(bytes: &[u8], start: usize) -> usize {
    match bytes.get(start) {
        Some(b'{' | b'[') => end_of_container(bytes, start + 1),
        _ => end_of_scalar(bytes, start),
    }
}

/// The offset behind the object or array that this is in, between two of its values.
pub(super) fn end_of_container(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 1_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end_of_scalar(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The offset behind the string, number or word that begins here.
pub(super) fn end_of_scalar(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    if bytes.get(at) == Some(&b'"') {
        at += 1;
        loop {
            at += plain(&bytes[at.min(bytes.len())..]);
            match bytes.get(at) {
                Some(b'"') => return at + 1,
                Some(b'\\') => at += 2,
                // Not in a JSON text.
                Some(_) => at += 1,
                None => return bytes.len(),
            }
        }
    }
    // At least one byte, so that there is an end whatever comes.
    at += 1;
    let is_inside = |byte: &&u8| !matches!(byte, b',' | b':' | b']' | b'}' | b' ');
    at + bytes[at.min(bytes.len())..].iter().take_while(is_inside).count()
}

/// What a string says, such as the name of a member; `None` if that is no text, because of a lone surrogate.
pub(super) fn name(written: &str) -> Option<Cow<'_, str>> {
    match written.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
        _ => serde_json::from_str(written).ok().map(Cow::Owned),
    }
}
