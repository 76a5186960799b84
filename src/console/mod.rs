//! Shows notices at the terminal.

mod certificates;
#[cfg(feature = "cli")]
pub mod json;
pub mod printable;
mod servers;
#[cfg(feature = "cli")]
pub mod tone;
pub mod words;

use std::io;
use std::io::Write;

use crate::notice::Notice;

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
