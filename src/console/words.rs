//! Notices in the words of the person who reads them.

use std::fmt;
use std::iter;

use crate::console::certificates;
use crate::console::printable::causes;
use crate::console::printable::printable;
use crate::console::servers;
use crate::hub::Report;
use crate::notice::Notice;
use crate::notice::PageMessage;
use crate::site::resolve::RuleRemark;
use crate::site::rules::line::Remark;
use crate::watch::Cause;
use crate::watch::Polled;

/// In words, with a hint in a line of its own if there is one. What a terminal would take for a command is made harmless.
impl fmt::Display for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = lines(self).iter().map(|line| printable(line)).collect::<Vec<_>>();
        f.write_str(&lines.join("\n"))
    }
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
        | Notice::Mkcert { .. } => certificates::lines(notice),
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
            format!("savecast: the Content Security Policy of {path} forbids live reload: {directive}"),
            hint("allow 'self' there, and in connect-src, while you work on the page"),
        ],
        Notice::Refused { origin, host } => vec![
            format!("savecast: pages of {origin} are not live, because this server has another origin, {host}"),
            hint(&format!("start it with --cors {origin}, or let the proxy between them pass the Host header on")),
        ],
        Notice::ForeignHost { name } => vec![
            format!("savecast: a request for {name} was refused, because this server does not go by that name"),
            hint(&format!("if that is a name of yours, start it with --allow-host {name}")),
        ],
        Notice::Away { .. }
        | Notice::Back { .. }
        | Notice::RelayAway { .. }
        | Notice::RelayRefuses { .. }
        | Notice::RelayBack { .. }
        | Notice::OriginAway
        | Notice::OriginBack
        | Notice::Draining { .. }
        | Notice::Echo { .. } => servers::lines(notice),
        Notice::Polled(Polled { cause: Cause::Unwatched(error), every }) => {
            let causes = causes(error);
            let line = format!("savecast: {causes}; checking the files in use every {every:?} instead");
            [line].into_iter().chain(error.hint().map(hint)).collect()
        }
        Notice::Polled(Polled { cause: Cause::Remote(directory, file_system), every }) => vec![format!(
            "savecast: {} is on {file_system}, which does not report changes made elsewhere; checking the files in use \
             every {every:?}",
            directory.display()
        )],
        Notice::Polled(Polled { cause: Cause::Vast(directory, most), .. }) => vec![
            format!(
                "savecast: there are more than {most} directories, so saves in some are not noticed, such as {}",
                directory.display()
            ),
            hint("name the directories with the sources of your server: --watch DIR"),
        ],
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
        Notice::Missing { path, page } => vec![format!("savecast: {page} requests {path}, which does not exist")],
        Notice::Page { message, left_out } => page(message, *left_out),
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

/// What a page says, with the place first, where an editor's terminal makes a link of it.
fn page(message: &PageMessage<'_>, left_out: usize) -> Vec<String> {
    let PageMessage { kind, page, message, url, place, count } = message;
    let place = place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
    let at = if url.is_empty() { page } else { url };
    let on = if at == page { String::new() } else { format!(" (on {page})") };
    let what = match *kind {
        "uncaught" => (*message).to_owned(),
        "rejected" => format!("unhandled rejection: {message}"),
        "failed" => "can't be loaded".to_owned(),
        "forbidden" => format!("blocked by the Content Security Policy: {message}"),
        level => format!("console.{level}: {message}"),
    };
    let times = if *count > 1 { format!(" · {count} times") } else { String::new() };
    let left_out = (left_out > 0).then(|| format!("savecast: {left_out} more messages of pages were left out"));
    left_out.into_iter().chain([format!("savecast: {at}{place}: {what}{times}{on}")]).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;
    use std::time::SystemTime;

    use super::*;
    use crate::content::Problem;
    use crate::site::SitePath;

    #[test]
    fn a_file_that_is_gone_is_no_save() {
        let path = SitePath::from_url("/data.json").unwrap();
        let told = |is_removed| {
            let report = Report {
                path: path.clone(),
                is_removed,
                is_broken: false,
                at: SystemTime::UNIX_EPOCH,
                listeners: 1,
                elapsed: Duration::from_micros(120),
            };
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
}
