//! What is followed decides which directories are watched. Pure.

use std::collections::BTreeMap;

use crate::site_path::SitePath;

/// The followed paths, and the directories that this needs: each one from the root down to the path, so that a
/// directory on the way may come, go and be replaced.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// How many follow each path.
    followed: BTreeMap<SitePath, usize>,
    /// How many followed paths need each directory.
    directories: BTreeMap<SitePath, usize>,
}

impl Plan {
    /// Counts one more follower; true for the first one of this path.
    pub(super) fn follow(&mut self, path: &SitePath) -> bool {
        let followers = self.followed.entry(path.clone()).or_default();
        *followers += 1;
        if *followers > 1 {
            return false;
        }
        for directory in path.directories() {
            *self.directories.entry(directory).or_default() += 1;
        }
        true
    }

    /// Counts one follower less; tells which directories nobody needs any more.
    pub(super) fn unfollow(&mut self, path: &SitePath) -> Vec<SitePath> {
        if !count_down(&mut self.followed, path) {
            return Vec::new();
        }
        path.directories().filter(|directory| count_down(&mut self.directories, directory)).collect()
    }

    pub(super) fn is_followed(&self, path: &SitePath) -> bool {
        self.followed.contains_key(path)
    }

    pub(super) fn needs(&self, directory: &SitePath) -> bool {
        self.directories.contains_key(directory)
    }

    /// The needed directories from this one down, parents first.
    pub(super) fn directories_below(&self, directory: &SitePath) -> Vec<SitePath> {
        below(&self.directories, directory)
    }

    pub(super) fn followed_below(&self, directory: &SitePath) -> Vec<SitePath> {
        below(&self.followed, directory)
    }

    /// The number of followed paths.
    pub(super) fn files(&self) -> usize {
        self.followed.len()
    }
}

/// Takes one off the count of `path`; true if that was the last.
fn count_down(counts: &mut BTreeMap<SitePath, usize>, path: &SitePath) -> bool {
    let Some(count) = counts.get_mut(path) else { return false };
    *count -= 1;
    *count == 0 && counts.remove(path).is_some()
}

fn below(counts: &BTreeMap<SitePath, usize>, directory: &SitePath) -> Vec<SitePath> {
    // What lies below a directory begins with its path, and so stands next to it.
    counts.range(directory..).map(|(path, _)| path).take_while(|path| path.is_below(directory)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(url: &str) -> SitePath {
        SitePath::from_url(url).unwrap()
    }

    fn plan(urls: &[&str]) -> Plan {
        let mut plan = Plan::default();
        for url in urls {
            plan.follow(&path(url));
        }
        plan
    }

    #[track_caller]
    fn needs(urls: &[&str], directories: &[&str]) {
        let needed = plan(urls).directories_below(&SitePath::root());
        assert_eq!(needed.iter().map(SitePath::as_str).collect::<Vec<_>>(), directories);
    }

    #[test]
    fn needs_the_directories_on_the_way_and_no_others() {
        needs(&[], &[]);
        needs(&["/a.json"], &["/"]);
        needs(&["/a/b/c.json"], &["/", "/a/", "/a/b/"]);
        needs(&["/a/b.json", "/a/c.json", "/d/e.json"], &["/", "/a/", "/d/"]);
        needs(&["/photos/"], &["/", "/photos/"]);
        needs(&["/"], &["/"]);
    }

    #[test]
    fn shared_directories_go_with_the_last_that_needs_them() {
        let mut plan = plan(&["/a/b.json", "/a/b.json", "/a/c/d.json"]);
        assert_eq!(plan.unfollow(&path("/a/b.json")), []);
        assert!(plan.is_followed(&path("/a/b.json")));
        assert_eq!(plan.unfollow(&path("/a/c/d.json")), [path("/a/c/")]);
        assert_eq!(plan.unfollow(&path("/a/b.json")), [path("/"), path("/a/")]);
        assert_eq!(plan.unfollow(&path("/a/b.json")), []);
        assert_eq!(plan.files(), 0);
    }

    #[test]
    fn knows_what_lies_below() {
        let plan = plan(&["/a.json", "/a/b.json", "/a/c/d.json", "/ab/c.json", "/a/"]);
        let below = |url| plan.followed_below(&path(url));
        assert_eq!(below("/a/"), [path("/a/"), path("/a/b.json"), path("/a/c/d.json")]);
        assert_eq!(plan.directories_below(&path("/a/")), [path("/a/"), path("/a/c/")]);
        assert_eq!(below("/").len(), 5);
        assert!(plan.needs(&path("/ab/")) && !plan.needs(&path("/b/")));
    }
}
