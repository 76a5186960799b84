//! argv → [`Args`], as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Serve a directory in which every file is live.
///
/// Each file is also a stream of its own contents: new EventSource("/data.json") gets them now and again after every
/// save. Pages reload by themselves, and stylesheets are swapped in place.
#[derive(Clone, Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Args {
    /// The directory to serve
    #[arg(value_name = "DIR", default_value = ".")]
    pub directory: PathBuf,

    /// The port to listen on; 0 for any free one [default: 3000, or the next free one]
    #[arg(short, long, value_name = "N")]
    pub port: Option<u16>,

    /// The address to listen on; 0.0.0.0 shows the directory to the whole network
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: String,

    /// Another name under which this server is reached, such as that of a proxy; may be given again
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    pub allow_host: Vec<String>,

    /// Let pages of these origins (scheme, host and port) use files, streams and channels; pages of all origins, but without
    /// credentials, if none is given
    #[arg(long, value_name = "ORIGIN", num_args = 0.., value_parser = origin)]
    pub cors: Option<Vec<String>>,

    /// Do not rely on events of the file system: look at what is in use every MS milliseconds, 100 if not given
    #[arg(long, value_name = "MS", num_args = 0..=1, default_missing_value = "100", value_parser = milliseconds)]
    pub poll: Option<Duration>,

    /// The largest file whose contents are pushed, in bytes or as 512K, 8M or 1G; larger ones are served, and announced
    /// as a problem
    #[arg(long, value_name = "SIZE", default_value = "8M", value_parser = size)]
    pub max_push: u64,

    /// Open the browser
    #[arg(short, long)]
    pub open: bool,
}

/// A pause of at least a millisecond.
fn milliseconds(text: &str) -> Result<Duration, &'static str> {
    match text.parse() {
        Ok(number @ 1..=3_600_000) => Ok(Duration::from_millis(number)),
        // The usual reason is `--poll DIR`.
        _ => Err("a number of milliseconds is needed, or nothing; the directory goes before --poll"),
    }
}

/// A number of bytes, or of KiB, MiB or GiB.
fn size(text: &str) -> Result<u64, &'static str> {
    let (number, shift) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        _ => (text, 0),
    };
    let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    // It has to fit into memory, a few times.
    size.filter(|size| *size <= 1 << 32).ok_or("a number of bytes up to 4G is needed, such as 8388608, 8192K or 8M")
}

/// An origin as browsers send it: scheme, host and perhaps a port (RFC 6454, section 6.2).
fn origin(text: &str) -> Result<String, &'static str> {
    let text = text.to_ascii_lowercase();
    let text = text.strip_suffix('/').unwrap_or(&text);
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_origin = |host: &str| {
        !host.is_empty() && !host.contains(|byte: char| "/?#@ *".contains(byte) || !byte.is_ascii_graphic())
    };
    // The usual ports are left out by browsers.
    let plain = |scheme: &str, port: &str| text.starts_with(scheme).then(|| text.strip_suffix(port)).flatten();
    let plain = plain("http://", ":80").or_else(|| plain("https://", ":443")).unwrap_or(text);
    host.is_some_and(is_origin)
        .then(|| plain.to_owned())
        .ok_or("an origin is needed, such as http://localhost:5173, or nothing; the directory goes before --cors")
}

/// A name as it stands in a `Host` header, without a port.
fn host_name(text: &str) -> Result<String, &'static str> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let is_address = text.starts_with('[') && text.ends_with(']');
    if !text.is_empty() && (is_address || text.bytes().all(is_name)) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a name alone is needed, such as demo.example.org, without http:// and port")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_have_a_scheme_and_no_path() {
        for (text, expected) in [
            ("http://localhost:5173", "http://localhost:5173"),
            ("HTTPS://Example.org/", "https://example.org"),
            ("https://example.org:443", "https://example.org"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(origin(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", "*", "null", "localhost:5173", "http://", "http://a/b", "http://a b", "ftp://a", "dir"] {
            assert!(origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_have_units() {
        for (text, expected) in
            [("0", 0), ("100", 100), ("8M", 8 << 20), ("8m", 8 << 20), ("1G", 1 << 30), ("4k", 4096)]
        {
            assert_eq!(size(text), Ok(expected), "{text}");
        }
        for text in ["", "M", "-1", "1.5M", "8MB", "5G", "99999999999G", "ü"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
