//! A file line by line: the last lines that are there, and then those that come.

use std::collections::VecDeque;
use std::io;

use actix_web::web;
use actix_web::web::Data;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream;
use serde_json::json;

use crate::content::lines;
use crate::content::lines::LONGEST;
use crate::content::lines::Mark;
use crate::content::lines::MarkId;
use crate::event::Encoding;
use crate::event::Event;
use crate::http::live::lines::PART;
use crate::http::live::lines::Part;
use crate::http::live::lines::last_lines;
use crate::http::live::lines::present_end;
use crate::http::state::AppState;
use crate::hub::Extent;
use crate::hub::Generation;
use crate::hub::Generations;
use crate::hub::Grown;
use crate::hub::TailEvent;
use crate::hub::TailFollower;
use crate::site::SitePath;

/// In how many files that were there before a listener knows its place: as many as are kept open.
const OLDS: usize = 8;

/// What a listener is told of a file, in words; it ends when the server stops. `last` is how many of the lines that are there
/// come first, unless `seen` is the id of a line: then all that come after it do.
pub(crate) fn tell(
    state: &Data<AppState>,
    path: SitePath,
    last: usize,
    encoding: Encoding,
    seen: Option<&str>,
) -> impl Stream<Item = Bytes> + use<> {
    let follower = TailFollower::new(&state.hub, path.clone());
    let listener = Listener {
        path,
        encoding,
        last,
        seen: seen.map(str::to_owned),
        follower,
        is_begun: false,
        at: None,
        olds: VecDeque::new(),
        todo: VecDeque::new(),
        owed: VecDeque::new(),
    };
    stream::unfold(listener, |mut listener| async {
        let text = listener.next().await?;
        Some((text, listener))
    })
}

struct Listener {
    path: SitePath,
    encoding: Encoding,
    last: usize,
    seen: Option<String>,
    follower: TailFollower,
    /// Whether it was found where to begin.
    is_begun: bool,
    /// Up to where the listener has the file; `None` while there is none.
    at: Option<Mark>,
    /// Up to where it was told of the files that were there before, at most [`OLDS`].
    olds: VecDeque<Mark>,
    /// What is still to be sent, before anything else: at most as much as there are files.
    todo: VecDeque<Todo>,
    /// What was put into words and not yet sent.
    owed: VecDeque<Bytes>,
}

enum Todo {
    /// What is in this file. After missed news, it may have been truncated.
    Read { extent: Extent, is_sure: bool },
    /// That there is none.
    Removed,
}

/// Where a file stands for a listener.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Current,
    Old(usize),
    Unknown,
}

impl Listener {
    /// The next text; `None` when the server stops.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(text) = self.owed.pop_front() {
                return Some(text);
            }
            if let Some(todo) = self.todo.pop_front() {
                if self.follower.is_closed() {
                    return None;
                }
                match todo {
                    Todo::Read { extent, is_sure } => self.catch_up(extent, is_sure).await,
                    Todo::Removed => self.removed(),
                }
                continue;
            }
            let news = self.follower.next().await?;
            match &*news {
                TailEvent::Start(all) if !all.is_there => self.owe(&Event::removed("", &self.path)),
                TailEvent::Start(all) => self.begin(&all.extents, self.last).await,
                // It came after the listener, so all of it is new.
                TailEvent::Grown(Grown { extent, .. }) | TailEvent::Far(extent) if !self.is_begun => {
                    self.begin(std::slice::from_ref(extent), usize::MAX).await;
                }
                TailEvent::Missed(all) if !self.is_begun => self.begin(&all.extents, usize::MAX).await,
                TailEvent::Reset(_) | TailEvent::Removed if !self.is_begun => {}
                TailEvent::Grown(grown) => self.grow(grown),
                TailEvent::Far(extent) => self.fall_behind(extent, true),
                TailEvent::Reset(start) => self.reset(*start),
                TailEvent::Removed => self.removed(),
                TailEvent::Missed(all) => self.miss(all),
            }
        }
    }

    /// Finds where to begin.
    async fn begin(&mut self, extents: &[Extent], last: usize) {
        let Some(newest) = extents.last() else { return };
        self.is_begun = true;
        let (mut first, mut begin) = (newest, None);
        // What we can't read was never ours, and so nothing is known of what was seen.
        if let Some(Ok(id)) = self.seen.as_ref().map(|seen| seen.parse::<MarkId>()) {
            for extent in extents.iter().rev() {
                let mark = read(extent, move |log| log.mark(id.position)).await;
                if let Some(mark) = mark.ok().filter(|mark| mark.is(id)) {
                    (first, begin) = (extent, Some(mark));
                    break;
                }
            }
        } else if last == usize::MAX {
            first = &extents[0];
            begin = Some(Mark::start(first.end.file));
        } else if self.seen.is_none() {
            let end = newest.end;
            let begin_here = read(newest, move |log| {
                // More may be there than was read for all.
                let end = if last == 0 { end } else { present_end(log, end)? };
                last_lines(log, end, last)
            });
            begin = Some(begin_here.await.unwrap_or(end));
        }
        match begin {
            Some(mark) => self.at = Some(mark),
            // What it has seen is of another file.
            None => self.reset(Mark::start(newest.end.file)),
        }
        // Who has heard nothing yet can say where it was, too.
        if let (None, Some(at)) = (&self.seen, self.at) {
            self.owed.push_back(match self.encoding {
                Encoding::Sse => format!("id: {at}\n\n").into(),
                Encoding::WebSocket => json!({ "id": at.to_string() }).to_string().into(),
            });
        }
        let rest = extents.iter().skip_while(|extent| extent.end.file != first.end.file);
        self.todo.extend(rest.map(|extent| Todo::Read { extent: extent.clone(), is_sure: true }));
    }

    fn grow(&mut self, grown: &Grown) {
        let end = grown.extent.end;
        match self.place(end.file) {
            Place::Current if self.at == Some(grown.start) => {
                self.at = Some(end);
                match self.encoding {
                    Encoding::Sse => {
                        self.owed.push_back(grown.text(|grown| Part::of(grown).frames(usize::MAX, true).0));
                    }
                    Encoding::WebSocket => drop(Part::of(grown).messages(usize::MAX, true, &mut self.owed)),
                }
            }
            Place::Old(old) if self.olds[old] == grown.start => {
                self.olds[old] = end;
                match self.encoding {
                    Encoding::Sse => self.owed.push_back(Part::of(grown).frames(usize::MAX, false).0),
                    Encoding::WebSocket => drop(Part::of(grown).messages(usize::MAX, false, &mut self.owed)),
                }
            }
            _ => self.fall_behind(&grown.extent, true),
        }
    }

    /// What is there has to be read.
    fn fall_behind(&mut self, extent: &Extent, is_sure: bool) {
        // What was there before the listener came is nothing to it.
        if self.place(extent.end.file) != Place::Unknown {
            self.todo.push_back(Todo::Read { extent: extent.clone(), is_sure });
        }
    }

    /// All is in the files: those that it knows, and those that have come since.
    fn miss(&mut self, all: &Generations) {
        let current = all.extents.iter().position(|extent| self.place(extent.end.file) == Place::Current);
        for (number, extent) in all.extents.iter().enumerate() {
            if self.place(extent.end.file) != Place::Unknown || current.is_none_or(|current| number > current) {
                self.todo.push_back(Todo::Read { extent: extent.clone(), is_sure: false });
            }
        }
        if !all.is_there {
            self.todo.push_back(Todo::Removed);
        }
    }

    /// Tells the next part from the file.
    async fn catch_up(&mut self, extent: Extent, is_sure: bool) {
        let end = extent.end;
        let mut place = self.place(end.file);
        if place == Place::Unknown {
            // The first one that it hears of does not begin anew.
            if self.at.is_some() || !self.olds.is_empty() {
                self.reset(Mark::start(end.file));
            }
            self.at = Some(Mark::start(end.file));
            place = Place::Current;
        }
        let at = match place {
            Place::Old(old) => self.olds[old],
            Place::Current | Place::Unknown => self.at.unwrap_or(Mark::start(end.file)),
        };
        let found = read(&extent, move |log| {
            if log.mark(at.position)? != at {
                return Ok(None);
            }
            let count = usize::try_from(end.position.saturating_sub(at.position)).unwrap_or(LONGEST).min(LONGEST);
            let mut bytes = log.read(at.position, count.min(PART))?;
            if !bytes.contains(&b'\n') {
                bytes = log.read(at.position, count)?;
            }
            // Up to the end there are complete lines, or parts of them.
            let complete = lines::complete(&bytes);
            bytes.truncate(if complete == 0 { bytes.len() } else { complete });
            Ok(Some((log.before(at.position)?, bytes)))
        });
        let (before, bytes) = match found.await {
            Ok(Some(found)) => found,
            // It was truncated. Unless something was missed, the news of that will come.
            Ok(None) if !is_sure && place == Place::Current => {
                self.reset(Mark::start(end.file));
                self.todo.push_front(Todo::Read { extent, is_sure: true });
                return;
            }
            // It is no longer kept.
            Ok(None) | Err(_) => return,
        };
        // Nothing is no text: it would be the end of the stream.
        if bytes.is_empty() {
            return;
        }
        let part = Part { start: at, before: &before, bytes: &bytes };
        let has_id = place == Place::Current;
        let told = match self.encoding {
            Encoding::Sse => {
                let (text, end) = part.frames(PART, has_id);
                self.owed.push_back(text);
                end
            }
            Encoding::WebSocket => part.messages(PART, has_id, &mut self.owed),
        };
        match place {
            Place::Old(old) => self.olds[old] = told,
            Place::Current | Place::Unknown => self.at = Some(told),
        }
        if told.position < end.position {
            self.todo.push_front(Todo::Read { extent, is_sure });
        }
    }

    fn place(&self, file: u64) -> Place {
        if self.at.is_some_and(|at| at.file == file) {
            return Place::Current;
        }
        self.olds.iter().position(|old| old.file == file).map_or(Place::Unknown, Place::Old)
    }

    fn reset(&mut self, start: Mark) {
        self.leave();
        self.olds.retain(|old| old.file != start.file);
        self.at = Some(start);
        self.owe(&Event::named(start, "reset", json!({ "path": self.path.as_str() }).to_string()));
    }

    fn removed(&mut self) {
        self.leave();
        self.owe(&Event::removed("", &self.path));
    }

    /// The file is no longer there, but something may still be written to it.
    fn leave(&mut self) {
        self.olds.extend(self.at.take());
        if self.olds.len() > OLDS {
            self.olds.pop_front();
        }
    }

    fn owe(&mut self, event: &Event<'_>) {
        self.owed.push_back(self.encoding.write(event));
    }
}

/// Reads a file where that may wait for the disk.
async fn read<T: Send + 'static>(
    extent: &Extent,
    read: impl FnOnce(&dyn Generation) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let generation = extent.generation.upgrade().ok_or(io::ErrorKind::NotFound)?;
    // If the pool is gone, the server is stopping.
    web::block(move || read(&*generation)).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
