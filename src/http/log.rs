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

/// How much of a file is read at once, in bytes.
const PART: usize = 256 << 10;

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
    let listener =
        Listener { site: site.clone(), path, wire, last, seen, follower, at: None, until: None, owed: VecDeque::new() };
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
                self.catch_up(until).await;
                continue;
            }
            match &*self.follower.next().await? {
                LogNews::Start(end) => self.start(*end).await,
                LogNews::Grown(grown) => self.grow(grown),
                LogNews::Reset(start) => {
                    self.at = Some(*start);
                    self.owe(&Event::named(start, "reset", self.place()));
                }
                LogNews::Removed => {
                    self.at = None;
                    self.owe(&Event::removed("", &self.path));
                }
                LogNews::Missed => {}
            }
        }
    }

    /// Finds where to begin.
    async fn start(&mut self, end: Option<Mark>) {
        let Some(end) = end else { return self.owe(&Event::removed("", &self.path)) };
        // What we can't read was never ours, and so nothing is known of what was seen.
        let (seen, last) = (self.seen.as_ref().map(|seen| seen.parse::<MarkId>()), self.last);
        let begin = self.read(move |log| match seen {
            Some(Ok(id)) if id.position <= end.position => {
                let mark = log.mark(id.position)?;
                Ok(if mark.is(id) && mark.file == end.file { Begin::Here(mark) } else { Begin::Anew })
            }
            Some(_) => Ok(Begin::Anew),
            None => Ok(Begin::Here(last_lines(log, end, last)?)),
        });
        let begin = match begin.await.unwrap_or(Begin::Here(end)) {
            Begin::Here(mark) => mark,
            Begin::Anew => {
                let start = Mark::start(end.file);
                self.owe(&Event::named(start, "reset", self.place()));
                start
            }
        };
        (self.at, self.until) = (Some(begin), Some(end));
        // Who has heard nothing yet can say where it was, too.
        if self.wire == Wire::Stream && self.seen.is_none() {
            self.owed.push_back(format!("id: {begin}\n\n").into());
        }
    }

    fn grow(&mut self, grown: &Grown) {
        if self.at.is_some_and(|at| at == grown.start) {
            self.at = Some(grown.end);
            let part = Part { start: grown.start, before: &grown.before, bytes: &grown.lines };
            match self.wire {
                Wire::Stream => self.owed.push_back(grown.text(|_| part.frames())),
                Wire::Socket => self.owed.extend(part.messages()),
            }
        } else {
            // It is new, or some news were missed. All of it is in the file.
            self.at.get_or_insert(Mark::start(grown.start.file));
            self.until = Some(grown.end);
        }
    }

    /// Tells the next part from the file.
    async fn catch_up(&mut self, until: Mark) {
        let at = self.at.unwrap_or(Mark::start(until.file));
        let count = usize::try_from(until.position.saturating_sub(at.position)).unwrap_or(PART).min(PART);
        let read = self.read(move |log| {
            if log.file != until.file {
                return Err(io::Error::other("it is another file by now"));
            }
            let (before, mut bytes) = (log.before(at.position)?, log.read(at.position, count)?);
            let complete = lines::complete(&bytes);
            bytes.truncate(if complete == 0 { bytes.len() } else { complete });
            Ok((before, log.mark(at.position + bytes.len() as u64)?, bytes))
        });
        let is_over = match read.await {
            Ok((before, end, bytes)) if !bytes.is_empty() => {
                self.at = Some(end);
                let part = Part { start: at, before: &before, bytes: &bytes };
                match self.wire {
                    Wire::Stream => self.owed.push_back(part.frames()),
                    Wire::Socket => self.owed.extend(part.messages()),
                }
                end.position >= until.position
            }
            // The rest is gone with the file, and the news of that will come.
            _ => {
                self.at = Some(until);
                true
            }
        };
        if is_over {
            self.until = None;
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

/// Where a listener begins.
enum Begin {
    Here(Mark),
    /// At the start: what it has seen is of another file.
    Anew,
}

/// Lines of a file, with what is before them.
struct Part<'a> {
    start: Mark,
    before: &'a [u8],
    bytes: &'a [u8],
}

impl Part<'_> {
    fn frames(&self) -> Bytes {
        let mut text = String::with_capacity(self.bytes.len() * 2);
        for (mark, line) in lines::lines(self.start, self.before, self.bytes) {
            text.push_str(&Event::message(mark, line).to_frame());
        }
        text.into()
    }

    fn messages(&self) -> impl Iterator<Item = Bytes> {
        lines::lines(self.start, self.before, self.bytes)
            .map(|(mark, line)| Wire::Socket.write(&Event::message(mark, line)))
    }
}

/// Where the last `count` lines before `end` begin, as far as that is looked for.
fn last_lines(log: &Log, end: Mark, count: usize) -> io::Result<Mark> {
    if count == 0 {
        return Ok(end);
    }
    let mut reach = PART as u64;
    loop {
        let from = end.position.saturating_sub(reach);
        let bytes = log.read(from, usize::try_from(end.position - from).unwrap_or(usize::MAX))?;
        match lines::last(&bytes, count) {
            Some(place) => return log.mark(from + place as u64),
            None if from == 0 => return Ok(Mark::start(log.file)),
            // So many lines are too many; begin with the first that is whole.
            None if reach >= LOOK_BACK => {
                let first = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |place| place + 1);
                return log.mark(from + first as u64);
            }
            None => reach *= 4,
        }
    }
}
