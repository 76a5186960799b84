//! `_headers`: which headers the answers to which URLs have.

use crate::site::rules::line::LINE;
use crate::site::rules::line::Remark;
use crate::site::rules::line::RemarkKind;
use crate::site::rules::line::lines;
use crate::site::rules::pattern::Pattern;
use crate::site::rules::pattern::fill;

/// How many blocks there may be.
const BLOCKS: usize = 100;

/// How many lines are remarked upon.
const REMARKS: usize = 100;

/// What the server itself says of each answer, so that it stays true.
const OURS: [&str; 19] = [
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "date",
    "etag",
    "keep-alive",
    "last-modified",
    "location",
    "preference-applied",
    "server",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-accel-buffering",
];

/// Headers that have one value: of several blocks, the last one counts.
const SINGLE: [&str; 8] = [
    "cache-control",
    "content-type",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "referrer-policy",
    "strict-transport-security",
    "x-frame-options",
];

/// What may be sent again and again.
const COOKIE: &str = "set-cookie";

/// The rules of `_headers`.
#[derive(Debug, Default)]
pub struct Headers {
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    pattern: Pattern,
    lines: Vec<Line>,
}

#[derive(Debug)]
enum Line {
    /// A name in lower case, and a value.
    Set(String, String),
    /// What blocks before have set is taken back.
    Remove(String),
}

impl Headers {
    /// Reads the file.
    #[must_use]
    pub fn parse(text: &str) -> (Self, Vec<Remark>) {
        let mut blocks = Vec::<Block>::new();
        let mut remarks = Vec::new();
        // The lines of a block that makes no sense concern nothing.
        let mut is_skipped = false;
        for (number, line) in lines(text) {
            if remarks.len() >= REMARKS {
                let message = "from here on, nothing is followed: 100 lines make no sense".into();
                remarks.push(Remark { line: number, message, kind: RemarkKind::Unsupported });
                break;
            }
            let mut say = |kind, message| remarks.push(Remark { line: number, message, kind });
            if line.chars().count() > LINE {
                say(RemarkKind::Broken, format!("a line has {LINE} characters at most"));
            } else if line.starts_with('/') || line.starts_with("http://") || line.starts_with("https://") {
                is_skipped = true;
                if blocks.len() >= BLOCKS {
                    say(RemarkKind::Unsupported, format!("only the first {BLOCKS} paths are followed"));
                    continue;
                }
                match Pattern::parse(line) {
                    Ok(pattern) => {
                        blocks.push(Block { pattern, lines: Vec::new() });
                        is_skipped = false;
                    }
                    Err(message) if line.contains("://") => say(RemarkKind::Unsupported, message),
                    Err(message) => say(RemarkKind::Broken, message),
                }
            } else if !is_skipped {
                let Some(block) = blocks.last_mut() else {
                    say(RemarkKind::Broken, "a path such as /* is needed before the first header".into());
                    continue;
                };
                match parse_line(line) {
                    Ok(Line::Remove(name)) => {
                        say(
                            RemarkKind::Differs,
                            "! takes back a header for Cloudflare; Netlify ignores this line".into(),
                        );
                        block.lines.push(Line::Remove(name));
                    }
                    Ok(line) => block.lines.push(line),
                    Err((kind, message)) => say(kind, message),
                }
            }
        }
        (Self { blocks }, remarks)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The headers for a decoded path, names in lower case. What several blocks say is joined by commas, as Cloudflare does.
    #[must_use]
    pub fn find(&self, path: &str) -> Vec<(&str, String)> {
        let mut found = Vec::<(&str, String)>::new();
        for block in &self.blocks {
            let Some(captures) = block.pattern.matches(path) else { continue };
            for line in &block.lines {
                match line {
                    Line::Remove(removed) => found.retain(|(name, _)| name != removed),
                    Line::Set(name, value) => {
                        let value = fill(value, |name, _| {
                            let (_, value) = captures.iter().find(|(found, _)| found == name)?;
                            // What was asked for may hold anything, and a header has one line.
                            Some(value.chars().filter(|letter| !letter.is_control()).collect())
                        });
                        match found.iter_mut().find(|(found, _)| found == name) {
                            Some((_, found)) if SINGLE.contains(&name.as_str()) => *found = value,
                            // Each cookie has a line of its own (RFC 6265, section 3).
                            Some((_, found)) if name != COOKIE => *found = format!("{found}, {value}"),
                            _ => found.push((name, value)),
                        }
                    }
                }
            }
        }
        found
    }
}

fn parse_line(line: &str) -> Result<Line, (RemarkKind, String)> {
    let broken = |message: String| Err((RemarkKind::Broken, message));
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    if let Some(name) = line.strip_prefix('!') {
        let name = name.trim().trim_end_matches(':').to_ascii_lowercase();
        return if is_name(&name) {
            Ok(Line::Remove(name))
        } else {
            broken(format!("{name:?} is no name of a header"))
        };
    }
    let Some((name, value)) = line.split_once(':') else {
        return broken(format!("a header is written as Name: value, and not {line:?}"));
    };
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    if !is_name(&name) {
        return broken(format!("{name:?} is no name of a header"));
    }
    if value.is_empty() || value.chars().any(char::is_control) {
        return broken(format!("{name} has no value"));
    }
    if OURS.contains(&name.as_str()) {
        let message = format!("{name} is set by the server itself, here and on Netlify, so this line is left out");
        return Err((RemarkKind::Unsupported, message));
    }
    Ok(Line::Set(name, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, path: &str, expected: &[(&str, &str)]) {
        let headers = Headers::parse(text).0;
        let found = headers.find(path);
        let found = found.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
        assert_eq!(found, expected, "{path} in\n{text}");
    }

    #[test]
    fn blocks_are_joined() {
        let text = "# all\n/*\n  X-A: 1\n  Cache-Control: a\n/news/*\nX-A: 2\nCache-Control: b\n";
        check(text, "/news/1", &[("x-a", "1, 2"), ("cache-control", "b")]);
        check(text, "/file", &[("x-a", "1"), ("cache-control", "a")]);
        let text = "/*\n  X-A: 1\n/news/*\n  ! X-A\n";
        check(text, "/news/1", &[]);
        check(text, "/file", &[("x-a", "1")]);
        check("/u/:id/*\n  Link: </n/:id/:splat>; a=b:c", "/u/7/x", &[("link", "</n/7/x>; a=b:c")]);
        check("/a\n X-A: 1\n X-A: 2", "/a", &[("x-a", "1, 2")]);
    }

    #[test]
    fn each_line_that_makes_no_sense_is_named() {
        for (text, line, kind) in [
            ("X-A: 1\n/*\n", 1, RemarkKind::Broken),
            ("/*\n  nonsense\n", 2, RemarkKind::Broken),
            ("/*\n  : value\n", 2, RemarkKind::Broken),
            ("/*\n  X-A:\n", 2, RemarkKind::Broken),
            ("/*\n  X A: 1\n", 2, RemarkKind::Broken),
            ("/*\n  Content-Length: 3\n", 2, RemarkKind::Unsupported),
            ("https://a.example/*\n  X-A: 1\n", 1, RemarkKind::Unsupported),
            ("/*/*\n  X-A: 1\n", 1, RemarkKind::Broken),
            ("/*\n  X-A: 1\n\n  ! X-A\n", 4, RemarkKind::Differs),
        ] {
            let remarks = Headers::parse(text).1;
            let found = remarks.iter().map(|remark| (remark.line, remark.kind)).collect::<Vec<_>>();
            assert_eq!(found, [(line, kind)], "{text}");
        }
    }
}
