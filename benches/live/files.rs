//! The files that are saved.

use std::fmt::Write as _;
use std::fs;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

/// A folder of its own for one program.
pub(crate) struct Folder {
    directory: tempfile::TempDir,
}

/// How the file is saved.
#[derive(Clone, Copy)]
pub(crate) enum Save {
    InPlace,
    Rename,
    /// In two writes, 5 ms apart.
    Slow,
}

impl Save {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InPlace => "in place",
            Self::Rename => "by rename",
            Self::Slow => "in two writes",
        }
    }
}

/// A JSON document on one line.
pub(crate) fn content(number: usize, size: usize) -> String {
    let mut text = format!("{{\"n\":{number},\"rows\":[");
    while text.len() < size {
        write!(text, "{{\"id\":{},\"price\":97234.10,\"name\":\"row\"}},", text.len()).unwrap();
    }
    text.push_str("0]}");
    text
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.path().join(name), content).unwrap();
    }

    /// Makes a file an hour old: what was saved a moment ago is read with more care.
    pub(crate) fn age(&self, name: &str) {
        let file = File::options().append(true).open(self.path().join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    }

    /// So many names, so many in a directory.
    pub(crate) fn names(count: usize, together: usize) -> impl Iterator<Item = String> {
        (0..count).map(move |number| format!("d{}/f{number}.json", number / together))
    }

    pub(crate) fn fill(&self, count: usize, together: usize) {
        for directory in 0..count.div_ceil(together) {
            fs::create_dir(self.path().join(format!("d{directory}"))).unwrap();
        }
        Self::names(count, together).for_each(|name| self.write(&name, "{}"));
    }

    /// Saves `data.json`, and tells when all was written: before the call that makes it complete.
    pub(crate) fn save(&self, save: Save, number: usize, size: usize) -> Instant {
        let (path, content) = (self.path().join("data.json"), content(number, size));
        match save {
            Save::InPlace => {
                let mut file = File::create(path).unwrap();
                file.write_all(content.as_bytes()).unwrap();
                // Closed on return.
                Instant::now()
            }
            Save::Rename => {
                let temporary = self.path().join("temporary");
                fs::write(&temporary, content).unwrap();
                let saved = Instant::now();
                fs::rename(temporary, path).unwrap();
                saved
            }
            Save::Slow => {
                let mut file = File::create(path).unwrap();
                let (first, second) = content.split_at(size / 2);
                file.write_all(first.as_bytes()).unwrap();
                sleep(Duration::from_millis(5));
                file.write_all(second.as_bytes()).unwrap();
                Instant::now()
            }
        }
    }
}
