//! JSON Pointers, and the values in a document that they lead to, as they are written.
//!
//! All pointers that somebody follows are found in one pass over the text. Nothing is built, so it takes no memory but
//! for the places that are found, however many values the document has.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use crate::content::scan::end_of_container;
use crate::content::scan::end_of_scalar;
use crate::content::scan::end_of_value;
use crate::content::scan::name;

/// A JSON Pointer (RFC 6901): the way to one value, as `/prices/0/usd`. The empty one leads to the whole document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// Where in `line` the value of each pointer is. `line` must be a JSON text, as [`one_line`](super::document::one_line)
/// returns it; `pointers` must be sorted, and each in it once. Depth costs no stack.
#[must_use]
pub fn find(line: &str, pointers: &[Arc<Pointer>]) -> Vec<Option<Range<usize>>> {
    let found = vec![None; pointers.len()];
    let mut search = Search { line, pointers, found, open: Vec::new(), at: 0 };
    search.value(0..pointers.len());
    while search.step().is_some() {}
    search.found
}

struct Search<'a> {
    line: &'a str,
    pointers: &'a [Arc<Pointer>],
    found: Vec<Option<Range<usize>>>,
    open: Vec<Open<'a>>,
    at: usize,
}

/// An object or array that pointers lead into.
struct Open<'a> {
    start: usize,
    /// The pointer that leads to it, and no further.
    own: Option<usize>,
    inside: Inside<'a>,
}

/// Which of the values inside are wanted, and by which pointers.
enum Inside<'a> {
    /// Members by name, sorted.
    Members(Vec<(&'a str, Range<usize>)>),
    /// Elements by index, from the last one to the first, and the index of the next element.
    Elements(Vec<(usize, Range<usize>)>, usize),
}

impl<'a> Search<'a> {
    /// Goes over one value inside of what is open, or to its end; `None` at the end of all.
    fn step(&mut self) -> Option<()> {
        let bytes = self.line.as_bytes();
        while let Some(b',' | b' ') = bytes.get(self.at) {
            self.at += 1;
        }
        let is_outermost = self.open.len() == 1;
        let open = self.open.last_mut()?;
        let wanted = match (&mut open.inside, bytes.get(self.at)?) {
            (_, b']' | b'}') => {
                self.at += 1;
                self.close();
                return Some(());
            }
            (Inside::Members(members), _) => {
                let end = end_of_scalar(bytes, self.at);
                let name = name(&self.line[self.at..end]);
                self.at = end;
                while let Some(b':' | b' ') = bytes.get(self.at) {
                    self.at += 1;
                }
                let place = name.and_then(|name| members.binary_search_by(|(other, _)| (*other).cmp(&name)).ok());
                place.map(|place| members[place].1.clone())
            }
            (Inside::Elements(elements, _), _) if elements.is_empty() => {
                if is_outermost && open.own.is_none() {
                    return None;
                }
                self.at = end_of_container(bytes, self.at);
                self.close();
                return Some(());
            }
            (Inside::Elements(elements, next), _) => {
                let index = *next;
                *next += 1;
                elements.pop_if(|(wanted, _)| *wanted == index).map(|(_, pointers)| pointers)
            }
        };
        match wanted {
            Some(wanted) => {
                // Of several members with one name, the last one counts, as it does for browsers.
                self.found[wanted.clone()].fill(None);
                self.value(wanted);
            }
            None => self.at = end_of_value(bytes, self.at),
        }
        Some(())
    }

    /// The value here is what these pointers lead to, or into.
    fn value(&mut self, mut wanted: Range<usize>) {
        let (bytes, start, depth) = (self.line.as_bytes(), self.at, self.open.len());
        // The shortest one is the first.
        let own = wanted.clone().next().filter(|first| self.pointers[*first].tokens.len() == depth);
        wanted.start += usize::from(own.is_some());
        if wanted.is_empty() || !matches!(bytes.get(start), Some(b'{' | b'[')) {
            self.at = end_of_value(bytes, start);
            own.into_iter().for_each(|own| self.found[own] = Some(start..self.at));
            return;
        }
        let mut members: Vec<(&'a str, Range<usize>)> = Vec::new();
        for place in wanted {
            let token = self.pointers[place].tokens[depth].as_str();
            match members.last_mut() {
                Some((last, places)) if *last == token => places.end = place + 1,
                _ => members.push((token, place..place + 1)),
            }
        }
        let inside = if bytes[start] == b'{' {
            Inside::Members(members)
        } else {
            let elements = members.into_iter().filter_map(|(token, places)| Some((index(token)?, places)));
            let mut elements = elements.collect::<Vec<_>>();
            elements.sort_unstable_by_key(|(index, _)| std::cmp::Reverse(*index));
            Inside::Elements(elements, 0)
        };
        self.open.push(Open { start, own, inside });
        self.at += 1;
    }

    fn close(&mut self) {
        if let Some(Open { start, own: Some(own), .. }) = self.open.pop() {
            self.found[own] = Some(start..self.at);
        }
    }
}

/// An index is written without leading zeros and signs. `-`, the place behind the last element, holds no value.
fn index(token: &str) -> Option<usize> {
    let is_index = token == "0" || (token.bytes().all(|byte| byte.is_ascii_digit()) && !token.starts_with('0'));
    token.parse().ok().filter(|_| is_index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[track_caller]
    fn check(document: &str, pointer: &str, expected: Option<&str>) {
        let found = find(document, &[Arc::new(pointer.parse().unwrap())]);
        assert_eq!(found[0].clone().map(|span| &document[span]), expected, "{document} {pointer}");
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
        check(r#"{"a":{"b":1},"a":[]}"#, "/a/b", None);
        check("17", "", Some("17"));
    }

    #[test]
    fn names_that_are_no_text_are_those_of_nobody() {
        check(r#"{"":1,"\ud800":2}"#, "/", Some("1"));
        check(r#"{"\ud800":2}"#, "/", None);
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
        check(&document, "/0/1", None);
    }

    /// Small documents in which names and indexes repeat, with white space left out as in a line.
    fn documents() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), (0..9).prop_map(Value::from), "[a\"\\\\é{}]{0,2}".prop_map(Value::from)];
        leaf.prop_recursive(4, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[01a~/\"é]{0,2}", inner, 0..6)
                    .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Many pointers find in one pass what serde_json finds for each.
        #[test]
        fn each_finds_its_value(document in documents(), pointers in prop::collection::btree_set("(/([01a]|~0|~1|\"|é){0,2}){0,4}", 0..12)) {
            let mut parsed = pointers.iter().map(|text| Arc::new(text.parse().unwrap())).collect::<Vec<Arc<Pointer>>>();
            parsed.sort();
            let text = document.to_string();
            let found = find(&text, &parsed);
            for pointer in &pointers {
                let place = parsed.binary_search(&Arc::new(pointer.parse().unwrap())).unwrap();
                let value = found[place].clone().map(|span| serde_json::from_str::<Value>(&text[span]).unwrap());
                prop_assert_eq!(value.as_ref(), document.pointer(pointer), "{} {}", text, pointer);
            }
        }
    }
}
