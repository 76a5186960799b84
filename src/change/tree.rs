//! The values inside of a JSON document, by where they stand in its text: nothing is built, so numbers, key order and
//! escapes stay as they were written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use xxhash_rust::xxh3::xxh3_64;

/// A JSON Pointer (RFC 6901): the way to one value, as `/prices/0/usd`. The empty one leads to the whole document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    tokens: Vec<String>,
}

/// A text that is no JSON Pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadPointer;

impl fmt::Display for BadPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no JSON Pointer (RFC 6901): it begins with a slash, and ~ is followed by 0 or 1")
    }
}

impl std::error::Error for BadPointer {}

impl FromStr for Pointer {
    type Err = BadPointer;

    fn from_str(text: &str) -> Result<Self, BadPointer> {
        let mut tokens = text.split('/');
        if tokens.next() != Some("") {
            return Err(BadPointer);
        }
        let tokens = tokens.map(|token| {
            let is_escape = |rest: &str| rest.starts_with(['0', '1']);
            let is_valid = token.split('~').skip(1).all(is_escape);
            is_valid.then(|| token.replace("~1", "/").replace("~0", "~")).ok_or(BadPointer)
        });
        Ok(Self { tokens: tokens.collect::<Result<_, _>>()? })
    }
}

/// The index of a document: where each of its values begins and ends.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    /// The members of objects and the elements of arrays, by container and by the hash of the name, or the index.
    children: HashMap<(usize, u64), usize>,
    /// Whether a name is no text, because of a lone surrogate, so that nobody can point to it.
    has_odd_names: bool,
}

/// A value. The root is the first one.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) kind: Shape,
    /// The name of a member, as it is written, with quotes.
    name: Range<usize>,
    /// The first value inside of it, and the next one beside it.
    pub(super) first: Option<usize>,
    pub(super) next: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Object,
    /// With so many elements.
    Array(usize),
    Scalar,
}

/// What is open while a document is read.
struct Open {
    node: usize,
    last: Option<usize>,
    count: usize,
}

impl Tree {
    /// `line` must be a JSON text, as [`one_line`](super::document::one_line) returns it. Depth costs no stack.
    #[must_use]
    pub fn new(line: &str) -> Self {
        let bytes = line.as_bytes();
        let mut tree = Self { nodes: Vec::new(), children: HashMap::new(), has_odd_names: false };
        let mut open: Vec<Open> = Vec::new();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b']' | b'}' => {
                    if let Some(Open { node, count, .. }) = open.pop() {
                        tree.nodes[node].span.end = at + 1;
                        if let Shape::Array(elements) = &mut tree.nodes[node].kind {
                            *elements = count;
                        }
                    }
                    at += 1;
                }
                b',' | b' ' => at += 1,
                _ => {
                    let mut name = 0..0;
                    if open.last().is_some_and(|open| tree.nodes[open.node].kind == Shape::Object) {
                        name = at..end_of_scalar(bytes, at);
                        at = name.end;
                        while matches!(bytes.get(at), Some(b' ' | b':')) {
                            at += 1;
                        }
                    }
                    let (end, kind) = match bytes.get(at) {
                        Some(b'{') => (at + 1, Shape::Object),
                        Some(b'[') => (at + 1, Shape::Array(0)),
                        _ => (end_of_scalar(bytes, at), Shape::Scalar),
                    };
                    let node = tree.add(line, &mut open, Node { span: at..end, kind, name, first: None, next: None });
                    if kind != Shape::Scalar {
                        open.push(Open { node, last: None, count: 0 });
                    }
                    at = end;
                }
            }
        }
        tree
    }

    fn add(&mut self, line: &str, open: &mut [Open], node: Node) -> usize {
        let place = self.nodes.len();
        if let Some(open) = open.last_mut() {
            let key = match self.nodes[open.node].kind {
                Shape::Object => {
                    let name = text(&line[node.name.clone()]);
                    self.has_odd_names |= name.is_none();
                    xxh3_64(name.as_deref().unwrap_or_default().as_bytes())
                }
                _ => open.count as u64,
            };
            // Of several members with one name, the last one counts, as it does for browsers.
            self.children.insert((open.node, key), place);
            match open.last {
                Some(last) => self.nodes[last].next = Some(place),
                None => self.nodes[open.node].first = Some(place),
            }
            open.last = Some(place);
            open.count += 1;
        }
        self.nodes.push(node);
        place
    }

    /// The place in the text of the value that the pointer leads to.
    #[must_use]
    pub fn find(&self, pointer: &Pointer) -> Option<Range<usize>> {
        let mut node = 0;
        for token in &pointer.tokens {
            node = match self.nodes.get(node)?.kind {
                Shape::Object => self.member(node, token)?,
                Shape::Array(_) => self.element(node, index(token)?)?,
                Shape::Scalar => return None,
            };
        }
        Some(self.nodes.get(node)?.span.clone())
    }

    pub(super) fn has_odd_names(&self) -> bool {
        self.has_odd_names
    }

    pub(super) fn node(&self, node: usize) -> &Node {
        &self.nodes[node]
    }

    pub(super) fn member(&self, object: usize, name: &str) -> Option<usize> {
        self.children.get(&(object, xxh3_64(name.as_bytes()))).copied()
    }

    pub(super) fn element(&self, array: usize, index: usize) -> Option<usize> {
        self.children.get(&(array, index as u64)).copied()
    }

    /// The members of an object, by name; of several with one name the last one.
    pub(super) fn members<'a>(&'a self, line: &'a str, object: usize) -> impl Iterator<Item = (Cow<'a, str>, usize)> {
        let nodes = std::iter::successors(self.nodes[object].first, |node| self.nodes[*node].next);
        nodes.filter_map(move |node| {
            let name = text(&line[self.nodes[node].name.clone()])?;
            (self.member(object, &name) == Some(node)).then_some((name, node))
        })
    }
}

/// An index is written without leading zeros and signs. `-`, the place behind the last element, holds no value.
fn index(token: &str) -> Option<usize> {
    let is_index = token == "0" || (token.bytes().all(|byte| byte.is_ascii_digit()) && !token.starts_with('0'));
    token.parse().ok().filter(|_| is_index)
}

/// The offset behind a string, number or word that begins here.
fn end_of_scalar(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    if bytes.get(at) == Some(&b'"') {
        at += 1;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => return at + 1,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        return bytes.len();
    }
    // At least one byte, so that there is an end whatever comes.
    at += 1;
    at + bytes[at.min(bytes.len())..].iter().take_while(|byte| !b",:]} ".contains(byte)).count()
}

/// What a string says; `None` if that is no text.
fn text(written: &str) -> Option<Cow<'_, str>> {
    match written.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
        _ => serde_json::from_str(written).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(document: &str, pointer: &str, expected: Option<&str>) {
        let found = Tree::new(document).find(&pointer.parse().unwrap());
        assert_eq!(found.map(|span| &document[span]), expected, "{document} {pointer}");
    }

    #[test]
    fn points_to_values_as_they_are_written() {
        // The examples of RFC 6901, section 5.
        let document = r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#;
        for (pointer, value) in [
            ("", document),
            ("/foo", r#"["bar","baz"]"#),
            ("/foo/0", r#""bar""#),
            ("/", "0"),
            ("/a~1b", "1"),
            ("/c%d", "2"),
            ("/e^f", "3"),
            ("/g|h", "4"),
            ("/i\\j", "5"),
            ("/k\"l", "6"),
            ("/ ", "7"),
            ("/m~0n", "8"),
        ] {
            check(document, pointer, Some(value));
        }
        check(r#"{"a":{"b":[1.0,-2e+3,{"c":null}]}}"#, "/a/b/1", Some("-2e+3"));
        check(r#"{"a":{"b":[1.0,-2e+3,{"c":null}]}}"#, "/a/b/2/c", Some("null"));
        check(r#"{"a":1,"\u0061":2}"#, "/a", Some("2"));
        check("17", "", Some("17"));
    }

    #[test]
    fn points_nowhere() {
        for pointer in ["/b", "/a/2", "/a/-", "/a/01", "/a/+1", "/a/x", "/a/0/0", "//"] {
            check(r#"{"a":[1,[]]}"#, pointer, None);
        }
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["a", "a/b", "/~", "/~2", "/a~", "#/a", " /a"] {
            assert_eq!(text.parse::<Pointer>(), Err(BadPointer), "{text}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let depth = 200_000;
        let document = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        check(&document, &"/0".repeat(depth), Some("1"));
    }
}
