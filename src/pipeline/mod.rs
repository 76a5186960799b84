//! The story: batch → read → version → validate → update → publish.

mod tails;

use std::collections::HashMap;
use std::time::Duration;
use std::time::SystemTime;

use crate::content::Problem;
use crate::content::Snapshot;
use crate::content::Version;
use crate::content::listing;
use crate::hub::Hub;
use crate::hub::Original;
use crate::hub::Ticket;
use crate::pipeline::tails::Tails;
use crate::site::SitePath;
use crate::source::Found;
use crate::source::ReadError;
use crate::source::Sources;
use crate::watch::Batch;
use crate::watch::Look;
use crate::watch::Reason;
use crate::watch::Since;
use crate::watch::Watch;

/// How long after a write a file may still be in the midst of it, if nobody has said that it is done. As long as bad news
/// is held back.
const WRITING: Duration = Duration::from_millis(200);

/// How long a file that is saved again and again may be passed over, because the next save has come to its end.
const CAP: Duration = Duration::from_millis(500);

/// Looks at what has settled and tells the hub, until the watch is stopped. `hear` is told of files that have become
/// broken.
///
/// Good news is sent at once. Bad news (gone, empty, half a document) may only be a moment in a save, so it is true when
/// a second look finds it too.
pub fn run(mut watch: Watch, sources: &Sources, hub: &Hub, hear: impl Fn(&SitePath, &Problem)) {
    let mut tails = Tails::default();
    // What was found of the files that are looked at once more to be sure.
    let mut unsure: HashMap<SitePath, Version> = HashMap::new();
    while let Some(Batch { looks, is_burst }) = watch.next_batch() {
        // Pages hear of its beginning before what it brings, and of its end after that.
        if is_burst {
            hub.burst(true);
        }
        for look in looks {
            let Look { path, reason, changed, .. } = &look;
            let next = tails.tell(sources, hub, path, *reason == Reason::Again);
            if next.doubt {
                watch.doubt(path, *changed);
            }
            if next.later {
                watch.look_later(path);
            }
            if *reason == Reason::Haste {
                continue;
            }
            let Some(mut ticket) = hub.look(path) else {
                unsure.remove(path);
                continue;
            };
            let found_before = unsure.remove(path);
            let seen = see(sources, path.clone(), &mut ticket);
            let since = watch.since(path);
            let has_settled = sources.has_settled(path);
            match seen {
                Seen::Unknown => {}
                Seen::Written => watch.unsettled(path, *changed),
                // What was found may be a part of the next save.
                Seen::There(seen)
                    if !has_settled
                        && since == Since::Done
                        && seen.snapshot.may_be_a_part(None)
                        && changed.elapsed() < CAP =>
                {
                    watch.skip(path, *changed);
                }
                Seen::There(seen) if !has_settled && seen.is_early(&look, &ticket, found_before) => {
                    unsure.insert(path.clone(), seen.snapshot.version);
                    watch.put_off(path, *changed);
                }
                Seen::There(seen) if !has_settled && seen.is_doubtful(&look, since, &ticket) => {
                    watch.doubt(path, *changed);
                }
                Seen::There(There { snapshot, .. }) => {
                    watch.trust(path);
                    let problem = snapshot.content.problem();
                    if hub.publish(ticket, snapshot, *changed).is_some() {
                        problem.iter().for_each(|problem| hear(path, problem));
                    }
                }
            }
        }
        if !is_burst {
            hub.burst(false);
        }
    }
}

/// What a look has found.
enum Seen {
    There(There),
    /// It is being written.
    Written,
    /// Nobody knows yet, and who finds out says so.
    Unknown,
}

/// What there is to say of a path.
struct There {
    snapshot: Snapshot,
    /// When it was written, if it is a file that was read.
    modified: Option<SystemTime>,
}

impl There {
    /// Whether it may only be a moment in a save.
    fn is_doubtful(&self, look: &Look, since: Since, ticket: &Ticket) -> bool {
        let before = ticket.before();
        if look.reason == Reason::Again || before.is_some_and(|before| before.version == self.snapshot.version) {
            return false;
        }
        // Nobody has said that the writer is done, and half of a text looks like a text. What was found empty is written anew.
        let is_open = look.is_written || since == Since::Written;
        let before_it = before.filter(|_| !look.is_doubted);
        // Nobody has said that there was a change at all: a writer may be at work, of whom we will hear. A stream that has
        // just been opened is sent what there is, and what comes of it; an answer is only one.
        let is_unheard = look.reason == Reason::Asked && (before.is_some() || ticket.needs_original());
        self.snapshot.is_doubtful()
            || (is_open && self.snapshot.may_be_a_part(before_it))
            || (is_unheard && self.is_young())
    }

    /// Whether the next save may have begun already, which the system will say in a moment, or two equal looks deny. A
    /// stream is told of that save, too; an answer is only one.
    fn is_early(&self, look: &Look, ticket: &Ticket, found_before: Option<Version>) -> bool {
        let version = self.snapshot.version;
        let is_news = ticket.before().is_none_or(|before| before.version != version) && found_before != Some(version);
        let may_be_a_part = self.snapshot.may_be_a_part(None) && ticket.needs_original();
        look.reason == Reason::Done && is_news && may_be_a_part && look.changed.elapsed() < CAP
    }

    fn is_young(&self) -> bool {
        self.modified.and_then(|modified| modified.elapsed().ok()).is_some_and(|age| age < WRITING)
    }
}

fn see(sources: &Sources, path: SitePath, ticket: &mut Ticket) -> Seen {
    let mut modified = None;
    let snapshot = match sources.find(&path) {
        Ok(Found::File(content)) if !content.is_whole => return Seen::Written,
        Ok(Found::File(content)) => {
            modified = content.modified;
            if ticket.needs_original() {
                ticket.set_original(Original::File(content.bytes.clone(), modified));
            }
            Snapshot::of_file(path, content.bytes.into())
        }
        Ok(Found::Unknown) => return Seen::Unknown,
        Ok(Found::Away(why)) => Snapshot::unreadable(path, why),
        Ok(Found::Answer(bytes, kind)) => Snapshot::of_kind(path, kind, bytes),
        Ok(Found::Large(size, version)) => Snapshot::large(path, size, version),
        Ok(Found::Unread(version)) => Snapshot::unread(path, version),
        // A name without a slash is that of a file, and a file is not what stands there.
        Ok(Found::Directory) if !path.is_directory() => Snapshot::removed(path),
        Ok(Found::Directory) => match sources.entries(&path) {
            Ok(entries) => {
                if ticket.needs_original() {
                    ticket.set_original(Original::Listing(entries.clone()));
                }
                Snapshot::listing(path, listing::to_json(entries))
            }
            Err(refusal) => nothing_to_see(path, refusal),
        },
        Err(refusal) => nothing_to_see(path, refusal),
    };
    Seen::There(There { snapshot, modified })
}

fn nothing_to_see(path: SitePath, refusal: ReadError) -> Snapshot {
    match refusal {
        ReadError::Missing | ReadError::Outside => Snapshot::removed(path),
        ReadError::Unreadable(error) => Snapshot::unreadable(path, format!("cannot be read: {error}")),
        ReadError::Away(why) => Snapshot::unreadable(path, why),
    }
}

#[cfg(test)]
mod tests;
