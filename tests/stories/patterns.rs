//! Every way in which files are really saved gives exactly one delivery of the final content, and nothing else.
//!
//! The oracle is in the content: each save has a number, and what is delivered must be exactly what was saved last. All
//! else is counted: deliveries of something older or torn, `removed`, `problem`.

#![expect(clippy::unwrap_used, reason = "a save that fails shows itself by its line")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::thread;
use std::thread::sleep;
use std::time::Duration;
use std::time::Instant;

use rustix::fs::AtFlags;
use rustix::fs::CWD;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::RenameFlags;

use crate::support::DEADLINE;
use crate::support::Events;
use crate::support::Site;

/// A way to save.
struct Pattern {
    name: &'static str,
    kind: Kind,
    save: fn(&Desk),
}

/// What a pattern is made of, and so how long it takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// System calls; the file has its new content in one step, or none of its writers says that it is done in between.
    Calls,
    /// Steps that leave a part of the file for longer than the quiet time, or close it. Only a document shows that it
    /// isn't whole.
    Halves,
    /// System calls with pauses in between, or such that nobody says when they are done.
    Slow,
    /// A real program.
    Program,
    /// A real program that can't make an empty file, or nothing of an empty one.
    Editor,
}

const PATTERNS: &[Pattern] = &[
    Pattern { name: "in place", kind: Kind::Calls, save: |desk| fs::write(&desk.file, &desk.content).unwrap() },
    Pattern { name: "in place, 4 writes", kind: Kind::Calls, save: |desk| desk.write_slowly(Duration::ZERO) },
    Pattern { name: "in place, 4 writes, 20 ms apart", kind: Kind::Slow, save: |desk| desk.write_slowly(MOMENT * 2) },
    Pattern {
        name: "in place, 4 writes, 150 ms apart",
        kind: Kind::Halves,
        save: |desk| desk.write_slowly(MOMENT * 15),
    },
    Pattern { name: "two opens, 10 ms apart", kind: Kind::Halves, save: two_opens },
    Pattern { name: "temporary file, rename", kind: Kind::Calls, save: |desk| desk.replace(desk.beside(".tmp")) },
    Pattern { name: "rename from another directory", kind: Kind::Calls, save: |desk| desk.replace(desk.sibling("t")) },
    Pattern { name: "rename from outside", kind: Kind::Calls, save: |desk| fs::rename(&desk.new, &desk.file).unwrap() },
    Pattern { name: "unlink, create", kind: Kind::Calls, save: |desk| desk.unlink_and_create(Duration::ZERO) },
    Pattern { name: "unlink, create 80 ms later", kind: Kind::Slow, save: |desk| desk.unlink_and_create(MOMENT * 8) },
    Pattern { name: "unlink, link", kind: Kind::Slow, save: link },
    Pattern { name: "O_TMPFILE, linkat", kind: Kind::Slow, save: unnamed_file },
    Pattern { name: "renameat2(RENAME_EXCHANGE)", kind: Kind::Calls, save: exchange },
    Pattern { name: "JetBrains (imitated)", kind: Kind::Calls, save: jetbrains },
    Pattern { name: "VS Code (imitated)", kind: Kind::Calls, save: vs_code },
    Pattern { name: "backup by rename (imitated)", kind: Kind::Calls, save: backup },
    Pattern { name: "kept open", kind: Kind::Slow, save: kept_open },
    Pattern { name: "symbolic link swapped", kind: Kind::Calls, save: swapped_link },
    Pattern { name: "directory swapped", kind: Kind::Calls, save: swapped_directory },
    Pattern { name: "mmap", kind: Kind::Program, save: |desk| desk.run(&["python3", "-c", MMAP, "NEW", "FILE"]) },
    Pattern { name: "cp", kind: Kind::Program, save: |desk| desk.run(&["cp", "NEW", "FILE"]) },
    Pattern { name: "install", kind: Kind::Program, save: |desk| desk.run(&["install", "-m", "644", "NEW", "FILE"]) },
    Pattern { name: "mv", kind: Kind::Program, save: |desk| desk.run(&["mv", "NEW", "FILE"]) },
    Pattern { name: "mv from another file system", kind: Kind::Program, save: move_across },
    Pattern { name: "ln -f", kind: Kind::Program, save: |desk| desk.run(&["ln", "-f", "NEW", "FILE"]) },
    Pattern { name: "tee", kind: Kind::Program, save: |desk| desk.shell("tee FILE < NEW > /dev/null") },
    Pattern { name: "dd conv=notrunc, truncate", kind: Kind::Halves, save: |desk| desk.shell(DD) },
    Pattern { name: "rsync", kind: Kind::Program, save: |desk| desk.run(&["rsync", "-I", "NEW", "FILE"]) },
    Pattern { name: "rsync --inplace", kind: Kind::Program, save: rsync_inplace },
    Pattern {
        name: "sed -i",
        kind: Kind::Editor,
        save: |desk| desk.run(&["sed", "-i", "-e", "1rNEW", "-e", "1d", "FILE"]),
    },
    Pattern { name: "perl -i", kind: Kind::Editor, save: |desk| desk.run(&["perl", "-i", "-ne", PERL, "NEW", "FILE"]) },
    Pattern { name: "vim, in place", kind: Kind::Editor, save: |desk| vim(desk, "set nowritebackup") },
    Pattern {
        name: "vim, backup by copy",
        kind: Kind::Editor,
        save: |desk| vim(desk, "set backupskip= backupcopy=yes"),
    },
    Pattern {
        name: "vim, backup by rename",
        kind: Kind::Editor,
        save: |desk| vim(desk, "set backupskip= backupcopy=no"),
    },
    Pattern { name: "emacs, backup by copy", kind: Kind::Editor, save: |desk| emacs(desk, "backup-by-copying t") },
    Pattern { name: "emacs, backup by rename", kind: Kind::Editor, save: |desk| emacs(desk, "backup-by-copying nil") },
    Pattern { name: "emacs, precious", kind: Kind::Editor, save: |desk| emacs(desk, "file-precious-flag t") },
    Pattern { name: "git checkout", kind: Kind::Program, save: |desk| git(desk, "git checkout -q $commit") },
    Pattern {
        name: "git stash",
        kind: Kind::Program,
        save: |desk| git(desk, "git update-ref HEAD $commit && git stash -q"),
    },
];

/// A pause in which one can be caught.
const MOMENT: Duration = Duration::from_millis(10);

const MMAP: &str = "
import mmap, os, sys
new, file = open(sys.argv[1], 'rb').read(), os.open(sys.argv[2], os.O_RDWR)
os.ftruncate(file, len(new))
if new:
    memory = mmap.mmap(file, len(new))
    memory[:] = new
    memory.flush()
    memory.close()
os.close(file)";

const PERL: &str = r#"BEGIN { open my $file, "<", shift; local $/; $new = <$file> } print $new"#;

const DD: &str = "dd if=NEW of=FILE bs=64k conv=notrunc status=none && truncate -r NEW FILE";

/// Where one file is saved again and again.
struct Desk {
    /// A folder of its own for the file, inside of the root.
    folder: PathBuf,
    file: PathBuf,
    /// The new content, and also as a file outside of the root.
    content: Vec<u8>,
    new: PathBuf,
    kept: RefCell<Option<File>>,
}

impl Desk {
    fn new(site: &Site, folder: &str, name: &str) -> Self {
        let folder = site.path(folder);
        fs::create_dir_all(&folder).unwrap();
        // Next to the root, and not the same for two desks.
        let new = site.path("..").join(format!("{}-new", folder.file_name().unwrap().display()));
        Self { file: folder.join(name), folder, content: Vec::new(), new, kept: RefCell::default() }
    }

    fn save(&mut self, pattern: &Pattern, content: &[u8]) {
        self.content = content.to_vec();
        // A file of its own each time, because `ln` gives it to the site.
        drop(fs::remove_file(&self.new));
        fs::write(&self.new, content).unwrap();
        (pattern.save)(self);
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        self.folder.join(format!("{}{suffix}", self.file.file_name().unwrap().display()))
    }

    fn sibling(&self, name: &str) -> PathBuf {
        let sibling = self.folder.with_extension("sibling");
        fs::create_dir_all(&sibling).unwrap();
        sibling.join(name)
    }

    /// Writes it elsewhere, and renames that.
    fn replace(&self, temporary: PathBuf) {
        fs::write(&temporary, &self.content).unwrap();
        fs::rename(&temporary, &self.file).unwrap();
    }

    fn write_slowly(&self, pause: Duration) {
        let mut file = File::create(&self.file).unwrap();
        for part in self.content.chunks(self.content.len() / 4 + 1) {
            file.write_all(part).unwrap();
            sleep(pause);
        }
    }

    fn unlink_and_create(&self, pause: Duration) {
        fs::remove_file(&self.file).unwrap();
        sleep(pause);
        fs::write(&self.file, &self.content).unwrap();
    }

    /// Runs a program. NEW and FILE stand for the file with the new content, and the one that is to get it.
    fn run(&self, words: &[&str]) {
        let word = |word: &&str| {
            word.replace("NEW", &self.new.to_string_lossy()).replace("FILE", &self.file.to_string_lossy())
        };
        let words = words.iter().map(word).collect::<Vec<_>>();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(&self.folder).stdout(Stdio::null()).stdin(Stdio::null());
        let output = command.output().unwrap_or_else(|error| panic!("{}: {error}; see tests/run.sh", words[0]));
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn shell(&self, command: &str) {
        self.run(&["sh", "-ec", command]);
    }
}

fn two_opens(desk: &Desk) {
    let (first, second) = desk.content.split_at(desk.content.len() / 2);
    fs::write(&desk.file, first).unwrap();
    sleep(MOMENT);
    File::options().append(true).open(&desk.file).unwrap().write_all(second).unwrap();
}

fn link(desk: &Desk) {
    fs::remove_file(&desk.file).unwrap();
    fs::hard_link(&desk.new, &desk.file).unwrap();
    fs::remove_file(&desk.new).unwrap();
}

fn unnamed_file(desk: &Desk) {
    let flags = OFlags::WRONLY | OFlags::TMPFILE;
    let mut file = File::from(rustix::fs::open(&desk.folder, flags, Mode::from_raw_mode(0o644)).unwrap());
    file.write_all(&desk.content).unwrap();
    fs::remove_file(&desk.file).unwrap();
    let name = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    rustix::fs::linkat(CWD, &name, CWD, &desk.file, AtFlags::SYMLINK_FOLLOW).unwrap();
}

fn exchange(desk: &Desk) {
    let other = desk.beside(".other");
    fs::write(&other, &desk.content).unwrap();
    rustix::fs::renameat_with(CWD, &other, CWD, &desk.file, RenameFlags::EXCHANGE).unwrap();
}

fn jetbrains(desk: &Desk) {
    let (temporary, old) = (desk.beside("___jb_tmp___"), desk.beside("___jb_old___"));
    fs::write(&temporary, &desk.content).unwrap();
    fs::rename(&desk.file, &old).unwrap();
    fs::rename(&temporary, &desk.file).unwrap();
    fs::remove_file(&old).unwrap();
}

fn vs_code(desk: &Desk) {
    let mut file = File::options().read(true).write(true).open(&desk.file).unwrap();
    file.set_len(0).unwrap();
    file.write_all(&desk.content).unwrap();
    file.sync_data().unwrap();
}

fn backup(desk: &Desk) {
    fs::rename(&desk.file, desk.beside("~")).unwrap();
    fs::write(&desk.file, &desk.content).unwrap();
}

fn kept_open(desk: &Desk) {
    // The one before is closed, which changes nothing.
    desk.kept.take();
    sleep(MOMENT);
    let file = File::options().write(true).open(&desk.file).unwrap();
    file.set_len(0).unwrap();
    file.write_all_at(&desk.content, 0).unwrap();
    desk.kept.replace(Some(file));
}

/// As Kubernetes updates the volume of a `ConfigMap`.
fn swapped_link(desk: &Desk) {
    let data = desk.beside(".d");
    if !data.exists() {
        fs::remove_file(&desk.file).unwrap();
        let through = Path::new(data.file_name().unwrap()).join("content");
        std::os::unix::fs::symlink(through, &desk.file).unwrap();
    }
    let old = data.read_link();
    let next = desk.beside(if old.as_ref().is_ok_and(|old| old.ends_with(desk.beside(".1"))) { ".2" } else { ".1" });
    fs::create_dir_all(&next).unwrap();
    fs::write(next.join("content"), &desk.content).unwrap();
    let temporary = desk.beside(".t");
    std::os::unix::fs::symlink(&next, &temporary).unwrap();
    fs::rename(&temporary, &data).unwrap();
    if let Ok(old) = old {
        fs::remove_dir_all(old).unwrap();
    }
}

fn swapped_directory(desk: &Desk) {
    let (next, old) = (desk.folder.with_extension("next"), desk.folder.with_extension("old"));
    fs::create_dir(&next).unwrap();
    fs::write(next.join(desk.file.file_name().unwrap()), &desk.content).unwrap();
    fs::rename(&desk.folder, &old).unwrap();
    fs::rename(&next, &desk.folder).unwrap();
    fs::remove_dir_all(&old).unwrap();
}

fn move_across(desk: &Desk) {
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let name = elsewhere.path().join("new");
    fs::write(&name, &desk.content).unwrap();
    desk.run(&["mv", &name.to_string_lossy(), "FILE"]);
}

fn rsync_inplace(desk: &Desk) {
    // Of two local files it would copy the whole one into the place, without comparing.
    desk.run(&["rsync", "-I", "--inplace", "--no-whole-file", "NEW", "FILE"]);
}

fn vim(desk: &Desk, set: &str) {
    let words = ["vim", "-N", "-u", "NONE", "-i", "NONE", "-es", "-c", set, "-c", "%!cat NEW", "-c", "wq", "FILE"];
    desk.run(&words);
}

fn emacs(desk: &Desk, setting: &str) {
    let program = format!(
        "(progn (setq backup-enable-predicate 'identity) (setq {setting}) (find-file \"FILE\") (erase-buffer)
         (insert-file-contents \"NEW\") (save-buffer))"
    );
    desk.run(&["emacs", "-Q", "--batch", "--eval", &program]);
}

/// A commit with the new content is made without touching the file, and then git does.
fn git(desk: &Desk, command: &str) {
    let name = desk.file.file_name().unwrap().display();
    desk.shell(&format!(
        "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
         commit() {{
           blob=$(git hash-object -w $1)
           git commit-tree -m save $(printf '100644 blob %s\\t{name}\\n' $blob | git mktree)
         }}
         if ! [ -e .git ]; then git init -q; git reset -q $(commit FILE); fi
         commit=$(commit NEW)
         {command}"
    ));
}

/// What came of the saves by one pattern.
struct Row {
    name: &'static str,
    saves: usize,
    missed: usize,
    stray: Vec<String>,
    /// From the end of the save to the event.
    latencies: Vec<Duration>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut latencies = self.latencies.clone();
        latencies.sort_unstable();
        let of = |percent: usize| latencies.get((latencies.len() * percent / 100).min(latencies.len().max(1) - 1));
        let ms = |latency: Option<&Duration>| latency.map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0);
        let Self { name, saves, missed, stray, .. } = self;
        let (median, p99, stray) = (ms(of(50)), ms(of(99)), stray.len());
        write!(f, "| {name:32} | {saves:6} | {missed:6} | {stray:6} | {median:8.2} | {p99:8.2} |")
    }
}

const TITLE: &str = "| saved by                         |  saves | missed |  stray | median   | p99 (ms) |\n\
                     |---|---|---|---|---|---|";

/// Saves again and again by one pattern, with contents of these sizes.
fn run(pattern: &Pattern, desk: &mut Desk, events: &Events, sizes: impl Iterator<Item = usize>) -> Row {
    let mut row = Row { name: pattern.name, saves: 0, missed: 0, stray: Vec::new(), latencies: Vec::new() };
    let is_document = desk.file.extension().is_some_and(|extension| extension == "json");
    for size in sizes {
        row.saves += 1;
        let content = content(row.saves, size, is_document);
        desk.save(pattern, content.as_bytes());
        let saved = Instant::now();
        let expected = if is_document { content.trim_end() } else { &content };
        loop {
            match events.next_before(saved + DEADLINE) {
                None => {
                    row.missed += 1;
                    break;
                }
                Some((event, at)) if event.event == "message" && event.data == expected => {
                    row.latencies.push(at.saturating_duration_since(saved));
                    break;
                }
                Some((event, _)) => {
                    let start = event.data.chars().take(100).collect::<String>();
                    row.stray.push(format!("save {} of {size} bytes: {} {start}", row.saves, event.event));
                }
            }
        }
    }
    // What comes late shows before this does.
    fs::write(&desk.file, "\"the end\"").unwrap();
    while let Some((event, _)) = events.next_before(Instant::now() + DEADLINE) {
        if event.data == "\"the end\"" {
            break;
        }
        row.stray.push(format!("after the last save: {}", event.event));
    }
    row
}

/// A line of this many bytes that no other save has, without order in it; a JSON document if asked for.
fn content(number: usize, size: usize, is_document: bool) -> String {
    let mut state = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (size as u64) << 40;
    let mut text = if is_document { format!("{{\"n\":{number},\"pad\":\"") } else { String::new() };
    let end = if is_document { "\"}\n" } else { "\n" };
    while text.len() + end.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(&format!("{state:016x}")[..(size - text.len() - end.len()).min(16)]);
    }
    if is_document || size > 0 {
        text.push_str(end);
    }
    text
}

/// Follows the file of a new desk, which has some content.
fn begin(site: &Site, server: &crate::support::Server, folder: &str, name: &str) -> (Desk, Events) {
    let desk = Desk::new(site, folder, name);
    fs::write(&desk.file, "\"begin\"").unwrap();
    let events = server.follow(&format!("/{folder}/{name}"));
    events.expect("\"begin\"");
    (desk, events)
}

fn print(text: &impl fmt::Display) {
    // Straight to the terminal: a table is wanted from a run that passes, too.
    drop(writeln!(io::stderr(), "{text}"));
}

#[test]
fn every_pattern_is_one_delivery() {
    let site = Site::with(&[]);
    let server = site.serve();
    let mut rows = Vec::new();
    for (number, pattern) in PATTERNS.iter().enumerate() {
        let (mut desk, events) = begin(&site, &server, &format!("document{number}"), "data.json");
        let rounds = if pattern.kind == Kind::Calls { 20 } else { 5 };
        rows.push(run(pattern, &mut desk, &events, std::iter::repeat_n(2048, rounds)));
    }
    finish(&rows);
}

/// Nobody says when a writer is done, so a pause that is longer than the one between two looks is the end of a save.
#[test]
fn every_pattern_is_one_delivery_when_polled() {
    let site = Site::with(&[]);
    let server = site.serve_with(&["--poll", "20"]);
    let mut rows = Vec::new();
    for (number, pattern) in PATTERNS.iter().enumerate() {
        let (mut desk, events) = begin(&site, &server, &format!("polled{number}"), "data.json");
        rows.push(run(pattern, &mut desk, &events, std::iter::repeat_n(2048, 3)));
    }
    finish(&rows);
}

#[test]
fn every_size_is_one_delivery() {
    let site = Site::with(&[]);
    let server = site.serve();
    let mut rows = Vec::new();
    for (number, pattern) in PATTERNS.iter().enumerate().filter(|(_, pattern)| pattern.kind != Kind::Halves) {
        let (mut desk, events) = begin(&site, &server, &format!("text{number}"), "data.txt");
        let sizes = [10, 4 << 10, 0, 64 << 10, 1 << 20, 4 << 20, 1].into_iter();
        rows.push(run(pattern, &mut desk, &events, sizes.filter(|size| *size > 0 || pattern.kind != Kind::Editor)));
    }
    finish(&rows);
}

/// Nobody waits for a delivery here: some versions are skipped, none is torn, older than one before it, or told twice, and
/// the last one is the last.
#[test]
fn saves_in_quick_succession_are_told_whole_and_in_order() {
    let patterns = [
        Pattern { name: "in place", kind: Kind::Calls, save: |desk| fs::write(&desk.file, &desk.content).unwrap() },
        Pattern { name: "rename", kind: Kind::Calls, save: |desk| desk.replace(desk.beside(".tmp")) },
    ];
    let site = Site::with(&[]);
    let server = site.serve();
    for (number, pattern) in patterns.iter().enumerate() {
        for (size, saves) in [(2 << 10, 2000), (256 << 10, 300), (4 << 20, 30)] {
            let (mut desk, events) = begin(&site, &server, &format!("quick{number}-{size}"), "data.txt");
            for save in 1..=saves {
                desk.save(pattern, content(save, size, false).as_bytes());
            }
            let mut last = 0;
            while last < saves {
                let (event, _) = events.next_before(Instant::now() + DEADLINE).expect("the last version");
                let found = (last + 1..=saves).find(|save| content(*save, size, false) == event.data);
                let start = event.data.chars().take(100).collect::<String>();
                last = found.unwrap_or_else(|| panic!("{}, {size} bytes, after {last}: {start}", pattern.name));
            }
        }
    }
}

/// A file that is written over without becoming shorter or longer is never told half old and half new, although nobody
/// waits for anybody.
#[test]
fn overwriting_never_tears() {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(['.', '-']).map(|number| number.parse::<u32>().unwrap_or(0));
    if (numbers.next(), numbers.next()) < (Some(6), Some(13)) {
        eprintln!("not tested: before Linux 6.13, the times of files are too coarse to show it");
        return;
    }
    let site = Site::with(&[]);
    let server = site.serve();
    let (desk, events) = begin(&site, &server, "overwriting", "data.txt");
    let (start, mut last) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(2) {
        last += 1;
        let content = format!("{last:07} ").repeat(128 << 10);
        File::options().write(true).open(&desk.file).unwrap().write_all(content.as_bytes()).unwrap();
    }
    let mut told = 0;
    while told < last {
        let (event, _) = events.next_before(Instant::now() + DEADLINE).expect("the last version");
        let numbers = event.data.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(numbers.len(), 1, "torn: {numbers:?}");
        let number = numbers.first().and_then(|number| number.parse().ok()).expect("a number");
        assert!(number > told, "{number} after {told}");
        told = number;
    }
}

/// Many saves, on three threads:
///
/// ```sh
/// SAVES=100000 cargo test --release --test stories soak -- --ignored --nocapture
/// ```
#[test]
#[ignore = "takes more than ten minutes"]
fn soak() {
    let saves = std::env::var("SAVES").map_or(100_000, |saves| saves.parse::<usize>().expect("a number"));
    // What is slow gets a smaller part, so that none takes much longer than the others.
    let share = |pattern: &Pattern| match pattern.kind {
        Kind::Calls => 20,
        Kind::Halves | Kind::Slow => 3,
        Kind::Program | Kind::Editor => 1,
    };
    let shares = PATTERNS.iter().map(share).sum::<usize>();
    let sizes = |saves: usize| {
        (0..saves).map(|number| match number {
            _ if number % 100 == 50 => 1 << 20,
            _ if number % 20 == 10 => 64 << 10,
            _ => 30 + number * 37 % 4000,
        })
    };
    let site = Site::with(&[]);
    let server = site.serve();
    let desk = |(number, pattern)| (pattern, begin(&site, &server, &format!("soak{number}"), "data.json"));
    let todo = Mutex::new(PATTERNS.iter().enumerate().map(desk).collect::<Vec<_>>().into_iter());
    let work = || {
        let mut rows = Vec::new();
        while let Some((pattern, (mut desk, events))) = { todo.lock().unwrap().next() } {
            rows.push(run(pattern, &mut desk, &events, sizes((saves * share(pattern)).div_ceil(shares))));
        }
        rows
    };
    let rows = thread::scope(|scope| {
        let threads = [(); 3].map(|()| scope.spawn(work));
        threads.map(|thread| thread.join().expect("no panic")).into_iter().flatten().collect::<Vec<_>>()
    });
    let sum = |count: fn(&Row) -> usize| rows.iter().map(count).sum::<usize>();
    let counts = (sum(|row| row.saves), sum(|row| row.missed), sum(|row| row.stray.len()));
    print(&format!("{} saves, {} missed, {} stray", counts.0, counts.1, counts.2));
    finish(&rows);
}

#[track_caller]
fn finish(rows: &[Row]) {
    print(&TITLE);
    rows.iter().for_each(print);
    let wrong = rows.iter().filter(|row| row.missed > 0 || !row.stray.is_empty());
    let wrong = wrong.map(|row| format!("{}: {} missed, {:#?}", row.name, row.missed, row.stray)).collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
