//! Which files in a tree nobody writes by hand: what git ignores, what is hidden, and what programs leave behind.

#[cfg(feature = "cli")]
use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;

#[cfg(feature = "cli")]
use ignore::Match;
#[cfg(feature = "cli")]
use ignore::gitignore::Gitignore;
#[cfg(feature = "cli")]
use ignore::gitignore::GitignoreBuilder;

/// Directories that tools fill.
const OF_TOOLS: [&str; 4] = ["node_modules", "bower_components", "__pycache__", "venv"];

/// How names end that editors, interpreters, data bases and servers give to files of their own.
const ENDINGS: [&str; 11] = ["~", ".swp", ".swx", ".swo", ".tmp", ".pyc", ".log", ".pid", "-journal", "-wal", "-shm"];

/// What else is to be left out, by its path in the tree.
pub type Pattern = Box<dyn Fn(&str) -> bool + Send>;

/// Which files nobody writes by hand.
pub(super) struct Ignored {
    pattern: Pattern,
    rules: Rules,
}

impl Ignored {
    pub(super) fn new(pattern: Pattern) -> Self {
        Self { pattern, rules: Rules::default() }
    }

    /// Whether it counts for nothing. All directories on the way to it do.
    pub(super) fn is_ignored(&mut self, place: &Path, is_directory: bool, roots: &[PathBuf]) -> bool {
        let Some(name) = place.file_name().and_then(|name| name.to_str()) else { return true };
        let is_of_tools = if is_directory {
            OF_TOOLS.contains(&name)
        } else {
            // vim asks with a file of this name whether it may write.
            name == "4913" || ENDINGS.iter().any(|ending| name.ends_with(ending)) || name.starts_with('#')
        };
        let mut inside = roots.iter().filter_map(|root| place.strip_prefix(root).ok()).filter_map(Path::to_str);
        name.starts_with('.')
            || is_of_tools
            || inside.any(|inside| (self.pattern)(inside))
            || self.rules.is_ignored(place, is_directory, roots)
    }

    /// Forgets what directories say of themselves.
    pub(super) fn forget(&mut self) {
        self.rules = Rules::default();
    }

    /// Reads what a directory says of itself, also if it was read before.
    pub(super) fn read(&mut self, directory: &Path) {
        self.rules.read(directory);
    }
}

/// What git ignores: what each directory says of itself, and those above the trees, as far as it was read.
#[cfg(feature = "cli")]
#[derive(Default)]
struct Rules(HashMap<PathBuf, Option<Gitignore>>);

#[cfg(feature = "cli")]
impl Rules {
    fn read(&mut self, directory: &Path) {
        self.0.insert(directory.to_path_buf(), rules_of(directory));
    }

    /// The nearest `.gitignore` that says something of it decides, up to that of the repository (gitignore(5)).
    fn is_ignored(&mut self, place: &Path, is_directory: bool, roots: &[PathBuf]) -> bool {
        let mut above = false;
        for directory in place.ancestors().skip(1) {
            let rules = self.0.entry(directory.to_path_buf()).or_insert_with(|| rules_of(directory));
            if let Some(rules) = rules {
                // Who watches what git ignores, such as the output of a build, means it.
                let is_root_ignored = || roots.iter().any(|root| rules.matched(root, true).is_ignore());
                match rules.matched(place, is_directory) {
                    Match::Ignore(_) => return !(above && is_root_ignored()),
                    Match::Whitelist(_) => return false,
                    Match::None => {}
                }
            }
            above |= roots.iter().any(|root| root == directory);
            if above && directory.join(".git").exists() {
                return false;
            }
        }
        false
    }
}

/// What a directory says of what is in it; that of a repository, too, what it does not tell others.
#[cfg(feature = "cli")]
fn rules_of(directory: &Path) -> Option<Gitignore> {
    let files = [directory.join(".gitignore"), directory.join(".git/info/exclude")];
    let files = files.into_iter().filter(|file| file.is_file()).collect::<Vec<_>>();
    if files.is_empty() {
        return None;
    }
    let mut builder = GitignoreBuilder::new(directory);
    // A line that makes no sense is passed over, as git does.
    files.iter().for_each(|file| drop(builder.add(file)));
    builder.build().ok()
}

/// The command alone has trees, and knows git.
#[cfg(not(feature = "cli"))]
#[derive(Default)]
struct Rules();

#[cfg(not(feature = "cli"))]
#[expect(clippy::unused_self, reason = "it stands for the other one")]
impl Rules {
    fn read(&mut self, _: &Path) {}

    fn is_ignored(&mut self, _: &Path, _: bool, _: &[PathBuf]) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_nobody_writes_by_hand_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("repository");
        fs::create_dir_all(root.join("app/static")).unwrap();
        fs::create_dir_all(root.join(".git/info")).unwrap();
        fs::write(root.join(".gitignore"), "*.db\n/dist/\n!keep.db\n").unwrap();
        fs::write(root.join("app/.gitignore"), "local.py\n").unwrap();
        fs::write(root.join(".git/info/exclude"), "notes.txt\n").unwrap();
        // That of another repository.
        fs::write(folder.path().join(".gitignore"), "*.py\n").unwrap();
        let mut ignored = Ignored::new(Box::new(|inside| inside == "app/generated.py"));
        let mut check = |place: &str, is_directory: bool, roots: &[&str], expected: bool| {
            let roots = roots.iter().map(|name| root.join(name)).collect::<Vec<_>>();
            assert_eq!(ignored.is_ignored(&root.join(place), is_directory, &roots), expected, "{place}");
        };
        for (place, is_directory, expected) in [
            ("app/main.py", false, false),
            ("app/local.py", false, true),
            ("local.py", false, false),
            ("app/generated.py", false, true),
            ("app/static", true, false),
            ("app/data.db", false, true),
            ("app/keep.db", false, false),
            ("dist", true, true),
            ("notes.txt", false, true),
            (".git", true, true),
            ("node_modules", true, true),
            ("app/__pycache__", true, true),
            ("app/.main.py.swp", false, true),
            ("app/main.py~", false, true),
            ("app/4913", false, true),
            ("app.log", false, true),
            ("db.sqlite3-journal", false, true),
        ] {
            check(place, is_directory, &[""], expected);
        }
        // Who watches what git ignores, means it.
        check("dist/index.html", false, &["dist"], false);
        check("dist/data.db", false, &["dist"], false);
    }
}
