//! Files that are followed line by line: how far each was read, and what has come since.

use std::collections::HashMap;
use std::io;

use crate::change::lines;
use crate::change::lines::Mark;
use crate::hub::Grown;
use crate::hub::Hub;
use crate::hub::LogNews;
use crate::root::Log;
use crate::root::Refusal;
use crate::root::Root;
use crate::site_path::SitePath;

/// How much is read at once, in bytes. A longer line is told in parts.
const PART: usize = 1 << 20;

/// How far each file was read. `None` is one that isn't there.
#[derive(Default)]
pub(super) struct Tails {
    ends: HashMap<SitePath, Option<Mark>>,
    /// What was known of a file before it went, so that another one in its place is told to be another one.
    gone: HashMap<SitePath, u64>,
}

impl Tails {
    /// Reads what has come since the last look, and tells those who follow the file line by line, if somebody does. False if
    /// it may only be gone for a moment, and should be looked at `again`.
    pub(super) fn tell(&mut self, root: &Root, hub: &Hub, path: &SitePath, again: bool) -> bool {
        let Some(is_told) = hub.log(path) else {
            self.ends.remove(path);
            self.gone.remove(path);
            return true;
        };
        let before = if is_told { self.ends.get(path).copied() } else { None };
        let log = root.log(path);
        let mut news = Vec::new();
        let end = match (before, log) {
            (None, Ok(log)) => last_end(&log).ok(),
            (Some(end), Ok(log)) => match self.read(path, end, &log, &mut news) {
                Ok(end) => Some(end),
                // It was truncated while it was read, and a look will follow.
                Err(_) => end,
            },
            (None | Some(None), Err(_)) => None,
            (Some(Some(_)), Err(Refusal::Missing)) if !again => return false,
            (Some(Some(end)), Err(_)) => {
                self.gone.insert(path.clone(), end.file);
                news.push(LogNews::Removed);
                None
            }
        };
        self.ends.insert(path.clone(), end);
        if !is_told || !news.is_empty() {
            hub.append(path, news, end);
        }
        true
    }

    /// What has come since `end`; returns the new end.
    fn read(&mut self, path: &SitePath, end: Option<Mark>, log: &Log, news: &mut Vec<LogNews>) -> io::Result<Mark> {
        let is_continued = |end: &Mark| {
            Ok::<_, io::Error>(log.file == end.file && log.length >= end.position && log.mark(end.position)? == *end)
        };
        let mut end = match end {
            Some(end) if is_continued(&end)? => end,
            known => {
                let start = Mark::start(log.file);
                // Nobody has seen anything of it before, so nothing begins anew.
                if known.is_some() || self.gone.remove(path).is_some() {
                    news.push(LogNews::Reset(start));
                }
                start
            }
        };
        loop {
            let mut bytes = log.read(end.position, PART)?;
            let complete = lines::complete(&bytes);
            if complete == 0 && bytes.len() < PART {
                return Ok(end);
            }
            bytes.truncate(if complete == 0 { PART } else { complete });
            let next = log.mark(end.position + bytes.len() as u64)?;
            news.push(LogNews::Grown(Grown::new(end, next, log.before(end.position)?, bytes)));
            end = next;
        }
    }
}

/// The end of the last complete line.
fn last_end(log: &Log) -> io::Result<Mark> {
    let from = log.length.saturating_sub(PART as u64);
    let bytes = log.read(from, PART)?;
    log.mark(from + lines::complete(&bytes) as u64)
}
