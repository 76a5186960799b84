//! How the system gets to a path. Pure: what a name stands for is found out by whoever asks.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use crate::site::SitePath;
use crate::site::verbatim::verbatim;
use crate::source::fingerprint::Identity;

/// How many links may lead to a file. Linux gives up at as many.
pub(super) const LINKS: usize = 40;

/// How the system gets to a path: all that must be watched to know when it leads elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Route {
    /// What is looked up, in order: the root, each directory and each link from there down, and last the file, or else the
    /// first that isn't there. All of them lie in directories that are reached without links.
    pub(super) places: Vec<PathBuf>,
    /// Whether nothing is there from the last place on, although there is more of the path.
    pub(super) is_cut: bool,
    /// Where it ends, if it is a directory that is followed.
    pub(super) end: Option<PathBuf>,
    /// Which file it ends at, if that has other names too.
    pub(super) shared: Option<Identity>,
}

/// What a name on the way stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A directory or a file.
    Plain,
    /// Nothing yet.
    Missing,
    /// A symbolic link to this target.
    Link(PathBuf),
    /// A file with several names: it can be saved under another one.
    Shared(Identity),
}

impl Step {
    pub(super) fn shared(self) -> Option<Identity> {
        match self {
            Self::Shared(identity) => Some(identity),
            Self::Plain | Self::Missing | Self::Link(_) => None,
        }
    }
}

impl Route {
    /// Finds the way from the root to a path, as far as it stays inside and something is there. Whatever comes later must
    /// begin with what is missing now. So the work is that of the directories that exist, however long the path is.
    pub(super) fn find(root: &Path, path: &SitePath, step: impl Fn(&Path) -> Step) -> Self {
        let mut todo = path.to_file(Path::new("")).map(|path| names(&path)).unwrap_or_default();
        let mut here = root.to_path_buf();
        // The root itself may go and come back, which its parent tells.
        let mut places = vec![here.clone()];
        let mut links = 0;
        let mut shared = None;
        let mut is_there = true;
        while let Some(name) = todo.pop_front() {
            if name == ".." {
                here.pop();
            } else {
                let place = here.join(name);
                match step(&place) {
                    Step::Link(_) if links == LINKS => is_there = false,
                    Step::Link(target) => {
                        links += 1;
                        // On Windows, the root that is served is written so, and links are not.
                        let target = verbatim(&target);
                        if target.has_root() {
                            // A root of its own replaces what is before it.
                            here = beginning(&target, &here);
                        }
                        let mut rest = names(&target);
                        rest.append(&mut todo);
                        todo = rest;
                    }
                    Step::Shared(identity) if todo.is_empty() => {
                        here.clone_from(&place);
                        shared = Some(identity);
                    }
                    Step::Missing => is_there = false,
                    Step::Plain | Step::Shared(_) => here.clone_from(&place),
                }
                if place.starts_with(root) && place != root {
                    places.push(place);
                }
            }
            if !is_there {
                break;
            }
            // A link may pass above the root on its way into it.
            if !here.starts_with(root) && !root.starts_with(&here) {
                break;
            }
        }
        let is_inside = here.starts_with(root);
        let shared = shared.filter(|_| is_inside);
        let end = (path.is_directory() && is_inside && is_there).then_some(here);
        Self { places, is_cut: !is_there && !todo.is_empty(), end, shared }
    }

    /// What to watch, in the order of the way: directories, and last the file itself if it has other names.
    pub(super) fn watches(&self) -> impl Iterator<Item = (&Path, Option<Identity>)> {
        let directories = self.places.iter().filter_map(|place| place.parent()).chain(self.end.as_deref());
        let file = self.shared.and(self.places.last()).map(|file| (file.as_path(), self.shared));
        directories.map(|directory| (directory, None)).chain(file)
    }
}

/// Where a path begins that has a root: on Windows, at that of its own drive, or else of the drive of `here`.
fn beginning(path: &Path, here: &Path) -> PathBuf {
    let is_drive = |component: &Component<'_>| matches!(component, Component::Prefix(_));
    let drive = path.components().chain(here.components()).find(is_drive);
    drive.into_iter().chain([Component::RootDir]).collect()
}

/// The names of a path from its root down.
fn names(path: &Path) -> VecDeque<OsString> {
    let is_step = |component: &Component<'_>| matches!(component, Component::Normal(_) | Component::ParentDir);
    path.components().filter(is_step).map(|component| component.as_os_str().to_owned()).collect()
}
