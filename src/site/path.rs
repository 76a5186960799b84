//! A URL becomes a [`SitePath`]: a place inside the served root that may be shown.

use std::fmt;
use std::hash::Hash;
use std::hash::Hasher;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::AsciiSet;
use percent_encoding::CONTROLS;
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

/// The longest URL of an answer that is followed, in bytes. Longer ones are answered, and not live.
const LONGEST_URL: usize = 8000;

/// What stands for all pages of another server: a query that is ours, and never reaches that server.
const PAGES: &str = "?savecast";

/// What stays as it is in the URL of an answer: all that a browser may send, but for what ends a quoted text.
const IN_ANSWER: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\');

/// A place of the site, such as `/data.json`, or `/photos/` for a directory.
///
/// Whoever holds one need not check again: it has no `.` or `..`, no empty, hidden or secret segment, no separator in
/// disguise, is not percent-encoded, and no longer than a file system allows. It says nothing about whether something is there; links are judged by
/// the directory when it opens the file.
///
/// Or it is the [answer](Self::answer) of another server. That has its URL for a name, is in no directory, and is no file.
///
/// ```
/// use savecast::SitePath;
///
/// let path = SitePath::from_url("/photos/Tea%20%26%20cake.jpg").expect("a path");
/// assert_eq!(path.as_str(), "/photos/Tea & cake.jpg");
/// assert_eq!(SitePath::from_url("/../secret"), None);
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SitePath {
    text: Arc<str>,
    of: Of,
}

/// Whose place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    /// A directory's.
    Directory,
    /// All pages of another server.
    Pages,
    /// Another server's, of whose answer only the version counts.
    Answer,
    /// The same with its contents, as it is for those who ask with these credentials.
    AnswerTo(u64),
}

impl SitePath {
    /// The served directory itself, `/`.
    #[must_use]
    pub fn root() -> Self {
        Self::plain("/")
    }

    fn plain(text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into(), of: Of::Directory }
    }

    /// What another server answers at a URL, which stands here with its query as in a request. Only its version counts.
    #[must_use]
    pub fn answer(url: &str) -> Option<Self> {
        let is_url = url.starts_with('/') && url.len() <= LONGEST_URL;
        // A query with nothing in it is none for a browser.
        let url = url.strip_suffix('?').unwrap_or(url);
        let of = if url.ends_with(PAGES) { Of::Pages } else { Of::Answer };
        is_url.then(|| Self { text: utf8_percent_encode(url, IN_ANSWER).to_string().into(), of })
    }

    /// All pages of another server, which is mounted at this directory. What they are made from, only that server knows, so they
    /// have one version in common: that of the last save.
    #[must_use]
    pub fn pages(directory: &Self) -> Self {
        Self { text: format!("{}{PAGES}", directory.as_directory().to_url()).into(), of: Of::Pages }
    }

    /// Whether this stands for all pages of another server.
    #[must_use]
    pub fn is_pages(&self) -> bool {
        self.of == Of::Pages
    }

    /// The same with its contents, as it is for those who ask with these credentials, of which this is a hash.
    #[must_use]
    pub fn answer_to(url: &str, credentials: u64) -> Option<Self> {
        Self::answer(url).map(|answer| Self { of: Of::AnswerTo(credentials), ..answer })
    }

    /// Whether this is what another server answers, and in no directory.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        self.of != Of::Directory
    }

    /// Whether this is an answer with its contents.
    #[must_use]
    pub fn is_answer_with_contents(&self) -> bool {
        matches!(self.of, Of::AnswerTo(_))
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
        (decoded.len() <= LONGEST_PATH).then(|| Self::plain(decoded))
    }

    /// A file of this directory.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<Self> {
        self.may_have(name).then(|| Self::plain(format!("{}{name}", self.text)))
    }

    /// A directory of this directory.
    #[must_use]
    pub fn directory(&self, name: &str) -> Option<Self> {
        self.may_have(name).then(|| Self::plain(format!("{}{name}/", self.text)))
    }

    /// Whether this directory may have an entry of this name, file or directory, as far as it is shown.
    #[must_use]
    pub fn may_have(&self, name: &str) -> bool {
        self.is_directory() && self.text.len() + name.len() < LONGEST_PATH && may_be_shown(name)
    }

    /// Where this is in a directory: `/a/b` is `/b` in `/a/`. `None` if it is not in it. An answer keeps its whole URL, by which
    /// the other server knows it.
    #[must_use]
    pub fn below(&self, directory: &Self) -> Option<Self> {
        // Most are in the root.
        if directory.text.len() == 1 {
            return Some(self.clone());
        }
        if self.is_answer() {
            return self.text.starts_with(&directory.as_directory().to_url()).then(|| self.clone());
        }
        let rest = self.text.strip_prefix(&*directory.as_directory().text)?;
        Some(Self::plain(format!("/{rest}")))
    }

    /// The same place, said to be a directory.
    #[must_use]
    pub fn as_directory(&self) -> Self {
        if self.is_directory() { self.clone() } else { Self::plain(format!("{}/", self.text)) }
    }

    /// The same place, said to be a file; `None` for the root.
    #[must_use]
    pub fn as_file(&self) -> Option<Self> {
        match self.text.strip_suffix('/') {
            Some("") => None,
            Some(file) => Some(Self::plain(file)),
            None => Some(self.clone()),
        }
    }

    /// The page that a URL without an ending means: `/about.html` for `/about`.
    #[must_use]
    pub fn page(&self) -> Option<Self> {
        let name = format!("{}.html", self.name());
        let is_page = !self.is_directory() && self.text.len() + 5 <= LONGEST_PATH && may_be_shown(&name);
        is_page.then(|| Self::plain(format!("{}.html", self.text)))
    }

    /// Whether this is said to be a directory: it ends in a slash.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.text.ends_with('/') && !self.is_answer()
    }

    /// The directories that lead here, from the root down; for a directory, it is the last of them.
    pub fn directories(&self) -> impl Iterator<Item = SitePath> + '_ {
        self.text.match_indices('/').map(|(slash, _)| Self::plain(&self.text[..=slash]))
    }

    /// The last segment, without a slash; empty for the root.
    #[must_use]
    pub fn name(&self) -> &str {
        let path = if self.is_answer() { self.text.split('?').next().unwrap_or_default() } else { &self.text };
        let path = path.strip_suffix('/').unwrap_or(path);
        &path[path.rfind('/').map_or(0, |slash| slash + 1)..]
    }

    /// The path as people write it, not percent-encoded: `/photos/Tea & cake.jpg`. Of an answer, it is the URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The path as it stands in a URL: ASCII, and safe inside a quoted HTML attribute.
    #[must_use]
    pub fn to_url(&self) -> String {
        if self.is_answer() { self.text.to_string() } else { utf8_percent_encode(&self.text, IN_URL).to_string() }
    }

    /// Where this is in the file system; `None` for an answer, which is nowhere.
    #[must_use]
    pub fn to_file(&self, root: &Path) -> Option<PathBuf> {
        if self.is_answer() {
            return None;
        }
        let mut file = PathBuf::with_capacity(root.as_os_str().len() + self.text.len());
        file.push(root);
        file.extend(self.text.split('/').filter(|segment| !segment.is_empty()));
        Some(file)
    }
}

/// Paths are looked up for each listener of each update. Only credentials may tell many of them apart that have the same text.
impl Hash for SitePath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
        if let Of::AnswerTo(credentials) = self.of {
            credentials.hash(state);
        }
    }
}

impl fmt::Debug for SitePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for SitePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
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

/// Whether a name has no second meaning on this system. A rule about names holds only for those.
fn means_itself(name: &str) -> bool {
    cfg!(not(windows)) || means_itself_on_windows(name)
}

/// Windows finds one file under many names: streams (`a::$DATA`), short names (`TLS~1.PEM`), a trailing dot or space,
/// devices (`NUL`, `COM1.txt`), of which Microsoft's "Naming Files, Paths, and Namespaces" has the list.
fn means_itself_on_windows(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let number = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    // The superscripts of ISO 8859-1 are digits there.
    let is_digit = |letter: char| letter.is_ascii_digit() || "¹²³".contains(letter);
    let numbered = number.is_some_and(|number| number.chars().count() == 1 && number.chars().all(is_digit));
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
    fn on_windows_names_with_a_second_meaning_do_not_exist() {
        for name in [
            "a::$DATA",
            "a:b",
            "a.txt.",
            "a ",
            "TLS~1.PEM",
            "a?",
            "NUL",
            "nul.txt",
            "Con",
            "aux .txt",
            "CONIN$",
            "COM1",
            "com9.txt",
            "COM¹",
            "lpt².txt",
            "LPT³ ",
            "com0",
        ] {
            assert!(!means_itself_on_windows(name), "{name}");
        }
        for name in ["a", "a.b", "a b~.txt", "comb.html", "com", "com10", "lpts", "COM⁴", "console", "é¹", "null"] {
            assert!(means_itself_on_windows(name), "{name}");
        }
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
        let place = SitePath::root().directory("photos").and_then(|photos| photos.file("Tea & 100%.jpg")).unwrap();
        assert_eq!(place.as_str(), "/photos/Tea & 100%.jpg");
        assert_eq!(place.to_url(), "/photos/Tea%20%26%20100%25.jpg");
        assert_eq!(SitePath::from_url(&place.to_url()), Some(place.clone()));
        let file = |place: &SitePath| place.to_file(Path::new("/srv/site")).unwrap();
        assert_eq!(file(&place), Path::new("/srv/site/photos/Tea & 100%.jpg"));
        assert_eq!(file(&SitePath::root()), Path::new("/srv/site"));
        assert_eq!(SitePath::root().file(".env"), None);
        assert_eq!(SitePath::root().directory(".."), None);
        // Windows has no such names.
        #[cfg(not(windows))]
        {
            let place = SitePath::root().directory("photos").and_then(|photos| photos.file("Tea & cake?.jpg")).unwrap();
            assert_eq!(place.to_url(), "/photos/Tea%20%26%20cake%3F.jpg");
            assert_eq!(SitePath::from_url(&place.to_url()), Some(place.clone()));
            assert_eq!(file(&place), Path::new("/srv/site/photos/Tea & cake?.jpg"));
        }
    }

    #[test]
    fn an_answer_of_another_server_is_no_file() {
        let answer = SitePath::answer("/../.env?a=\"b\"&c=é").unwrap();
        assert_eq!(answer.as_str(), "/../.env?a=%22b%22&c=%C3%A9");
        assert_eq!(answer.to_file(Path::new("/srv/site")), None);
        assert_eq!(answer.below(&SitePath::root()), Some(answer.clone()));
        assert!(SitePath::answer("/a/?savecast").unwrap().is_pages());
        assert_eq!(SitePath::pages(&SitePath::from_url("/a").unwrap()).to_url(), "/a/?savecast");
        let plain = SitePath::answer("/a").unwrap();
        assert_ne!(Some(&plain), SitePath::from_url("/a").as_ref());
        assert_ne!(Some(&plain), SitePath::answer_to("/a", 1).as_ref());
        let place = SitePath::from_url("/a b").unwrap();
        for (url, is_below) in [("/a%20b/c?d", true), ("/a%20b", false), ("/a b/c", true), ("/a%20bc/", false)] {
            assert_eq!(SitePath::answer(url).unwrap().below(&place).is_some(), is_below, "{url}");
        }
        assert_eq!(SitePath::answer("/a/b.css?v=/1/").unwrap().name(), "b.css");
        assert!(!SitePath::answer("/a/").unwrap().is_directory());
        assert_eq!(SitePath::answer("*"), None);
        assert_eq!(SitePath::answer(&format!("/{}", "a".repeat(LONGEST_URL))), None);
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
