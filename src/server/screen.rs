//! What stands in the last lines of the terminal, as far as they can still grow.

use std::collections::HashMap;
use std::io;
use std::io::IsTerminal;
use std::io::Write as _;
use std::time::Duration;
use std::time::Instant;

use anstream::AutoStream;
use anstream::ColorChoice;
use jiff::Zoned;

use crate::console;
use crate::console::tone::Tone;
use crate::server::activity::Activity;
use crate::server::activity::Shown;
use crate::site::SitePath;

/// How often a line is written again that has changed.
const REDRAW: Duration = Duration::from_millis(100);

/// How often is spoken of the same file, where another one was spoken of since: some are saved a hundred times a second.
const PAUSE: Duration = Duration::from_secs(1);

/// Of how many files is remembered that they were spoken of.
const RECENT: usize = 1000;

/// How wide a terminal is that does not say it.
const WIDTH: u16 = 80;

/// What stands in the last line, and what else was said a moment ago.
pub(super) struct Screen {
    may_rewrite: bool,
    is_coloured: bool,
    shown: Option<Shown>,
    /// Until when is not spoken of a file, and what there will be to say.
    recent: HashMap<SitePath, (Instant, Option<Shown>)>,
}

impl Screen {
    pub(super) fn new() -> Self {
        let is_plain = io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let may_rewrite = is_plain && std::env::var_os("CI").is_none();
        let is_coloured = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
        Self { may_rewrite, is_coloured, shown: None, recent: HashMap::new() }
    }

    /// These lines come next.
    pub(super) fn print(&mut self, lines: &[(Tone, String)]) {
        self.finish();
        let text = lines.iter().fold(String::new(), |text, (tone, line)| {
            text + &self.paint(*tone, &console::printable::printable(line)) + "\n"
        });
        write(&text);
    }

    /// Nothing more comes.
    pub(super) fn end(mut self) {
        self.catch_up();
        // The prompt comes in a line of its own, and not behind what the terminal shows of Ctrl-C.
        if self.shown.is_none() && io::stderr().is_terminal() {
            write("\n");
        }
        self.finish();
    }

    /// When there is something to do that nobody will say.
    pub(super) fn next(&self) -> Option<Instant> {
        let redraw = self.shown.as_ref().filter(|shown| shown.is_dirty).map(|shown| shown.drawn + REDRAW);
        redraw.into_iter().chain(self.recent.values().map(|(until, _)| *until)).min()
    }

    pub(super) fn catch_up(&mut self) {
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

    pub(super) fn happen(&mut self, activity: Activity) {
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
            // Pages say which files they mean, and may mean any number.
            if self.recent.len() >= RECENT {
                self.recent.clear();
            }
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

/// The time of day where the person is.
fn time() -> String {
    Zoned::now().strftime("%H:%M:%S").to_string()
}

/// Nobody reads it if this fails, and the server is still of use.
fn write(text: &str) {
    let mut stderr = io::stderr().lock();
    drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
}
