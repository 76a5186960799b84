//! What is said while the server runs: by a thread of its own, because a terminal may be slow and those who serve do not wait.

use std::io;
use std::io::IsTerminal;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::thread::JoinHandle;
use std::time::Instant;

use jiff::Zoned;
use serde_json::Value;

use crate::config::Log;
use crate::console;
use crate::console::tone::Tone;
use crate::hub::Report;
use crate::notice::Notice;
use crate::server::activity::Activity;
use crate::server::activity::By;
use crate::server::screen::Screen;

/// How many notices wait for a slow terminal. What comes on top of that is lost.
const WAITING: usize = 1000;

/// Says what happens.
#[derive(Clone)]
pub(super) struct Terminal {
    sender: SyncSender<Said>,
    log: Log,
    /// Whether somebody looks: in a file or a pipe, what goes well would only fill it.
    is_watched: bool,
}

enum Said {
    Lines(Vec<(Tone, String)>),
    Activity(Activity),
    End,
}

impl Terminal {
    /// Starts the thread, which ends with [`Ending`].
    pub(super) fn start(log: Log) -> io::Result<(Self, Ending)> {
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        let thread = thread::Builder::new().name("terminal".into()).spawn(move || run(&receiver))?;
        let terminal = Self { sender: sender.clone(), log, is_watched: io::stderr().is_terminal() || log.verbose };
        Ok((terminal, Ending { sender, thread: Some(thread) }))
    }

    /// Says it, if it is wanted.
    pub(super) fn say(&self, notice: &Notice<'_>) {
        let tone = console::tone::tone(notice);
        if self.log.quiet && tone == Tone::Plain {
            return;
        }
        if self.log.json {
            return self.json(console::json::json(notice));
        }
        if let Notice::Effect { effect, path, more } = notice {
            let path = (*path).clone();
            return self.activity(Activity {
                path,
                verb: (*effect).to_owned(),
                more: *more,
                by: By::Tab,
                at: Instant::now(),
            });
        }
        self.send(Said::Lines(
            console::words::lines(notice)
                .into_iter()
                .zip(console::tone::tones(tone))
                .map(|(line, tone)| (tone, line))
                .collect(),
        ));
    }

    /// A change has reached everybody.
    pub(super) fn report(&self, report: &Report) {
        if self.log.quiet {
            return;
        }
        if self.log.json {
            return self.json(console::json::json(&Notice::Sent { report }));
        }
        let ms = report.elapsed.as_secs_f64() * 1000.0;
        let (verb, by) =
            if report.is_removed { ("gone", By::Removal) } else { ("sent", By::Server(report.listeners, ms)) };
        self.activity(Activity { path: report.path.clone(), verb: verb.into(), more: 0, by, at: Instant::now() });
    }

    fn json(&self, mut object: Value) {
        if let Some(object) = object.as_object_mut() {
            object.insert("time".into(), Zoned::now().timestamp().to_string().into());
        }
        self.send(Said::Lines(vec![(Tone::Plain, console::json::json_line(&object))]));
    }

    fn activity(&self, activity: Activity) {
        if self.is_watched {
            self.send(Said::Activity(activity));
        }
    }

    /// Where no terminal is, nobody hears it; one that stands still misses some.
    fn send(&self, said: Said) {
        drop(self.sender.try_send(said));
    }
}

/// Ends the thread when it is dropped, after it has said what is still to be said.
pub(super) struct Ending {
    sender: SyncSender<Said>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        // A terminal that stands still is not waited for.
        if self.sender.try_send(Said::End).is_ok() {
            self.thread.take().map(JoinHandle::join).into_iter().for_each(drop);
        }
    }
}

fn run(receiver: &Receiver<Said>) {
    let mut screen = Screen::new();
    loop {
        let said = match screen.next() {
            None => receiver.recv().ok(),
            Some(next) => match receiver.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Err(RecvTimeoutError::Timeout) => {
                    screen.catch_up();
                    continue;
                }
                said => said.ok(),
            },
        };
        match said {
            Some(Said::Lines(lines)) => screen.print(&lines),
            Some(Said::Activity(activity)) => screen.happen(activity),
            Some(Said::End) | None => return screen.end(),
        }
    }
}
