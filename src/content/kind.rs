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

/// What is newer than the table of `mime_guess`, or other there: the ending of the name, the media type as it is registered,
/// and the kind.
const OWN: [(&str, &str, Kind); 21] = [
    // RFC 9239.
    ("js", "text/javascript", Kind::Text),
    ("mjs", "text/javascript", Kind::Text),
    ("cjs", "text/javascript", Kind::Text),
    ("wasm", "application/wasm", Kind::Other),
    // JSON, but nobody wants it pushed as a document.
    ("map", "application/json", Kind::Text),
    ("webmanifest", "application/manifest+json", Kind::Document),
    ("ndjson", NDJSON, Kind::Unknown),
    ("jsonl", NDJSON, Kind::Unknown),
    ("avif", "image/avif", Kind::Other),
    ("ktx2", "image/ktx2", Kind::Other),
    ("glb", "model/gltf-binary", Kind::Other),
    ("gltf", "model/gltf+json", Kind::Document),
    ("usdz", "model/vnd.usdz+zip", Kind::Other),
    ("woff", "font/woff", Kind::Other),
    ("woff2", "font/woff2", Kind::Other),
    ("otf", "font/otf", Kind::Other),
    ("ttf", "font/ttf", Kind::Other),
    // Not `video/mp2t`, unless the content says so: see `media_type_of`.
    ("ts", TYPESCRIPT, Kind::Unknown),
    ("mts", TYPESCRIPT, Kind::Unknown),
    ("cts", TYPESCRIPT, Kind::Unknown),
    ("m2ts", TRANSPORT_STREAM, Kind::Other),
];

const NDJSON: &str = "application/x-ndjson";
const TYPESCRIPT: &str = "text/plain";
const TRANSPORT_STREAM: &str = "video/mp2t";

/// Judges a file by its name. A directory is a document: its listing.
#[must_use]
pub fn of(path: &SitePath) -> Kind {
    if path.is_directory() {
        return Kind::Document;
    }
    if let Some((_, _, kind)) = own(path) {
        return *kind;
    }
    match guess(path) {
        None => Kind::Unknown,
        Some(media_type) if is_json(&media_type) => Kind::Document,
        Some(media_type) if is_text(&media_type) => Kind::Text,
        Some(_) => Kind::Other,
    }
}

/// What contents of this media type are.
#[must_use]
pub fn of_media_type(media_type: &Mime) -> Kind {
    match media_type {
        media_type if is_json(media_type) => Kind::Document,
        media_type if is_text(media_type) => Kind::Text,
        media_type if *media_type == mime::APPLICATION_OCTET_STREAM => Kind::Unknown,
        _ => Kind::Other,
    }
}

/// The media type of a file, without a charset, as far as its name says; `application/octet-stream` where it says nothing.
#[must_use]
pub fn media_type(path: &SitePath) -> Mime {
    let own = own(path).map(|(_, media_type, _)| parsed(media_type));
    own.or_else(|| guess(path)).unwrap_or(mime::APPLICATION_OCTET_STREAM)
}

/// The media type of a file whose content is known, or how it begins: `.ts` was the video stream of television before it was
/// TypeScript.
#[must_use]
pub fn media_type_of(path: &SitePath, content: &[u8]) -> Mime {
    if may_be_stream(path) && is_transport_stream(content) { parsed(TRANSPORT_STREAM) } else { media_type(path) }
}

/// The media type of a file of which no more is known than that it is no text.
#[must_use]
pub fn media_type_of_binary(path: &SitePath) -> Mime {
    if may_be_stream(path) { parsed(TRANSPORT_STREAM) } else { media_type(path) }
}

/// Whether the name belongs to TypeScript and to MPEG transport streams, so that the content decides.
#[must_use]
pub fn may_be_stream(path: &SitePath) -> bool {
    let may_be = |extension: &str| ["ts", "mts", "cts"].iter().any(|it| extension.eq_ignore_ascii_case(it));
    extension(path).is_some_and(may_be)
}

/// Whether this is how an MPEG transport stream begins: packets of 188 bytes (ISO/IEC 13818-1), before each of which a camera
/// writes the time in four bytes. Each packet begins with a `G`, as a program may do.
fn is_transport_stream(content: &[u8]) -> bool {
    const SYNC: u8 = b'G';
    let head = &content[..content.len().min(1 << 10)];
    let begins = |first: usize, packet: usize| {
        head.len() > first && head.iter().skip(first).step_by(packet).all(|byte| *byte == SYNC)
    };
    (begins(0, 188) || begins(4, 192)) && !is_text_so_far(head)
}

/// Whether this may be the beginning of a text. Its last character may be cut.
fn is_text_so_far(head: &[u8]) -> bool {
    let is_utf8 = std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true);
    is_utf8 && !head.contains(&0)
}

fn own(path: &SitePath) -> Option<&'static (&'static str, &'static str, Kind)> {
    let extension = extension(path)?;
    OWN.iter().find(|(own, ..)| extension.eq_ignore_ascii_case(own))
}

fn parsed(media_type: &str) -> Mime {
    media_type.parse().expect("the table has media types")
}

fn guess(path: &SitePath) -> Option<Mime> {
    mime_guess::from_path(path.name()).first()
}

fn extension(path: &SitePath) -> Option<&str> {
    path.name().rsplit_once('.').map(|(_, extension)| extension)
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
        let path = path(name);
        assert_eq!(of(&path), expected, "{name} is {}", media_type(&path));
    }

    fn path(name: &str) -> SitePath {
        SitePath::from_url(name).unwrap()
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
        check("/app.cjs", Kind::Text);
        check("/app.ts", Kind::Unknown);
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

    #[test]
    fn files_have_the_media_types_that_are_registered() {
        for (name, expected) in [
            ("/app.js", "text/javascript"),
            ("/app.mjs", "text/javascript"),
            ("/APP.CJS", "text/javascript"),
            ("/app.wasm", "application/wasm"),
            ("/app.js.map", "application/json"),
            ("/app.webmanifest", "application/manifest+json"),
            ("/events.ndjson", "application/x-ndjson"),
            ("/events.jsonl", "application/x-ndjson"),
            ("/photo.avif", "image/avif"),
            ("/texture.ktx2", "image/ktx2"),
            ("/model.glb", "model/gltf-binary"),
            ("/model.gltf", "model/gltf+json"),
            ("/model.usdz", "model/vnd.usdz+zip"),
            ("/font.woff", "font/woff"),
            ("/font.woff2", "font/woff2"),
            ("/font.otf", "font/otf"),
            ("/font.ttf", "font/ttf"),
            ("/app.ts", "text/plain"),
            ("/app.mts", "text/plain"),
            ("/app.cts", "text/plain"),
            ("/live.d.ts", "text/plain"),
            ("/recorded.m2ts", "video/mp2t"),
            // What is not in our table.
            ("/photo.webp", "image/webp"),
            ("/LICENSE", "application/octet-stream"),
            ("/js", "application/octet-stream"),
        ] {
            assert_eq!(media_type(&path(name)).as_ref(), expected, "{name}");
        }
        for (extension, media_type, _) in &OWN {
            assert_eq!(parsed(media_type).as_ref(), *media_type, "{extension}");
        }
    }

    #[test]
    fn television_is_told_from_typescript() {
        let stream = |first: usize, packet: usize, count: usize| {
            let mut bytes = vec![0xff; packet * count];
            bytes.iter_mut().skip(first).step_by(packet).for_each(|byte| *byte = b'G');
            bytes
        };
        for (name, content, expected) in [
            ("/film.ts", stream(0, 188, 400), "video/mp2t"),
            ("/film.TS", stream(0, 188, 1), "video/mp2t"),
            ("/film.mts", stream(4, 192, 400), "video/mp2t"),
            ("/film.ts", b"G@\0\x10\0".to_vec(), "video/mp2t"),
            ("/app.ts", b"GM.log(1)".to_vec(), "text/plain"),
            ("/app.mts", b"let Game = 1".to_vec(), "text/plain"),
            ("/app.ts", [b"G".repeat(1023), "é".into()].concat(), "text/plain"),
            // Latin-1.
            ("/app.ts", b"Gar\xe7on".repeat(100), "text/plain"),
            ("/app.ts", Vec::new(), "text/plain"),
            ("/core", stream(0, 188, 400), "application/octet-stream"),
        ] {
            let path = path(name);
            assert_eq!(media_type_of(&path, &content).as_ref(), expected, "{name} {content:?}");
        }
        assert_eq!(media_type_of_binary(&path("/film.ts")).as_ref(), "video/mp2t");
        assert_eq!(media_type_of_binary(&path("/film.mp4")).as_ref(), "video/mp4");
    }
}
