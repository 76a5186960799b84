//! Which of several things a place belongs to: the longest prefix wins. Pure.

use crate::site::path::SitePath;

/// Things at directories of the site.
#[derive(Clone, Debug)]
pub struct Mounts<T> {
    /// The longest prefix first.
    mounts: Vec<(SitePath, T)>,
}

impl<T> Default for Mounts<T> {
    fn default() -> Self {
        Self { mounts: Vec::new() }
    }
}

impl<T> Mounts<T> {
    /// Puts it at this directory, behind what is there.
    pub fn mount(&mut self, prefix: &SitePath, mounted: T) {
        self.mounts.push((prefix.as_directory(), mounted));
        self.mounts.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.as_str().len()));
    }

    /// What a place belongs to, and where it is in that: all that has the longest prefix, in the order of mounting.
    pub fn at(&self, place: &SitePath) -> impl Iterator<Item = (&T, SitePath)> {
        // A directory that is asked for without its slash is found all the same.
        let inside =
            |prefix: &SitePath| place.below(prefix).or_else(|| (place.as_directory() == *prefix).then(SitePath::root));
        let found = self.mounts.iter().find_map(|(prefix, _)| Some((prefix, inside(prefix)?)));
        found.into_iter().flat_map(|(prefix, inside)| {
            let same = self.mounts.iter().filter(move |(other, _)| other == prefix);
            same.map(move |(_, mounted)| (mounted, inside.clone()))
        })
    }

    /// All of them, the longest prefix first.
    pub fn iter(&self) -> impl Iterator<Item = (&SitePath, &T)> {
        self.mounts.iter().map(|(prefix, mounted)| (prefix, mounted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins() {
        let path = |url: &str| SitePath::from_url(url).unwrap();
        let mut mounts = Mounts::default();
        for prefix in ["/", "/a", "/a/b/"] {
            mounts.mount(&path(prefix), prefix);
        }
        for (place, expected) in [
            ("/", ("/", "/")),
            ("/x.txt", ("/", "/x.txt")),
            ("/a", ("/a", "/")),
            ("/ab/c", ("/", "/ab/c")),
            ("/a/", ("/a", "/")),
            ("/a/x/y.txt", ("/a", "/x/y.txt")),
            ("/a/b/c/", ("/a/b/", "/c/")),
        ] {
            let found = mounts.at(&path(place)).collect::<Vec<_>>();
            let [(mounted, inside)] = found.as_slice() else { panic!("{found:?}") };
            assert_eq!((**mounted, inside.as_str()), expected, "{place}");
        }
        let mut part = Mounts::default();
        part.mount(&path("/a/"), ());
        assert_eq!(part.at(&path("/b")).count(), 0);
        part.mount(&path("/a"), ());
        assert_eq!(part.at(&path("/a/b")).count(), 2);
    }
}
