//! What is wrong with a text that was to be JSON, in words for the one who wrote it, and where.

/// What a person did, and the offset of it; `None` where the words of a parser say enough.
pub(super) fn find(text: &str) -> Option<(String, usize)> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, open: Vec::new() };
    loop {
        match reader.step() {
            Step::On => {}
            Step::Mistake(message, at) => return Some((message, at)),
            Step::Unclear => return None,
        }
    }
}

enum Step {
    On,
    Mistake(String, usize),
    Unclear,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A value, or the end of an array that has none yet.
    First,
    /// A value.
    Value,
    /// A comma, or the end.
    Comma,
}

struct Open {
    at: usize,
    is_object: bool,
    next: Next,
    /// Where the last comma is.
    comma: usize,
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    open: Vec<Open>,
}

impl Reader<'_> {
    /// Goes over one value or the mark behind it.
    fn step(&mut self) -> Step {
        self.skip_space();
        let Some(byte) = self.byte() else { return self.end() };
        let Some(open) = self.open.last_mut() else {
            return if self.at == self.first() { self.value() } else { self.behind() };
        };
        let close = if open.is_object { b'}' } else { b']' };
        match (open.next, byte) {
            (Next::Value, b'}' | b']') if byte == close => {
                Step::Mistake("trailing comma: there is nothing behind it".into(), open.comma)
            }
            (Next::First | Next::Comma, _) if byte == close => {
                self.at += 1;
                self.open.pop();
                self.is_complete()
            }
            (Next::Comma, b',') => {
                (open.next, open.comma) = (Next::Value, self.at);
                self.at += 1;
                Step::On
            }
            (Next::Comma, _) => self.no_comma(),
            (Next::First | Next::Value, b',') => Step::Mistake("a comma too many".into(), self.at),
            (Next::First | Next::Value, _) if open.is_object => self.member(),
            (Next::First | Next::Value, _) => self.value(),
        }
    }

    fn member(&mut self) -> Step {
        let start = self.at;
        if let Some(mistake) = self.comment() {
            return mistake;
        }
        match self.byte() {
            Some(b'"') => {}
            Some(b'\'') => return Step::Mistake("single quotes: names and texts have double quotes".into(), start),
            Some(byte) if is_word(byte) => {
                let word = self.word();
                return Step::Mistake(format!("a name needs double quotes: \"{word}\""), start);
            }
            _ => return Step::Unclear,
        }
        if let Some(mistake) = self.string() {
            return mistake;
        }
        let end = self.at;
        self.skip_space();
        match self.byte() {
            Some(b':') => self.at += 1,
            Some(b'=') => return Step::Mistake("`=` instead of `:`".into(), self.at),
            _ => return Step::Mistake("expected `:` behind the name".into(), end),
        }
        self.skip_space();
        match self.byte() {
            None => self.end(),
            Some(b',' | b'}' | b']') => Step::Mistake("a value is missing behind the `:`".into(), self.at - 1),
            Some(_) => self.value(),
        }
    }

    fn value(&mut self) -> Step {
        let start = self.at;
        if let Some(mistake) = self.comment() {
            return mistake;
        }
        match self.bytes[start] {
            byte @ (b'{' | b'[') => {
                self.at += 1;
                self.open.push(Open { at: start, is_object: byte == b'{', next: Next::First, comma: start });
                Step::On
            }
            b'"' => self.string().unwrap_or_else(|| self.is_complete()),
            b'\'' => Step::Mistake("single quotes: names and texts have double quotes".into(), start),
            byte if is_word(byte) || matches!(byte, b'+' | b'-' | b'.') => self.scalar(),
            _ => Step::Unclear,
        }
    }

    /// A number or word.
    fn scalar(&mut self) -> Step {
        let start = self.at;
        let word = self.word();
        let hint = match word {
            "true" | "false" | "null" => return self.is_complete(),
            "True" | "TRUE" => "write true",
            "False" | "FALSE" => "write false",
            "None" | "undefined" | "nil" | "NULL" | "Null" => "write null",
            "NaN" | "nan" | "-NaN" | "Infinity" | "-Infinity" | "+Infinity" | "inf" | "-inf" => {
                "JSON has no such number, write null"
            }
            _ if word.starts_with(|first: char| first.is_ascii_digit() || first == '-') => {
                return if is_number(word) { self.is_complete() } else { Step::Unclear };
            }
            _ if word.starts_with(['+', '.']) => return Step::Unclear,
            _ => return Step::Mistake(format!("a text needs double quotes: \"{word}\""), start),
        };
        Step::Mistake(format!("{word} is no JSON: {hint}"), start)
    }

    /// Goes over a string.
    fn string(&mut self) -> Option<Step> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return None;
                }
                Some(b'\\') => self.at += 2,
                None | Some(b'\n' | b'\r') => {
                    return Some(Step::Mistake("this text is not closed: `\"` is missing at its end".into(), start));
                }
                Some(b'\t') => return Some(Step::Mistake("a tab in a text is written \\t".into(), self.at)),
                Some(byte @ ..=0x1f) => {
                    let message = format!("a control character in a text is written \\u{byte:04x}");
                    return Some(Step::Mistake(message, self.at));
                }
                Some(_) => self.at += 1,
            }
        }
    }

    /// Something else than a comma or the end stands behind a value.
    fn no_comma(&mut self) -> Step {
        if let Some(mistake) = self.comment() {
            return mistake;
        }
        let byte = self.bytes[self.at];
        if !matches!(byte, b'"' | b'\'' | b'{' | b'[' | b'-') && !is_word(byte) {
            return Step::Unclear;
        }
        // Where it should be.
        let end = self.text[..self.at].trim_ascii_end().len();
        Step::Mistake("a comma is missing here".into(), end)
    }

    /// Something stands behind the document.
    fn behind(&mut self) -> Step {
        if let Some(mistake) = self.comment() {
            return mistake;
        }
        match self.bytes[self.at] {
            byte @ (b'}' | b']') => Step::Mistake(format!("`{}` closes nothing", char::from(byte)), self.at),
            b',' => Step::Mistake("a comma behind the end of the document".into(), self.at),
            _ => {
                let message = "a second document: a .json file has one; name it .ndjson if each line is one";
                Step::Mistake(message.into(), self.at)
            }
        }
    }

    fn comment(&self) -> Option<Step> {
        let rest = &self.bytes[self.at..];
        let is_comment = rest.starts_with(b"//") || rest.starts_with(b"/*") || rest.starts_with(b"#");
        is_comment.then(|| Step::Mistake("a comment: JSON has none".into(), self.at))
    }

    /// The text has come to its end.
    fn end(&self) -> Step {
        let Some(open) = self.open.last() else { return Step::Unclear };
        let (begin, end) = if open.is_object { ('{', '}') } else { ('[', ']') };
        Step::Mistake(format!("this `{begin}` is not closed: `{end}` is missing at its end"), open.at)
    }

    /// A value is.
    fn is_complete(&mut self) -> Step {
        self.open.last_mut().into_iter().for_each(|open| open.next = Next::Comma);
        Step::On
    }

    fn word(&mut self) -> &str {
        let is_inside = |byte: &&u8| is_word(**byte) || matches!(byte, b'+' | b'-' | b'.');
        let start = self.at;
        self.at += self.bytes[start..].iter().take_while(is_inside).count();
        &self.text[start..self.at]
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
    }

    fn first(&self) -> usize {
        self.text.len() - self.text.trim_ascii_start().len()
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

fn is_number(word: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(word).is_ok()
}
