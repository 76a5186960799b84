//! The media type of an entry becomes the icon that a listing shows before its name.

use mime_guess::Mime;
use mime_guess::mime;

use crate::content::kind;

/// What an icon says of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    Folder,
    Picture,
    /// Text to read, and code.
    Text,
    /// Values: documents, tables.
    Data,
    Archive,
    /// Film and sound.
    Film,
    Other,
}

impl Icon {
    /// That of a file.
    pub(crate) fn of(media_type: &Mime) -> Self {
        let subtype = media_type.subtype().as_str();
        match media_type.type_() {
            mime::IMAGE => Self::Picture,
            mime::AUDIO | mime::VIDEO => Self::Film,
            _ if is_archive(subtype) => Self::Archive,
            _ if is_data(subtype) || media_type.suffix() == Some(mime::JSON) => Self::Data,
            _ if kind::is_text(media_type) || subtype == "pdf" => Self::Text,
            _ => Self::Other,
        }
    }

    /// As `listing.css` knows it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Picture => "picture",
            Self::Text => "text",
            Self::Data => "data",
            Self::Archive => "archive",
            Self::Film => "film",
            Self::Other => "other",
        }
    }
}

fn is_archive(subtype: &str) -> bool {
    let names = ["zip", "gzip", "tar", "compress", "rar", "bzip", "xz", "zstd", "java-archive"];
    names.iter().any(|name| subtype.contains(name))
}

fn is_data(subtype: &str) -> bool {
    let names =
        ["json", "csv", "tab-separated-values", "xml", "yaml", "toml", "sql", "excel", "spreadsheet", "parquet"];
    // That of a page, too, is called XML.
    names.iter().any(|name| subtype.contains(name)) && !subtype.contains("html") && !subtype.contains("word")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::SitePath;

    #[test]
    fn files_have_icons() {
        for (icon, names) in [
            (Icon::Picture, &["a.jpg", "a.svg", "a.avif", "a.ico"][..]),
            (Icon::Film, &["a.mp4", "a.webm", "a.mp3", "a.wav", "a.m2ts"]),
            (Icon::Archive, &["a.zip", "a.tar", "a.tar.gz", "a.tar.xz", "a.7z", "a.bz2", "a.rar", "a.jar"]),
            (Icon::Data, &["a.json", "a.csv", "a.yaml", "a.toml", "a.xml", "a.geojson", "a.jsonl", "a.sql", "a.xlsx"]),
            (
                Icon::Text,
                &["a.html", "a.xhtml", "a.css", "a.js", "a.rs", "a.ts", "a.py", "a.md", "a.log", "a.sh", "a.pdf"],
            ),
            (Icon::Other, &["a.wasm", "a.woff2", "a.glb", "LICENSE", "a.unknown"]),
        ] {
            for name in names {
                let path = SitePath::root().file(name).unwrap();
                let media_type = kind::media_type(&path);
                assert_eq!(Icon::of(&media_type), icon, "{name} is {media_type}");
            }
        }
    }
}
