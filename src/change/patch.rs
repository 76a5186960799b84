//! Two versions of a document → the JSON Patch (RFC 6902) that makes the second out of the first.

use std::fmt::Write;

use serde_json::Value;

use crate::change::tree::Shape;
use crate::change::tree::Tree;

/// A document and its index.
#[derive(Clone, Copy, Debug)]
pub struct Indexed<'a> {
    /// The document, on one line.
    pub line: &'a str,
    /// Its index.
    pub tree: &'a Tree,
}

/// How deep a patch goes into a document. What differs further down is replaced as a whole.
const DEPTH: usize = 100;

/// The patch from one document to another, on one line: values as they are written in the second; `None` if it would have
/// more than `limit` bytes, or a name in them is no text.
#[must_use]
pub fn patch(before: Indexed<'_>, after: Indexed<'_>, limit: usize) -> Option<String> {
    if before.tree.has_odd_names() || after.tree.has_odd_names() {
        return None;
    }
    let mut patch = Patch { before, after, limit, path: String::new(), text: "[".to_owned() };
    patch.value(0, 0, DEPTH)?;
    patch.text.push(']');
    (patch.text.len() <= limit).then_some(patch.text)
}

struct Patch<'a> {
    before: Indexed<'a>,
    after: Indexed<'a>,
    limit: usize,
    path: String,
    text: String,
}

impl Patch<'_> {
    /// `None` as soon as it is too long.
    fn value(&mut self, old: usize, new: usize, depth: usize) -> Option<()> {
        if self.written_before(old) == self.written_after(new) {
            return Some(());
        }
        match (self.before.tree.node(old).kind, self.after.tree.node(new).kind) {
            (Shape::Object, Shape::Object) if depth > 0 => self.object(old, new, depth - 1),
            (Shape::Array(olds), Shape::Array(news)) if depth > 0 => self.array((old, olds), (new, news), depth - 1),
            _ => self.operation("replace", Some(new)),
        }
    }

    fn object(&mut self, old: usize, new: usize, depth: usize) -> Option<()> {
        let (before, after) = (self.before, self.after);
        for (name, _) in before.tree.members(before.line, old) {
            if after.tree.member(new, &name).is_none() {
                self.below(&name, |patch| patch.operation("remove", None))?;
            }
        }
        for (name, new) in after.tree.members(after.line, new) {
            let old = before.tree.member(old, &name);
            self.below(&name, |patch| match old {
                Some(old) => patch.value(old, new, depth),
                None => patch.operation("add", Some(new)),
            })?;
        }
        Some(())
    }

    /// What is equal at the start and at the end stays; in between, elements become others, come and go.
    fn array(&mut self, (old, olds): (usize, usize), (new, news): (usize, usize), depth: usize) -> Option<()> {
        let pair = |patch: &Self, one: usize, other: usize| {
            Some((patch.before.tree.element(old, one)?, patch.after.tree.element(new, other)?))
        };
        let is_equal = |patch: &Self, one: usize, other: usize| {
            pair(patch, one, other).is_some_and(|(old, new)| patch.written_before(old) == patch.written_after(new))
        };
        let common = olds.min(news);
        let start = (0..common).take_while(|at| is_equal(self, *at, *at)).count();
        let end = (1..=common - start).take_while(|at| is_equal(self, olds - at, news - at)).count();
        let changed = common - start - end;
        for at in start..start + changed {
            let (old, new) = pair(self, at, at)?;
            self.below(&at.to_string(), |patch| patch.value(old, new, depth))?;
        }
        // From the last one on, so that the others keep their index.
        for at in (start + changed..olds - end).rev() {
            self.below(&at.to_string(), |patch| patch.operation("remove", None))?;
        }
        for at in start + changed..news - end {
            let new = self.after.tree.element(new, at)?;
            self.below(&at.to_string(), |patch| patch.operation("add", Some(new)))?;
        }
        Some(())
    }

    fn below(&mut self, token: &str, step: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(&token.replace('~', "~0").replace('/', "~1"));
        let done = step(self);
        self.path.truncate(length);
        done
    }

    fn operation(&mut self, operation: &str, value: Option<usize>) -> Option<()> {
        let separator = if self.text.len() > 1 { "," } else { "" };
        let path = Value::from(self.path.as_str());
        write!(self.text, "{separator}{{\"op\":\"{operation}\",\"path\":{path}")
            .expect("writing to a string can't fail");
        if let Some(value) = value {
            let value = &self.after.line[self.after.tree.node(value).span.clone()];
            write!(self.text, ",\"value\":{value}").expect("writing to a string can't fail");
        }
        self.text.push('}');
        (self.text.len() <= self.limit).then_some(())
    }

    fn written_before(&self, node: usize) -> &str {
        &self.before.line[self.before.tree.node(node).span.clone()]
    }

    fn written_after(&self, node: usize) -> &str {
        &self.after.line[self.after.tree.node(node).span.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn between(before: &str, after: &str) -> String {
        let (old, new) = (Tree::new(before), Tree::new(after));
        let indexed = |line, tree| Indexed { line, tree };
        patch(indexed(before, &old), indexed(after, &new), usize::MAX).unwrap()
    }

    #[test]
    fn says_what_has_changed() {
        for (before, after, expected) in [
            ("1", "1", "[]"),
            ("1", "2", r#"[{"op":"replace","path":"","value":2}]"#),
            (r#"{"a":1,"b":2}"#, r#"{"a":1,"b":3.0}"#, r#"[{"op":"replace","path":"/b","value":3.0}]"#),
            (r#"{"a":1}"#, r#"{"c":[]}"#, r#"[{"op":"remove","path":"/a"},{"op":"add","path":"/c","value":[]}]"#),
            (r#"{"a/b":{"~":1}}"#, r#"{"a/b":{"~":2}}"#, r#"[{"op":"replace","path":"/a~1b/~0","value":2}]"#),
            ("[1,2,3]", "[1,3]", r#"[{"op":"remove","path":"/1"}]"#),
            ("[1,3]", "[1,2,3]", r#"[{"op":"add","path":"/1","value":2}]"#),
            ("[1,2]", "[]", r#"[{"op":"remove","path":"/1"},{"op":"remove","path":"/0"}]"#),
            ("[[1],{\"a\":1}]", "[[1],{\"a\":2}]", r#"[{"op":"replace","path":"/1/a","value":2}]"#),
            (r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, "[]"),
        ] {
            assert_eq!(between(before, after), expected, "{before} {after}");
        }
    }

    #[test]
    fn a_patch_that_is_too_long_is_none() {
        let (old, new) = (Tree::new("[1,2,3]"), Tree::new("[4,5,6]"));
        let indexed = |line, tree| Indexed { line, tree };
        assert_eq!(patch(indexed("[1,2,3]", &old), indexed("[4,5,6]", &new), 60), None);
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..5).prop_map(Value::from),
            "[a~/\"\\\\é]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[ab~/\"é]{0,2}", inner, 0..5)
                    .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Applied by an implementation that isn't ours.
        #[test]
        fn a_patch_makes_the_one_out_of_the_other(before in document(), after in document()) {
            let patch = between(&before.to_string(), &after.to_string());
            let patch: json_patch::Patch = serde_json::from_str(&patch).unwrap();
            let mut patched = before;
            json_patch::patch(&mut patched, &patch).unwrap();
            prop_assert_eq!(patched, after);
        }
    }
}
