//! What stands behind an option, read and judged.

use std::path::PathBuf;
use std::time::Duration;

use glob::Pattern;

use crate::site::ServerUrl;
use crate::site::SitePath;
use crate::site::rules::is_rules;

/// A directory at a path of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountArg {
    /// Where in the site.
    pub prefix: SitePath,
    /// Which directory.
    pub directory: PathBuf,
}

/// `/PATH=DIR`, or `/PATH:DIR` as live-server has it.
pub(super) fn mount(text: &str) -> Result<MountArg, &'static str> {
    let wrong = "a path of the site and a directory are needed, such as /vendor=node_modules";
    let (prefix, directory) = text.split_once('=').or_else(|| text.split_once(':')).ok_or(wrong)?;
    if directory.is_empty() {
        return Err(wrong);
    }
    MountArg::new(prefix, directory.into())
}

impl MountArg {
    /// A directory at this path.
    ///
    /// # Errors
    ///
    /// What is wrong with the path.
    pub fn new(prefix: &str, directory: PathBuf) -> Result<Self, &'static str> {
        let prefix = place(prefix, "a path of the site and a directory are needed, such as /vendor=node_modules")?;
        Ok(Self { prefix, directory })
    }
}

/// Another server, at a path of the site or for all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyArg {
    /// Where in the site.
    pub prefix: SitePath,
    /// Which server.
    pub server: ServerUrl,
}

/// `URL`, `/PATH=URL`, or `/PATH:URL` as live-server has it.
pub(super) fn proxy(text: &str) -> Result<ProxyArg, &'static str> {
    if !text.starts_with('/') {
        return ProxyArg::new("/", text);
    }
    let wrong = "a URL is needed, or a path and a URL, such as /api=http://localhost:5000";
    let (prefix, server) = text.split_once('=').or_else(|| text.split_once(':')).ok_or(wrong)?;
    ProxyArg::new(prefix, server)
}

impl ProxyArg {
    /// A server at this path.
    ///
    /// # Errors
    ///
    /// What is wrong with the path, or with the URL.
    pub fn new(prefix: &str, server: &str) -> Result<Self, &'static str> {
        let server = ServerUrl::parse(server)?;
        let prefix = match prefix.trim_end_matches('/') {
            "" => SitePath::root(),
            prefix => place(prefix, "a path and a URL are needed, such as /api=http://localhost:5000")?,
        };
        Ok(Self { prefix, server })
    }
}

/// A path at which something may be mounted.
fn place(prefix: &str, wrong: &'static str) -> Result<SitePath, &'static str> {
    let prefix =
        SitePath::from_url(prefix.trim_end_matches('/')).filter(|_| !prefix.contains(['?', '#'])).ok_or(wrong)?;
    let is_ours = prefix.directories().nth(1).unwrap_or_else(|| prefix.as_directory()).name() == "_savecast";
    if prefix == SitePath::root() || is_ours || is_rules(&prefix) {
        return Err("this path is taken");
    }
    Ok(prefix.as_directory())
}

/// A path of a URL, without the slash at its end: `/app`, or nothing for the root.
pub(super) fn base(text: &str) -> Result<String, &'static str> {
    let base = SitePath::from_url(text).filter(|_| !text.contains(['?', '#']) && !text.starts_with("/_savecast"));
    let base = base.ok_or("a path is needed, such as /app/")?;
    Ok(base.to_url().trim_end_matches('/').to_owned())
}

/// A number of 16 bits.
pub(super) fn port(text: &str) -> Result<u16, &'static str> {
    text.parse().map_err(|_| "a port is a number up to 65535")
}

/// A pattern of paths.
pub(super) fn glob(text: &str) -> Result<Pattern, String> {
    Pattern::new(text.trim_start_matches("./").trim_end_matches('/'))
        .map_err(|error| format!("{} at character {}", error.msg, error.pos + 1))
}

/// A number of things, and not none.
pub(super) fn count(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|count| *count > 0).ok_or("a number from 1 on is needed")
}

/// A pause of at least a millisecond.
pub(super) fn milliseconds(text: &str) -> Result<Duration, &'static str> {
    match text.parse() {
        Ok(number @ 1..=3_600_000) => Ok(Duration::from_millis(number)),
        // The usual reason is `--poll DIR`.
        _ => Err("a number of milliseconds is needed, or nothing; the directory goes before --poll"),
    }
}

/// The same where there has to be one.
pub(super) fn pause(text: &str) -> Result<Duration, &'static str> {
    milliseconds(text).map_err(|_| "a number of milliseconds is needed, such as 1000")
}

/// A name that is a part of keys.
pub(super) fn site(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if (1..=64).contains(&text.len()) && text.bytes().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err("a name of 1 to 64 letters, digits, dots, dashes and underscores is needed")
    }
}

/// A number of bytes, or of KiB, MiB or GiB.
pub(super) fn size(text: &str) -> Result<u64, &'static str> {
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
pub(super) fn origin(text: &str) -> Result<String, &'static str> {
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

/// The name of a channel. A slash at its beginning would be a part of it, and people mean none.
pub(super) fn channel(text: &str) -> Result<String, &'static str> {
    let name = text.trim_start_matches('/');
    if name.is_empty() { Err("the channel needs a name, such as users/42") } else { Ok(name.to_owned()) }
}

/// A name as it stands in a `Host` header, without a port.
pub(super) fn host_name(text: &str) -> Result<String, &'static str> {
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
    fn a_proxy_is_for_all_or_for_a_path() {
        for (text, prefix, server) in [
            ("http://localhost:5000", "/", "http://localhost:5000"),
            ("5000", "/", "http://localhost:5000"),
            ("unix:/run/a.sock", "/", "unix:/run/a.sock"),
            ("/api=http://localhost:5000/?", "", ""),
            ("/api/=localhost:5000", "/api/", "http://localhost:5000"),
            ("/api:http://localhost:5000/v1", "/api/", "http://localhost:5000/v1/"),
            ("/=5000", "/", "http://localhost:5000"),
            ("/_savecast=5000", "", ""),
            ("/api", "", ""),
            ("/../a=5000", "", ""),
        ] {
            let expected = if prefix.is_empty() { None } else { Some((prefix.to_owned(), server.to_owned())) };
            let found = proxy(text).ok().map(|found| (found.prefix.as_str().to_owned(), found.server.to_string()));
            assert_eq!(found, expected, "{text}");
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
