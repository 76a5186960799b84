//! A URL becomes a [`SitePath`]: a place inside the served root that may be shown.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::percent_decode_str;
use percent_encoding::utf8_percent_encode;

/// What stays readable in a URL path: RFC 3986 `unreserved`, and the separator.
const IN_URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Endings of private keys and key stores.
const SECRET_ENDINGS: [&str; 7] = [".pem", ".key", ".p12", ".pfx", ".ppk", ".jks", ".keystore"];

/// The options of the command, which say what of the machine is served.
const OPTIONS: &str = "savecast.toml";

/// The longest name of a file or directory, and the longest path. No file system that is in use has longer ones: Linux and
/// the BSDs count bytes in a name, Windows and macOS UTF-16 code units. What is longer names nothing.
const LONGEST_NAME: usize = 255;
const LONGEST_PATH: usize = 4000;

/// Names that `ssh-keygen` gives to private keys.
const SECRET_NAMES: [&str; 6] = ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk"];

/// A place inside the served root, such as `/data.json`, or `/photos/` for a directory.
///
/// Whoever holds one need not check again: it has no `.` or `..`, no empty, hidden or secret segment, no separator in
/// disguise, is not percent-encoded, and no longer than a file system allows. It says nothing about whether something is there; links are judged by
/// the directory when it opens the file.
///
/// ```
/// use savecast::SitePath;
///
/// let path = SitePath::from_url("/photos/Tea%20%26%20cake.jpg").expect("a path");
/// assert_eq!(path.as_str(), "/photos/Tea & cake.jpg");
/// assert_eq!(SitePath::from_url("/../secret"), None);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SitePath(Arc<str>);

impl SitePath {
    /// The served directory itself, `/`.
    #[must_use]
    pub fn root() -> Self {
        Self("/".into())
    }

    /// Reads the path of a URL as it stands in the request: percent-encoded and without the query.
    ///
    /// It is decoded once, segment by segment, so that a `%2F` can't become a separator that nobody has judged.
    #[must_use]
    pub fn from_url(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        if path.is_empty() {
            return Some(Self::root());
        }
        let (segments, end) = path.strip_suffix('/').map_or((path, ""), |directory| (directory, "/"));
        let mut decoded = String::with_capacity(path.len() + 1);
        for segment in segments.split('/') {
            let segment = percent_decode_str(segment).decode_utf8().ok().filter(|segment| may_be_shown(segment))?;
            decoded.push('/');
            decoded.push_str(&segment);
        }
        decoded.push_str(end);
        (decoded.len() <= LONGEST_PATH).then(|| Self(decoded.into()))
    }

    /// A file of this directory.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<Self> {
        self.may_have(name).then(|| Self(format!("{}{name}", self.0).into()))
    }

    /// A directory of this directory.
    #[must_use]
    pub fn directory(&self, name: &str) -> Option<Self> {
        self.may_have(name).then(|| Self(format!("{}{name}/", self.0).into()))
    }

    /// Whether this directory may have an entry of this name, file or directory, as far as it is shown.
    #[must_use]
    pub fn may_have(&self, name: &str) -> bool {
        self.is_directory() && self.0.len() + name.len() < LONGEST_PATH && may_be_shown(name)
    }

    /// Where this is in a directory: `/a/b` is `/b` in `/a/`. `None` if it is not in it.
    #[must_use]
    pub fn below(&self, directory: &Self) -> Option<Self> {
        // Most are in the root.
        if directory.0.len() == 1 {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(&*directory.as_directory().0)?;
        Some(Self(format!("/{rest}").into()))
    }

    /// The same place, said to be a directory.
    #[must_use]
    pub fn as_directory(&self) -> Self {
        if self.is_directory() { self.clone() } else { Self(format!("{}/", self.0).into()) }
    }

    /// The same place, said to be a file; `None` for the root.
    #[must_use]
    pub fn as_file(&self) -> Option<Self> {
        match self.0.strip_suffix('/') {
            Some("") => None,
            Some(file) => Some(Self(file.into())),
            None => Some(self.clone()),
        }
    }

    /// The page that a URL without an ending means: `/about.html` for `/about`.
    #[must_use]
    pub fn page(&self) -> Option<Self> {
        let name = format!("{}.html", self.name());
        let is_page = !self.is_directory() && self.0.len() + 5 <= LONGEST_PATH && may_be_shown(&name);
        is_page.then(|| Self(format!("{}.html", self.0).into()))
    }

    /// Whether this is said to be a directory: it ends in a slash.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.0.ends_with('/')
    }

    /// The directories that lead here, from the root down; for a directory, it is the last of them.
    pub fn directories(&self) -> impl Iterator<Item = SitePath> + '_ {
        self.0.match_indices('/').map(|(slash, _)| Self(self.0[..=slash].into()))
    }

    /// The last segment, without a slash; empty for the root.
    #[must_use]
    pub fn name(&self) -> &str {
        let path = self.0.strip_suffix('/').unwrap_or(&self.0);
        &path[path.rfind('/').map_or(0, |slash| slash + 1)..]
    }

    /// The path as people write it, not percent-encoded: `/photos/Tea & cake.jpg`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path as it stands in a URL: ASCII, and safe inside a quoted HTML attribute.
    #[must_use]
    pub fn to_url(&self) -> String {
        utf8_percent_encode(&self.0, IN_URL).to_string()
    }

    /// Where this is in the file system.
    #[must_use]
    pub fn to_file(&self, root: &Path) -> PathBuf {
        let mut file = root.to_path_buf();
        file.extend(self.0.split('/').filter(|segment| !segment.is_empty()));
        file
    }
}

impl fmt::Debug for SitePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for SitePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a segment of the way that a link leads may be passed: it is neither hidden nor secret. A volume of Kubernetes may,
/// whose files are links to `..data/NAME`, where `..data` is a link to a directory that is called by the time of its making,
/// such as `..2026_11_21_09_05_03.123456789`.
pub(crate) fn may_be_passed(name: &str) -> bool {
    let is_time = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_digit() || b"_.".contains(&byte))
    };
    !name.starts_with('.') && !is_secret(name) || name.strip_prefix("..").is_some_and(is_time)
}

/// Whether a file of this name is a well-known secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == ".git"
        || name == OPTIONS
        || name.starts_with(".env")
        || SECRET_NAMES.contains(&&*name)
        || SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// One segment of a path: a plain name that is neither hidden nor secret.
fn may_be_shown(name: &str) -> bool {
    // The dot rule covers `.` and `..` as well.
    !name.is_empty()
        && length(name) <= LONGEST_NAME
        && !name.starts_with('.')
        && !name.contains(['/', '\\', '\0'])
        && !is_secret(name)
        && means_itself(name)
}

/// The length of a name, as the file systems of this system count.
fn length(name: &str) -> usize {
    if cfg!(any(windows, target_os = "macos")) { name.encode_utf16().count() } else { name.len() }
}

/// Windows finds one file under many names: streams (`a::$DATA`), short names (`TLS~1.PEM`), a trailing dot or space,
/// devices (`NUL`). A rule about names holds only for those that have no second meaning.
fn means_itself(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    if cfg!(not(windows)) {
        return true;
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = stem.len() == 4 && (stem.starts_with("com") || stem.starts_with("lpt"));
    let short = name.bytes().zip(name.bytes().skip(1)).any(|(a, b)| a == b'~' && b.is_ascii_digit());
    !name.contains([':', '<', '>', '"', '|', '?', '*'])
        && !name.ends_with(['.', ' '])
        && !short
        && !numbered
        && !DEVICES.contains(&&*stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Option<&str>) {
        assert_eq!(SitePath::from_url(url).as_ref().map(SitePath::as_str), expected, "{url}");
    }

    #[test]
    fn reads_urls() {
        check("/", Some("/"));
        check("/a", Some("/a"));
        check("/a/", Some("/a/"));
        check("/a/b.json", Some("/a/b.json"));
        check("/Tea%20%26%20cake.jpg", Some("/Tea & cake.jpg"));
        check("/caf%C3%A9.txt", Some("/café.txt"));
        check("/100%25.txt", Some("/100%.txt"));
        check("/50%25%32%46.txt", Some("/50%2F.txt"));
        check("/a..b/c...d", Some("/a..b/c...d"));
        check("/keyboard.html", Some("/keyboard.html"));
    }

    #[test]
    fn refuses_paths_that_leave_the_root() {
        check("", None);
        check("a", None);
        check("//", None);
        check("//etc/passwd", None);
        check("/a//b", None);
        check("/.", None);
        check("/..", None);
        check("/../secret", None);
        check("/a/../../secret", None);
        check("/a/./b", None);
        check("/%2e%2e/secret", None);
        check("/%2E%2e%2fsecret", None);
        check("/a%2f..%2f..%2fsecret", None);
        check("/a%2Fb", None);
        check("/..\\secret", None);
        check("/..%5csecret", None);
        check("/a%00.html", None);
        check("/caf%E9", None);
    }

    #[test]
    fn hidden_files_and_secrets_do_not_exist() {
        check("/.env", None);
        check("/.env.local", None);
        check("/.git/config", None);
        check("/sub/.git/config", None);
        check("/%2egit/config", None);
        check("/.ssh/", None);
        check("/id_rsa", None);
        check("/keys/ID_ED25519", None);
        check("/server.pem", None);
        check("/server.KEY", None);
        check("/store.p12", None);
        check("/savecast.toml", None);
        check("/docs/Savecast.toml", None);
        check("/id_rsa.pub", Some("/id_rsa.pub"));
    }

    #[test]
    fn links_may_pass_volumes_and_nothing_else_that_is_hidden() {
        for name in ["a", "a.b", "..2026_11_21_09_05_03.123456789"] {
            assert!(may_be_passed(name), "{name}");
        }
        for name in [".npmrc", ".aws", "..", "...", "..data_tmp", "..2026x", ".2026", ".env", "server.key"] {
            assert!(!may_be_passed(name), "{name}");
        }
    }

    #[test]
    fn what_no_file_system_has_does_not_exist() {
        let name = "x".repeat(LONGEST_NAME);
        check(&format!("/{name}"), Some(&format!("/{name}")));
        check(&format!("/{name}x"), None);
        check(&format!("/a/{name}x/b"), None);
        let deep = "/a".repeat(LONGEST_PATH / 2);
        check(&deep, Some(&deep));
        check(&format!("{deep}/"), None);
        check(&deep.replace('a', "%61"), Some(&deep));
        let directory = SitePath::from_url(&format!("{}/", &deep[..LONGEST_PATH - 4])).unwrap();
        assert!(directory.file("b").is_some() && directory.directory("b").is_some());
        assert_eq!(directory.file("bcd"), None);
        assert_eq!(directory.directory("bcd"), None);
        assert_eq!(SitePath::root().file(&format!("{name}x")), None);
    }

    #[test]
    fn a_place_has_a_url_and_a_file() {
        let place = SitePath::root().directory("photos").and_then(|photos| photos.file("Tea & cake?.jpg")).unwrap();
        assert_eq!(place.as_str(), "/photos/Tea & cake?.jpg");
        assert_eq!(place.to_url(), "/photos/Tea%20%26%20cake%3F.jpg");
        assert_eq!(SitePath::from_url(&place.to_url()), Some(place.clone()));
        assert_eq!(place.to_file(Path::new("/srv/site")), Path::new("/srv/site/photos/Tea & cake?.jpg"));
        assert_eq!(SitePath::root().to_file(Path::new("/srv/site")), Path::new("/srv/site"));
        assert_eq!(SitePath::root().file(".env"), None);
        assert_eq!(SitePath::root().directory(".."), None);
    }

    #[test]
    fn knows_the_directories_on_the_way() {
        let directories =
            |url| SitePath::from_url(url).unwrap().directories().map(|d| d.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(directories("/a.json"), ["/"]);
        assert_eq!(directories("/a/b/c.json"), ["/", "/a/", "/a/b/"]);
        assert_eq!(directories("/a/b/"), ["/", "/a/", "/a/b/"]);
        assert_eq!(directories("/"), ["/"]);

        assert_eq!(SitePath::from_url("/a/b/").unwrap().name(), "b");
        assert_eq!(SitePath::root().name(), "");
    }
}
