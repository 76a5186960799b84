//! Files that are followed line by line: how far each was read, and what has come since.

use std::collections::HashMap;
use std::io;

use crate::change::lines;
use crate::change::lines::LONGEST;
use crate::change::lines::Mark;
use crate::hub::Grown;
use crate::hub::Hub;
use crate::hub::LogNews;
use crate::root::Log;
use crate::root::Refusal;
use crate::root::Root;
use crate::site_path::SitePath;

/// How far back the end of the last line is looked for, in parts of [`LONGEST`].
const LOOK_BACK: u64 = 16;

/// How far each file was read.
#[derive(Default)]
pub(super) struct Tails {
    ends: HashMap<SitePath, Tail>,
}

/// How far a file was read.
#[derive(Default)]
struct Tail {
    /// The file, kept open to be read to its end when another one takes its place; `None` while it isn't there.
    file: Option<(Log, Mark)>,
    /// Whether there was one before, so that another one is told to be another one.
    was_there: bool,
}

impl Tails {
    /// Reads what has come since the last look, and tells those who follow the file line by line, if somebody does. False if
    /// it may only be gone for a moment, and should be looked at `again`.
    pub(super) fn tell(&mut self, root: &Root, hub: &Hub, path: &SitePath, again: bool) -> bool {
        let Some(is_told) = hub.log(path) else {
            self.ends.remove(path);
            return true;
        };
        if !is_told {
            self.ends.remove(path);
        }
        let tail = self.ends.entry(path.clone()).or_default();
        let mut news = Vec::new();
        match root.log(path) {
            // Those who come first begin at its end.
            Ok(log) if !is_told => tail.file = last_end(&log).ok().map(|end| (log, end)),
            Ok(log) => tail.read(log, &mut news),
            Err(Refusal::Missing) if tail.file.is_some() && !again => return false,
            Err(_) => {
                if let Some((log, end)) = tail.file.take() {
                    drain(&log, end, &mut news);
                    news.push(LogNews::Removed);
                }
            }
        }
        tail.was_there |= tail.file.is_some();
        if !is_told || !news.is_empty() {
            hub.append(path, news, tail.file.as_ref().map(|(_, end)| *end));
        }
        true
    }
}

impl Tail {
    /// What has come since the last look.
    fn read(&mut self, log: Log, news: &mut Vec<LogNews>) {
        let before = self.file.take();
        let is_same = |(_, end): &(Log, Mark)| {
            log.file == end.file && log.length >= end.position && log.mark(end.position).is_ok_and(|mark| mark == *end)
        };
        let start = if let Some((_, end)) = before.as_ref().filter(|before| is_same(before)) {
            *end
        } else {
            // What was written to the old one before the new one came.
            if let Some((old, end)) = before.filter(|(old, _)| old.file != log.file) {
                drain(&old, end, news);
            }
            // Nobody has seen anything of it before, so nothing begins anew.
            if self.was_there {
                news.push(LogNews::Reset(Mark::start(log.file)));
            }
            Mark::start(log.file)
        };
        let mut end = start;
        // What is more than is kept is read from the file by those who want it.
        if log.length.saturating_sub(start.position) > LONGEST as u64 {
            match last_end(&log) {
                Ok(last) if last.position > start.position => {
                    news.push(LogNews::Far(last));
                    end = last;
                }
                _ => end = drain(&log, start, news),
            }
        } else {
            end = drain(&log, end, news);
        }
        self.file = Some((log, end));
    }
}

/// All lines from here to the end of the file; returns their end. What can't be read now is read at the next look.
fn drain(log: &Log, start: Mark, news: &mut Vec<LogNews>) -> Mark {
    let mut end = start;
    let mut next = || -> io::Result<Option<Grown>> {
        let mut bytes = log.read(end.position, LONGEST)?;
        bytes.truncate(lines::complete(&bytes));
        if bytes.is_empty() {
            return Ok(None);
        }
        let (from, before) = (end, log.before(end.position)?);
        end = log.mark(from.position + bytes.len() as u64)?;
        Ok(Some(Grown::new(from, end, before, bytes)))
    };
    while let Ok(Some(grown)) = next() {
        news.push(LogNews::Grown(grown));
    }
    end
}

/// The end of the last complete line.
fn last_end(log: &Log) -> io::Result<Mark> {
    let mut to = log.length;
    for _ in 0..LOOK_BACK {
        let from = to.saturating_sub(LONGEST as u64);
        let bytes = log.read(from, usize::try_from(to - from).unwrap_or(0))?;
        if let Some(place) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return log.mark(from + place as u64 + 1);
        }
        if from == 0 {
            return Ok(Mark::start(log.file));
        }
        to = from;
    }
    // Within a line that is longer than anybody reads.
    log.mark(log.length)
}
