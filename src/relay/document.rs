//! What stands at a place, as an origin tells it to edges: in a hash of Redis, and in the message that tells of it. Pure.

use std::io::Write as _;
use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use serde_json::Value;

use crate::content::Content;
use crate::content::Version;
use crate::content::listing;
use crate::content::listing::Entry;
use crate::hub::Original;
use crate::hub::Published;

/// The form of messages. What has another one is of a later version, and left alone.
const FORM: &str = "1";

/// The largest contents that stand in the message itself, in bytes. Those of larger ones are fetched, so that an edge that is slow skips
/// versions, and nothing waits for it in the memory of Redis.
pub(super) const IN_MESSAGE: usize = 64 << 10;

/// The largest contents that are told, and believed, in bytes. Redis and every edge hold them. What is larger comes from the origin itself.
const LARGEST: usize = 16 << 20;

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) version: Version,
    pub(super) contents: Contents,
}

/// The contents of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Contents {
    /// A file, and when it was modified.
    File(Bytes, Option<SystemTime>),
    /// The entries of a directory.
    Listing(Vec<Entry>),
    /// A file that is too large to be told: its size in bytes.
    Large(u64),
    /// Something that can't be read, and why.
    Unreadable(String),
    /// Nothing.
    Missing,
}

impl Document {
    /// What an origin tells of this; `None` if there is nothing to tell yet.
    pub(super) fn of(published: &Published) -> Option<Self> {
        let snapshot = &published.snapshot;
        let contents = match (published.original(), &snapshot.content) {
            (Some(Original::File(bytes, _)), _) if bytes.len() > LARGEST => Contents::Large(bytes.len() as u64),
            (Some(Original::File(bytes, modified)), _) => Contents::File(bytes.clone(), *modified),
            (Some(Original::Listing(entries)), _) => Contents::Listing(entries.clone()),
            (None, Content::Large(size) | Content::Other(size)) => Contents::Large(*size),
            (None, Content::Problem(problem)) => Contents::Unreadable(problem.message.clone()),
            (None, Content::Removed) => Contents::Missing,
            (None, Content::Document(_) | Content::Text(_) | Content::Unread) => return None,
        };
        Some(Self { version: snapshot.version, contents })
    }

    /// The memory that it takes, nearly.
    pub(super) fn size(&self) -> usize {
        let contents = match &self.contents {
            Contents::File(bytes, _) => bytes.len(),
            Contents::Listing(entries) => entries.iter().map(|entry| 100 + entry.name.len()).sum(),
            Contents::Unreadable(message) => message.len(),
            Contents::Large(_) | Contents::Missing => 0,
        };
        300 + contents
    }

    /// How it is called in Redis.
    pub(super) fn kind(&self) -> &'static str {
        match self.contents {
            Contents::File(..) => "file",
            Contents::Listing(_) => "listing",
            Contents::Large(_) => "large",
            Contents::Unreadable(_) => "unreadable",
            Contents::Missing => "missing",
        }
    }

    /// When it was modified, in nanoseconds since 1970; `-` if that is not known.
    pub(super) fn modified(&self) -> String {
        let Contents::File(_, Some(modified)) = &self.contents else { return "-".into() };
        let since = modified.duration_since(UNIX_EPOCH).ok();
        since.map_or_else(|| "-".into(), |since| since.as_nanos().to_string())
    }

    /// Its contents as bytes.
    pub(super) fn bytes(&self) -> Bytes {
        match &self.contents {
            Contents::File(bytes, _) => bytes.clone(),
            Contents::Listing(entries) => listing::to_json(entries.clone()).into(),
            Contents::Large(size) => size.to_string().into(),
            Contents::Unreadable(message) => message.clone().into(),
            Contents::Missing => Bytes::new(),
        }
    }

    /// Reads it. `None` if it makes no sense: whoever writes to Redis writes to the pages, but not more than an origin may.
    pub(super) fn read(version: &str, kind: &str, modified: &str, bytes: Bytes) -> Option<Self> {
        if bytes.len() > LARGEST {
            return None;
        }
        let version: Version = version.parse().ok()?;
        let text = || str::from_utf8(&bytes).ok();
        let contents = match kind {
            "file" if Version::of(&bytes) != version => return None,
            "file" if modified == "-" => Contents::File(bytes, None),
            "file" => {
                let since = Duration::from_nanos(modified.parse().ok()?);
                Contents::File(bytes, Some(UNIX_EPOCH.checked_add(since)?))
            }
            "listing" => Contents::Listing(entries(text()?)?),
            "large" => Contents::Large(text()?.parse().ok()?),
            "unreadable" => Contents::Unreadable(text()?.to_owned()),
            "missing" if version == Version::ABSENT => Contents::Missing,
            _ => return None,
        };
        Some(Self { version, contents })
    }
}

/// Reads what [`listing::to_json`] has written.
fn entries(json: &str) -> Option<Vec<Entry>> {
    let entry = |entry: &Value| {
        let name = entry.get("name")?.as_str()?;
        let is_directory = match entry.get("type")?.as_str()? {
            "directory" => true,
            "file" => false,
            _ => return None,
        };
        let modified = entry.get("modified")?.as_u64().map(Duration::from_millis);
        let modified = match modified {
            Some(since) => Some(UNIX_EPOCH.checked_add(since)?),
            None => None,
        };
        let is_good = !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0']);
        is_good
            .then(|| Some(Entry { name: name.into(), is_directory, size: entry.get("size")?.as_u64()?, modified }))?
    };
    serde_json::from_str::<Vec<Value>>(json).ok()?.iter().map(entry).collect()
}

/// A message of a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Something else stands there. Later messages have larger numbers. The document is left out if it has to be fetched.
    Document(u64, Option<Document>),
    /// Nothing stands there in this moment, in which somebody may be about to replace it. That is enough for an answer.
    Nothing,
}

/// The message that says so.
pub(super) const NOTHING: &str = "1 nothing\n";

impl News {
    /// Reads `1 nothing`, or `1 NUMBER VERSION KIND MODIFIED LENGTH`, a line break, and the contents, if they are not too large. `None` if it makes
    /// no sense.
    pub(super) fn read(message: &Bytes) -> Option<Self> {
        if *message == NOTHING {
            return Some(Self::Nothing);
        }
        let line = message.iter().position(|byte| *byte == b'\n')?;
        let words = str::from_utf8(&message[..line]).ok()?.split(' ').collect::<Vec<_>>();
        let [FORM, number, version, kind, modified, length] = words[..] else { return None };
        let bytes = message.slice(line + 1..);
        let is_in_it = bytes.len() == length.parse::<usize>().ok()?;
        let document = if is_in_it { Some(Document::read(version, kind, modified, bytes)?) } else { None };
        Some(Self::Document(number.parse().ok()?, document))
    }
}

/// The head of such a message, but for its number, which Redis gives: what stands before and after it.
pub(super) fn head(document: &Document, length: usize) -> (String, Vec<u8>) {
    let mut rest = Vec::new();
    let (version, kind, modified) = (document.version, document.kind(), document.modified());
    writeln!(rest, " {version} {kind} {modified} {length}").expect("writing to memory can't fail");
    (format!("{FORM} "), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &'static str) -> Document {
        let modified = UNIX_EPOCH + Duration::from_nanos(1_234_567_890_123_456_789);
        Document { version: Version::of(text.as_bytes()), contents: Contents::File(text.into(), Some(modified)) }
    }

    fn documents() -> Vec<Document> {
        let of = |contents| Document { version: Version::of(b"something"), contents };
        let entry = |name: &str, is_directory, modified| Entry { name: name.into(), is_directory, size: 3, modified };
        let modified = Some(UNIX_EPOCH + Duration::from_millis(1500));
        vec![
            file("{\"a\": 1}"),
            Document { version: Version::of(b""), contents: Contents::File(Bytes::new(), None) },
            of(Contents::Listing(vec![entry("a\"b.txt", false, modified), entry("b", true, None)])),
            of(Contents::Large(u64::MAX)),
            of(Contents::Unreadable("cannot be read: it is on fire".into())),
            Document { version: Version::ABSENT, contents: Contents::Missing },
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        for document in documents() {
            let (version, bytes) = (document.version.to_string(), document.bytes());
            let read = Document::read(&version, document.kind(), &document.modified(), bytes.clone());
            assert_eq!(read.as_ref(), Some(&document));
            let (before, after) = head(&document, bytes.len());
            let message = [before.as_bytes(), b"17", &after, &bytes].concat().into();
            let news = News::Document(17, Some(document));
            assert_eq!(News::read(&message), Some(news));
        }
        let (before, after) = head(&file("large"), 5);
        let message = [before.as_bytes(), b"17", &after].concat().into();
        assert_eq!(News::read(&message), Some(News::Document(17, None)));
    }

    #[test]
    fn nothing_is_believed_beyond_its_bounds() {
        let version = Version::of(b"x").to_string();
        for (version, kind, modified, bytes) in [
            (&*version, "file", "-", &b"y"[..]),
            ("x", "file", "-", b"x"),
            (&version, "file", "x", b"x"),
            (&version, "file", "99999999999999999999999", b"x"),
            (&version, "program", "-", b"x"),
            (&version, "large", "-", b"-1"),
            (&version, "unreadable", "-", b"\xff"),
            (&version, "missing", "-", b""),
            (&version, "listing", "-", b"{}"),
            (&version, "listing", "-", br#"[{"modified":null,"name":"../x","size":1,"type":"file"}]"#),
            (&version, "listing", "-", br#"[{"modified":null,"name":"..","size":1,"type":"file"}]"#),
            (&version, "listing", "-", br#"[{"modified":null,"name":"x","size":-1,"type":"file"}]"#),
            (&version, "listing", "-", br#"[{"modified":null,"name":"x","size":1,"type":"link"}]"#),
        ] {
            let read = Document::read(version, kind, modified, Bytes::from_static(bytes));
            assert_eq!(read, None, "{kind} {}", String::from_utf8_lossy(bytes));
        }
        for message in ["", "\n", "1 1 0 file - 1", "2 1 0 missing - 0\n", "1 x 0 missing - 0\n"] {
            assert_eq!(News::read(&Bytes::from(message)), None, "{message}");
        }
    }
}
