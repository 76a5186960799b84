//! Everything that the terminal shows: a closed list of notices, each in the words of the person who reads it.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::io::IsTerminal;
use std::io::Write as _;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use std::time::Instant;

use crate::change::Problem;
use crate::hub::Report;
use crate::site_path::SitePath;
use crate::watch::Cause;
use crate::watch::Polled;

/// What the person at the terminal is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are what the sentence of their notice speaks of")]
pub enum Notice<'a> {
    /// The server answers from now on. `name` is that of the directory, `url` that of its root.
    Ready { name: &'a str, url: &'a str },
    /// The usual port was taken, so this one is used.
    PortTaken { taken: u16 },
    /// A file of the user's is broken.
    Broken { path: &'a SitePath, problem: &'a Problem },
    /// A page is served without the client.
    NotLive { path: &'a SitePath, reason: &'a str, hint: &'a str },
    /// The Content Security Policy of a page forbids the client.
    Forbidden { path: &'a SitePath, directive: &'a str },
    /// A directory is polled, although nobody asked for it.
    Polled(&'a Polled),
    /// An update has reached everybody; so many others of the same file did before, and were not spoken of.
    Told { report: &'a Report, others: usize },
    /// The browser was not opened.
    NotOpened { url: &'a str, error: &'a io::Error },
    /// The program ends with an error.
    Failed { error: &'a dyn Error, hint: Option<&'a str> },
}

/// Says it: what was asked for on standard output, the rest on standard error.
pub fn say(notice: &Notice<'_>) {
    let text = text(notice);
    // Nobody reads it if this fails, and the server is still of use.
    drop(match notice {
        Notice::Ready { .. } => io::stdout().lock().write_all(text.as_bytes()),
        _ => io::stderr().lock().write_all(text.as_bytes()),
    });
}

/// How often the terminal speaks of the same file: some are saved a hundred times a second.
const PAUSE: Duration = Duration::from_secs(1);

/// Speaks of updates, if somebody looks: in a file or a pipe they would only fill it. Ends when the sender is gone.
pub fn show_updates(reports: &Receiver<Report>) {
    if !io::stderr().is_terminal() {
        return;
    }
    // Of which files was spoken a moment ago: until when they wait, what there is to say then, and how much more there was.
    let mut spoken: HashMap<SitePath, (Instant, Option<Report>, usize)> = HashMap::new();
    loop {
        let now = Instant::now();
        spoken.retain(|_, (until, waiting, others)| {
            if *until > now {
                return true;
            }
            let Some(report) = waiting.take() else { return false };
            say(&Notice::Told { report: &report, others: *others });
            (*until, *others) = (now + PAUSE, 0);
            true
        });
        let next = spoken.values().map(|(until, ..)| *until).min();
        let report = match next {
            None => reports.recv().ok(),
            Some(next) => match reports.recv_timeout(next.saturating_duration_since(now)) {
                Err(RecvTimeoutError::Timeout) => continue,
                report => report.ok(),
            },
        };
        let Some(report) = report else { return };
        if let Some((_, waiting, others)) = spoken.get_mut(&report.path) {
            *others += usize::from(waiting.replace(report).is_some());
        } else {
            say(&Notice::Told { report: &report, others: 0 });
            spoken.insert(report.path, (Instant::now() + PAUSE, None, 0));
        }
    }
}

fn text(notice: &Notice<'_>) -> String {
    match notice {
        Notice::Ready { name, url } => format!("savecast: {name} is live at {url}  (Ctrl-C stops)\n"),
        Notice::PortTaken { taken } => format!("savecast: port {taken} is taken, using the next free one\n"),
        Notice::Broken { path, problem } => {
            let place = problem.place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
            format!("savecast: {path}{place}: {}\n", problem.message)
        }
        Notice::NotLive { path, reason, hint } => {
            format!("savecast: {path} is {reason} and served as it is, without live reload\nhint: {hint}\n")
        }
        Notice::Forbidden { path, directive } => format!(
            "savecast: {path} forbids live reload by its Content Security Policy: {directive}\n\
             hint: allow 'self' there, and in connect-src, while you work on the page\n"
        ),
        Notice::Polled(Polled { cause: Cause::Unwatched(error), every }) => {
            let (causes, hint) = (causes(error), hint_line(error.hint()));
            format!("savecast: {causes}; what is in use is looked at every {every:?} instead\n{hint}")
        }
        Notice::Polled(Polled { cause: Cause::Remote(directory, file_system), every }) => format!(
            "savecast: {} is on {file_system}, which does not tell of changes made elsewhere; what is in use is looked at \
             every {every:?}\n",
            directory.display()
        ),
        Notice::Told { report: Report { path, listeners, elapsed }, others } => {
            let ms = elapsed.as_secs_f64() * 1000.0;
            let plural = if *listeners == 1 { "" } else { "s" };
            let others = if *others == 0 { String::new() } else { format!(", after {others} more") };
            format!("savecast: {path} to {listeners} listener{plural} in {ms:.2} ms{others}\n")
        }
        Notice::NotOpened { url, error } => format!("savecast: cannot open {url} in a browser: {error}\n"),
        Notice::Failed { error, hint } => failure(*error, *hint),
    }
}

/// One line: what was tried, on what, and the chain of causes; then what to do.
fn failure(error: &dyn Error, hint: Option<&str>) -> String {
    format!("savecast: {}\n{}", causes(error), hint_line(hint))
}

fn hint_line(hint: Option<&str>) -> String {
    hint.map(|hint| format!("hint: {hint}\n")).unwrap_or_default()
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
    use super::*;

    #[test]
    fn a_broken_file_is_named_with_its_place() {
        let path = SitePath::from_url("/data.json").unwrap();
        let problem = Problem { message: "trailing comma".into(), place: Some((3, 5)) };
        assert_eq!(
            text(&Notice::Broken { path: &path, problem: &problem }),
            "savecast: /data.json:3:5: trailing comma\n"
        );
    }
}
