//! The story: batch → read → version → validate → update → publish.

mod tails;

use crate::change::Problem;
use crate::change::Update;
use crate::change::listing;
use crate::hub::Hub;
use crate::pipeline::tails::Tails;
use crate::root;
use crate::root::Found;
use crate::root::Refusal;
use crate::root::Root;
use crate::site_path::SitePath;
use crate::watch::Batch;
use crate::watch::Look;
use crate::watch::Watch;

/// Looks at what has settled and tells the hub, until the watch is stopped. `hear` is told of files that have become
/// broken.
///
/// Good news is told at once. Bad news (gone, empty, half a document) may only be a moment in a save, so it is true when
/// a second look finds it too.
pub fn run(mut watch: Watch, root: &Root, hub: &Hub, hear: impl Fn(&SitePath, &Problem)) {
    let mut tails = Tails::default();
    while let Some(Batch { looks, is_burst }) = watch.next_batch() {
        // Pages hear of its beginning before what it brings, and of its end after that.
        if is_burst {
            hub.burst(true);
        }
        for Look { path, is_settled, again, changed } in looks {
            if !tails.tell(root, hub, &path, again) {
                watch.doubt(&path, changed);
            }
            if !is_settled {
                continue;
            }
            let Some(ticket) = hub.look(&path) else { continue };
            match see(root, path.clone()) {
                None => watch.unsettled(&path, changed),
                Some(update) if update.is_doubtful() && !again => watch.doubt(&path, changed),
                Some(update) => {
                    watch.trust(&path);
                    let problem = update.news.problem();
                    if hub.publish(ticket, update, changed).is_some() {
                        problem.iter().for_each(|problem| hear(&path, problem));
                    }
                }
            }
        }
        if !is_burst {
            hub.burst(false);
        }
    }
}

/// What there is to say of a path now; `None` while it is being written.
fn see(root: &Root, path: SitePath) -> Option<Update> {
    Some(match root.find(&path) {
        Ok(Found::Content(content)) if !content.is_whole => return None,
        Ok(Found::Content(content)) => Update::content(path, content.bytes),
        Ok(Found::Large(_, metadata)) => Update::large(path, metadata.len(), &root::identity(&metadata)),
        // A name without a slash is that of a file, and a file is not what stands there.
        Ok(Found::Directory) if !path.is_directory() => Update::removed(path),
        Ok(Found::Directory) => match root.entries(&path) {
            Ok(entries) => Update::listing(path, listing::to_json(entries)),
            Err(refusal) => nothing_to_see(path, refusal),
        },
        Err(refusal) => nothing_to_see(path, refusal),
    })
}

fn nothing_to_see(path: SitePath, refusal: Refusal) -> Update {
    match refusal {
        Refusal::Missing => Update::removed(path),
        Refusal::Unreadable(error) => Update::unreadable(path, format!("cannot be read: {error}")),
    }
}
