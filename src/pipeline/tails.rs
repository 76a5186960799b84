//! Files that are followed line by line: how far each was read, and what has come since.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::Weak;
use std::time::Duration;
use std::time::Instant;

use crate::content::lines;
use crate::content::lines::LONGEST;
use crate::content::lines::Mark;
use crate::hub::Extent;
use crate::hub::Generation;
use crate::hub::Generations;
use crate::hub::Grown;
use crate::hub::Hub;
use crate::hub::TailEvent;
use crate::site::SitePath;
use crate::source::ReadError;
use crate::source::Sources;
use crate::source::directory::tailed::TailedFile;

/// How far back the end of the last line is looked for, in parts of [`LONGEST`].
const LOOK_BACK: u64 = 16;

/// About so many bytes are sent at once.
const PART: usize = 64 << 10;

/// How long a file is kept open when another one has taken its place, and since somebody has last read it: for those who are
/// behind, and for what is written to it until its writer has noticed. `logrotate` tells writers at once; some need a few
/// seconds.
const KEPT: Duration = Duration::from_secs(60);

/// How many such files are kept open for one name.
const GENERATIONS: usize = 8;

/// How far each file was read.
#[derive(Default)]
pub(super) struct Tails {
    ends: HashMap<SitePath, Tail>,
}

/// What is to be done after a look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Next {
    /// It may only be gone for a moment, and should be looked at again.
    pub(super) doubt: bool,
    /// The system doesn't tell what is written to it, because it has another name now.
    pub(super) later: bool,
}

/// How far the files behind a name were read.
#[derive(Default)]
struct Tail {
    /// The one that is there.
    current: Option<(Arc<Open>, Mark)>,
    /// Those that were there before, from the oldest on.
    olds: VecDeque<(Arc<Open>, Mark)>,
    /// Whether there was one before, so that another one is told to be another one.
    was_there: bool,
}

/// A file that is kept open.
#[derive(Debug)]
struct Open {
    log: TailedFile,
    /// When a listener last read it, or it was last there.
    used: Mutex<Instant>,
}

impl Open {
    fn new(log: TailedFile) -> Arc<Self> {
        Arc::new(Self { log, used: Mutex::new(Instant::now()) })
    }

    fn use_it(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn is_used(&self) -> bool {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < KEPT
    }
}

impl Generation for Open {
    fn read(&self, position: u64, count: usize) -> io::Result<Vec<u8>> {
        self.use_it();
        self.log.read(position, count)
    }

    fn before(&self, position: u64) -> io::Result<Vec<u8>> {
        self.log.before(position)
    }

    fn mark(&self, position: u64) -> io::Result<Mark> {
        self.log.mark(position)
    }
}

impl Tails {
    /// Reads what has come since the last look, and tells those who follow the file line by line, if somebody does. `again`
    /// is true if what was gone is gone.
    pub(super) fn tell(&mut self, sources: &Sources, hub: &Hub, path: &SitePath, again: bool) -> Next {
        let Some(is_sent) = hub.tail(path) else {
            self.ends.remove(path);
            return Next::default();
        };
        if !is_sent {
            self.ends.remove(path);
        }
        let tail = self.ends.entry(path.clone()).or_default();
        let (mut news, mut doubt) = (Vec::new(), false);
        tail.read_olds(&mut news);
        match sources.tail(path) {
            // Those who come first begin at its end.
            Ok(log) if !is_sent => tail.current = last_end(&log).ok().map(|end| (Open::new(log), end)),
            Ok(log) => tail.read(log, &mut news),
            Err(ReadError::Missing | ReadError::Outside) if tail.current.is_some() && !again => {
                tail.read_on(&mut news);
                doubt = true;
            }
            Err(_) => {
                if tail.retire(&mut news) {
                    news.push(TailEvent::Removed);
                }
            }
        }
        tail.was_there |= tail.current.is_some();
        if !is_sent || !news.is_empty() {
            hub.append(path, news, tail.generations());
        }
        Next { doubt, later: doubt || !tail.olds.is_empty() }
    }
}

impl Tail {
    /// What has come since the last look.
    fn read(&mut self, log: TailedFile, news: &mut Vec<TailEvent>) {
        if let Some((current, end)) = self.current.as_mut().filter(|(current, _)| current.log.file == log.file) {
            if !current.log.mark(end.position).is_ok_and(|mark| mark == *end) {
                *end = Mark::start(log.file);
                news.push(TailEvent::Reset(*end));
            }
            return self.read_on(news);
        }
        self.retire(news);
        // One that has come back begins anew.
        self.olds.retain(|(old, _)| old.log.file != log.file);
        let start = Mark::start(log.file);
        // Nobody has seen anything of it before, so nothing begins anew.
        if self.was_there {
            news.push(TailEvent::Reset(start));
        }
        self.current = Some((Open::new(log), start));
        self.read_on(news);
    }

    /// What has come to the file that is there, whatever it is called now.
    fn read_on(&mut self, news: &mut Vec<TailEvent>) {
        if let Some((open, end)) = &mut self.current {
            *end = drain(open, *end, news);
        }
    }

    /// What has come to those that were there before.
    fn read_olds(&mut self, news: &mut Vec<TailEvent>) {
        for (open, end) in &mut self.olds {
            *end = drain(open, *end, news);
        }
        self.olds.retain(|(open, _)| open.is_used());
    }

    /// The file is no longer there. What was written to it before is sent before what comes then. False if none was there.
    fn retire(&mut self, news: &mut Vec<TailEvent>) -> bool {
        self.read_on(news);
        let Some((open, end)) = self.current.take() else { return false };
        open.use_it();
        self.olds.push_back((open, end));
        if self.olds.len() > GENERATIONS {
            self.olds.pop_front();
        }
        true
    }

    fn generations(&self) -> Generations {
        let all = self.olds.iter().chain(&self.current);
        Generations { extents: all.map(|(open, end)| extent(open, *end)).collect(), is_there: self.current.is_some() }
    }
}

fn extent(open: &Arc<Open>, end: Mark) -> Extent {
    let generation: Weak<Open> = Arc::downgrade(open);
    Extent { generation, end }
}

/// All lines from here to the end of the file; returns their end. What can't be read now is read at the next look.
fn drain(open: &Arc<Open>, start: Mark, news: &mut Vec<TailEvent>) -> Mark {
    let log = &open.log;
    let there = log.length().unwrap_or(0);
    // What is more than is kept is read from the file by those who want it.
    if there.saturating_sub(start.position) > LONGEST as u64
        && let Ok(last) = last_end(log)
        && last.position > start.position
    {
        news.push(TailEvent::Far(extent(open, last)));
        return last;
    }
    let mut end = start;
    let mut next = || -> io::Result<bool> {
        let mut bytes = log.read(end.position, LONGEST)?;
        bytes.truncate(lines::complete(&bytes));
        let mut before = log.before(end.position)?;
        for part in lines::parts(&bytes, PART) {
            let context = usize::try_from(lines::CONTEXT).unwrap_or(0);
            let lines = [before.as_slice(), part].concat();
            let to = Mark::new(log.file, end.position + part.len() as u64, &lines);
            news.push(TailEvent::Grown(Grown::new(extent(open, to), end, before, part.to_vec())));
            before = lines[lines.len().saturating_sub(context)..].to_vec();
            end = to;
        }
        Ok(!bytes.is_empty())
    };
    while let Ok(true) = next() {}
    end
}

/// The end of the last complete line.
fn last_end(log: &TailedFile) -> io::Result<Mark> {
    let length = log.length()?;
    let mut to = length;
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
    log.mark(length)
}
