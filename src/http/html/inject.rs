//! HTML → HTML with the client. Pure: bytes in, bytes out, whatever the charset, as long as ASCII means ASCII in it.

use crate::content::Version;
use crate::site::SitePath;

/// The script tag for a page that is served from `path` with this version, and with this nonce if its policy wants one.
///
/// It is a classic script that runs at once: before any other script of the page looks for scripts, listens or loads
/// anything. It is no module, because some browsers refuse import maps that come after the first module.
#[must_use]
pub fn tag(path: &SitePath, version: Version, nonce: Option<&str>) -> String {
    let path = path.to_url();
    // Base64, if it is one (Content Security Policy Level 3, section 2.3.1). Anything else could end the attribute.
    let is_nonce = |nonce: &&str| nonce.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte));
    let nonce = nonce.filter(is_nonce).map(|nonce| format!(" nonce=\"{nonce}\"")).unwrap_or_default();
    format!("<script src=\"/_savecast/client.js\" data-path=\"{path}\" data-version=\"{version}\"{nonce}></script>")
}

/// Puts `tag` into a document; `None` if that can't be done: UTF-16 is not made of ASCII.
#[must_use]
pub fn inject(html: &[u8], tag: &str) -> Option<Vec<u8>> {
    if html.starts_with(b"\xff\xfe") || html.starts_with(b"\xfe\xff") {
        return None;
    }
    let (before, after) = html.split_at(place(html));
    Some([before, tag.as_bytes(), after].concat())
}

/// Whether this is a whole document, and no fragment of one: it begins with a doctype or `<html>`.
#[must_use]
pub fn is_whole(html: &[u8]) -> bool {
    place(html) > if html.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
}

/// The first place in a document where a script may stand: inside of `<head>` if that is written down, else after
/// `<html>`, the doctype or the byte order mark, where a parser opens the head by itself.
///
/// Only what precedes the head is read, so this takes no longer for a long page, and nothing in scripts, comments or
/// text can be mistaken for a tag. As the first script of the head it comes before a `<base>` that could lead its URL
/// away. (WHATWG HTML, section 13.2.6, insertion modes *initial* to *in head*.)
fn place(html: &[u8]) -> usize {
    let mut at = if html.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut place = at;
    loop {
        at += html[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let rest = &html[at..];
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
            return end_of_tag(rest).map_or(place, |end| at + end);
        } else {
            return place;
        };
        // What is never closed swallows the rest of the document.
        let Some(end) = end else { return place };
        at += end;
        if may_stand_behind {
            place = at;
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

    #[test]
    fn the_tag_is_ascii_and_can_not_be_broken_out_of() {
        let path = SitePath::root().file("\"><script>é.html").unwrap();
        let tag = tag(&path, Version::ABSENT, Some("r4nd0m+/="));
        assert!(tag.is_ascii());
        assert!(tag.contains("data-path=\"/%22%3E%3Cscript%3E%C3%A9.html\""));
        assert!(tag.contains("nonce=\"r4nd0m+/=\""));
        assert!(!super::tag(&path, Version::ABSENT, Some("\"><b>")).contains("nonce"));
    }
}
