//! HTML → HTML with the client. Pure: bytes in, bytes out, whatever the charset, as long as ASCII means ASCII in it.

use bytes::Bytes;

use crate::content::Version;
use crate::http::urls::CLIENT;
use crate::site::SitePath;

/// The script tag for a page.
///
/// It is a classic script that runs at once: before any other script of the page looks for scripts, listens or loads
/// anything. It is no module, because some browsers refuse import maps that come after the first module.
#[derive(Clone, Copy, Debug)]
pub struct Tag<'a> {
    /// Where the server is for browsers: empty, or a path such as `/app`.
    pub base: &'a str,
    /// What the page was made from, in this version.
    pub path: &'a SitePath,
    /// See there.
    pub version: Version,
    /// What the policy of the page wants.
    pub nonce: Option<&'a str>,
    /// On what else it depends: what was looked for in vain, and the rules of the site.
    pub also: &'a [(SitePath, Version)],
    /// How the client learns what was sent, if another server has made it.
    pub loaded: Option<Loaded>,
}

/// A page of another server.
#[derive(Clone, Copy, Debug)]
pub struct Loaded {
    /// What this load of it is called.
    pub load: u64,
    /// Whether the server may be asked again whether the page is another one.
    pub asks: bool,
}

impl Tag<'_> {
    /// As it stands in the page.
    #[must_use]
    pub fn write(&self) -> String {
        let Self { base, version, also, .. } = self;
        let path = self.path.to_url();
        // Base64, if it is one (Content Security Policy Level 3, section 2.3.1). Anything else could end the attribute.
        let is_nonce =
            |nonce: &&str| nonce.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte));
        let nonce = self.nonce.filter(is_nonce).map(|nonce| format!(" nonce=\"{nonce}\"")).unwrap_or_default();
        let version = version.to_string();
        let also =
            also.iter().map(|(path, version)| format!("{version} {}", path.to_url())).collect::<Vec<_>>().join(" ");
        let (load, ask) = match self.loaded {
            Some(Loaded { load, asks }) => (format!("{load:x}"), if asks { "" } else { "off" }),
            None => (String::new(), ""),
        };
        let more = [("also", also.as_str()), ("loaded", &load), ("ask", ask)];
        let more = more.into_iter().filter(|(_, value)| !value.is_empty());
        let more = more.fold(String::new(), |more, (name, value)| more + " data-" + name + "=\"" + value + "\"");
        [
            "<script src=\"",
            base,
            CLIENT,
            "\" data-path=\"",
            &path,
            "\" data-version=\"",
            &version,
            "\"",
            &nonce,
            &more,
            "></script>",
        ]
        .concat()
    }
}

/// Puts `tag` into a document; `None` if that can't be done: UTF-16 is not made of ASCII.
#[must_use]
pub fn inject(html: &[u8], tag: &str) -> Option<Vec<u8>> {
    if is_utf16(html) {
        return None;
    }
    let (before, after) = html.split_at(place(html));
    Some([before, tag.as_bytes(), after].concat())
}

/// Whether this is a whole document, and no fragment of one: it begins with a doctype or `<html>`.
#[must_use]
pub fn is_whole(html: &[u8]) -> bool {
    place(html) > mark(html)
}

/// How much of a document is held back until the place of the client is known, in bytes.
const HELD: usize = 64 << 10;

/// Puts the client into a document that comes in parts. What has passed its place is sent on at once.
#[derive(Debug)]
pub struct Injector {
    /// What is still to be put in.
    tag: Option<String>,
    /// Whether only a whole document gets it, and no fragment.
    is_for_whole: bool,
    held: Vec<u8>,
    search: Search,
}

impl Injector {
    /// Begins a document. `is_for_whole` says that a fragment stays as it is.
    #[must_use]
    pub fn new(tag: String, is_for_whole: bool) -> Self {
        Self { tag: Some(tag), is_for_whole, held: Vec::new(), search: Search::default() }
    }

    /// The next part, as far as it can be sent on. Perhaps nothing.
    #[must_use]
    pub fn take(&mut self, part: Bytes) -> Bytes {
        if self.tag.is_none() {
            return part;
        }
        self.held.extend_from_slice(&part);
        // Only this ends a tag or a comment, so what comes byte by byte is not read again for each of them.
        let may_go_on = !self.search.is_inside || part.contains(&b'>');
        let is_found = (may_go_on && self.search.go_on(&self.held)) || is_utf16(&self.held);
        if is_found || self.held.len() > HELD { self.finish() } else { Bytes::new() }
    }

    /// What is left at the end.
    #[must_use]
    pub fn finish(&mut self) -> Bytes {
        let Some(tag) = self.tag.take() else { return Bytes::new() };
        let held = std::mem::take(&mut self.held);
        let is_fragment = self.search.place <= mark(&held);
        if is_utf16(&held) || (self.is_for_whole && is_fragment) {
            return held.into();
        }
        let (before, after) = held.split_at(self.search.place);
        [before, tag.as_bytes(), after].concat().into()
    }
}

/// UTF-16 is not made of ASCII.
fn is_utf16(html: &[u8]) -> bool {
    html.starts_with(b"\xff\xfe") || html.starts_with(b"\xfe\xff")
}

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// How long the mark is, if there is one.
fn mark(html: &[u8]) -> usize {
    if html.starts_with(MARK) { MARK.len() } else { 0 }
}

/// The first place in a document where a script may stand: inside of `<head>` if that is written down, else after
/// `<html>`, the doctype or the byte order mark, where a parser opens the head by itself.
fn place(html: &[u8]) -> usize {
    let mut search = Search::default();
    search.go_on(html);
    search.place
}

/// The longest beginning of a tag that has to be seen to know which one it is.
const LONGEST_TAG: usize = b"<!doctype".len() + 1;

/// Looks for the place, in as much of a document as has come.
///
/// Only what precedes the head is read, so this takes no longer for a long page, and nothing in scripts, comments or
/// text can be mistaken for a tag. As the first script of the head it comes before a `<base>` that could lead its URL
/// away. (WHATWG HTML, section 13.2.6, insertion modes *initial* to *in head*.)
#[derive(Debug, Default)]
struct Search {
    /// How far it was read.
    at: usize,
    /// The place, as far as it is known.
    place: usize,
    /// Whether that is in the midst of a tag or a comment.
    is_inside: bool,
}

impl Search {
    /// Goes on with the same document, of which more has come. True if the place stays so whatever comes behind.
    fn go_on(&mut self, html: &[u8]) -> bool {
        if html.len() < MARK.len() && MARK.starts_with(html) {
            return false;
        }
        if self.at == 0 {
            (self.at, self.place) = (mark(html), mark(html));
        }
        loop {
            self.at += html[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let rest = &html[self.at..];
            let (end, may_stand_behind) = if rest.starts_with(b"<!--") {
                (end_of_comment(rest), false)
            } else if starts_with_ignoring_case(rest, b"<!doctype") {
                (position(rest, b">"), true)
            } else if rest.starts_with(b"<!") || rest.starts_with(b"<?") {
                // A bogus comment, such as an XML declaration.
                (position(rest, b">"), false)
            } else if is_tag(rest, b"<html") {
                (end_of_tag(rest), true)
            } else if is_tag(rest, b"<head") {
                let end = end_of_tag(rest);
                self.is_inside = end.is_none();
                self.place = end.map_or(self.place, |end| self.at + end);
                return end.is_some();
            } else {
                let is_begun = rest.is_empty() || (rest[0] == b'<' && rest.len() < LONGEST_TAG);
                return !is_begun;
            };
            // What is never closed swallows the rest of the document.
            self.is_inside = end.is_none();
            let Some(end) = end else { return false };
            self.at += end;
            if may_stand_behind {
                self.place = self.at;
            }
        }
    }
}

fn is_tag(html: &[u8], tag: &[u8]) -> bool {
    starts_with_ignoring_case(html, tag)
        && html.get(tag.len()).is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))
}

fn starts_with_ignoring_case(html: &[u8], text: &[u8]) -> bool {
    html.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text))
}

/// The offset behind the `>` of the tag that begins here; one inside a quoted attribute value doesn't count.
fn end_of_tag(html: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (at, &byte) in html.iter().enumerate() {
        match quote {
            None if byte == b'>' => return Some(at + 1),
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            Some(open) if byte == open => quote = None,
            None | Some(_) => {}
        }
    }
    None
}

/// The offset behind the comment that begins here. `<!-->` and `<!--->` are comments too.
fn end_of_comment(html: &[u8]) -> Option<usize> {
    if html.starts_with(b"<!-->") {
        return Some(5);
    }
    if html.starts_with(b"<!--->") {
        return Some(6);
    }
    let ends = [position(&html[4..], b"-->"), position(&html[4..], b"--!>")];
    ends.into_iter().flatten().min().map(|end| end + 4)
}

/// The offset behind the first `text`.
fn position(html: &[u8], text: &[u8]) -> Option<usize> {
    html.windows(text.len()).position(|window| window == text).map(|start| start + text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `|` marks the place.
    #[track_caller]
    fn check(expected: &str) {
        let html = expected.replace('|', "");
        let injected = inject(html.as_bytes(), "|").expect("ASCII");
        assert_eq!(String::from_utf8(injected).unwrap(), expected);
    }

    #[test]
    fn the_script_comes_first_in_the_head() {
        check("<!doctype html><html><head>|<title>a</title></head><body></body></html>");
        check("<!DOCTYPE HTML>\n<HTML lang=en>\n<HEAD>|\n<meta charset=utf-8>");
        check("<html><head data-a='>' data-b=\">\">|<base href=https://elsewhere.example/>");
        check("<!-- a > b --><!doctype html><!-- <head> --><html><!----><head\n>|");
        check(
            "<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"x.dtd\"><html><head/>|",
        );
    }

    #[test]
    fn the_place_is_known_as_soon_as_it_can_be() {
        for html in [
            "<!doctype html><html><head>|<title>a</title>",
            "<!-- a --><html><head a='>'>|<base>",
            "<!DOCTYPE html>|<p>hello, world",
            "|hello",
            "<html>|<body class=a>hello",
            "\u{feff}<!doctype html><head>|",
        ] {
            let whole = html.replace('|', "");
            for part in [1, 2, 3, 7, whole.len()] {
                let mut injector = Injector::new("|".to_owned(), false);
                let parts = whole.as_bytes().chunks(part).map(Bytes::copy_from_slice);
                let sent = parts.map(|part| injector.take(part)).collect::<Vec<_>>();
                assert_eq!(sent.concat(), html.as_bytes(), "it is there before the end, {part} at a time");
                assert!(injector.finish().is_empty());
            }
        }
        for unknown in ["", "<", "<!doctype html>", "<!doctype html><hea", "<head a='>", "<!-- <head>", "<html><!"] {
            let mut injector = Injector::new("|".to_owned(), false);
            assert_eq!(injector.take(Bytes::from_static(unknown.as_bytes())), "", "{unknown}");
            assert_eq!(injector.finish(), inject(unknown.as_bytes(), "|").unwrap());
        }
    }

    #[test]
    fn what_comes_in_parts_is_held_back_up_to_a_bound() {
        let mut injector = Injector::new("|".to_owned(), false);
        let comment = format!("<!doctype html><!-- {}", "x".repeat(HELD));
        let sent = injector.take(comment.clone().into());
        assert_eq!(sent, comment.replace("html>", "html>|"));
        // A fragment for a script stays as it is, and so does UTF-16.
        for (html, is_for_whole) in [(&b"<li>a"[..], true), (b"\xff\xfe<\0h\0", false)] {
            let mut injector = Injector::new("|".to_owned(), is_for_whole);
            let sent = injector.take(html.into());
            assert_eq!([sent, injector.finish()].concat(), html);
        }
        let mut injector = Injector::new("|".to_owned(), true);
        assert_eq!(injector.take("<!doctype html><head><p>".into()), "<!doctype html><head>|<p>");
    }

    #[test]
    fn pages_without_head_or_body_are_live_too() {
        check("|");
        check("|hello");
        check("|\n<p>hello");
        check("<!doctype html>|");
        check("<!doctype html>|\n<title>a</title>");
        check("<!doctype html><html>|<body><p>a");
        check("<html lang=\"a>b\">|\n<header>a</header>");
        check("|<script>\"<head>\"</script></body>");
        check("|<!-- never closed <head>");
        check("|<!--><p>a");
        check("<!--> <html>|");
        check("<!---><html>|");
        check("<!-- a --!><html>|");
        check("\u{feff}<!doctype html>|<p>");
        check("\u{feff}|<p>");
        check("<!doctype html|".trim_end_matches('|').replacen("<!", "|<!", 1).as_str());
    }

    #[test]
    fn a_document_is_whole_and_a_fragment_is_not() {
        for whole in ["<!doctype html>", "<!-- a --><HTML lang=en><p>", "\u{feff}<!doctype html><p>", "<head><title>a"]
        {
            assert!(is_whole(whole.as_bytes()), "{whole}");
        }
        for fragment in ["", "<li>a", "\u{feff}<p>", "<header>a", "<!doctype html"] {
            assert!(!is_whole(fragment.as_bytes()), "{fragment}");
        }
    }

    #[test]
    fn other_charsets_keep_their_bytes() {
        let latin = b"<!doctype html><head><meta charset=windows-1252><title>caf\xe9</title>";
        let injected = inject(latin, "|").unwrap();
        assert_eq!(injected, b"<!doctype html><head>|<meta charset=windows-1252><title>caf\xe9</title>");
        assert_eq!(inject(b"\xff\xfe<\0h\0", "|"), None);
        assert_eq!(inject(b"\xfe\xff\0<\0h", "|"), None);
    }

    // Windows has no such names.
    #[cfg(not(windows))]
    #[test]
    fn the_tag_is_ascii_and_can_not_be_broken_out_of() {
        let path = SitePath::root().file("\"><script>é.html").unwrap();
        let tag = |nonce| {
            Tag { base: "", path: &path, version: Version::ABSENT, nonce: Some(nonce), also: &[], loaded: None }.write()
        };
        let plain = tag("r4nd0m+/=");
        assert!(plain.is_ascii());
        assert!(plain.contains("data-path=\"/%22%3E%3Cscript%3E%C3%A9.html\""));
        assert!(plain.contains("nonce=\"r4nd0m+/=\""));
        assert!(!tag("\"><b>").contains("nonce"));
    }
}
