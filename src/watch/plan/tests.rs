use std::collections::BTreeSet;
use std::path::Component;

use super::*;
use crate::watch::route::LINKS;
use crate::watch::route::Step;
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
    let directories = deep.watches().map(|(directory, _)| directory).collect::<Vec<_>>();
    assert_eq!(directories, ["/srv", "/srv/site", "/srv/site/a", "/srv/site/a/b"].map(Path::new));
}

#[test]
fn a_route_follows_links_inside_the_root() {
    passes("/l.json", &[("/srv/site/l.json", "a/b.json")], &["/srv/site/l.json", "/srv/site/a", "/srv/site/a/b.json"]);
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
    let mut plan = WatchPlan::default();
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

    let mut plan = WatchPlan::default();
    for url in ["/a.json", "/b.json", "/c.json"] {
        plan.follow(&path(url));
        plan.set_route(&path(url), shared(url, &["/srv/site/a.json", "/srv/site/b.json"]));
    }
    assert_eq!(plan.namesakes(&path("/a.json")), [path("/b.json")]);
    assert!(plan.namesakes(&path("/c.json")).is_empty());
    assert_eq!(plan.unfollow(&path("/b.json")), [PathBuf::from("/srv/site/b.json")]);
    assert!(plan.namesakes(&path("/a.json")).is_empty());
}

fn plan(urls: &[&str]) -> WatchPlan {
    let mut plan = WatchPlan::default();
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
    assert_eq!(plan.unfollow(&path("/a/b.json")), [PathBuf::from("/srv"), "/srv/site".into(), "/srv/site/a".into()]);
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
        let (mut plan, mut links, mut watched) = (WatchPlan::default(), Links::new(), BTreeSet::new());
        let set = |plan: &mut WatchPlan, path: &SitePath, route: Route, watched: &mut BTreeSet<PathBuf>| {
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
                if let Some(real) = resolve(&links, &path.to_file(Path::new(ROOT)).unwrap()).filter(|real| real.starts_with(ROOT)) {
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
