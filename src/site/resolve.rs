//! What a URL means: which place answers it, and how. Nobody else knows what an index is.
//!
//! Pure, but for the question what stands at a place. Who asks answers it in its own way: from the disk, from what is in
//! memory, from what has settled.

use crate::site::path::SitePath;

/// The page of a directory.
const INDEX: &str = "index.html";

/// What stands at a place, as far as that decides what a URL means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A file, or something else that has contents; perhaps it can't be read.
    File,
    /// A directory. Asked for without the slash at its end, it stands there all the same.
    Directory,
    /// Nothing that may be shown.
    Missing,
}

/// Says what stands at a place.
pub trait Look {
    /// `None` if that can't be said now.
    fn look(&mut self, place: &SitePath) -> Option<Standing>;
}

/// How a URL is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With the file at the place.
    File,
    /// With what is in the directory at the place.
    Listing,
    /// With the same URL and a slash: relative URLs in the page of a directory would go wrong without it.
    Slash,
    /// With nothing: there is no such file.
    NotFound,
}

/// What a URL means now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// What answers it.
    pub place: SitePath,
    /// How.
    pub answer: Answer,
}

/// What a `GET` of this URL is answered with; `None` if that can't be said now.
pub fn resolve(url: &SitePath, look: &mut impl Look) -> Option<Resolution> {
    if let Some(index) = index(url)
        && look.look(&index)? == Standing::File
    {
        return Some(Resolution { place: index, answer: Answer::File });
    }
    itself(url, look)
}

/// What a stream of this URL is of. That of a directory is its listing, also where it has an index.
pub fn stream(url: &SitePath, look: &mut impl Look) -> Option<Resolution> {
    itself(url, look)
}

/// The places on which the answer to a `GET` depends, in the order in which they are looked at.
#[must_use]
pub fn follows(url: &SitePath) -> Vec<SitePath> {
    index(url).into_iter().chain([url.clone()]).collect()
}

fn index(url: &SitePath) -> Option<SitePath> {
    url.is_directory().then(|| url.file(INDEX)).flatten()
}

fn itself(url: &SitePath, look: &mut impl Look) -> Option<Resolution> {
    let answer = match (look.look(url)?, url.is_directory()) {
        (Standing::File, false) => Answer::File,
        (Standing::Directory, false) => Answer::Slash,
        (Standing::Directory, true) => Answer::Listing,
        (Standing::File, true) | (Standing::Missing, _) => Answer::NotFound,
    };
    Some(Resolution { place: url.clone(), answer })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A site as a table: files, and directories with a slash at their end.
    struct Table<'a> {
        there: &'a [&'a str],
        looked_at: Vec<SitePath>,
    }

    impl Look for Table<'_> {
        fn look(&mut self, place: &SitePath) -> Option<Standing> {
            self.looked_at.push(place.clone());
            let is = |place: &str| self.there.contains(&place);
            Some(match place.as_str() {
                path if is(path) && path.ends_with('/') => Standing::Directory,
                path if is(path) => Standing::File,
                path if is(&format!("{path}/")) => Standing::Directory,
                _ => Standing::Missing,
            })
        }
    }

    fn url(url: &str) -> SitePath {
        SitePath::from_url(url).unwrap()
    }

    #[track_caller]
    fn check(there: &[&str], asked: &str, place: &str, answer: Answer) {
        let mut table = Table { there, looked_at: Vec::new() };
        let found = resolve(&url(asked), &mut table).unwrap();
        assert_eq!((found.place.as_str(), found.answer), (place, answer), "{asked} in {there:?}");
        // What the answer depends on is followed, and nothing is looked at besides.
        let follows = follows(&url(asked));
        assert_eq!(table.looked_at, follows[..table.looked_at.len()]);
        if answer == Answer::NotFound {
            assert_eq!(table.looked_at, follows);
        }
    }

    #[test]
    fn a_url_is_a_file_an_index_or_a_listing() {
        check(&["/a.json"], "/a.json", "/a.json", Answer::File);
        check(&[], "/a.json", "/a.json", Answer::NotFound);
        check(&["/", "/index.html"], "/", "/index.html", Answer::File);
        check(&["/", "/a.json"], "/", "/", Answer::Listing);
        check(&["/", "/d/", "/d/index.html"], "/d/", "/d/index.html", Answer::File);
        check(&["/", "/d/"], "/d/", "/d/", Answer::Listing);
        check(&["/", "/d/"], "/d", "/d", Answer::Slash);
        check(&["/", "/d/", "/d/index.html"], "/d", "/d", Answer::Slash);
        check(&["/"], "/d/", "/d/", Answer::NotFound);
        // A file has no slash at its end, and a directory is no page.
        check(&["/", "/a"], "/a/", "/a/", Answer::NotFound);
        check(&["/", "/index.html/"], "/", "/", Answer::Listing);
        check(&["/", "/d/", "/d/index.html/"], "/d/", "/d/", Answer::Listing);
    }

    #[test]
    fn a_stream_of_a_directory_is_its_listing() {
        let there = &["/", "/index.html", "/d/", "/a.json"];
        for (asked, answer) in [
            ("/", Answer::Listing),
            ("/d/", Answer::Listing),
            ("/d", Answer::Slash),
            ("/a.json", Answer::File),
            ("/b.json", Answer::NotFound),
        ] {
            let found = stream(&url(asked), &mut Table { there, looked_at: Vec::new() }).unwrap();
            assert_eq!((found.place.as_str(), found.answer), (asked, answer));
        }
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        struct Nobody;
        impl Look for Nobody {
            fn look(&mut self, _: &SitePath) -> Option<Standing> {
                None
            }
        }
        assert_eq!(resolve(&url("/"), &mut Nobody), None);
        assert_eq!(resolve(&url("/a"), &mut Nobody), None);
    }
}
