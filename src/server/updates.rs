//! Says at the terminal what has reached everybody.

use std::collections::HashMap;
use std::io;
use std::io::IsTerminal;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use std::time::Instant;

use crate::console::say;
use crate::hub::Report;
use crate::notice::Notice;
use crate::site::SitePath;

/// How often the terminal speaks of the same file: some are saved a hundred times a second.
const PAUSE: Duration = Duration::from_secs(1);

/// Speaks of updates, if somebody looks: in a file or a pipe they would only fill it. Ends when the sender is gone.
pub(super) fn show(reports: &Receiver<Report>) {
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
            say(&Notice::Sent { report: &report, others: *others });
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
            say(&Notice::Sent { report: &report, others: 0 });
            spoken.insert(report.path, (Instant::now() + PAUSE, None, 0));
        }
    }
}
