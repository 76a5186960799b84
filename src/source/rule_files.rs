//! `_redirects` and `_headers` of the served directory, always as they are now.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::TryLockError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use crate::content::Version;
use crate::site::SitePath;
use crate::site::rules;
use crate::site::rules::Rules;
use crate::site::rules::headers::Headers;
use crate::site::rules::line::Remark;
use crate::site::rules::line::RemarkKind;
use crate::site::rules::redirects::Redirects;
use crate::source::directory::Directory;
use crate::source::file::ReadError;
use crate::source::fingerprint::Fingerprint;
use crate::source::found::Found;
use crate::source::look::Source;
use crate::source::remote::remote_file_system;

/// How long a file that has become empty or broken may still be in the midst of a save.
const WRITING: Duration = Duration::from_millis(200);

/// For how long after a look nobody looks again, in nanoseconds. Nobody can save and ask in less, and of tens of thousands of
/// requests in a second, few have to look.
const TRUST: u64 = 50_000;

/// How long it is waited for that somebody tells what is in files that are elsewhere.
const PATIENCE: Duration = Duration::from_secs(3);

/// How many remarks on a file are told at once.
const TOLD: usize = 20;

/// Tells the author of a file of rules what there is to say of a line.
pub type Tell = Box<dyn Fn(&SitePath, &Remark) + Send + Sync>;

/// The files of rules.
pub struct RuleFiles {
    place: Place,
    kept: RwLock<Kept>,
    tell: Tell,
}

/// Where the files are.
enum Place {
    Here(Box<Here>),
    /// Somebody else tells what is in them.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "the command is what connects instances"))]
    Elsewhere(Elsewhere),
}

struct Here {
    directory: Directory,
    files: [(SitePath, PathBuf); 2],
    /// Whether a look at them waits for nobody.
    is_local: bool,
    /// The time since then is counted.
    start: Instant,
    /// When the files were found to be those that were read, in nanoseconds.
    looked: AtomicU64,
}

/// Which of the files were told of.
#[derive(Default)]
struct Elsewhere {
    told: Mutex<[bool; 2]>,
    all: Condvar,
}

#[derive(Default)]
struct Kept {
    rules: Arc<CurrentRules>,
    /// What each file was when it was read.
    seen: [Option<Fingerprint>; 2],
    /// What was told, and is still so.
    told: [HashSet<String>; 2],
    /// What is told once for all.
    differs: HashSet<String>,
}

/// The rules that hold.
#[derive(Default)]
pub struct CurrentRules {
    /// The rules.
    pub rules: Rules,
    /// Which versions of the files they were read from; of a broken one, what held before.
    pub versions: [Option<Version>; 2],
    /// Whether there would be some if the files were there.
    pub are_read: bool,
}

impl RuleFiles {
    /// Those of this directory. `tell` is called with what their author should know.
    ///
    /// # Panics
    ///
    /// Never: the names are plain.
    #[must_use]
    pub fn new(directory: Directory, tell: Tell) -> Self {
        let files = rules::FILES.map(|name| {
            let place = SitePath::from_url(name).expect("a plain name");
            let file = place.to_file(directory.path()).expect("a file");
            (place, file)
        });
        // Where that can't be known, the disks of this machine are the rule.
        let is_local = remote_file_system(directory.path()).is_none();
        let (start, looked) = (Instant::now(), AtomicU64::new(0));
        Self::at(Place::Here(Box::new(Here { directory, files, is_local, start, looked })), tell)
    }

    /// Those of another instance, which [tells](Self::told) what is in them.
    #[cfg(feature = "cli")]
    #[must_use]
    pub fn elsewhere(tell: Tell) -> Self {
        Self::at(Place::Elsewhere(Elsewhere::default()), tell)
    }

    fn at(place: Place, tell: Tell) -> Self {
        let rules = Arc::new(CurrentRules { are_read: true, ..CurrentRules::default() });
        Self { place, kept: RwLock::new(Kept { rules, ..Kept::default() }), tell }
    }

    /// The rules that hold now, if that can be said without waiting for another machine or for who writes to a file.
    #[must_use]
    pub fn at_once(&self) -> Option<Arc<CurrentRules>> {
        // Who holds it may be waiting for the disk.
        let kept = match self.kept.try_read() {
            Ok(kept) => kept,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let is_current = match &self.place {
            Place::Here(here) => here.is_current(&kept.seen),
            Place::Elsewhere(elsewhere) => elsewhere.is_told(),
        };
        is_current.then(|| kept.rules.clone())
    }

    /// The same, with a look at what has changed. May wait. When a file makes no sense, what it said before does.
    #[must_use]
    pub fn now(&self) -> Arc<CurrentRules> {
        match &self.place {
            Place::Here(here) => self.look(here),
            Place::Elsewhere(elsewhere) => {
                elsewhere.wait();
                self.kept.read().unwrap_or_else(PoisonError::into_inner).rules.clone()
            }
        }
    }

    /// This is in one of the files now, where others say so; `None` if it is not there.
    #[cfg(feature = "cli")]
    pub fn told(&self, at: usize, bytes: Option<&[u8]>) {
        let Place::Elsewhere(elsewhere) = &self.place else { return };
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        match bytes.map(|bytes| (str::from_utf8(bytes), Version::of(bytes))) {
            None => self.hold(&mut kept, at, None, "", None, None),
            Some((Ok(text), _)) if text.len() > rules::LARGEST => self.keep_old(&mut kept, at, None, rules::TOO_LARGE),
            Some((Ok(text), version)) => self.hold(&mut kept, at, None, text, None, Some(version)),
            Some((Err(_), _)) => self.keep_old(&mut kept, at, None, "this is no UTF-8"),
        }
        drop(kept);
        elsewhere.tell(at);
    }

    /// What is in one of the files can't be said now, so what it said before holds.
    #[cfg(feature = "cli")]
    pub fn not_told(&self, at: usize) {
        if let Place::Elsewhere(elsewhere) = &self.place {
            elsewhere.tell(at);
        }
    }

    fn look(&self, here: &Here) -> Arc<CurrentRules> {
        let seen = here.files.each_ref().map(|(_, file)| fs::metadata(file).ok().map(|it| Fingerprint::of(&it)));
        {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            if kept.seen == seen {
                return kept.rules.clone();
            }
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        for (at, seen) in seen.into_iter().enumerate() {
            if kept.seen[at] != seen {
                self.read(here, &mut kept, at, seen);
            }
        }
        kept.rules.clone()
    }

    fn read(&self, here: &Here, kept: &mut Kept, at: usize, seen: Option<Fingerprint>) {
        let (place, _) = &here.files[at];
        match here.directory.find(place) {
            Err(ReadError::Missing) => self.hold(kept, at, seen, "", None, None),
            // It will be another one in a moment.
            Ok(Found::File(content)) if !content.is_whole => {}
            Ok(Found::File(content)) if content.bytes.len() > rules::LARGEST => {
                self.keep_old(kept, at, seen, rules::TOO_LARGE);
            }
            Ok(Found::File(content)) => {
                let age = content.modified.and_then(|modified| modified.elapsed().ok());
                match str::from_utf8(&content.bytes) {
                    Ok(text) => self.hold(kept, at, seen, text, age, Some(Version::of(&content.bytes))),
                    Err(_) => self.keep_old(kept, at, seen, "this is no UTF-8"),
                }
            }
            Ok(Found::Large(..) | Found::Unread(_) | Found::Answer(..) | Found::Unknown | Found::Away(_)) => {
                self.keep_old(kept, at, seen, "this is too large");
            }
            Ok(Found::Directory) => self.keep_old(kept, at, seen, "this is a directory"),
            Err(ReadError::Outside) => self.keep_old(kept, at, seen, "this is a link to elsewhere"),
            Err(ReadError::Unreadable(error)) => {
                self.keep_old(kept, at, seen, &format!("this cannot be read: {error}"));
            }
            Err(ReadError::Away(why)) => self.keep_old(kept, at, seen, &why),
        }
    }

    /// The file says this from now on, if it makes sense.
    fn hold(
        &self,
        kept: &mut Kept,
        at: usize,
        seen: Option<Fingerprint>,
        text: &str,
        age: Option<Duration>,
        version: Option<Version>,
    ) {
        let old = &kept.rules;
        let mut next = CurrentRules {
            rules: Rules { redirects: old.rules.redirects.clone(), headers: old.rules.headers.clone() },
            versions: old.versions,
            are_read: true,
        };
        next.versions[at] = version;
        let (remarks, was_good) = if at == 0 {
            let (redirects, remarks) = Redirects::parse(text);
            next.rules.redirects = Arc::new(redirects);
            (remarks, !old.rules.redirects.is_empty())
        } else {
            let (headers, remarks) = Headers::parse(text);
            next.rules.headers = Arc::new(headers);
            (remarks, !old.rules.headers.is_empty())
        };
        let is_broken = remarks.iter().any(|remark| remark.kind == RemarkKind::Broken);
        let is_young = age.is_some_and(|age| age < WRITING);
        if was_good && is_young && (is_broken || text.trim().is_empty()) {
            // Perhaps it is being written. The next request asks again.
            return;
        }
        if is_broken {
            // A page that is loaded now has not heard of this version, and so is told what is wrong with it.
            next.versions[at] = Some(old.versions[at].unwrap_or(Version::ABSENT));
        }
        if was_good && is_broken {
            // What was good stays, until all of it makes sense again.
            next.rules = Rules { redirects: old.rules.redirects.clone(), headers: old.rules.headers.clone() };
        }
        kept.rules = Arc::new(next);
        kept.seen[at] = seen;
        self.tell(kept, at, &remarks);
    }

    fn keep_old(&self, kept: &mut Kept, at: usize, seen: Option<Fingerprint>, message: &str) {
        kept.seen[at] = seen;
        self.tell(kept, at, &[Remark { line: 0, message: message.into(), kind: RemarkKind::Broken }]);
    }

    fn tell(&self, kept: &mut Kept, at: usize, remarks: &[Remark]) {
        let Some(place) = SitePath::from_url(rules::FILES[at]) else { return };
        let mut told = HashSet::new();
        let mut news = Vec::new();
        for remark in remarks {
            if remark.kind == RemarkKind::Differs {
                if kept.differs.insert(remark.message.clone()) {
                    news.push(remark.clone());
                }
                continue;
            }
            let key = format!("{} {}", remark.line, remark.message);
            if !kept.told[at].contains(&key) {
                news.push(remark.clone());
            }
            told.insert(key);
        }
        kept.told[at] = told;
        if let Some(more @ 1..) = news.len().checked_sub(TOLD) {
            news.truncate(TOLD);
            news.push(Remark {
                line: 0,
                message: format!("there are {more} lines more of this kind"),
                kind: RemarkKind::Broken,
            });
        }
        news.iter().for_each(|remark| (self.tell)(&place, remark));
    }
}

impl Here {
    /// Whether these are still the files that were read, if that can be said without waiting.
    fn is_current(&self, read: &[Option<Fingerprint>; 2]) -> bool {
        if !self.is_local {
            return false;
        }
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let looked = self.looked.load(Ordering::Relaxed);
        if looked > 0 && now.saturating_sub(looked) < TRUST {
            return true;
        }
        // A link may lead anywhere.
        let seen = self.files.each_ref().map(|(_, file)| file.symlink_metadata().ok().map(|it| Fingerprint::of(&it)));
        if *read == seen {
            self.looked.store(now, Ordering::Relaxed);
        }
        *read == seen
    }
}

impl Elsewhere {
    fn is_told(&self) -> bool {
        *self.told() == [true; 2]
    }

    /// Waits until all were told of, and not for longer than anybody waits.
    fn wait(&self) {
        let told = self.told();
        drop(self.all.wait_timeout_while(told, PATIENCE, |told| *told != [true; 2]));
    }

    #[cfg(feature = "cli")]
    fn tell(&self, at: usize) {
        self.told()[at] = true;
        self.all.notify_all();
    }

    /// No code panics while it holds this lock, so a poisoned lock is still whole.
    fn told(&self) -> MutexGuard<'_, [bool; 2]> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
