//! The arrows of the house, as a test: which room may use which other one, and which crates it may name.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Room, the rooms that it may use, and the outside crates that it may name.
const ROOMS: [(&str, &[&str], &[&str]); 17] = [
    ("site", &[], &["percent_encoding"]),
    ("content", &["site"], &["mime_guess", "serde", "serde_json", "xxhash_rust"]),
    ("event", &["site", "content"], &["bytes", "serde_json"]),
    (
        "source",
        &["site", "content"],
        &[
            "async_compression",
            "bytes",
            "hyper",
            "hyper_util",
            "mime_guess",
            "rustix",
            "rustls",
            "rustls_native_certs",
            "tokio",
            "tokio_rustls",
            "tokio_util",
        ],
    ),
    ("watch", &["site", "source"], &["ignore", "notify", "rustix"]),
    ("hub", &["site", "content", "event"], &["bytes"]),
    ("pipeline", &["site", "content", "source", "watch", "hub"], &[]),
    ("notice", &["site", "content", "hub", "watch"], &[]),
    (
        "http",
        &["site", "content", "event", "source", "hub", "notice", "relay"],
        &[
            "actix_web",
            "actix_ws",
            "bytes",
            "futures_util",
            "hyper",
            "hyper_util",
            "mime_guess",
            "serde_json",
            "tokio",
            "tokio_util",
        ],
    ),
    (
        "relay",
        &["site", "content", "event", "hub", "notice", "source"],
        &["bytes", "futures_util", "redis", "serde_json", "tokio"],
    ),
    ("console", &["site", "hub", "watch", "notice"], &["serde_json"]),
    (
        "live",
        &["site", "event", "source", "watch", "hub", "pipeline", "relay", "notice", "http", "console"],
        &["actix_web", "tokio"],
    ),
    ("cli", &["site"], &["clap", "glob"]),
    ("config", &["site", "cli", "running"], &["clap", "glob", "strsim", "toml"]),
    (
        "running",
        &["site", "source", "http", "console"],
        &["actix_web", "bytes", "futures_util", "hyper", "percent_encoding", "serde_json"],
    ),
    ("tls", &[], &["if_addrs", "rcgen", "rustix", "rustls", "tempfile", "x509_parser"]),
    (
        "server",
        &["site", "watch", "hub", "notice", "http", "console", "config", "live", "relay", "tls"],
        &[
            "actix_http",
            "actix_service",
            "actix_web",
            "anstream",
            "bytes",
            "fast_qr",
            "futures_util",
            "glob",
            "h2",
            "if_addrs",
            "jiff",
            "open",
            "rustix",
            "rustls",
            "serde_json",
            "socket2",
            "terminal_size",
            "tokio",
            "tokio_rustls",
        ],
    ),
];

const OUTSIDE: [&str; 38] = [
    "actix_http",
    "actix_service",
    "actix_web",
    "actix_ws",
    "anstream",
    "async_compression",
    "bytes",
    "clap",
    "fast_qr",
    "glob",
    "h2",
    "hyper",
    "hyper_util",
    "if_addrs",
    "ignore",
    "jiff",
    "mime_guess",
    "notify",
    "open",
    "percent_encoding",
    "rcgen",
    "redis",
    "rustix",
    "rustls",
    "rustls_native_certs",
    "serde",
    "serde_json",
    "socket2",
    "strsim",
    "tempfile",
    "terminal_size",
    "tokio",
    "tokio_rustls",
    "tokio_util",
    "toml",
    "x509_parser",
    "xxhash_rust",
    "futures",
];

#[test]
fn rooms_use_only_what_they_may() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (room, rooms, crates) in ROOMS {
        for (file, text) in files_of(&source, room) {
            for line in text.lines().map(|line| line.split("//").next().unwrap_or_default()) {
                if line.contains("crate::{") || line.contains("super::super") {
                    wrong.push(format!("{file}: one `use crate::room::Name` for each: {line}"));
                }
                for used in words_after(line, "crate::").filter(|used| *used != room && !rooms.contains(used)) {
                    wrong.push(format!("{file}: {room} may not use {used}: {line}"));
                }
                for outside in OUTSIDE.iter().filter(|outside| !crates.contains(outside) && names(line, outside)) {
                    wrong.push(format!("{file}: {room} may not name {outside}: {line}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A reader can take the files one after the other, each after those that it uses.
#[test]
fn files_do_not_use_each_other_in_circles() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut uses = BTreeMap::new();
    for (room, ..) in ROOMS {
        for (file, text) in files_of(&source, room) {
            let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
            let named = code.flat_map(paths_in).filter_map(|path| file_of(&source, &path));
            uses.insert(file.clone(), named.filter(|other| *other != file).collect::<BTreeSet<_>>());
        }
    }
    // What uses nothing that is left, or is used by nothing that is left, is put aside until only circles are left.
    loop {
        let is_used = |file: &String| uses.values().any(|used| used.contains(file));
        let uses_any = |used: &BTreeSet<String>| used.iter().any(|used| uses.contains_key(used));
        let Some((free, _)) = uses.iter().find(|(file, used)| !uses_any(used) || !is_used(file)) else { break };
        let free = free.clone();
        uses.remove(&free);
    }
    assert!(uses.is_empty(), "these use each other in circles: {uses:#?}");
}

/// `docs/rooms.md` shows which room uses which, as it is. `UPDATE=1 cargo test --test stories picture` draws it anew.
#[test]
fn the_picture_shows_which_room_uses_which() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut arrows = BTreeSet::new();
    for (room, ..) in ROOMS {
        for (_, text) in files_of(&source, room) {
            let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
            let named = code.flat_map(paths_in).filter_map(|path| path.into_iter().next());
            let rooms = named.filter(|other| *other != room && ROOMS.iter().any(|(room, ..)| room == other));
            arrows.extend(rooms.map(|other| format!("  {room} --> {other}")));
        }
    }
    let arrows = arrows.into_iter().collect::<Vec<_>>().join("\n");
    let picture = format!(
        "# Which room uses which\n\nDrawn from the source by a test. Each room is a folder of `src/`, or a file; what it is for says the map in \
         `src/lib.rs`.\n\n```mermaid\ngraph TD\n{arrows}\n```\n"
    );
    let file = source.with_file_name("docs").join("rooms.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(file.parent().expect("a folder")).expect("docs/");
        fs::write(&file, &picture).expect("docs/rooms.md");
    }
    let drawn = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(drawn, picture, "draw it anew: UPDATE=1 cargo test --test stories picture");
}

/// What is named in a line of code: `crate::hub::Hub` → `["hub", "Hub"]`.
fn paths_in(line: &str) -> Vec<Vec<String>> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let path = |rest: &str| {
        let end = rest.find(|c| !is_name(c) && c != ':').unwrap_or(rest.len());
        rest[..end].split("::").map(str::to_owned).collect()
    };
    line.split("crate::").skip(1).map(path).collect()
}

/// The file of the innermost module on the way to what is named.
fn file_of(source: &Path, path: &[String]) -> Option<String> {
    let candidates = (1..=path.len()).rev().flat_map(|length| {
        let place = source.join(path[..length].join("/"));
        [place.with_extension("rs"), place.join("mod.rs")]
    });
    candidates.filter(|file| file.is_file()).map(|file| file.display().to_string()).next()
}

/// The files of a room, without their tests.
fn files_of(source: &Path, room: &str) -> Vec<(String, String)> {
    let single = source.join(format!("{room}.rs"));
    let mut paths = if single.exists() { vec![single] } else { Vec::new() };
    let mut folders = if paths.is_empty() { vec![source.join(room)] } else { Vec::new() };
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("no room {room}: {error}"));
        for path in entries.map(|entry| entry.expect("a file").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if !path.display().to_string().ends_with("tests.rs") {
                paths.push(path);
            }
        }
    }
    let read = |path: &Path| {
        let text = fs::read_to_string(path).expect("a source file");
        text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned()
    };
    paths.iter().map(|path| (path.display().to_string(), read(path))).collect()
}

fn words_after<'a>(line: &'a str, prefix: &str) -> impl Iterator<Item = &'a str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    line.split(prefix).skip(1).map(move |rest| &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())])
}

/// Whether a line names a crate, as the beginning of a path.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(&format!("{name}::"))
        .any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':'))
}

#[test]
fn all_rooms_are_on_the_map() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(source).expect("src").flatten() {
        let name = entry.file_name().to_string_lossy().trim_end_matches(".rs").to_owned();
        let is_known = ["lib", "main"].contains(&&*name) || ROOMS.iter().any(|(room, ..)| *room == name);
        assert!(is_known, "{name} is a new room: add it to the map in src/lib.rs and here");
    }
}
