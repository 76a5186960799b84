//! What is promised, measured: each figure beside its floor, from the same run.
//!
//! ```sh
//! cargo bench --bench live                  # all of it, a few minutes
//! cargo bench --bench live -- saves growth  # some of it
//! ```
//!
//! The floor is a bare program: `inotify`, `read`, `write`, one thread, no check of what it sends (see `floor.rs`). A run
//! of all parts writes `benches/results.md` and `benches/results.svg`, which the README shows.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::unchecked_time_subtraction,
    reason = "a measurement that fails shows itself by its line, and no figure is that large"
)]

mod chart;
mod files;
mod floor;
mod listeners;
mod painted;
mod peer;
mod program;
mod proxy;
mod relay;
mod streams;
mod tls;

use std::fs;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use crate::files::Folder;
use crate::files::Save;
use crate::listeners::Listeners;
use crate::program::Kind;
use crate::program::Program;

/// A part of the run: its name, and what makes its table.
type Part = (&'static str, fn() -> Table);

const PARTS: [Part; 18] = [
    ("saves", saves),
    ("listeners", fan_out),
    ("forms", forms),
    ("lines", lines),
    ("growth", growth),
    ("trees", trees),
    ("requests", requests),
    ("tls", tls::requests),
    ("tls", tls::listeners),
    ("tls", tls::starts),
    ("proxy", proxy::requests),
    ("proxy", proxy::latencies),
    ("proxy", proxy::listeners),
    ("proxy", proxy::large),
    ("relay", relay::latencies),
    ("relay", relay::listeners),
    ("painted", painted::small),
    ("painted", painted::large),
];

/// How often many are told.
const ROUNDS: usize = 20;

/// The content of a file, by number.
type Content = fn(usize) -> String;

/// A table as it stands in the documentation.
struct Table {
    title: &'static str,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// For each row that is drawn: its name, and two pairs of figures of savecast and the floor, in milliseconds.
    bars: Vec<(String, [[f64; 2]; 2])>,
}

fn main() {
    let arguments = std::env::args().skip(1).filter(|argument| argument != "--bench").collect::<Vec<_>>();
    if let [flag, directory, name] = arguments.as_slice()
        && flag == floor::FLAG
    {
        return floor::run(Path::new(directory), name).unwrap();
    }
    if let [flag, directory] = arguments.as_slice()
        && flag == peer::FLAG
    {
        return peer::run(Path::new(directory)).unwrap();
    }
    let wanted = |(name, _): &&Part| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    let tables = PARTS.iter().filter(wanted).map(|(_, measure)| {
        let table = measure();
        println!("{}", table.to_markdown());
        table
    });
    let tables = tables.collect::<Vec<_>>();
    if arguments.is_empty() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
        let tables_text = tables.iter().map(Table::to_markdown).collect::<Vec<_>>().join("\n");
        let text =
            format!("# Results of `cargo bench`\n\nWhat is measured, and how, is in `benches/live`.\n\n{tables_text}");
        fs::write(folder.join("results.md"), text).unwrap();
        fs::write(folder.join("results.svg"), chart::draw(&tables[0].bars)).unwrap();
    }
}

impl Table {
    /// A row with the times of savecast and of the bare program.
    fn add_saves(&mut self, name: &str, measure: impl FnOnce() -> [Vec<Duration>; 2]) {
        let mut sides = measure();
        let [medians, p99s] = [50, 99].map(|percent| sides.each_mut().map(|times| ms(percentile(times, percent))));
        let mut row = vec![name.to_owned()];
        for [ours, floor] in [medians, p99s] {
            row.extend([format!("{ours:.3}"), format!("{floor:.3}"), format!("{:.1}", ours / floor)]);
        }
        self.rows.push(row);
        self.bars.push((name.to_owned(), [medians, p99s]));
    }

    fn to_markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let head = self.head.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
        let rule = head.iter().enumerate().map(|(column, _)| if column == 0 { "---" } else { "--:" }.to_owned());
        let rows = self.rows.iter().map(|row| line(row)).collect::<String>();
        format!("**{}**\n\n{}{}{rows}", self.title, line(&head), line(&rule.collect::<Vec<_>>()))
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The value that so many percent don't exceed.
fn percentile(durations: &mut [Duration], percent: usize) -> Duration {
    durations.sort_unstable();
    durations[(durations.len() * percent / 100).min(durations.len() - 1)]
}

fn size_name(size: usize) -> String {
    if size < 1 << 20 { format!("{} KB", size >> 10) } else { format!("{} MB", size >> 20) }
}

/// The pause between two saves, as people make them: long enough for every thread and processor to sleep.
const PAUSE: Duration = Duration::from_millis(250);

/// (a) From the end of a save to the event at one listener: as people save, and as programs do.
fn saves() -> Table {
    let mut table = Table {
        title: "From the end of a save to the event at a listener, in ms",
        head: vec!["saved", "savecast, median", "bare, median", "ratio", "savecast, p99", "bare, p99", "ratio"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    let with_pauses = [
        (Save::InPlace, 2 << 10, 200),
        (Save::Rename, 2 << 10, 200),
        (Save::Slow, 2 << 10, 100),
        (Save::InPlace, 64 << 10, 100),
        (Save::InPlace, 1 << 20, 100),
    ];
    for (save, size, rounds) in with_pauses {
        table.add_saves(&format!("{}, {}, with pauses of 0.25 s", save.name(), size_name(size)), || {
            times(save, size, rounds, Some(PAUSE))
        });
    }
    for save in [Save::InPlace, Save::Rename, Save::Slow] {
        for (size, rounds) in [(2 << 10, 1000), (64 << 10, 500), (1 << 20, 200)] {
            table.add_saves(&format!("{}, {}, back to back", save.name(), size_name(size)), || {
                times(save, size, rounds, None)
            });
        }
    }
    table
}

/// How long so many saves took, of savecast and of the bare program. Both save in turns, so that what happens to the machine happens to
/// both.
fn times(save: Save, size: usize, rounds: usize, pause: Option<Duration>) -> [Vec<Duration>; 2] {
    let mut sides = Kind::BOTH.map(|kind| {
        let folder = Folder::new();
        folder.save(Save::InPlace, 0, size);
        let program = Program::start(kind, folder.path());
        let mut listener = Listeners::open(program.port, "/data.json", 1);
        listener.wait();
        (folder, program, listener, Vec::new())
    });
    for round in 1..=rounds {
        for (folder, _, listener, times) in &mut sides {
            pause.into_iter().for_each(thread::sleep);
            let saved = folder.save(save, round, size);
            times.push(listener.wait()[0].saturating_duration_since(saved));
        }
    }
    sides.map(|(_, _, _, times)| times)
}

/// (b) One change told to many.
fn fan_out() -> Table {
    let mut table = Table {
        title: "One change of 2 KB to many listeners: times in ms, CPU in ms for each change, memory in KB for each listener",
        head: vec!["listeners", "program", "first", "median", "last", "CPU", "memory"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    for count in [1, 100, 1000, 5000, 10_000] {
        for kind in Kind::BOTH {
            let folder = Folder::new();
            folder.save(Save::InPlace, 0, 2 << 10);
            let program = Program::start(kind, folder.path());
            let empty = program.memory();
            let mut listeners = Listeners::open(program.port, "/data.json", count);
            listeners.wait();
            let memory = program.memory().saturating_sub(empty) as f64 / count as f64;
            let before = program.processor();
            let times = told(&folder, || listeners.wait());
            let processor = ms(program.processor() - before) / ROUNDS as f64;
            let mut row = vec![count.to_string(), kind.name().to_owned()];
            row.extend(times);
            row.extend([format!("{processor:.1}"), if count < 100 { "–".into() } else { format!("{memory:.1}") }]);
            table.rows.push(row);
        }
    }
    table
}

/// From a save of 2 KB to the first of the listeners, to the one in the middle and to the last: medians.
fn told(folder: &Folder, mut wait: impl FnMut() -> Vec<Instant>) -> [String; 3] {
    let mut times = [(); 3].map(|()| Vec::new());
    for round in 1..=ROUNDS {
        let saved = folder.save(Save::InPlace, round, 2 << 10);
        let mut arrived = wait();
        arrived.sort_unstable();
        for (times, at) in times.iter_mut().zip([0, arrived.len() / 2, arrived.len() - 1]) {
            times.push(arrived[at].saturating_duration_since(saved));
        }
    }
    times.map(|mut times| format!("{:.2}", ms(percentile(&mut times, 50))))
}

/// What a listener gets of a large document in which one value has changed, and many who listen to a value each.
fn forms() -> Table {
    let mut table = Table {
        title: "A JSON document with one changed value: bytes for each listener, times and CPU for each save in ms",
        head: vec!["document", "what is followed", "listeners", "bytes", "median", "last", "CPU"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    // All values change in the one with many.
    let many = |number| {
        let members = (0..10_000).map(|member| format!("\"v{member}\":{number}")).collect::<Vec<_>>();
        format!("{{{}}}", members.join(","))
    };
    let large = |number| files::content(number, 1 << 20);
    let each = (0..10_000).map(|member| format!("/data.json?at=/v{member}"));
    let one = |query: &str| vec![format!("/data.json{query}")];
    let rows: [(_, _, _, Content); 4] = [
        ("1 MB", "all of it", one(""), large),
        ("1 MB", "patches", one("?as=patch"), large),
        ("1 MB", "one value", one("?at=/n"), large),
        ("10,000 values", "one value each", each.collect(), many),
    ];
    for (document, form, urls, content) in rows {
        let folder = Folder::new();
        // Numbers of two digits, so that nothing else becomes longer.
        folder.write("data.json", &content(10));
        let program = Program::start(Kind::Savecast, folder.path());
        let count = urls.len();
        let mut listeners = Listeners::open_each(program.port, urls.into_iter());
        listeners.wait();
        let (before, received, rounds) = (program.processor(), listeners.received, 20);
        let mut times = [(); 2].map(|()| Vec::new());
        for round in 1..=rounds {
            folder.write("data.json", &content(10 + round));
            let saved = Instant::now();
            let mut arrived = listeners.wait();
            arrived.sort_unstable();
            for (times, at) in times.iter_mut().zip([count / 2, count - 1]) {
                times.push(arrived[at].saturating_duration_since(saved));
            }
        }
        let processor = ms(program.processor() - before) / rounds as f64;
        let bytes = (listeners.received - received) / rounds / count;
        let mut row = vec![document.to_owned(), form.to_owned(), count.to_string(), bytes.to_string()];
        row.extend(times.map(|mut times| format!("{:.2}", ms(percentile(&mut times, 50)))));
        row.push(format!("{processor:.1}"));
        table.rows.push(row);
    }
    table
}

/// A log that grows.
fn lines() -> Table {
    let mut table = Table {
        title: "A log of which each line is told: times in ms, and the share of one processor",
        head: vec!["lines per second", "listeners", "median", "last", "CPU"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    for (count, every) in [(1, None), (100, None), (100, Some(Duration::from_millis(1)))] {
        let folder = Folder::new();
        folder.write("app.log", "start\n");
        let program = Program::start(Kind::Savecast, folder.path());
        let mut listeners = Listeners::open(program.port, "/app.log?as=lines&last=1", count);
        listeners.wait();
        let path = folder.path().join("app.log");
        let log = || fs::OpenOptions::new().append(true).open(&path).unwrap();
        let append =
            |log: &mut fs::File, number| writeln!(log, "2026-11-21T09:05:03Z info line {number} of a log").unwrap();
        let (start, before) = (Instant::now(), program.processor());
        let (written, times) = if let Some(every) = every {
            let is_over = AtomicBool::new(false);
            let written = thread::scope(|scope| {
                let writer = scope.spawn(|| {
                    let (mut log, mut written) = (log(), 0);
                    while !is_over.load(Ordering::Relaxed) {
                        append(&mut log, written);
                        written += 1;
                        thread::sleep((start + every * written).saturating_duration_since(Instant::now()));
                    }
                    written
                });
                while start.elapsed() < Duration::from_secs(5) {
                    listeners.wait();
                }
                is_over.store(true, Ordering::Relaxed);
                writer.join().unwrap()
            });
            (written, None)
        } else {
            let (mut log, rounds) = (log(), 100);
            let mut times = [(); 2].map(|()| Vec::new());
            for round in 0..rounds {
                append(&mut log, round);
                let saved = Instant::now();
                let mut arrived = listeners.wait();
                arrived.sort_unstable();
                for (times, at) in times.iter_mut().zip([count / 2, count - 1]) {
                    times.push(arrived[at].saturating_duration_since(saved));
                }
                thread::sleep(Duration::from_millis(10));
            }
            (rounds, Some(times))
        };
        let seconds = start.elapsed().as_secs_f64();
        let processor = (program.processor() - before).as_secs_f64() / seconds * 100.0;
        let mut row = vec![format!("{:.0}", f64::from(written) / seconds), count.to_string()];
        match times {
            Some(times) => row.extend(times.map(|mut times| format!("{:.2}", ms(percentile(&mut times, 50))))),
            None => row.extend(["–".to_owned(), "–".to_owned()]),
        }
        row.push(format!("{processor:.0} %"));
        table.rows.push(row);
    }
    table
}

/// (e) A page that uses many files, of which one is saved.
fn growth() -> Table {
    let mut table = Table {
        title: "A save of one of many followed files, in ms",
        head: vec!["followed files", "median", "p99", "watched directories"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    for count in [1, 10, 100, 1000, 10_000] {
        let folder = Folder::new();
        folder.fill(count, 100);
        folder.save(Save::InPlace, 0, 2 << 10);
        let program = Program::start(Kind::Savecast, folder.path());
        let files = Folder::names(count, 100).map(|name| format!("\"/{name}\":null")).collect::<Vec<_>>();
        let uses = files.join(",");
        let mut page =
            Listeners::page(program.port, &format!("{{\"uses\":{{{uses}}},\"reads\":{{\"/data.json\":null}}}}"));
        page.wait();
        let mut times = (1..=500).map(|round| {
            let saved = folder.save(Save::InPlace, round, 2 << 10);
            page.wait()[0].saturating_duration_since(saved)
        });
        let mut times = times.by_ref().collect::<Vec<_>>();
        let [median, p99] = [50, 99].map(|percent| format!("{:.3}", ms(percentile(&mut times, percent))));
        table.rows.push(vec![count.to_string(), median, p99, program.watches().to_string()]);
    }
    table
}

/// (c) What a large tree costs, with one file of it in use.
fn trees() -> Table {
    let mut table = Table {
        title: "A tree of files, of which one is followed",
        head: vec!["files", "start, ms", "memory, MB", "watches", "CPU in 2 s idle, ms", "wake-ups in 2 s idle"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    for count in [0, 1000, 20_000, 100_000] {
        let folder = Folder::new();
        folder.fill(count, 20);
        folder.save(Save::InPlace, 0, 2 << 10);
        let mut starts = (0..10).map(|_| Program::start(Kind::Savecast, folder.path()).start).collect::<Vec<_>>();
        let program = Program::start(Kind::Savecast, folder.path());
        let mut listener = Listeners::open(program.port, "/data.json", 1);
        listener.wait();
        let (processor, switches) = (program.processor(), program.switches());
        std::thread::sleep(Duration::from_secs(2));
        table.rows.push(vec![
            count.to_string(),
            format!("{:.1}", ms(percentile(&mut starts, 50))),
            format!("{:.1}", program.memory() as f64 / 1024.0),
            program.watches().to_string(),
            format!("{:.0}", ms(program.processor() - processor)),
            (program.switches() - switches).to_string(),
        ]);
    }
    table
}

/// (d) Files that are merely served, beside nginx.
fn requests() -> Table {
    let mut table = Table {
        title: "Requests per second, `wrk -t1 -c64`, of files that were saved an hour ago, and a moment ago",
        head: vec![
            "file",
            "savecast",
            "actix-files",
            "static-web-server",
            "ratio to the faster one",
            "nginx",
            "ratio to nginx",
        ],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    let folder = Folder::new();
    folder.write("small.json", &files::content(0, 2 << 10));
    folder.write("large.bin", &"x".repeat(100 << 10));
    let page = format!("<!doctype html><title>Page</title><p>{}", "x".repeat(2 << 10));
    folder.write("page.html", &page);
    ["small.json", "large.bin", "page.html"].iter().for_each(|name| folder.age(name));
    let programs = [
        Some(Program::start(Kind::Savecast, folder.path())),
        Some(Program::start_actix_files(folder.path())),
        Program::start_static_web_server(folder.path()),
        Program::start_nginx("", "", &format!("root {};", folder.path().display())),
    ];
    let measured =
        |name: &str| rates(|side| wrk(&format!("http://127.0.0.1:{}/{name}", programs[side].as_ref()?.port)).ok());
    let mut add = |what: String, [ours, actix, other, nginx]: [Option<f64>; 4]| {
        let faster = actix.into_iter().chain(other).reduce(f64::max);
        table.rows.push(vec![
            what,
            rate(ours),
            rate(actix),
            rate(other),
            ratio(ours, faster),
            rate(nginx),
            ratio(ours, nginx),
        ]);
    };
    let files = [("small.json", "2 KB"), ("large.bin", "100 KB"), ("page.html", "2 KB of HTML, with the client")];
    for (name, what) in files {
        add(what.to_owned(), measured(name));
    }
    for (name, what) in files {
        // The minute in which it counts as fresh is longer than all rounds.
        let content = fs::read_to_string(folder.path().join(name)).unwrap();
        folder.write(name, &content);
        add(format!("{what}, saved a moment ago"), measured(name));
    }
    table
}

/// All sides in turns, and the middle one of three rounds.
fn rates<const N: usize>(measure: impl Fn(usize) -> Option<f64>) -> [Option<f64>; N] {
    let mut rounds = [(); 3].map(|()| std::array::from_fn(&measure));
    std::array::from_fn(|side| {
        rounds.sort_by(|one: &[_; N], other| one[side].partial_cmp(&other[side]).unwrap());
        rounds[1][side]
    })
}

fn rate(rate: Option<f64>) -> String {
    rate.map_or("not installed".to_owned(), |rate| format!("{rate:.0}"))
}

fn ratio(ours: Option<f64>, other: Option<f64>) -> String {
    ours.zip(other).map_or("–".to_owned(), |(ours, other)| format!("{:.2}", ours / other))
}

/// The row of savecast beside nginx.
fn compared(name: String, [ours, nginx]: [Option<f64>; 2]) -> Vec<String> {
    vec![name, rate(ours), rate(nginx), ratio(ours, nginx)]
}

/// Requests per second over HTTP/1.1.
fn wrk(url: &str) -> io::Result<f64> {
    let output = Command::new("wrk").args(["-t1", "-c64", "-d3s", url]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    rate.and_then(|rate| rate.trim().parse().ok()).ok_or_else(|| io::Error::other(text))
}
