//! Where one file has many spellings, those of requests and of the disk's events must meet: `/Data.JSON` and `data.json` are one file
//! on the usual disks of Windows (NTFS) and macOS (APFS), which keep the spelling of a name and don't care for it when they look it up.
//! Pure: what the disk calls a file is found out by whoever asks.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;

use crate::site::SitePath;

/// Whether a disk of this system may find a file under other spellings of its name.
pub(super) const IS_FREE: bool = cfg!(any(windows, target_os = "macos"));

/// Whether two places are the same for a disk that has many spellings.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    one == other || folded(one) == folded(other)
}

/// The same for all spellings that differ in upper and lower case alone.
fn folded(place: &Path) -> PathBuf {
    // A name that is no text has one spelling.
    place.to_str().map_or_else(|| place.to_path_buf(), |text| text.to_lowercase().into())
}

/// The name of the file that was looked up as `place`, if the disk calls it otherwise. `real` is where it is, as the disk says.
///
/// macOS may say any of the names of a file that has several (hard links).
pub(super) fn respelled(place: &Path, real: &Path, has_names: bool) -> Option<PathBuf> {
    let (asked, name) = (place.file_name()?, real.file_name()?);
    let is_it = asked != name && (!has_names || folded(asked.as_ref()) == folded(name.as_ref()));
    is_it.then(|| name.into())
}

/// Who is concerned by each place, whatever its spelling.
#[derive(Debug)]
pub(super) struct Concerned {
    paths: HashMap<PathBuf, BTreeSet<SitePath>>,
    /// The places that have the same name for the disk. `None` where it has one spelling.
    spellings: Option<HashMap<PathBuf, BTreeSet<PathBuf>>>,
}

impl Default for Concerned {
    fn default() -> Self {
        Self::new(IS_FREE)
    }
}

impl Concerned {
    fn new(is_free: bool) -> Self {
        Self { paths: HashMap::new(), spellings: is_free.then(HashMap::new) }
    }

    /// This place concerns this path, too.
    pub(super) fn add(&mut self, place: PathBuf, path: SitePath) {
        if let Some(spellings) = &mut self.spellings {
            spellings.entry(folded(&place)).or_default().insert(place.clone());
        }
        self.paths.entry(place).or_default().insert(path);
    }

    /// It no longer does.
    pub(super) fn remove(&mut self, place: &Path, path: &SitePath) {
        let Some(paths) = self.paths.get_mut(place) else { return };
        paths.remove(path);
        if !paths.is_empty() {
            return;
        }
        self.paths.remove(place);
        if let Some(spellings) = &mut self.spellings {
            let key = folded(place);
            let same = spellings.get_mut(&key);
            if same.is_some_and(|same| same.remove(place) && same.is_empty()) {
                spellings.remove(&key);
            }
        }
    }

    /// Whom this place concerns, each once and in order.
    pub(super) fn by(&self, place: &Path) -> Cow<'_, BTreeSet<SitePath>> {
        static NOBODY: BTreeSet<SitePath> = BTreeSet::new();
        let Some(spellings) = &self.spellings else {
            return Cow::Borrowed(self.paths.get(place).unwrap_or(&NOBODY));
        };
        let same = spellings.get(&folded(place)).into_iter().flatten();
        Cow::Owned(same.filter_map(|place| self.paths.get(place)).flatten().cloned().collect())
    }

    /// Whether two places are the same for the disk.
    pub(super) fn is_same(&self, one: &Path, other: &Path) -> bool {
        one == other || self.spellings.is_some() && is_same(one, other)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.spellings.as_ref().is_none_or(HashMap::is_empty)
    }

    /// All places that concern somebody, in all spellings.
    pub(super) fn places(&self) -> impl Iterator<Item = &PathBuf> {
        self.paths.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(url: &str) -> SitePath {
        SitePath::from_url(url).unwrap()
    }

    #[test]
    fn all_spellings_concern_those_who_asked_for_one() {
        for (is_free, expected) in [(true, 2), (false, 1)] {
            let mut concerned = Concerned::new(is_free);
            concerned.add("/site/Data.JSON".into(), path("/Data.JSON"));
            concerned.add("/site/data.json".into(), path("/data.json"));
            concerned.add("/site/data.json".into(), path("/data.json"));
            concerned.add("/site/other".into(), path("/other"));
            assert_eq!(concerned.by(Path::new("/site/data.json")).len(), expected);
            assert_eq!(concerned.by(Path::new("/site/DATA.json")).len(), if is_free { 2 } else { 0 });
            assert_eq!(concerned.is_same(Path::new("/site/É"), Path::new("/site/é")), is_free);
            assert_eq!(concerned.places().count(), 3);

            concerned.remove(Path::new("/site/data.json"), &path("/data.json"));
            assert_eq!(concerned.by(Path::new("/site/data.json")).len(), expected - 1);
            concerned.remove(Path::new("/site/Data.JSON"), &path("/Data.JSON"));
            concerned.remove(Path::new("/site/other"), &path("/other"));
            concerned.remove(Path::new("/site/nothing"), &path("/other"));
            assert!(concerned.is_empty());
        }
    }

    #[test]
    fn the_disk_says_how_a_name_is_spelled() {
        let check = |place, real, has_names, expected: Option<&str>| {
            assert_eq!(respelled(Path::new(place), Path::new(real), has_names), expected.map(PathBuf::from), "{place}");
        };
        check("/site/a", "/site/a", false, None);
        check("/site/A", "/site/a", false, Some("a"));
        // Composed and decomposed.
        check("/site/caf\u{e9}", "/site/cafe\u{301}", false, Some("cafe\u{301}"));
        check("/site/A", "/site/a", true, Some("a"));
        check("/site/a", "/site/another-name", true, None);
        check("/", "/", false, None);
    }
}
