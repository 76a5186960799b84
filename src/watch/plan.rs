//! What is followed decides which directories are watched. Pure: what a name stands for is found out by whoever asks.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use crate::site_path::SitePath;
use crate::stamp::Identity;

/// How many links may lead to a file. Linux gives up at as many.
const LINKS: usize = 40;

/// The followed paths, their routes, and the directories that this needs.
#[derive(Debug, Default)]
pub(super) struct Plan {
    followed: BTreeMap<SitePath, Followed>,
    /// Who passes a place on the way.
    passing: HashMap<PathBuf, BTreeSet<SitePath>>,
    /// Who follows the entries of a directory.
    listing: HashMap<PathBuf, BTreeSet<SitePath>>,
    /// How many routes need each watch, counted once for each of their places in it.
    watches: HashMap<PathBuf, usize>,
}

#[derive(Debug, Default)]
struct Followed {
    followers: usize,
    route: Route,
}

/// How the system gets to a path: all that must be watched to know when it leads elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Route {
    /// What is looked up, in order: the root, each directory and each link from there down, and last the file, or else the
    /// first that isn't there. All of them lie in directories that are reached without links.
    places: Vec<PathBuf>,
    /// Whether nothing is there from the last place on, although there is more of the path.
    is_cut: bool,
    /// Where it ends, if it is a directory that is followed.
    end: Option<PathBuf>,
    /// Which file it ends at, if that has other names too.
    shared: Option<Identity>,
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
        let mut todo = names(&path.to_file(Path::new("")));
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
                        if target.has_root() {
                            // A root of its own replaces what is before it.
                            here = PathBuf::new();
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

/// The names of a path, with the root as the first one if it has one.
fn names(path: &Path) -> VecDeque<OsString> {
    let is_step = |component: &Component<'_>| !matches!(component, Component::CurDir);
    path.components().filter(is_step).map(|component| component.as_os_str().to_owned()).collect()
}

impl Plan {
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
        old.places.iter().for_each(|place| leave(&mut self.passing, place, path));
        old.end.iter().for_each(|end| leave(&mut self.listing, end, path));
        for place in route.places {
            self.passing.entry(place).or_default().insert(path.clone());
        }
        if let Some(end) = route.end {
            self.listing.entry(end).or_default().insert(path.clone());
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

    pub(super) fn is_followed(&self, path: &SitePath) -> bool {
        self.followed.contains_key(path)
    }

    /// Those whose way passes this place, and whether it ends there.
    pub(super) fn passing(&self, place: &Path) -> Vec<(SitePath, bool)> {
        let is_end = |route: &Route| !route.is_cut && route.places.last().is_some_and(|last| last == place);
        let ends = |path: &SitePath| self.route(path).is_some_and(is_end);
        self.passing.get(place).into_iter().flatten().map(|path| (path.clone(), ends(path))).collect()
    }

    /// Those who follow the entries of this directory.
    pub(super) fn listing(&self, directory: &Path) -> impl Iterator<Item = SitePath> {
        self.listing.get(directory).into_iter().flatten().cloned()
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
        let mut paths = self.passing.get(place).into_iter().flatten();
        paths.any(|path| self.route(path).is_some_and(|route| route.shared.is_some()))
    }

    /// All places on the way of somebody, and the directories whose entries somebody follows.
    pub(super) fn places(&self) -> (impl Iterator<Item = &PathBuf>, impl Iterator<Item = &PathBuf>) {
        (self.passing.keys(), self.listing.keys())
    }

    pub(super) fn followed(&self) -> Vec<SitePath> {
        self.followed.keys().cloned().collect()
    }

    /// The number of followed paths.
    pub(super) fn files(&self) -> usize {
        self.followed.len()
    }
}

fn leave(map: &mut HashMap<PathBuf, BTreeSet<SitePath>>, place: &Path, path: &SitePath) {
    if let Some(paths) = map.get_mut(place) {
        paths.remove(path);
        if paths.is_empty() {
            map.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(url: &str) -> SitePath {
        SitePath::from_url(url).unwrap()
    }

    fn route(url: &str, links: &[(&str, &str)]) -> Route {
        let step = |place: &Path| {
            let link = links.iter().find(|(link, _)| Path::new(link) == place);
            link.map_or(Step::Plain, |(_, target)| Step::Link(target.into()))
        };
        Route::find(Path::new("/srv/site"), &path(url), step)
    }

    #[track_caller]
    fn passes(url: &str, links: &[(&str, &str)], places: &[&str]) {
        let route = route(url, links);
        assert_eq!(route.places[0], Path::new("/srv/site"));
        assert_eq!(route.places[1..], places.iter().map(PathBuf::from).collect::<Vec<_>>());
    }

    #[test]
    fn a_route_goes_from_the_root_down() {
        passes("/a.json", &[], &["/srv/site/a.json"]);
        passes("/a/b.json", &[], &["/srv/site/a", "/srv/site/a/b.json"]);
        passes("/", &[], &[]);
        assert_eq!(route("/", &[]).end, Some("/srv/site".into()));
        assert_eq!(route("/a/", &[]).end, Some("/srv/site/a".into()));
        let deep = route("/a/b/", &[]);
        let directories = deep.watches().map(|(directory, _)| directory.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(directories, ["/srv", "/srv/site", "/srv/site/a", "/srv/site/a/b"]);
    }

    #[test]
    fn a_route_follows_links_inside_the_root() {
        passes(
            "/l.json",
            &[("/srv/site/l.json", "a/b.json")],
            &["/srv/site/l.json", "/srv/site/a", "/srv/site/a/b.json"],
        );
        passes(
            "/map.txt",
            &[("/srv/site/map.txt", "..data/map.txt"), ("/srv/site/..data", "..2026")],
            &["/srv/site/map.txt", "/srv/site/..data", "/srv/site/..2026", "/srv/site/..2026/map.txt"],
        );
        passes(
            "/a/l/c.json",
            &[("/srv/site/a/l", "../b")],
            &["/srv/site/a", "/srv/site/a/l", "/srv/site/b", "/srv/site/b/c.json"],
        );
        passes("/l", &[("/srv/site/l", "/srv/site/a/b")], &["/srv/site/l", "/srv/site/a", "/srv/site/a/b"]);
        assert_eq!(route("/l/", &[("/srv/site/l", "a")]).end, Some("/srv/site/a".into()));
    }

    #[test]
    fn a_route_ends_at_the_first_that_is_missing() {
        let there = |place: &Path| place.ends_with("site/a") || place.ends_with("site/a/l");
        let step = |place: &Path| match place {
            place if !there(place) => Step::Missing,
            place if place.ends_with("l") => Step::Link("gone/../b".into()),
            _ => Step::Plain,
        };
        let find = |url: &str| Route::find(Path::new("/srv/site"), &path(url), step);
        let deep = format!("/a{}", "/b".repeat(1000));
        assert_eq!(find(&deep).places.last().unwrap(), Path::new("/srv/site/a/b"));
        assert_eq!(find("/a/l").places.last().unwrap(), Path::new("/srv/site/a/gone"));
        assert_eq!(find("/b/c/").end, None);

        // What appears there is not yet what is followed.
        let mut plan = Plan::default();
        for (url, is_end) in [("/a/b/c", false), ("/a/b", true), ("/a/b/", true)] {
            plan.follow(&path(url));
            plan.set_route(&path(url), find(url));
            assert!(plan.passing(Path::new("/srv/site/a/b")).contains(&(path(url), is_end)), "{url}");
        }
    }

    #[test]
    fn a_route_ends_where_it_leaves_the_root() {
        passes("/l/a", &[("/srv/site/l", "../other")], &["/srv/site/l"]);
        passes("/l/a", &[("/srv/site/l", "/etc")], &["/srv/site/l"]);
        assert_eq!(route("/l/", &[("/srv/site/l", "..")]).end, None);
        let circle = route("/a", &[("/srv/site/a", "b"), ("/srv/site/b", "a")]);
        assert!(circle.places.len() <= LINKS + 2);
    }

    #[test]
    fn a_file_with_other_names_is_watched_itself() {
        let shared = |url: &str, places: &[&str]| {
            let is_shared = |place: &Path| places.iter().any(|shared| Path::new(shared) == place);
            let step = |place: &Path| if is_shared(place) { Step::Shared((1, 2)) } else { Step::Plain };
            Route::find(Path::new("/srv/site"), &path(url), step)
        };
        let route = shared("/a.json", &["/srv/site/a.json"]);
        assert_eq!(route.watches().last(), Some((Path::new("/srv/site/a.json"), Some((1, 2)))));
        assert_eq!(shared("/a/b", &["/srv/site/a"]).shared, None);

        let mut plan = Plan::default();
        for url in ["/a.json", "/b.json", "/c.json"] {
            plan.follow(&path(url));
            plan.set_route(&path(url), shared(url, &["/srv/site/a.json", "/srv/site/b.json"]));
        }
        assert_eq!(plan.namesakes(&path("/a.json")), [path("/b.json")]);
        assert!(plan.namesakes(&path("/c.json")).is_empty());
        assert_eq!(plan.unfollow(&path("/b.json")), [PathBuf::from("/srv/site/b.json")]);
        assert!(plan.namesakes(&path("/a.json")).is_empty());
    }

    fn plan(urls: &[&str]) -> Plan {
        let mut plan = Plan::default();
        for url in urls {
            if plan.follow(&path(url)) {
                plan.set_route(&path(url), route(url, &[]));
            }
        }
        plan
    }

    #[test]
    fn shared_directories_go_with_the_last_that_needs_them() {
        let mut plan = plan(&["/a/b.json", "/a/b.json", "/a/c/d.json"]);
        assert!(plan.unfollow(&path("/a/b.json")).is_empty());
        assert!(plan.is_followed(&path("/a/b.json")));
        assert_eq!(plan.unfollow(&path("/a/c/d.json")), [PathBuf::from("/srv/site/a/c")]);
        assert_eq!(
            plan.unfollow(&path("/a/b.json")),
            [PathBuf::from("/srv"), "/srv/site".into(), "/srv/site/a".into()]
        );
        assert!(plan.unfollow(&path("/a/b.json")).is_empty());
        assert!(plan.passing.is_empty() && plan.watches.is_empty() && plan.files() == 0);
    }

    #[test]
    fn another_way_needs_other_directories() {
        let mut plan = plan(&["/l/a.json"]);
        let to = |target| route("/l/a.json", &[("/srv/site/l", target)]);
        assert_eq!(plan.set_route(&path("/l/a.json"), to("one")), [PathBuf::from("/srv/site/l")]);
        assert_eq!(plan.set_route(&path("/l/a.json"), to("two")), [PathBuf::from("/srv/site/one")]);
        assert_eq!(plan.passing(Path::new("/srv/site/two/a.json")), [(path("/l/a.json"), true)]);
        assert_eq!(plan.passing(Path::new("/srv/site/l")), [(path("/l/a.json"), false)]);
        assert!(plan.passing(Path::new("/srv/site/one")).is_empty());
    }

    #[test]
    fn knows_who_lists_a_directory() {
        let plan = plan(&["/a/", "/a/b.json"]);
        assert_eq!(plan.listing(Path::new("/srv/site/a")).collect::<Vec<_>>(), [path("/a/")]);
        assert_eq!(plan.passing(Path::new("/srv/site/a")), [(path("/a/"), true), (path("/a/b.json"), false)]);
    }

    /// A tree of files as it may be: directories are implied, links are written down.
    type Links = BTreeMap<PathBuf, PathBuf>;

    const ROOT: &str = "/srv/site";

    fn find(links: &Links, path: &SitePath) -> Route {
        let step = |place: &Path| links.get(place).map_or(Step::Plain, |target| Step::Link(target.clone()));
        Route::find(Path::new(ROOT), path, step)
    }

    /// Where a path leads, found in another way than routes are: one link at a time is replaced by its target.
    fn resolve(links: &Links, path: &Path) -> Option<PathBuf> {
        let mut path = path.to_path_buf();
        for _ in 0..LINKS {
            let mut clean = PathBuf::new();
            let mut names = path.components();
            let link = names.by_ref().find_map(|name| {
                match name {
                    Component::ParentDir => drop(clean.pop()),
                    Component::CurDir => {}
                    name => clean.push(name),
                }
                links.get(&clean)
            });
            let Some(target) = link else { return Some(clean) };
            clean.pop();
            path = clean.join(target).join(names.as_path());
        }
        None
    }

    fn place() -> impl Strategy<Value = PathBuf> {
        proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("c")], 1..4)
            .prop_map(|names| Path::new(ROOT).join(names.join("/")))
    }

    fn target() -> impl Strategy<Value = PathBuf> {
        const TARGETS: [&str; 11] =
            ["a", "b/c", "../a", "./b", "..", ".", "../../site/b", "../../..", "/etc", "/srv/site/a", "/srv"];
        proptest::sample::select(TARGETS.as_slice()).prop_map(PathBuf::from)
    }

    proptest! {
        /// What `Watch` does, without a disk: a change at a place makes those who pass it find their way again.
        #[test]
        fn a_change_concerns_those_who_pass_it_and_nobody_else(
            urls in proptest::collection::btree_set("(/[abc]){1,4}/?", 1..6),
            changes in proptest::collection::vec((place(), proptest::option::of(target())), 1..20),
        ) {
            let (mut plan, mut links, mut watched) = (Plan::default(), Links::new(), BTreeSet::new());
            let set = |plan: &mut Plan, path: &SitePath, route: Route, watched: &mut BTreeSet<PathBuf>| {
                watched.extend(route.watches().map(|(place, _)| place.to_path_buf()));
                plan.set_route(path, route).iter().for_each(|unneeded| assert!(watched.remove(unneeded)));
            };
            let paths = urls.iter().map(|url| path(url)).collect::<BTreeSet<_>>();
            for path in &paths {
                plan.follow(path);
                set(&mut plan, path, find(&links, path), &mut watched);
            }
            for (place, target) in changes {
                match target {
                    Some(target) => drop(links.insert(place.clone(), target)),
                    None => drop(links.remove(&place)),
                }
                for (path, _) in plan.passing(&place) {
                    set(&mut plan, &path, find(&links, &path), &mut watched);
                }
                let mut needed = BTreeSet::new();
                for path in &paths {
                    let route = find(&links, path);
                    prop_assert_eq!(plan.route(path), Some(&route), "the way to {} is out of date", path);
                    needed.extend(route.watches().map(|(place, _)| place.to_path_buf()));
                    if let Some(real) = resolve(&links, &path.to_file(Path::new(ROOT))).filter(|real| real.starts_with(ROOT)) {
                        prop_assert!(
                            route.places.contains(&real) || route.end.as_ref() == Some(&real),
                            "the way to {} ends elsewhere than {:?}", path, real
                        );
                    }
                }
                prop_assert_eq!(&watched, &needed);
            }
            for path in &paths {
                plan.unfollow(path).iter().for_each(|unneeded| assert!(watched.remove(unneeded)));
            }
            prop_assert!(watched.is_empty() && plan.passing.is_empty() && plan.listing.is_empty());
        }
    }
}
