//! The entries of a directory become its JSON listing.

use std::fmt::Write;
use std::time::SystemTime;

use serde_json::Value;

/// One entry of a directory, as a browser may know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without a slash.
    pub name: String,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Bytes; 0 for a directory.
    pub size: u64,
    /// When it was last modified, if the file system knows. `None` for a directory: that its entries come and go is
    /// no news here.
    pub modified: Option<SystemTime>,
}

/// The listing as a JSON array on one line, sorted by name: `name`, `type` (`file` or `directory`), `size` in bytes,
/// `modified` in milliseconds since 1970, as JavaScript counts.
#[must_use]
pub fn to_json(mut entries: Vec<Entry>) -> String {
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let mut json = String::with_capacity(2 + 100 * entries.len());
    let mut separator = '[';
    for entry in &entries {
        let modified = entry.modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        let modified = modified.map(|time| time.as_secs() * 1000 + u64::from(time.subsec_millis()));
        let (modified, name) = (Value::from(modified), Value::from(entry.name.as_str()));
        let kind = if entry.is_directory { "directory" } else { "file" };
        write!(
            json,
            "{separator}{{\"modified\":{modified},\"name\":{name},\"size\":{},\"type\":\"{kind}\"}}",
            entry.size
        )
        .expect("writing to a string can't fail");
        separator = ',';
    }
    json.push_str(if entries.is_empty() { "[]" } else { "]" });
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn lists_by_name() {
        let file = |name: &str, size| Entry {
            name: name.into(),
            is_directory: false,
            size,
            modified: Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1500)),
        };
        let directory = Entry { name: "b".into(), is_directory: true, size: 0, modified: None };
        assert_eq!(
            to_json(vec![file("c\"d", 2), directory, file("a", 1)]),
            concat!(
                r#"[{"modified":1500,"name":"a","size":1,"type":"file"},"#,
                r#"{"modified":null,"name":"b","size":0,"type":"directory"},"#,
                r#"{"modified":1500,"name":"c\"d","size":2,"type":"file"}]"#
            )
        );
        assert_eq!(to_json(vec![]), "[]");
    }
}
