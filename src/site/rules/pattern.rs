//! The path of a rule, with a `*` and `:placeholders`, and what of a URL they stand for.

use percent_encoding::AsciiSet;
use percent_encoding::CONTROLS;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::percent_decode_str;
use percent_encoding::utf8_percent_encode;

/// What is filled into a path: RFC 3986 `unreserved`, and the separator.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// What is filled into a query: the same without the separator.
const IN_QUERY: &AsciiSet = &IN_PATH.add(b'/');

/// What an author may have left as it is in a URL.
const WRITTEN: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'`').add(b'{').add(b'}');

/// The name under which a target has what `*` stands for.
pub const SPLAT: &str = "splat";

/// The path of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// Exactly this, decoded.
    Text(String),
    /// Anything in one segment that ends so.
    Name(String, String),
    /// Anything between these, in any number of segments.
    Splat(String, String),
}

/// What the names of a rule stand for, decoded.
pub type Captures = Vec<(String, String)>;

impl Pattern {
    /// Reads a path as it stands in a rule.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn parse(path: &str) -> Result<Self, String> {
        let Some(path) = path.strip_prefix('/') else {
            return Err(if path.contains("://") {
                "rules for other domains are not followed here".into()
            } else {
                format!("a path that begins with / is needed, and not {path:?}")
            });
        };
        if path.matches('*').count() > 1 {
            return Err("a path has one * at most".into());
        }
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let segments = path.trim_end_matches('/').split('/').filter(|segment| !segment.is_empty());
        let segments = segments.map(|segment| {
            if let Some((before, behind)) = segment.split_once('*') {
                return Segment::Splat(decoded(before), decoded(behind));
            }
            match segment.strip_prefix(':').and_then(name) {
                Some((name, rest)) => Segment::Name(name.to_owned(), decoded(rest)),
                None => Segment::Text(decoded(segment)),
            }
        });
        Ok(Self { segments: segments.collect() })
    }

    /// What the names stand for, if a decoded path is one of those that are meant. A slash at its end makes no difference.
    #[must_use]
    pub fn matches(&self, path: &str) -> Option<Captures> {
        let is_directory = path.len() > 1 && path.ends_with('/');
        let path = path.strip_prefix('/')?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let found = if path.is_empty() { Vec::new() } else { path.split('/').collect::<Vec<_>>() };
        let splat = self.segments.iter().position(|segment| matches!(segment, Segment::Splat(..)));
        let mut captures = Captures::new();
        let Some(at) = splat else {
            let is_equal = found.len() == self.segments.len();
            return (is_equal && each(&self.segments, &found, &mut captures)).then_some(captures);
        };
        let (before, behind) = (&self.segments[..at], &self.segments[at + 1..]);
        let end = found.len().checked_sub(behind.len()).filter(|end| *end >= at)?;
        if !each(before, &found[..at], &mut captures) || !each(behind, &found[end..], &mut captures) {
            return None;
        }
        let Segment::Splat(first, last) = &self.segments[at] else { return None };
        // `/a/*` means `/a`, too.
        if at == end && !(first.is_empty() && last.is_empty()) {
            return None;
        }
        let mut middle = found[at..end].join("/");
        if is_directory && behind.is_empty() && last.is_empty() && !middle.is_empty() {
            middle.push('/');
        }
        let inside = middle.strip_prefix(first.as_str())?.strip_suffix(last.as_str())?;
        captures.push((SPLAT.to_owned(), inside.to_owned()));
        Some(captures)
    }

    /// Whether it means one path alone, and which: as [`matches`](Self::matches) takes it.
    #[must_use]
    pub fn single(&self) -> Option<String> {
        let texts = self.segments.iter().map(|segment| match segment {
            Segment::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Option<Vec<_>>>().map(|texts| format!("/{}", texts.join("/")))
    }

    /// Whether it has a `*`.
    #[must_use]
    pub fn has_splat(&self) -> bool {
        self.segments.iter().any(|segment| matches!(segment, Segment::Splat(..)))
    }

    /// The names that it has.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        fn name(segment: &Segment) -> Option<&str> {
            match segment {
                Segment::Name(name, _) => Some(name),
                Segment::Splat(..) => Some(SPLAT),
                Segment::Text(_) => None,
            }
        }
        self.segments.iter().filter_map(name).collect()
    }

    /// A path that is one of those that are meant.
    #[must_use]
    pub fn example(&self) -> String {
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Text(text) => text.clone(),
            Segment::Name(_, end) => format!("x{end}"),
            Segment::Splat(first, last) => format!("{first}x/x{last}"),
        });
        format!("/{}", segments.collect::<Vec<_>>().join("/"))
    }
}

fn each(segments: &[Segment], found: &[&str], captures: &mut Captures) -> bool {
    segments.iter().zip(found).all(|(segment, found)| match segment {
        Segment::Text(text) => text == found,
        Segment::Name(name, end) => match found.strip_suffix(end.as_str()) {
            Some(value) if !value.is_empty() => {
                captures.push((name.clone(), value.to_owned()));
                true
            }
            _ => false,
        },
        Segment::Splat(..) => false,
    })
}

/// The name that stands here, and what is behind it.
fn name(text: &str) -> Option<(&str, &str)> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    text.starts_with(|first: char| first.is_ascii_alphabetic()).then(|| text.split_at(end))
}

/// The names that a target or a value uses.
#[must_use]
pub fn names_in(text: &str) -> Vec<&str> {
    text.match_indices(':').filter_map(|(at, _)| name(&text[at + 1..])).map(|(name, _)| name).collect()
}

/// A text in which names stand for something, filled in by `value`. What it knows nothing of stays as it is.
pub fn fill(text: &str, mut value: impl FnMut(&str, &str) -> Option<String>) -> String {
    let (mut filled, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(':') {
        let (before, behind) = rest.split_at(at);
        filled.push_str(before);
        rest = &behind[1..];
        let found = name(rest).and_then(|(name, more)| Some((value(name, &filled)?, more)));
        match found {
            Some((value, more)) => {
                filled.push_str(&value);
                rest = more;
            }
            None => filled.push(':'),
        }
    }
    filled.push_str(rest);
    filled
}

/// A target with what its names stand for, as it stands in a URL. A path keeps exactly one slash at its start, so that nothing
/// that was asked for makes it another server's.
#[must_use]
pub fn fill_url(target: &str, captures: &Captures) -> String {
    let filled = fill(target, |name, before| {
        let (_, value) = captures.iter().find(|(found, _)| found == name)?;
        let set = if before.contains('?') { IN_QUERY } else { IN_PATH };
        Some(utf8_percent_encode(value, set).to_string())
    });
    let url = utf8_percent_encode(&filled, WRITTEN).to_string();
    if target.starts_with('/') { format!("/{}", url.trim_start_matches('/')) } else { url }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, path: &str, expected: Option<&[(&str, &str)]>) {
        let found = Pattern::parse(pattern).unwrap().matches(path);
        let found = found.as_ref().map(|found| found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>());
        assert_eq!(found.as_deref(), expected, "{pattern} {path}");
    }

    #[test]
    fn patterns_match_by_segments() {
        check("/a", "/a", Some(&[]));
        check("/a/", "/a", Some(&[]));
        check("/a", "/a/", Some(&[]));
        check("/a", "/ab", None);
        check("/a", "/A", None);
        check("/", "/", Some(&[]));
        check("/c%C3%A9", "/cé", Some(&[]));
        check("/:y/:m", "/2026/1", Some(&[("y", "2026"), ("m", "1")]));
        check("/:y/:m", "/2026", None);
        check("/:y/:m", "/2026/1/2", None);
        check("/p/:id.html", "/p/7.html", Some(&[("id", "7")]));
        check("/p/:id.html", "/p/.html", None);
        check("/*", "/", Some(&[("splat", "")]));
        check("/*", "/a/b", Some(&[("splat", "a/b")]));
        check("/b/*", "/b", Some(&[("splat", "")]));
        check("/b/*", "/bc", None);
        check("/b/*", "/b/c/", Some(&[("splat", "c/")]));
        check("/*.jpg", "/a/b.jpg", Some(&[("splat", "a/b")]));
        check("/*.jpg", "/a/b.png", None);
        check("/x*", "/xyz", Some(&[("splat", "yz")]));
        check("/x*", "/", None);
        check("/a/*/z", "/a/b/c/z", Some(&[("splat", "b/c")]));
        check("/a/*/z", "/a", None);
        check("/:l/*", "/de/x", Some(&[("l", "de"), ("splat", "x")]));
    }

    #[test]
    fn what_was_asked_for_can_not_lead_elsewhere() {
        let captures = |splat: &str| vec![("splat".to_owned(), splat.to_owned())];
        for (target, splat, expected) in [
            ("/:splat", "/evil.example", "/evil.example"),
            ("/:splat", "//evil.example/a b", "/evil.example/a%20b"),
            ("/n/:splat", "a?b#c\r\nX: y", "/n/a%3Fb%23c%0D%0AX%3A%20y"),
            ("/s?q=:splat", "a&b/c", "/s?q=a%26b%2Fc"),
            ("https://h.example:80/:splat", "a", "https://h.example:80/a"),
            ("/a:b/:other", "x", "/a:b/:other"),
            ("/ü", "", "/%C3%BC"),
        ] {
            assert_eq!(fill_url(target, &captures(splat)), expected);
        }
    }
}
