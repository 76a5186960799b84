//! What is followed decides which directories are watched. Pure: what a name stands for is found out by whoever asks.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;

use crate::site::SitePath;
use crate::watch::route::Route;
use crate::watch::spelling::Concerned;

/// The followed paths, their routes, and the directories that this needs.
#[derive(Debug, Default)]
pub(super) struct WatchPlan {
    followed: BTreeMap<SitePath, Followed>,
    /// Who passes a place on the way.
    passing: Concerned,
    /// Who follows the entries of a directory.
    listing: Concerned,
    /// How many routes need each watch, counted once for each of their places in it.
    watches: HashMap<PathBuf, usize>,
}

#[derive(Debug, Default)]
struct Followed {
    followers: usize,
    route: Route,
}

impl WatchPlan {
    /// Counts one more follower; true for the first one of this path.
    pub(super) fn follow(&mut self, path: &SitePath) -> bool {
        let followed = self.followed.entry(path.clone()).or_default();
        followed.followers += 1;
        followed.followers == 1
    }

    /// Counts one follower less; after the last one, tells which watches nobody needs any more.
    pub(super) fn unfollow(&mut self, path: &SitePath) -> Vec<PathBuf> {
        let Some(followed) = self.followed.get_mut(path) else { return Vec::new() };
        followed.followers -= 1;
        if followed.followers > 0 {
            return Vec::new();
        }
        let unneeded = self.set_route(path, Route::default());
        self.followed.remove(path);
        unneeded
    }

    /// The way to a path has become this one; tells which watches nobody needs any more.
    pub(super) fn set_route(&mut self, path: &SitePath, route: Route) -> Vec<PathBuf> {
        let Some(followed) = self.followed.get_mut(path) else { return Vec::new() };
        for (place, _) in route.watches() {
            *self.watches.entry(place.to_path_buf()).or_default() += 1;
        }
        let old = std::mem::replace(&mut followed.route, route.clone());
        old.places.iter().for_each(|place| self.passing.remove(place, path));
        old.end.iter().for_each(|end| self.listing.remove(end, path));
        for place in route.places {
            self.passing.add(place, path.clone());
        }
        if let Some(end) = route.end {
            self.listing.add(end, path.clone());
        }
        // Counted up before down, so that what both ways need stays.
        let is_unneeded = |place: &&Path| {
            let Some(count) = self.watches.get_mut(*place) else { return false };
            *count -= 1;
            *count == 0 && self.watches.remove(*place).is_some()
        };
        old.watches().map(|(place, _)| place).filter(is_unneeded).map(Path::to_path_buf).collect()
    }

    /// The present way to a followed path.
    pub(super) fn route(&self, path: &SitePath) -> Option<&Route> {
        self.followed.get(path).map(|followed| &followed.route)
    }

    /// Whether somebody's way needs this watched.
    pub(super) fn needs(&self, place: &Path) -> bool {
        self.watches.contains_key(place)
    }

    pub(super) fn is_followed(&self, path: &SitePath) -> bool {
        self.followed.contains_key(path)
    }

    /// Those whose way passes this place, and whether it ends there.
    pub(super) fn passing(&self, place: &Path) -> Vec<(SitePath, bool)> {
        let is_last = |last: &PathBuf| self.passing.is_same(last, place);
        let is_end = |route: &Route| !route.is_cut && route.places.last().is_some_and(is_last);
        let ends = |path: &SitePath| self.route(path).is_some_and(is_end);
        self.passing.by(place).iter().map(|path| (path.clone(), ends(path))).collect()
    }

    /// Those who follow the entries of this directory.
    pub(super) fn listing(&self, directory: &Path) -> impl Iterator<Item = SitePath> {
        self.listing.by(directory).into_owned().into_iter()
    }

    /// Those who follow the same file under another name.
    pub(super) fn namesakes(&self, path: &SitePath) -> Vec<SitePath> {
        let Some(identity) = self.route(path).and_then(|route| route.shared) else { return Vec::new() };
        let is_namesake =
            |(other, followed): &(&SitePath, &Followed)| *other != path && followed.route.shared == Some(identity);
        self.followed.iter().filter(is_namesake).map(|(other, _)| other.clone()).collect()
    }

    /// Whether somebody's way ends here, at a file with several names.
    pub(super) fn is_shared(&self, place: &Path) -> bool {
        self.passing.by(place).iter().any(|path| self.route(path).is_some_and(|route| route.shared.is_some()))
    }

    /// All places on the way of somebody, and the directories whose entries somebody follows.
    pub(super) fn places(&self) -> (impl Iterator<Item = &PathBuf>, impl Iterator<Item = &PathBuf>) {
        (self.passing.places(), self.listing.places())
    }

    pub(super) fn followed(&self) -> Vec<SitePath> {
        self.followed.keys().cloned().collect()
    }

    /// The number of followed paths.
    pub(super) fn files(&self) -> usize {
        self.followed.len()
    }
}

#[cfg(test)]
mod tests;
