//! An event with its id, name and data, before it is known how it travels.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;
use serde_json::json;

use crate::content::Content;
use crate::content::Snapshot;
use crate::content::kind;
use crate::site::SitePath;

/// An event, before it is known how it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// What a listener says when it comes back. Without line breaks and NUL; empty if there is none.
    pub id: Cow<'a, str>,
    /// Its name, without line breaks.
    pub name: Cow<'a, str>,
    /// Any text.
    pub data: Cow<'a, str>,
}

/// The name of an event that has none on a stream.
pub const MESSAGE: &str = "message";

impl<'a> Event<'a> {
    /// A message with these data.
    #[must_use]
    pub fn message(id: impl fmt::Display, data: impl Into<Cow<'a, str>>) -> Self {
        Self::named(id, MESSAGE, data)
    }

    /// An event of this name.
    #[must_use]
    pub fn named(id: impl fmt::Display, name: &'a str, data: impl Into<Cow<'a, str>>) -> Self {
        Self { id: id.to_string().into(), name: name.into(), data: data.into() }
    }

    /// What was followed is gone, or is not there yet.
    #[must_use]
    pub fn removed(id: impl fmt::Display, path: &SitePath) -> Self {
        Self::named(id, "removed", json!({ "path": path.as_str() }).to_string())
    }

    /// What the listeners of one file are sent. Its id is the version.
    #[must_use]
    pub fn of(snapshot: &'a Snapshot) -> Self {
        let path = snapshot.path.as_str();
        let named = |name, data: Value| Self::named(snapshot.version, name, data.to_string());
        match &snapshot.content {
            Content::Document(line) => Self::message(snapshot.version, line),
            Content::Text(text) => Self::message(snapshot.version, text),
            Content::Other(_) | Content::Unread => {
                let size = if let Content::Other(size) = snapshot.content { Some(size) } else { None };
                let media_type = kind::media_type_of_binary(&snapshot.path);
                let (version, media_type) = (snapshot.version.to_string(), media_type.essence_str());
                named(MESSAGE, json!({ "path": path, "version": version, "size": size, "type": media_type }))
            }
            Content::Large(_) | Content::Problem(_) => {
                let (message, line, column) = description(&snapshot.content);
                named("problem", json!({ "path": path, "message": message, "line": line, "column": column }))
            }
            Content::Removed => Self::removed(snapshot.version, &snapshot.path),
        }
    }

    /// Where a part ends that begins at `at`: not within a character, nor within an end of a line.
    pub(super) fn end_of_part(&self, at: usize, length: usize) -> usize {
        let end = at.saturating_add(length).min(self.data.len());
        let end = (end..=self.data.len()).find(|end| self.data.is_char_boundary(*end)).unwrap_or(end);
        end + usize::from(self.data[at..end].ends_with('\r') && self.data[end..].starts_with('\n'))
    }
}

/// What is wrong, with line and column.
pub(super) fn description(content: &Content) -> (String, Option<usize>, Option<usize>) {
    let Some(problem) = content.problem() else { return Default::default() };
    let (line, column) = problem.place.unzip();
    (problem.message, line, column)
}
