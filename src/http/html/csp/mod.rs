//! The Content Security Policies that a page declares of itself, in `<meta>` elements, and what they mean for the client; and how
//! those of headers are widened for it. Pure.

pub(crate) mod widen;

use memchr::memchr;
use memchr::memchr_iter;
use memchr::memmem;

/// How far into a page it is looked for. A policy counts only inside of the head.
const HEAD: usize = 16 << 10;

/// What the policies of a page say of the client.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The nonce that scripts need.
    pub(crate) nonce: Option<String>,
    /// The directive that forbids the client, as it is written.
    pub(crate) forbids: Option<String>,
}

/// Reads the policies (Content Security Policy Level 3, sections 3.3 and 6.8).
#[must_use]
pub(crate) fn verdict(html: &[u8]) -> Verdict {
    judge(policies(&html[..html.len().min(HEAD)]))
}

/// Reads policies that a header or a page declares.
pub(crate) fn judge(policies: impl IntoIterator<Item = String>) -> Verdict {
    let mut verdict = Verdict::default();
    for policy in policies {
        let scripts = directive(&policy, &["script-src-elem", "script-src", "default-src"]);
        if let Some((written, sources)) = scripts {
            let nonce = sources.iter().find_map(|source| source.strip_prefix("'nonce-")?.strip_suffix('\''));
            match nonce {
                Some(nonce) => verdict.nonce = Some(nonce.to_owned()),
                None if !allows_us(&sources) => verdict.forbids = Some(written.to_owned()),
                None => {}
            }
        }
        if let Some((written, sources)) = directive(&policy, &["connect-src", "default-src"])
            && !allows_us(&sources)
        {
            verdict.forbids.get_or_insert_with(|| written.to_owned());
        }
    }
    verdict
}

/// The first of these directives that the policy has, and its sources.
pub(super) fn directive<'a>(policy: &'a str, names: &[&str]) -> Option<(&'a str, Vec<&'a str>)> {
    names.iter().find_map(|name| {
        policy.split(';').find_map(|directive| {
            let mut words = directive.split_ascii_whitespace();
            let is_it = words.next().is_some_and(|first| first.eq_ignore_ascii_case(name));
            is_it.then(|| (directive.trim(), words.collect()))
        })
    })
}

/// Whether the server of the page is among the sources. Of the name of a server, it may be this one.
fn allows_us(sources: &[&str]) -> bool {
    sources.iter().any(|source| source.eq_ignore_ascii_case("'self'") || !source.starts_with('\''))
}

/// The elements of a head in which no markup of it stands.
const WITH_TEXT: [&str; 6] = ["script", "style", "title", "noscript", "noframes", "template"];

/// The other elements of a head. What is none of them begins the body (WHATWG HTML, section 13.2.6.4.4).
const WITHOUT_TEXT: [&str; 7] = ["html", "head", "meta", "link", "base", "basefont", "bgsound"];

/// The policies in the `<meta>` elements of a head.
fn policies(html: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(start) = memchr(b'<', rest) {
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix(b"!--") {
            rest = memmem::find(comment, b"-->").map_or(&[], |end| &comment[end..]);
            continue;
        }
        // The end of an element, or a doctype.
        if !rest.first().is_some_and(u8::is_ascii_alphabetic) {
            continue;
        }
        let (name, behind) = rest.split_at(until(rest, b"/>"));
        let is_one_of = |names: &[&str]| names.iter().any(|it| name.eq_ignore_ascii_case(it.as_bytes()));
        // A `<` in the value of an attribute begins nothing.
        let (attributes, behind) = attributes(behind);
        rest = behind;
        if is_one_of(&WITH_TEXT) {
            rest = &behind[end_of_text(behind, name)..];
        } else if name.eq_ignore_ascii_case(b"meta") {
            let value = |name: &str| {
                let is_it = |(found, _): &&(&[u8], _)| found.eq_ignore_ascii_case(name.as_bytes());
                attributes.iter().find(is_it).map(|(_, value)| *value)
            };
            let is_policy = |value: &[u8]| value.trim_ascii().eq_ignore_ascii_case(b"content-security-policy");
            if value("http-equiv").is_some_and(is_policy)
                && let Some(content) = value("content")
            {
                let content = String::from_utf8_lossy(content);
                found.push(content.replace("&#39;", "'").replace("&apos;", "'").replace("&quot;", "\""));
            }
        } else if !is_one_of(&WITHOUT_TEXT) {
            break;
        }
    }
    found
}

/// How long it is until white space or one of these bytes.
fn until(html: &[u8], ends: &[u8]) -> usize {
    html.iter().position(|byte| byte.is_ascii_whitespace() || ends.contains(byte)).unwrap_or(html.len())
}

/// Where the text in an element of this name ends.
fn end_of_text(html: &[u8], name: &[u8]) -> usize {
    let is_end = |at: &usize| {
        let tag = html[at + 1..].strip_prefix(b"/").and_then(|tag| tag.get(..name.len()));
        tag.is_some_and(|tag| tag.eq_ignore_ascii_case(name))
    };
    memchr_iter(b'<', html).find(is_end).unwrap_or(html.len())
}

/// Names and values.
type Attributes<'a> = Vec<(&'a [u8], &'a [u8])>;

/// The attributes of a tag, and what stands behind it.
fn attributes(mut rest: &[u8]) -> (Attributes<'_>, &[u8]) {
    let mut found = Vec::new();
    loop {
        let is_between = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'/';
        let start = rest.iter().position(|byte| !is_between(byte)).unwrap_or(rest.len());
        rest = &rest[start..];
        let (name, behind) = rest.split_at(until(rest, b"=>/"));
        if name.is_empty() {
            return (found, behind);
        }
        rest = behind.trim_ascii_start();
        let mut value: &[u8] = b"";
        if let Some(behind) = rest.strip_prefix(b"=") {
            let behind = behind.trim_ascii_start();
            (value, rest) = match behind {
                [quote @ (b'"' | b'\''), quoted @ ..] => match memchr(*quote, quoted) {
                    Some(end) => (&quoted[..end], &quoted[end + 1..]),
                    None => (quoted, &[][..]),
                },
                _ => behind.split_at(until(behind, b">")),
            };
        }
        found.push((name, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(policy: &str, nonce: Option<&str>, forbids: Option<&str>) {
        let html = format!(
            "<!doctype html><head><!-- <meta> --><title><b></title><META content=\"{policy}\" http-equiv='Content-Security-Policy'><p>"
        );
        let expected = Verdict { nonce: nonce.map(Into::into), forbids: forbids.map(Into::into) };
        assert_eq!(verdict(html.as_bytes()), expected, "{policy}");
    }

    #[test]
    fn policies_say_what_the_client_needs() {
        check("img-src 'none'", None, None);
        check("default-src 'self'", None, None);
        check("default-src *; script-src http://127.0.0.1:3000", None, None);
        check("script-src 'none'", None, Some("script-src 'none'"));
        check("default-src 'none'; style-src 'self'", None, Some("default-src 'none'"));
        check("default-src 'none'; script-src 'self'", None, Some("default-src 'none'"));
        check("default-src 'none'; script-src 'self'; connect-src 'self'", None, None);
        check("script-src 'sha256-AAAA' 'unsafe-inline'", None, Some("script-src 'sha256-AAAA' 'unsafe-inline'"));
        check("Script-Src 'nonce-r4nd0m' 'strict-dynamic'", Some("r4nd0m"), None);
        check("script-src &#39;nonce-a&#39;; connect-src 'none'", Some("a"), Some("connect-src 'none'"));
    }

    #[test]
    fn what_stands_in_an_attribute_begins_no_body() {
        let policy = "<meta http-equiv=content-security-policy content=\"script-src 'nonce-a'\">";
        for before in [
            "<link rel=icon href=\"data:image/svg+xml,<svg xmlns='x'><text>a</text></svg>\">",
            "<link rel=icon href=data:,<svg/>",
            "<html title='<body>'><head data-x='<p>'>",
            "<meta name=description content='<p>'>",
            "<script data-x='</script><p>'></script>",
        ] {
            let expected = Verdict { nonce: Some("a".to_owned()), forbids: None };
            assert_eq!(verdict(format!("<!doctype html>{before}{policy}").as_bytes()), expected, "{before}");
        }
    }

    #[test]
    fn only_the_head_has_policies() {
        for html in [
            "",
            "<meta",
            "<meta http-equiv",
            "<meta http-equiv=content-security-policy>",
            "<meta http-equiv=refresh content=\"script-src 'none'\">",
            "<body><meta http-equiv=content-security-policy content=\"script-src 'none'\">",
            "<!-- <meta http-equiv=content-security-policy content=\"script-src 'none'\"> -->",
            "<script>'<meta http-equiv=content-security-policy content=\"script-src \\'none\\'\">'</script>",
            "<title></titl</TITLE><p><meta http-equiv=content-security-policy content=\"script-src 'none'\">",
            "<my-element><meta http-equiv=content-security-policy content=\"script-src 'none'\">",
            "<meta-data http-equiv=content-security-policy content=\"script-src 'none'\">",
        ] {
            assert_eq!(verdict(html.as_bytes()), Verdict::default(), "{html}");
        }
    }
}
