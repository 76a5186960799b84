//! The bytes of a file become a [`Snapshot`]: a version of it, with its content as it is sent.

use crate::content::document;
use crate::content::kind;
use crate::content::kind::Kind;
use crate::content::problem::Problem;
use crate::content::version::Version;
use crate::site::SitePath;
use crate::site::rules;
use crate::site::rules::line::RemarkKind;

/// How many more lines that make no sense are named besides the first.
const REMARKS: usize = 9;

/// A version of a resource, with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The file or directory.
    pub path: SitePath,
    /// Names the state. Two snapshots of one path with the same version say the same.
    pub version: Version,
    /// The state.
    pub content: Content,
}

/// The state of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A JSON document (or the listing of a directory), on one line.
    Document(String),
    /// The contents of a text file, without a byte order mark.
    Text(String),
    /// A file whose contents are not text: its size in bytes.
    Other(u64),
    /// Something of which no more is known than that it is another one.
    Unread,
    /// A document or text that is too large to be pushed: its size in bytes.
    Large(u64),
    /// The file is broken; its last good contents stay what they are.
    Problem(Problem),
    /// There is no such file, or no more.
    Removed,
}

impl Content {
    /// What is wrong, if something is.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        match self {
            Self::Problem(problem) => Some(problem.clone()),
            Self::Large(size) => {
                Some(Problem { message: format!("too large to push: {size} bytes, more than --max-push"), place: None })
            }
            Self::Document(_) | Self::Text(_) | Self::Other(_) | Self::Unread | Self::Removed => None,
        }
    }
}

impl Snapshot {
    /// A file with this content. JSON that doesn't parse is a problem.
    #[must_use]
    pub fn of_file(path: SitePath, bytes: Vec<u8>) -> Self {
        let kind = kind::of(&path);
        Self::of_kind(path, kind, bytes)
    }

    /// Contents of this kind, whatever their name says.
    #[must_use]
    pub fn of_kind(path: SitePath, kind: Kind, bytes: Vec<u8>) -> Self {
        let version = Version::of(&bytes);
        let content = match kind {
            Kind::Document => document::one_line(&bytes).map_or_else(Content::Problem, Content::Document),
            Kind::Text => Content::Text(kind::text(bytes)),
            Kind::Unknown if rules::is_rules(&path) => rules_of(&path, bytes),
            Kind::Other => Content::Other(bytes.len() as u64),
            Kind::Unknown => match String::from_utf8(bytes) {
                Ok(text) if !text.contains('\0') => Content::Text(kind::text(text.into_bytes())),
                Ok(text) => Content::Other(text.len() as u64),
                Err(error) => Content::Other(error.as_bytes().len() as u64),
            },
        };
        Self { path, version, content }
    }

    /// A file of `size` bytes that is too large to push. The version stands for the content that nobody has read.
    #[must_use]
    pub fn large(path: SitePath, size: u64, version: Version) -> Self {
        let content = if kind::of(&path) == Kind::Other { Content::Other(size) } else { Content::Large(size) };
        Self { path, version, content }
    }

    /// Something of which only the version is known.
    #[must_use]
    pub fn unread(path: SitePath, version: Version) -> Self {
        Self { path, version, content: Content::Unread }
    }

    /// A directory with this listing.
    #[must_use]
    pub fn listing(path: SitePath, listing: String) -> Self {
        Self { path, version: Version::of(listing.as_bytes()), content: Content::Document(listing) }
    }

    /// No such file.
    #[must_use]
    pub fn removed(path: SitePath) -> Self {
        Self { path, version: Version::ABSENT, content: Content::Removed }
    }

    /// A file that is there but can't be read.
    #[must_use]
    pub fn unreadable(path: SitePath, message: String) -> Self {
        Self {
            path,
            version: Version::of(message.as_bytes()),
            content: Content::Problem(Problem { message, place: None }),
        }
    }

    /// Whether this may be a part of what is being written, as far as its contents say: a text that is not the one before
    /// with something appended, or a file whose contents say nothing.
    #[must_use]
    pub fn may_be_a_part(&self, before: Option<&Self>) -> bool {
        match (&self.content, before.map(|before| &before.content)) {
            (Content::Text(text), Some(Content::Text(before))) => !text.starts_with(before.as_str()),
            (Content::Text(_) | Content::Other(_), _) => true,
            // A document is whole, or a problem.
            (
                Content::Document(_) | Content::Unread | Content::Large(_) | Content::Problem(_) | Content::Removed,
                _,
            ) => false,
        }
    }

    /// Whether this is the kind of news that a save in progress looks like for a moment: nothing there, nothing in it,
    /// or half a document. Good news is sent at once; doubtful news is looked at again first.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        match &self.content {
            Content::Problem(_) | Content::Removed | Content::Other(0) => true,
            Content::Text(text) => text.is_empty(),
            Content::Document(_) | Content::Other(_) | Content::Unread | Content::Large(_) => false,
        }
    }
}

/// A file of rules is text, unless a line of it makes no sense.
fn rules_of(path: &SitePath, bytes: Vec<u8>) -> Content {
    let text = kind::text(bytes);
    let remarks = rules::remarks(path, &text);
    // What only another host follows is told at the terminal.
    let mut wrong = remarks.iter().filter(|remark| remark.kind == RemarkKind::Broken);
    let Some(first) = wrong.next() else { return Content::Text(text) };
    let more = wrong.map(|remark| format!("; line {}: {}", remark.line, remark.message));
    let message = [first.message.clone()].into_iter().chain(more.take(REMARKS)).collect::<String>();
    Content::Problem(Problem { message, place: Some((first.line, 1)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(path: &str, content: &[u8]) -> Snapshot {
        Snapshot::of_file(SitePath::from_url(path).unwrap(), content.to_vec())
    }

    #[test]
    fn the_name_decides_what_the_content_is() {
        assert_eq!(snapshot("/a.json", b"{ \"a\": 1.0 }").content, Content::Document("{\"a\":1.0}".into()));
        assert_eq!(snapshot("/a.csv", b"a,b\r\n1,2\n").content, Content::Text("a,b\r\n1,2\n".into()));
        assert_eq!(snapshot("/a.png", b"PNG?").content, Content::Other(4));
        assert_eq!(snapshot("/LICENSE", b"free").content, Content::Text("free".into()));
        assert_eq!(snapshot("/core", b"\x7fELF\0").content, Content::Other(5));
        assert_eq!(snapshot("/core", b"\xff\xfe").content, Content::Other(2));
        assert_eq!(snapshot("/latin.txt", b"caf\xe9").content, Content::Text("caf\u{fffd}".into()));
        assert_eq!(snapshot("/bom.txt", b"\xef\xbb\xbfhi").content, Content::Text("hi".into()));
    }

    #[test]
    fn what_a_save_in_progress_looks_like_is_doubtful() {
        assert!(snapshot("/a.json", b"").is_doubtful());
        assert!(snapshot("/a.json", b"{\"a\":").is_doubtful());
        assert!(snapshot("/a.css", b"").is_doubtful());
        assert!(snapshot("/a.png", b"").is_doubtful());
        assert!(!snapshot("/a.json", b"{}").is_doubtful());
        assert!(!snapshot("/a.css", b"a{}").is_doubtful());
    }

    #[test]
    fn what_is_appended_is_no_part_of_something_else() {
        let before = snapshot("/a.txt", b"one\n");
        assert!(!snapshot("/a.txt", b"one\ntwo\n").may_be_a_part(Some(&before)));
        assert!(snapshot("/a.txt", b"two\n").may_be_a_part(Some(&before)));
        assert!(snapshot("/a.txt", b"on").may_be_a_part(Some(&before)));
        assert!(snapshot("/a.txt", b"one\n").may_be_a_part(None));
        assert!(snapshot("/a.png", b"PNG").may_be_a_part(None));
        assert!(!snapshot("/a.json", b"1").may_be_a_part(None));
    }
}
