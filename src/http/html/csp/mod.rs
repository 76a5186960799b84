//! The Content Security Policies that a page declares of itself, in `<meta>` elements, and what they mean for the client; and how
//! those of headers are widened for it. Pure.

pub(crate) mod widen;

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
    let head = &html[..html.len().min(HEAD)];
    judge(policies(&String::from_utf8_lossy(head)))
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

/// The policies in the `<meta>` elements of a head.
fn policies(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let name = rest.split(|byte: char| !byte.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_lowercase();
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").unwrap_or_default().1;
        } else if name == "body" {
            break;
        } else if matches!(name.as_str(), "script" | "style" | "title" | "noscript" | "template") {
            // What stands inside is no markup of the head.
            let end = rest.to_ascii_lowercase().find(&format!("</{name}"));
            rest = end.map_or("", |end| &rest[end + 2..]);
        } else if name == "meta" {
            let (attributes, behind) = attributes(&rest[name.len()..]);
            let value = |name: &str| attributes.iter().find(|(found, _)| found == name).map(|(_, value)| *value);
            if value("http-equiv").is_some_and(|value| value.trim().eq_ignore_ascii_case("content-security-policy")) {
                let quote = |text: &str| text.replace("&#39;", "'").replace("&apos;", "'").replace("&quot;", "\"");
                found.extend(value("content").map(quote));
            }
            rest = behind;
        }
    }
    found
}

/// The attributes of a tag, and what stands behind it.
fn attributes(mut rest: &str) -> (Vec<(String, &str)>, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|byte: char| byte.is_ascii_whitespace() || byte == '/');
        let end = rest.find(|byte: char| byte.is_ascii_whitespace() || "=>/".contains(byte)).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        if name.is_empty() {
            return (found, behind);
        }
        rest = behind.trim_start();
        let mut value = "";
        if let Some(behind) = rest.strip_prefix('=') {
            let behind = behind.trim_start();
            (value, rest) = match behind.chars().next() {
                Some(quote @ ('"' | '\'')) => behind[1..].split_once(quote).unwrap_or((&behind[1..], "")),
                _ => behind.split_at(
                    behind.find(|byte: char| byte.is_ascii_whitespace() || byte == '>').unwrap_or(behind.len()),
                ),
            };
        }
        found.push((name.to_ascii_lowercase(), value));
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
        ] {
            assert_eq!(verdict(html.as_bytes()), Verdict::default(), "{html}");
        }
    }
}
