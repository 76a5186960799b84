//! Two versions of a document → the JSON Patch (RFC 6902) that makes the second out of the first.

use std::fmt::Write;

use serde_json::Value;

use crate::content::tree::Shape;
use crate::content::tree::Tree;

/// How deep a patch goes into a document. What differs further down is replaced as a whole.
const DEPTH: usize = 100;

/// The patch from one document to another, each on one line: values as they are written in the second; `None` if it would
/// have more than `limit` bytes, a document has too many values to be compared, or a name in them is no text.
#[must_use]
pub fn patch(before: &str, after: &str, limit: usize) -> Option<String> {
    let (before, after) = (Tree::new(before)?, Tree::new(after)?);
    let mut patch = Patch { before: &before, after: &after, limit, path: String::new(), text: "[".to_owned() };
    patch.value(0, 0, DEPTH)?;
    patch.text.push(']');
    (patch.text.len() <= limit).then_some(patch.text)
}

struct Patch<'a> {
    before: &'a Tree<'a>,
    after: &'a Tree<'a>,
    limit: usize,
    path: String,
    text: String,
}

impl Patch<'_> {
    /// `None` as soon as it is too long.
    fn value(&mut self, old: usize, new: usize, depth: usize) -> Option<()> {
        if self.is_equal(old, new) {
            return Some(());
        }
        match (self.before.shape(old), self.after.shape(new)) {
            (Shape::Object, Shape::Object) if depth > 0 => self.object(old, new, depth - 1),
            (Shape::Array, Shape::Array) if depth > 0 => self.array(old, new, depth - 1),
            _ => self.operation("replace", Some(new)),
        }
    }

    fn object(&mut self, old: usize, new: usize, depth: usize) -> Option<()> {
        let (olds, news) = (self.before.members(old)?, self.after.members(new)?);
        for (name, _) in &olds.in_order {
            if news.get(name).is_none() {
                self.below(name, |patch| patch.operation("remove", None))?;
            }
        }
        for (name, new) in &news.in_order {
            let old = olds.get(name);
            self.below(name, |patch| match old {
                Some(old) => patch.value(old, *new, depth),
                None => patch.operation("add", Some(*new)),
            })?;
        }
        Some(())
    }

    /// What is equal at the start and at the end stays; in between, elements become others, come and go.
    fn array(&mut self, old: usize, new: usize, depth: usize) -> Option<()> {
        let (olds, news) =
            (self.before.children(old).collect::<Vec<_>>(), self.after.children(new).collect::<Vec<_>>());
        let is_equal = |(old, new): &(&usize, &usize)| self.is_equal(**old, **new);
        let start = olds.iter().zip(&news).take_while(is_equal).count();
        let (olds, news) = (&olds[start..], &news[start..]);
        let end = olds.iter().rev().zip(news.iter().rev()).take_while(is_equal).count();
        let (olds, news) = (&olds[..olds.len() - end], &news[..news.len() - end]);
        for (at, (old, new)) in olds.iter().zip(news).enumerate() {
            self.below(&(start + at).to_string(), |patch| patch.value(*old, *new, depth))?;
        }
        // From the last one on, so that the others keep their index.
        for at in (news.len()..olds.len()).rev() {
            self.below(&(start + at).to_string(), |patch| patch.operation("remove", None))?;
        }
        for (at, new) in news.iter().enumerate().skip(olds.len()) {
            self.below(&(start + at).to_string(), |patch| patch.operation("add", Some(*new)))?;
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
            write!(self.text, ",\"value\":{}", self.after.written(value)).expect("writing to a string can't fail");
        }
        self.text.push('}');
        (self.text.len() <= self.limit).then_some(())
    }

    fn is_equal(&self, old: usize, new: usize) -> bool {
        self.before.written(old) == self.after.written(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn between(before: &str, after: &str) -> String {
        patch(before, after, usize::MAX).unwrap()
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
        assert_eq!(patch("[1,2,3]", "[4,5,6]", 60), None);
    }

    #[test]
    fn names_are_compared_and_not_what_stands_for_them() {
        // A name that is no text is not the empty one.
        assert_eq!(patch(r#"{"":1,"\ud800":2}"#, r#"{"":1,"\ud800":3}"#, usize::MAX), None);
        assert_eq!(between(r#"{"\u0061":1}"#, r#"{"a":2}"#), r#"[{"op":"replace","path":"/a","value":2}]"#);
        // Where nobody has to point to it, it does no harm.
        assert_eq!(
            between(r#"{"a":{"\ud800":2},"b":1}"#, r#"{"a":{"\ud800":2},"b":2}"#),
            r#"[{"op":"replace","path":"/b","value":2}]"#
        );
    }

    #[test]
    fn documents_of_too_many_values_are_not_compared() {
        let document = |last: usize| format!("[{}{last}]", "0,".repeat(1 << 20));
        assert_eq!(patch(&document(1), &document(2), usize::MAX), None);
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
