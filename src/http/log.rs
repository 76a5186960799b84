//! A file line by line: the last lines that are there, and then those that come.

use std::collections::VecDeque;
use std::io;

use actix_web::web;
use actix_web::web::Data;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream;
use serde_json::json;

use crate::change::lines;
use crate::change::lines::LONGEST;
use crate::change::lines::Mark;
use crate::change::lines::MarkId;
use crate::http::Site;
use crate::http::feed::Wire;
use crate::http::frame::Event;
use crate::hub::Grown;
use crate::hub::LogFollower;
use crate::hub::LogNews;
use crate::root::Log;
use crate::root::Refusal;
use crate::site_path::SitePath;

/// How much of a file is read at once, in bytes, and how much text is made of it at once.
const PART: usize = 64 << 10;

/// How far back the last lines are looked for, in bytes.
const LOOK_BACK: u64 = 8 << 20;

/// What a listener is told of a file, in words; it ends when the server stops. `last` is how many of the lines that are there
/// come first, unless `seen` is the id of a line: then all that come after it do.
pub(super) fn tell(
    site: &Data<Site>,
    path: SitePath,
    last: usize,
    wire: Wire,
    seen: Option<&str>,
) -> impl Stream<Item = Bytes> + use<> {
    let seen = seen.map(str::to_owned);
    let follower = LogFollower::new(&site.hub, path.clone());
    let listener = Listener {
        site: site.clone(),
        path,
        wire,
        last,
        seen,
        follower,
        is_begun: false,
        is_reset: false,
        at: None,
        until: None,
        owed: VecDeque::new(),
    };
    stream::unfold(listener, |mut listener| async {
        let text = listener.next().await?;
        Some((text, listener))
    })
}

struct Listener {
    site: Data<Site>,
    path: SitePath,
    wire: Wire,
    last: usize,
    seen: Option<String>,
    follower: LogFollower,
    /// Whether it was found where to begin.
    is_begun: bool,
    /// Whether the next news are of a file that begins anew.
    is_reset: bool,
    /// Up to where it was told; `None` while there is no file.
    at: Option<Mark>,
    /// Up to where it is behind and has to be told from the file.
    until: Option<Mark>,
    /// What was put into words and not yet sent.
    owed: VecDeque<Bytes>,
}

impl Listener {
    /// The next text; `None` when the server stops.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(text) = self.owed.pop_front() {
                return Some(text);
            }
            if let Some(until) = self.until {
                if self.follower.is_closed() {
                    return None;
                }
                self.catch_up(until).await;
                continue;
            }
            let news = self.follower.next().await?;
            let end = match &*news {
                LogNews::Start(end) => *end,
                LogNews::Grown(grown) => Some(grown.end),
                LogNews::Far(end) => Some(*end),
                LogNews::Reset(_) | LogNews::Removed | LogNews::Missed { .. } => None,
            };
            if !self.is_begun {
                match (&*news, end) {
                    (LogNews::Start(None), _) => self.owe(&Event::removed("", &self.path)),
                    (LogNews::Start(_), Some(end)) => self.begin(end, self.last).await,
                    // It came after the listener, so all of it is new.
                    (_, Some(end)) => self.begin(end, usize::MAX).await,
                    _ => {}
                }
                continue;
            }
            match &*news {
                LogNews::Start(_) => {}
                LogNews::Grown(grown) => self.grow(grown),
                LogNews::Far(end) => self.fall_behind(*end),
                LogNews::Reset(start) => self.reset(*start),
                LogNews::Removed => {
                    self.at = None;
                    self.owe(&Event::removed("", &self.path));
                }
                LogNews::Missed { reset } => self.is_reset |= *reset,
            }
        }
    }

    fn reset(&mut self, start: Mark) {
        (self.at, self.is_reset) = (Some(start), false);
        self.owe(&Event::named(start, "reset", self.place()));
    }

    /// Finds where to begin.
    async fn begin(&mut self, end: Mark, last: usize) {
        self.is_begun = true;
        // What we can't read was never ours, and so nothing is known of what was seen.
        let seen = self.seen.as_ref().map(|seen| seen.parse::<MarkId>());
        let begin = self.read(move |log| match seen {
            Some(Ok(id)) if id.position <= log.length => {
                let mark = log.mark(id.position)?;
                Ok((mark.is(id) && mark.file == end.file).then_some(mark))
            }
            Some(_) => Ok(None),
            None if last == usize::MAX => Ok(Some(Mark::start(end.file))),
            None => last_lines(log, end, last).map(Some),
        });
        match begin.await.unwrap_or(Some(end)) {
            Some(mark) => self.at = Some(mark),
            // What it has seen is of another file.
            None => self.reset(Mark::start(end.file)),
        }
        // Who has heard nothing yet can say where it was, too.
        if let (Wire::Stream, None, Some(at)) = (self.wire, &self.seen, self.at) {
            self.owed.push_back(format!("id: {at}\n\n").into());
        }
        self.until = Some(end);
    }

    fn grow(&mut self, grown: &Grown) {
        let is_next = !self.is_reset && self.at.is_some_and(|at| at == grown.start);
        if self.wire == Wire::Stream && is_next && grown.lines.len() <= PART {
            self.at = Some(grown.end);
            self.owed.push_back(grown.text(|grown| Part::of(grown).frames(usize::MAX).0));
        } else {
            self.fall_behind(grown.end);
        }
    }

    /// What is up to `end` is told from the file.
    fn fall_behind(&mut self, end: Mark) {
        if self.is_reset {
            self.reset(Mark::start(end.file));
        }
        self.at.get_or_insert(Mark::start(end.file));
        self.until = Some(end);
    }

    /// Tells the next part from the file.
    async fn catch_up(&mut self, until: Mark) {
        let at = self.at.unwrap_or(Mark::start(until.file));
        let read = self.read(move |log| {
            if log.file != until.file || log.mark(at.position)? != at {
                return Err(io::Error::other("it is another file by now"));
            }
            let count = usize::try_from(until.position.saturating_sub(at.position)).unwrap_or(LONGEST).min(LONGEST);
            let mut bytes = log.read(at.position, count.min(PART))?;
            if !bytes.contains(&b'\n') {
                bytes = log.read(at.position, count)?;
            }
            // Up to the end there are complete lines, or parts of them.
            let complete = lines::complete(&bytes);
            bytes.truncate(if complete == 0 { bytes.len() } else { complete });
            Ok((log.before(at.position)?, bytes))
        });
        let read = read.await;
        self.until = None;
        // If it is another file by now, the news of that will come.
        let Ok((before, bytes)) = read else { return };
        // Nothing is no text: it would be the end of the stream.
        if bytes.is_empty() {
            return;
        }
        let part = Part { start: at, before: &before, bytes: &bytes };
        let end = match self.wire {
            Wire::Stream => {
                let (text, end) = part.frames(PART);
                self.owed.push_back(text);
                end
            }
            Wire::Socket => part.messages(&mut self.owed),
        };
        self.at = Some(end);
        if end.position < until.position {
            self.until = Some(until);
        }
    }

    /// Reads the file where that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Log) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (site, path) = (self.site.clone(), self.path.clone());
        let read = move || match site.root.log(&path) {
            Ok(log) => read(&log),
            Err(Refusal::Unreadable(error)) => Err(error),
            Err(Refusal::Missing) => Err(io::ErrorKind::NotFound.into()),
        };
        // If the pool is gone, the server is stopping.
        web::block(read).await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    fn owe(&mut self, event: &Event<'_>) {
        self.owed.push_back(self.wire.write(event));
    }

    fn place(&self) -> String {
        json!({ "path": self.path.as_str() }).to_string()
    }
}

/// Lines of a file, with what is before them.
struct Part<'a> {
    start: Mark,
    before: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> Part<'a> {
    fn of(grown: &'a Grown) -> Self {
        Self { start: grown.start, before: &grown.before, bytes: &grown.lines }
    }

    /// The first of them as events of a stream, about as much text as said; and where they end.
    fn frames(&self, limit: usize) -> (Bytes, Mark) {
        let (mut text, mut end) = (String::new(), self.start);
        for (mark, line) in lines::lines(self.start, self.before, self.bytes) {
            text.push_str(&Event::message(mark, line).to_frame());
            end = mark;
            if text.len() >= limit {
                break;
            }
        }
        (text.into(), end)
    }

    /// The first of them as messages, about as much text as is read at once; returns where they end.
    fn messages(&self, owed: &mut VecDeque<Bytes>) -> Mark {
        let (mut length, mut end) = (0, self.start);
        for (mark, line) in lines::lines(self.start, self.before, self.bytes) {
            let message = Wire::Socket.write(&Event::message(mark, line));
            length += message.len();
            owed.push_back(message);
            end = mark;
            if length >= PART {
                break;
            }
        }
        end
    }
}

/// Where the last `count` lines before `end` begin, as far as that is looked for.
fn last_lines(log: &Log, end: Mark, count: usize) -> io::Result<Mark> {
    // One more than there are lines: that before the first of them.
    let (mut to, mut ends) = (end.position, count.saturating_add(1));
    let mut first = end.position;
    while to > 0 && end.position - to < LOOK_BACK {
        let from = to.saturating_sub(PART as u64);
        let bytes = log.read(from, usize::try_from(to - from).unwrap_or(0))?;
        match lines::last(&bytes, ends - 1) {
            Ok(place) => return log.mark(from + place as u64),
            Err(found) => ends -= found,
        }
        if let Some(place) = bytes.iter().position(|byte| *byte == b'\n') {
            first = from + place as u64 + 1;
        }
        to = from;
    }
    // There are not so many, or they are too many: then from the first one that is whole.
    if to == 0 { Ok(Mark::start(log.file)) } else { log.mark(first) }
}
