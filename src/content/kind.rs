//! The name of a file becomes its media type, and what its contents are to those who follow it.

use mime_guess::Mime;
use mime_guess::mime;

use crate::site::SitePath;

/// What the contents of a file are, judged by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// JSON: pushed as a document on one line.
    Document,
    /// Text: pushed line by line.
    Text,
    /// Pictures, sound, archives: listeners only hear that they changed.
    Other,
    /// The name says nothing: the content decides between text and other.
    Unknown,
}

/// Judges a file by its name. A directory is a document: its listing.
#[must_use]
pub fn of(path: &SitePath) -> Kind {
    if path.is_directory() {
        return Kind::Document;
    }
    let Some(media_type) = guess(path) else { return Kind::Unknown };
    // Modules of TypeScript, or what a camera has recorded.
    if has_extension(path, "mts") {
        return Kind::Unknown;
    }
    if is_json(&media_type) {
        Kind::Document
    } else if is_text(&media_type) {
        Kind::Text
    } else {
        Kind::Other
    }
}

/// The media type of a file, without a charset; `application/octet-stream` where the name says nothing.
#[must_use]
pub fn media_type(path: &SitePath) -> Mime {
    guess(path).unwrap_or(mime::APPLICATION_OCTET_STREAM)
}

fn guess(path: &SitePath) -> Option<Mime> {
    let guess = mime_guess::from_path(path.name()).first()?;
    // `.ts` was the video stream of television before it was TypeScript. In a project directory it is not.
    if has_extension(path, "ts") { Some(mime::TEXT_PLAIN) } else { Some(guess) }
}

fn has_extension(path: &SitePath, extension: &str) -> bool {
    path.name().rsplit_once('.').is_some_and(|(_, found)| found.eq_ignore_ascii_case(extension))
}

/// Whether a file of this type is text, so that a charset belongs to it.
#[must_use]
pub fn is_text(media_type: &Mime) -> bool {
    media_type.type_() == mime::TEXT
        || is_json(media_type)
        || media_type.suffix() == Some(mime::XML)
        || matches!(
            media_type.subtype().as_str(),
            "javascript" | "xml" | "yaml" | "toml" | "sql" | "x-sh" | "x-ndjson" | "graphql" | "x-tex"
        )
}

fn is_json(media_type: &Mime) -> bool {
    media_type.subtype() == mime::JSON || media_type.suffix() == Some(mime::JSON)
}

/// The text of a text file. What is no UTF-8 is replaced, a byte order mark is no text (WHATWG Encoding, *UTF-8 decode*).
#[must_use]
pub(super) fn text(content: Vec<u8>) -> String {
    let mut text =
        String::from_utf8(content).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Kind) {
        let path = SitePath::from_url(name).unwrap();
        assert_eq!(of(&path), expected, "{name} is {}", media_type(&path));
    }

    #[test]
    fn judges_files_by_their_names() {
        check("/data.json", Kind::Document);
        check("/map.geojson", Kind::Document);
        check("/app.webmanifest", Kind::Document);
        check("/bundle.js.map", Kind::Text);
        check("/photos/", Kind::Document);
        check("/index.html", Kind::Text);
        check("/style.css", Kind::Text);
        check("/app.js", Kind::Text);
        check("/app.mjs", Kind::Text);
        check("/app.ts", Kind::Text);
        check("/module.mts", Kind::Unknown);
        check("/recorded.m2ts", Kind::Other);
        check("/table.csv", Kind::Text);
        check("/notes.md", Kind::Text);
        check("/drawing.svg", Kind::Text);
        check("/config.yaml", Kind::Text);
        check("/config.toml", Kind::Text);
        check("/server.log", Kind::Text);
        check("/photo.jpg", Kind::Other);
        check("/font.woff2", Kind::Other);
        check("/archive.zip", Kind::Other);
        check("/LICENSE", Kind::Unknown);
        check("/events.ndjson", Kind::Unknown);
    }
}
