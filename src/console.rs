//! Shows notices at the terminal, in the words of the person who reads it.

use std::error::Error;
use std::fmt;
use std::fmt::Write as _;
use std::io;
use std::io::Write as _;
use std::iter;
#[cfg(feature = "cli")]
use std::time::Duration;

#[cfg(feature = "cli")]
use serde_json::Value;
#[cfg(feature = "cli")]
use serde_json::json;

use crate::hub::Report;
use crate::notice::Notice;
#[cfg(feature = "cli")]
use crate::site::SitePath;
use crate::site::resolve::RuleRemark;
use crate::site::rules::line::Remark;
#[cfg(feature = "cli")]
use crate::site::rules::line::RemarkKind;
use crate::watch::Cause;
use crate::watch::Polled;

/// Says it: what was asked for on standard output, the rest on standard error.
pub fn say(notice: &Notice<'_>) {
    // What goes well is for those who look at the terminal of the command.
    if matches!(notice, Notice::Effect { .. } | Notice::Sent { .. } | Notice::Request { .. }) {
        return;
    }
    let text = format!("{notice}\n");
    // Nobody reads it if this fails, and the server is still of use.
    drop(match notice {
        Notice::Ready { .. } | Notice::Trust { .. } | Notice::StartAgain | Notice::Running { .. } => {
            io::stdout().lock().write_all(text.as_bytes())
        }
        _ => io::stderr().lock().write_all(text.as_bytes()),
    });
}

/// How much a notice matters.
#[cfg(feature = "cli")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Plain,
    /// What to do about something.
    Hint,
    /// Something is not as it could be.
    Warning,
    /// Something is broken.
    Problem,
}

/// How much this one matters.
#[cfg(feature = "cli")]
pub fn tone(notice: &Notice<'_>) -> Tone {
    match notice {
        Notice::Ready { .. }
        | Notice::Certificate { .. }
        | Notice::Running { .. }
        | Notice::Trust { .. }
        | Notice::StartAgain
        | Notice::Mkcert { .. }
        | Notice::NoAuthority
        | Notice::Sent { .. }
        | Notice::Effect { .. }
        | Notice::Request { .. }
        | Notice::Rule { remark: Remark { kind: RemarkKind::Differs, .. }, .. }
        | Notice::RuleUse { .. } => Tone::Plain,
        Notice::PortTaken { .. }
        | Notice::NotTrusted
        | Notice::Doubted { .. }
        | Notice::NotCertified { .. }
        | Notice::TrustFailed { .. }
        | Notice::NotLive { .. }
        | Notice::Forbidden { .. }
        | Notice::Refused { .. }
        | Notice::ForeignHost { .. }
        | Notice::Polled(_)
        | Notice::Missing { .. }
        | Notice::NotOpened { .. } => Tone::Warning,
        Notice::Broken { .. } | Notice::CertificateKept { .. } | Notice::Rule { .. } | Notice::Failed { .. } => {
            Tone::Problem
        }
    }
}

/// The tones of the lines of a notice: its own, and then that of hints.
#[cfg(feature = "cli")]
pub fn tones(first: Tone) -> impl Iterator<Item = Tone> {
    iter::once(first).chain(iter::repeat(Tone::Hint))
}

/// The notice for programs: an object with the kind of `event`, its fields, and the `message` for people.
#[cfg(feature = "cli")]
pub fn json(notice: &Notice<'_>) -> Value {
    let (event, fields) = match notice {
        Notice::Ready { name, url, network, certificate } => {
            ("ready", json!({ "name": name, "url": url, "network": network, "certificate": certificate }))
        }
        Notice::NotTrusted => ("not-trusted", json!({})),
        Notice::Doubted { .. } => ("doubted", json!({})),
        Notice::NotCertified { names } => ("not-certified", json!({ "names": names })),
        Notice::Certificate { file } => ("certificate", json!({ "file": file.display().to_string() })),
        Notice::CertificateKept { error, .. } => ("certificate-kept", json!({ "problem": causes(*error) })),
        Notice::Running { command } => ("running", json!({ "command": command })),
        Notice::Trust { store, is_added, is_changed } => {
            ("trust", json!({ "store": store, "added": is_added, "changed": is_changed }))
        }
        Notice::TrustFailed { store, .. } => ("trust-failed", json!({ "store": store })),
        Notice::StartAgain => ("start-again", json!({})),
        Notice::Mkcert { .. } => ("mkcert", json!({})),
        Notice::NoAuthority => ("no-authority", json!({})),
        Notice::PortTaken { taken } => ("port-taken", json!({ "port": taken })),
        Notice::Broken { path, problem } => {
            let place = problem.place.unzip();
            (
                "problem",
                json!({ "path": path.as_str(), "line": place.0, "column": place.1, "problem": problem.message }),
            )
        }
        Notice::Rule { path, remark } => (
            if remark.kind == RemarkKind::Differs { "rule" } else { "problem" },
            json!({ "path": path.as_str(), "line": remark.line, "problem": remark.message }),
        ),
        Notice::RuleUse { line, place, .. } => {
            ("rule", json!({ "path": "/_redirects", "line": line, "place": place.map(SitePath::as_str) }))
        }
        Notice::NotLive { path, reason, .. } => ("not-live", json!({ "path": path.as_str(), "reason": reason })),
        Notice::Forbidden { path, directive } => ("not-live", json!({ "path": path.as_str(), "directive": directive })),
        Notice::Refused { origin, host } => ("refused", json!({ "origin": origin, "host": host })),
        Notice::ForeignHost { name } => ("foreign-host", json!({ "name": name })),
        Notice::Polled(_) => ("polled", json!({})),
        Notice::Sent { report } => (
            "sent",
            json!({
                "path": report.path.as_str(),
                "removed": report.is_removed,
                "listeners": report.listeners,
                "ms": milliseconds(report.elapsed),
            }),
        ),
        Notice::Effect { effect, path, more } => {
            ("effect", json!({ "effect": effect, "path": path.as_str(), "more": more }))
        }
        Notice::Missing { path, page } => ("missing", json!({ "path": path.as_str(), "page": page })),
        Notice::Request { method, url, status, bytes, elapsed } => (
            "request",
            json!({ "method": method, "url": url, "status": status, "bytes": bytes, "ms": milliseconds(*elapsed) }),
        ),
        Notice::NotOpened { url, .. } => ("not-opened", json!({ "url": url })),
        Notice::Failed { .. } => ("failed", json!({})),
    };
    let mut object = json!({ "event": event, "message": notice.to_string() });
    if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
        object.extend(fields);
    }
    object
}

/// JSON as it stands in a line: what a terminal takes for a command is written as JSON writes it. It stands in texts alone.
#[cfg(feature = "cli")]
pub fn json_line(value: &Value) -> String {
    let mut line = String::new();
    for letter in value.to_string().chars() {
        if is_hidden(letter) {
            write!(line, "\\u{:04x}", u32::from(letter)).expect("writing to a string can't fail");
        } else {
            line.push(letter);
        }
    }
    line
}

/// With three digits behind the point.
#[cfg(feature = "cli")]
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// In words, with a hint in a line of its own if there is one. What a terminal would take for a command is made harmless.
impl fmt::Display for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = lines(self).iter().map(|line| printable(line)).collect::<Vec<_>>();
        f.write_str(&lines.join("\n"))
    }
}

/// What comes from a file or a request may hold anything, also what a terminal takes for a command, or for another line.
/// What is no letter is written as in Rust: `\n`, `\u{1b}`.
pub(crate) fn printable(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for letter in line.chars() {
        if is_hidden(letter) {
            text.extend(letter.escape_default());
        } else {
            text.push(letter);
        }
    }
    text
}

/// Whether a terminal takes this for a command, or it has no width: also the marks and controls of Unicode that change the
/// direction of text (UAX #9), and its ends of lines and paragraphs.
fn is_hidden(letter: char) -> bool {
    let marks = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'];
    letter.is_control()
        || marks.contains(&letter)
        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The lines of a notice. Each of them is made printable before it is shown.
pub(crate) fn lines(notice: &Notice<'_>) -> Vec<String> {
    let hint = |hint: &str| format!("hint: {hint}");
    match notice {
        Notice::Ready { name, url, network, certificate } => {
            let first = format!("savecast: {name} is live at {url}  (Ctrl-C stops)");
            let others = network.iter().map(|url| format!("          in your network at {url}"));
            let phone = certificate.map(|url| format!("          a phone needs its certificate first: {url}"));
            iter::once(first).chain(others).chain(phone).collect()
        }
        Notice::NotTrusted
        | Notice::Doubted { .. }
        | Notice::NotCertified { .. }
        | Notice::Certificate { .. }
        | Notice::CertificateKept { .. }
        | Notice::Running { .. }
        | Notice::Trust { .. }
        | Notice::TrustFailed { .. }
        | Notice::StartAgain
        | Notice::Mkcert { .. }
        | Notice::NoAuthority => lines_of_tls(notice),
        Notice::PortTaken { taken } => vec![format!("savecast: port {taken} is taken, using the next free one")],
        Notice::Broken { path, problem } => {
            let place = problem.place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
            vec![format!("savecast: {path}{place}: {}", problem.message)]
        }
        Notice::Rule { path, remark: Remark { line: 0, message, .. } } => vec![format!("savecast: {path}: {message}")],
        Notice::Rule { path, remark: Remark { line, message, .. } } => {
            vec![format!("savecast: {path}:{line}: {message}")]
        }
        Notice::RuleUse { line, remark: RuleRemark::Hidden, place } => {
            let place = place.map(|place| format!(" by {place}")).unwrap_or_default();
            vec![format!(
                "savecast: /_redirects:{line}: hidden{place} as on Netlify, where files come first; Cloudflare would follow the rule"
            )]
        }
        Notice::RuleUse { line, remark: RuleRemark::ForPages, .. } => vec![format!(
            "savecast: /_redirects:{line}: followed for pages; a script, picture or JSON that is missing is a 404 here, and the page on Netlify"
        )],
        Notice::NotLive { path, reason, hint: what } => {
            vec![format!("savecast: {path} is {reason} and served as it is, without live reload"), hint(what)]
        }
        Notice::Forbidden { path, directive } => vec![
            format!("savecast: {path} forbids live reload by its Content Security Policy: {directive}"),
            hint("allow 'self' there, and in connect-src, while you work on the page"),
        ],
        Notice::Refused { origin, host } => vec![
            format!("savecast: pages of {origin} are not live: they are of another origin than this server, {host}"),
            hint(&format!("start it with --cors {origin}, or let the proxy between them pass the Host header on")),
        ],
        Notice::ForeignHost { name } => vec![
            format!("savecast: a request for {name} was refused, because this server does not go by that name"),
            hint(&format!("if that is a name of yours, start it with --allow-host {name}")),
        ],
        Notice::Polled(Polled { cause: Cause::Unwatched(error), every }) => {
            let causes = causes(error);
            let line = format!("savecast: {causes}; what is in use is looked at every {every:?} instead");
            [line].into_iter().chain(error.hint().map(hint)).collect()
        }
        Notice::Polled(Polled { cause: Cause::Remote(directory, file_system), every }) => vec![format!(
            "savecast: {} is on {file_system}, which does not tell of changes made elsewhere; what is in use is looked at \
             every {every:?}",
            directory.display()
        )],
        Notice::Sent { report: Report { path, is_removed: true, .. } } => vec![format!("savecast: {path} is gone")],
        Notice::Sent { report: Report { path, listeners, elapsed, .. } } => {
            let plural = if *listeners == 1 { "" } else { "s" };
            vec![format!(
                "savecast: {path} to {listeners} listener{plural} in {:.2} ms",
                elapsed.as_secs_f64() * 1000.0
            )]
        }
        Notice::Effect { effect, path, more: 0 } => vec![format!("savecast: {effect} {path}")],
        Notice::Effect { effect, path, more } => vec![format!("savecast: {effect} {path} and {more} more")],
        Notice::Missing { path, page } => vec![format!("savecast: {path} is not there, and {page} asks for it")],
        Notice::Request { method, url, status, bytes, elapsed } => {
            vec![format!("{status} {method} {url} · {bytes} bytes · {:.2} ms", elapsed.as_secs_f64() * 1000.0)]
        }
        Notice::NotOpened { url, error } => {
            vec![format!("savecast: cannot open a browser: {error}"), hint(&format!("open {url} yourself"))]
        }
        // What was tried, on what, and the chain of causes; then what to do.
        Notice::Failed { error, hint: what } => {
            [format!("savecast: {}", causes(*error))].into_iter().chain(what.map(hint)).collect()
        }
    }
}

/// The lines of a notice of certificates.
fn lines_of_tls(notice: &Notice<'_>) -> Vec<String> {
    let hint = |hint: &str| format!("hint: {hint}");
    match notice {
        Notice::NotTrusted => vec![
            "savecast: browsers warn of the certificate, because they do not know who has made it".to_owned(),
            hint("run savecast trust once; savecast trust --remove undoes it"),
        ],
        Notice::Doubted { is_ours, url } => vec![
            "savecast: a browser or program has refused the certificate, because it does not know who has made it"
                .to_owned(),
            match url {
                Some(url) => hint(&format!(
                    "run savecast trust and start the browser again; on a phone or another machine, open {url}"
                )),
                None if *is_ours => hint("run savecast trust, and start the browser again"),
                None => hint("it has to know the authority that has signed your certificate, and those in between"),
            },
        ],
        Notice::NotCertified { names } => vec![
            format!(
                "savecast: the certificate is not for {}, because its authority is for this machine and private networks",
                names.join(", ")
            ),
            hint("use a name that ends in .localhost, .test or .internal; or bring a certificate: --https CERT KEY"),
        ],
        Notice::Certificate { file } => vec![format!("savecast: {} is used from now on", file.display())],
        Notice::CertificateKept { error, hint: what } => {
            let first = format!("savecast: {}; the certificate before stays in use", causes(*error));
            iter::once(first).chain(what.map(hint)).collect()
        }
        Notice::Running { command } => vec![format!("savecast: {command}")],
        Notice::Trust { store, is_added, is_changed } => {
            let words = match (is_added, is_changed) {
                (true, true) => "trusted from now on by",
                (true, false) => "already trusted by",
                (false, true) => "no longer trusted by",
                (false, false) => "was not trusted by",
            };
            vec![format!("savecast: {words} {store}")]
        }
        Notice::StartAgain => vec!["savecast: start browsers again that are open".to_owned()],
        Notice::TrustFailed { store, error, hint: what } => {
            let first = format!("savecast: nothing has changed for {store}: {}", causes(*error));
            iter::once(first).chain(what.map(hint)).collect()
        }
        Notice::Mkcert { file } => vec![
            format!("savecast: certificates are signed by the authority of mkcert, {}", file.display()),
            hint("mkcert -install has it trusted, and mkcert -uninstall undoes that"),
        ],
        _ => vec!["savecast: there is nothing to undo, because no authority for certificates was made".to_owned()],
    }
}

/// An error and what has caused it.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").expect("writing to a string can't fail");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::content::Problem;
    use crate::site::SitePath;

    #[test]
    fn a_file_that_is_gone_is_no_save() {
        let path = SitePath::from_url("/data.json").unwrap();
        let told = |is_removed| {
            let report = Report { path: path.clone(), is_removed, listeners: 1, elapsed: Duration::from_micros(120) };
            lines(&Notice::Sent { report: &report })
        };
        assert_eq!(told(false), ["savecast: /data.json to 1 listener in 0.12 ms"]);
        assert_eq!(told(true), ["savecast: /data.json is gone"]);
    }

    #[test]
    fn a_broken_file_is_named_with_its_place() {
        let path = SitePath::from_url("/data.json").unwrap();
        let problem = Problem { message: "trailing comma".into(), place: Some((3, 5)) };
        assert_eq!(
            lines(&Notice::Broken { path: &path, problem: &problem }),
            ["savecast: /data.json:3:5: trailing comma"]
        );
    }

    #[test]
    fn nothing_but_letters_reaches_the_terminal() {
        for (text, expected) in [
            ("/Tea & cake é 茶 👩‍🚀 \\n.txt", "/Tea & cake é 茶 👩‍🚀 \\n.txt"),
            ("a\nb\rc\td", "a\\nb\\rc\\td"),
            ("\u{1b}[2J\u{7f}\u{9b}31m\u{0}", "\\u{1b}[2J\\u{7f}\\u{9b}31m\\u{0}"),
            ("\u{202e}txt.exe\u{2066}\u{200f}\u{61c}", "\\u{202e}txt.exe\\u{2066}\\u{200f}\\u{61c}"),
            ("a\u{2028}b\u{2029}c", "a\\u{2028}b\\u{2029}c"),
        ] {
            assert_eq!(printable(text), expected);
        }
    }
}
