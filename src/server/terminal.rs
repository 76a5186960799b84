//! What is said while the server runs: by a thread of its own, because a terminal may be slow and those who serve do not wait.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::io::IsTerminal;
use std::io::Write as _;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use anstream::AutoStream;
use anstream::ColorChoice;
use jiff::Zoned;
use serde_json::Value;

use crate::config::Log;
use crate::console;
use crate::console::Tone;
use crate::hub::Report;
use crate::notice::Notice;
use crate::site::SitePath;

/// How many notices wait for a slow terminal. What comes on top of that is lost.
const WAITING: usize = 1000;

/// How often a line is written again that has changed.
const REDRAW: Duration = Duration::from_millis(100);

/// How often is spoken of the same file, where another one was spoken of since: some are saved a hundred times a second.
const PAUSE: Duration = Duration::from_secs(1);

/// How wide a terminal is that does not say it.
const WIDTH: u16 = 80;

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

/// What happened to a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Activity {
    path: SitePath,
    verb: String,
    /// How many others are meant, too.
    more: usize,
    by: By,
}

#[derive(Clone, Debug, PartialEq)]
enum By {
    /// It was sent to so many listeners in so many milliseconds.
    Server(usize, f64),
    /// A tab says what it has made of it.
    Tab,
    Removal,
}

impl Terminal {
    /// Starts the thread, which ends with [`Ending`].
    pub(super) fn start(log: Log) -> io::Result<(Self, Ending)> {
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        let is_tty = io::stderr().is_terminal();
        let is_plain = is_tty && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let may_rewrite = is_plain && std::env::var_os("CI").is_none();
        let is_coloured = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
        let screen = Screen { may_rewrite, is_coloured, shown: None, recent: HashMap::new() };
        let thread = thread::Builder::new().name("terminal".into()).spawn(move || screen.run(&receiver))?;
        let terminal = Self { sender: sender.clone(), log, is_watched: is_tty || log.verbose };
        Ok((terminal, Ending { sender, thread: Some(thread) }))
    }

    /// Says it, if it is wanted.
    pub(super) fn say(&self, notice: &Notice<'_>) {
        let tone = console::tone(notice);
        if self.log.quiet && tone == Tone::Plain {
            return;
        }
        if self.log.json {
            return self.json(console::json(notice));
        }
        if let Notice::Effect { effect, path, more } = notice {
            let path = (*path).clone();
            return self.activity(Activity { path, verb: (*effect).to_owned(), more: *more, by: By::Tab });
        }
        self.send(Said::Lines(
            console::lines(notice).into_iter().zip(console::tones(tone)).map(|(line, tone)| (tone, line)).collect(),
        ));
    }

    /// A change has reached everybody.
    pub(super) fn report(&self, report: &Report) {
        if self.log.quiet {
            return;
        }
        if self.log.json {
            return self.json(console::json(&Notice::Sent { report }));
        }
        let ms = report.elapsed.as_secs_f64() * 1000.0;
        let (verb, by) =
            if report.is_removed { ("gone", By::Removal) } else { ("sent", By::Server(report.listeners, ms)) };
        self.activity(Activity { path: report.path.clone(), verb: verb.into(), more: 0, by });
    }

    fn json(&self, mut object: Value) {
        if let Some(object) = object.as_object_mut() {
            object.insert("time".into(), Zoned::now().timestamp().to_string().into());
        }
        self.send(Said::Lines(vec![(Tone::Plain, object.to_string())]));
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

/// What stands in the last line, and what else was said a moment ago.
struct Screen {
    may_rewrite: bool,
    is_coloured: bool,
    shown: Option<Shown>,
    /// Until when is not spoken of a file, and what there will be to say.
    recent: HashMap<SitePath, (Instant, Option<Shown>)>,
}

/// A line about a file, which grows as more happens to it.
struct Shown {
    activity: Activity,
    listeners: Option<(usize, f64)>,
    /// How many tabs have said what they made of the last save, and whether there was another save since.
    tabs: usize,
    is_over: bool,
    saves: usize,
    drawn: Instant,
    is_dirty: bool,
}

impl Screen {
    fn run(mut self, receiver: &Receiver<Said>) {
        loop {
            let said = match self.next() {
                None => receiver.recv().ok(),
                Some(next) => match receiver.recv_timeout(next.saturating_duration_since(Instant::now())) {
                    Err(RecvTimeoutError::Timeout) => {
                        self.catch_up();
                        continue;
                    }
                    said => said.ok(),
                },
            };
            match said {
                Some(Said::Lines(lines)) => {
                    self.finish();
                    let text = lines.iter().fold(String::new(), |text, (tone, line)| {
                        text + &self.paint(*tone, &console::printable(line)) + "\n"
                    });
                    write(&text);
                }
                Some(Said::Activity(activity)) => self.happen(activity),
                Some(Said::End) | None => {
                    self.catch_up();
                    // The prompt comes in a line of its own, and not behind what the terminal shows of Ctrl-C.
                    if self.shown.is_none() && io::stderr().is_terminal() {
                        write("\n");
                    }
                    return self.finish();
                }
            }
        }
    }

    /// When there is something to do that nobody will say.
    fn next(&self) -> Option<Instant> {
        let redraw = self.shown.as_ref().filter(|shown| shown.is_dirty).map(|shown| shown.drawn + REDRAW);
        redraw.into_iter().chain(self.recent.values().map(|(until, _)| *until)).min()
    }

    fn catch_up(&mut self) {
        let now = Instant::now();
        if self.shown.as_ref().is_some_and(|shown| shown.is_dirty && shown.drawn + REDRAW <= now) {
            self.draw();
        }
        let over = self.recent.iter().filter(|(_, (until, _))| *until <= now).map(|(path, _)| path.clone());
        for path in over.collect::<Vec<_>>() {
            if let Some((_, Some(waiting))) = self.recent.remove(&path) {
                self.finish();
                self.shown = Some(waiting);
                self.draw();
            }
        }
    }

    fn happen(&mut self, activity: Activity) {
        if let Some(shown) = self.shown.as_mut().filter(|shown| shown.activity.path == activity.path) {
            shown.add(activity);
            if shown.drawn.elapsed() >= REDRAW && self.may_rewrite {
                self.draw();
            }
        } else if let Some((_, waiting)) = self.recent.get_mut(&activity.path) {
            match waiting {
                Some(waiting) => waiting.add(activity),
                None => *waiting = Some(Shown::new(activity)),
            }
        } else {
            self.finish();
            self.shown = Some(Shown::new(activity));
            self.draw();
        }
    }

    /// Writes the last line, or writes it again.
    fn draw(&mut self) {
        let (may_rewrite, is_coloured) = (self.may_rewrite, self.is_coloured);
        let Some(shown) = &mut self.shown else { return };
        (shown.drawn, shown.is_dirty) = (Instant::now(), false);
        let width = terminal_size::terminal_size_of(io::stderr()).map_or(WIDTH, |(width, _)| width.0);
        let line = shown.line(
            &time(),
            if may_rewrite { usize::from(width).saturating_sub(1) } else { usize::MAX },
            is_coloured,
        );
        if may_rewrite {
            write(&format!("\r\x1b[2K{line}"));
        } else {
            write(&format!("{line}\n"));
            self.put_aside();
        }
    }

    /// What comes next stands in a line of its own.
    fn finish(&mut self) {
        let Some(shown) = &self.shown else { return };
        if shown.is_dirty {
            self.draw();
        }
        if self.shown.is_some() {
            write("\n");
            self.put_aside();
        }
    }

    fn put_aside(&mut self) {
        if let Some(shown) = self.shown.take() {
            self.recent.insert(shown.activity.path, (Instant::now() + PAUSE, None));
        }
    }

    fn paint(&self, tone: Tone, line: &str) -> String {
        let code = match tone {
            Tone::Plain => return line.to_owned(),
            Tone::Problem => "31",
            Tone::Warning => "33",
            Tone::Hint => "2",
        };
        if self.is_coloured { format!("\x1b[{code}m{line}\x1b[0m") } else { line.to_owned() }
    }
}

impl Shown {
    fn new(activity: Activity) -> Self {
        let empty = Activity { by: By::Removal, ..activity.clone() };
        let mut shown = Self {
            activity: empty,
            listeners: None,
            tabs: 0,
            is_over: false,
            saves: 0,
            drawn: Instant::now(),
            is_dirty: true,
        };
        shown.add(activity);
        shown
    }

    fn add(&mut self, activity: Activity) {
        self.is_dirty = true;
        match activity.by {
            By::Tab => {
                if self.is_over || self.activity.verb != activity.verb {
                    self.tabs = 0;
                }
                (self.is_over, self.tabs) = (false, self.tabs + 1);
                (self.activity.verb, self.activity.more) = (activity.verb, activity.more);
                self.saves = self.saves.max(1);
            }
            By::Server(listeners, ms) => {
                (self.is_over, self.listeners) = (true, Some((listeners, ms)));
                self.saves += 1;
                // What tabs have made of the save before, they will make of this one, or say something else.
                if self.tabs == 0 {
                    self.activity.verb = activity.verb;
                }
            }
            By::Removal => (self.activity.verb, self.tabs, self.listeners) = (activity.verb, 0, None),
        }
    }

    /// `16:02:07 reloaded /index.html · 2 tabs · 0.12 ms`, no longer than so many letters.
    fn line(&self, time: &str, width: usize, is_coloured: bool) -> String {
        let plural = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
        let mut rest = String::new();
        let mut add = |part: &str| write!(rest, " · {part}").expect("writing to a string can't fail");
        if self.activity.more > 0 {
            add(&format!("and {}", plural(self.activity.more, "other")));
        }
        match (self.tabs, self.listeners) {
            (0, Some((listeners, _))) => add(&plural(listeners, "listener")),
            (0, None) => {}
            (tabs, _) => add(&plural(tabs, "tab")),
        }
        if let Some((_, ms)) = self.listeners {
            add(&format!("{ms:.2} ms"));
        }
        if self.saves > 1 {
            add(&format!("{} times", self.saves));
        }
        let (verb, path) = (&self.activity.verb, console::printable(self.activity.path.as_str()));
        let room = width.saturating_sub(time.len() + verb.len() + rest.chars().count() + 2);
        let path = if path.chars().count() > room {
            // The end of a path says more than its start.
            let skipped = path.chars().count() - room.saturating_sub(1);
            format!("…{}", path.chars().skip(skipped).collect::<String>())
        } else {
            path
        };
        if is_coloured {
            format!("\x1b[2m{time}\x1b[0m \x1b[32m{verb}\x1b[0m {path}\x1b[2m{rest}\x1b[0m")
        } else {
            format!("{time} {verb} {path}{rest}")
        }
    }
}

/// The time of day where the person is.
fn time() -> String {
    Zoned::now().strftime("%H:%M:%S").to_string()
}

/// Nobody reads it if this fails, and the server is still of use.
fn write(text: &str) {
    let mut stderr = io::stderr().lock();
    drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity(verb: &str, by: By) -> Activity {
        Activity { path: SitePath::from_url("/a/style.css").unwrap(), verb: verb.into(), more: 0, by }
    }

    #[test]
    fn a_line_grows_with_what_happens() {
        let mut shown = Shown::new(activity("sent", By::Server(3, 0.123)));
        assert_eq!(shown.line("16:02:07", 80, false), "16:02:07 sent /a/style.css · 3 listeners · 0.12 ms");
        shown.add(activity("swapped", By::Tab));
        shown.add(activity("swapped", By::Tab));
        assert_eq!(shown.line("16:02:07", 80, false), "16:02:07 swapped /a/style.css · 2 tabs · 0.12 ms");
        shown.add(activity("sent", By::Server(3, 0.5)));
        shown.add(activity("swapped", By::Tab));
        assert_eq!(shown.line("16:02:07", 80, false), "16:02:07 swapped /a/style.css · 1 tab · 0.50 ms · 2 times");
        assert_eq!(shown.line("16:02:07", 50, false), "16:02:07 swapped …css · 1 tab · 0.50 ms · 2 times");
        shown.add(activity("gone", By::Removal));
        assert_eq!(shown.line("16:02:07", 80, false), "16:02:07 gone /a/style.css · 2 times");
    }
}
