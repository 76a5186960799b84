//! The values of a JSON document, by where they stand in its text: nothing else of them is kept, so numbers, key order
//! and escapes stay as they were written.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::content::scan::end_of_scalar;
use crate::content::scan::name;

/// The most values that a tree has: 4 MiB of them. Who compares larger documents sends them whole.
const VALUES: usize = 1 << 18;

/// All values of a document, each before those inside of it. The first one is the document.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    line: &'a str,
    nodes: Vec<Node>,
}

/// A value. Small, because there are many.
#[derive(Debug)]
struct Node {
    start: u32,
    end: u32,
    /// Where the name of a member begins.
    name: u32,
    /// The first node that is not inside of it.
    after: u32,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Object,
    Array,
    Scalar,
}

/// The members of an object, each name once: in the order of the text, and by name.
pub(super) struct Members<'a> {
    pub(super) in_order: Vec<(Cow<'a, str>, usize)>,
    by_name: HashMap<Cow<'a, str>, usize>,
}

impl Members<'_> {
    pub(super) fn get(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

impl<'a> Tree<'a> {
    /// `line` must be a JSON text, as [`one_line`](super::document::one_line) returns it. Depth costs no stack. `None` if
    /// there are too many values.
    pub(super) fn new(line: &'a str) -> Option<Self> {
        u32::try_from(line.len()).ok()?;
        let offset = |at: usize| u32::try_from(at).expect("offsets in the line and numbers of its values are small");
        let bytes = line.as_bytes();
        let mut nodes: Vec<Node> = Vec::new();
        let mut open: Vec<(usize, Shape)> = Vec::new();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b']' | b'}' => {
                    at += 1;
                    if let Some((node, _)) = open.pop() {
                        (nodes[node].end, nodes[node].after) = (offset(at), offset(nodes.len()));
                    }
                }
                b',' | b' ' => at += 1,
                _ => {
                    let name = at;
                    if open.last().is_some_and(|(_, shape)| *shape == Shape::Object) {
                        at = end_of_scalar(bytes, at);
                        while matches!(bytes.get(at), Some(b' ' | b':')) {
                            at += 1;
                        }
                    }
                    if nodes.len() == VALUES {
                        return None;
                    }
                    let (start, shape) = (at, shape(bytes, at));
                    at = if shape == Shape::Scalar { end_of_scalar(bytes, at) } else { at + 1 };
                    if shape != Shape::Scalar {
                        open.push((nodes.len(), shape));
                    }
                    let after = offset(nodes.len() + 1);
                    nodes.push(Node { start: offset(start), end: offset(at), name: offset(name), after });
                }
            }
        }
        Some(Self { line, nodes })
    }

    pub(super) fn shape(&self, node: usize) -> Shape {
        shape(self.line.as_bytes(), self.nodes[node].start as usize)
    }

    /// The value as it is written.
    pub(super) fn written(&self, node: usize) -> &'a str {
        &self.line[self.nodes[node].start as usize..self.nodes[node].end as usize]
    }

    /// The values in an array or object.
    pub(super) fn children(&self, node: usize) -> impl Iterator<Item = usize> {
        let end = self.nodes[node].after as usize;
        let next = move |node: usize| (node < end).then_some(node);
        std::iter::successors(next(node + 1), move |node| next(self.nodes[*node].after as usize))
    }

    /// The members of an object; of several with one name the last one, as for browsers. `None` if a name is no text,
    /// because of a lone surrogate, so that nobody can point to it.
    pub(super) fn members(&self, object: usize) -> Option<Members<'a>> {
        let named = |node: usize| {
            let start = self.nodes[node].name as usize;
            Some((name(&self.line[start..end_of_scalar(self.line.as_bytes(), start)])?, node))
        };
        let mut in_order = self.children(object).map(named).collect::<Option<Vec<_>>>()?;
        let by_name = in_order.iter().cloned().collect::<HashMap<_, _>>();
        in_order.retain(|(name, node)| by_name.get(name) == Some(node));
        Some(Members { in_order, by_name })
    }
}

fn shape(bytes: &[u8], at: usize) -> Shape {
    match bytes.get(at) {
        Some(b'{') => Shape::Object,
        Some(b'[') => Shape::Array,
        _ => Shape::Scalar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_in_their_order() {
        let tree = Tree::new(r#"{"a":[1,{"b":2}],"c":"x","a":3}"#).unwrap();
        let written = |node: usize| tree.children(node).map(|node| tree.written(node)).collect::<Vec<_>>();
        assert_eq!(written(0), [r#"[1,{"b":2}]"#, "\"x\"", "3"]);
        assert_eq!(written(1), ["1", r#"{"b":2}"#]);
        let members = tree.members(0).unwrap();
        let names = members.in_order.iter().map(|(name, node)| (&**name, tree.written(*node)));
        assert_eq!(names.collect::<Vec<_>>(), [("c", "\"x\""), ("a", "3")]);
        assert_eq!(members.get("b"), None);
    }

    #[test]
    fn names_are_what_they_say() {
        let tree = Tree::new(r#"{"\u0061":1,"":2}"#).unwrap();
        let members = tree.members(0).unwrap();
        assert_eq!(members.get("a").map(|node| tree.written(node)), Some("1"));
        assert!(Tree::new(r#"{"":1,"\ud800":2}"#).unwrap().members(0).is_none());
    }

    #[test]
    fn there_is_a_limit_and_depth_costs_no_stack() {
        let array = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        assert!(Tree::new(&array(VALUES - 1)).is_some());
        assert!(Tree::new(&array(VALUES)).is_none());
        let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(Tree::new(&deep).map(|tree| tree.children(199_999).count()), Some(1));
    }
}
