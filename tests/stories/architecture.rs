//! The arrows of the house, as a test: which room may use which other one, and which crates it may name.

use std::fs;
use std::path::Path;

/// Room, the rooms that it may use, and the outside crates that it may name.
const ROOMS: [(&str, &[&str], &[&str]); 12] = [
    ("site_path", &[], &["percent_encoding"]),
    ("change", &["site_path"], &["mime_guess", "serde", "serde_json", "xxhash_rust"]),
    ("stamp", &[], &[]),
    ("root", &["site_path", "stamp", "change"], &["rustix"]),
    ("watch", &["site_path", "stamp"], &["notify", "rustix"]),
    ("hub", &["site_path", "change"], &["bytes"]),
    (
        "http",
        &["site_path", "change", "root", "hub", "console"],
        &["actix_web", "actix_ws", "bytes", "futures_util", "mime_guess", "serde_json", "socket2", "tokio"],
    ),
    ("pipeline", &["site_path", "change", "root", "watch", "hub"], &[]),
    ("console", &["site_path", "change", "hub", "watch"], &[]),
    ("cli", &[], &["clap"]),
    ("config", &["cli", "root"], &[]),
    (
        "app",
        &["config", "console", "http", "hub", "pipeline", "watch"],
        &["actix_web", "open", "rustix", "socket2", "tokio"],
    ),
];

const OUTSIDE: [&str; 15] = [
    "actix_web",
    "actix_ws",
    "bytes",
    "clap",
    "mime_guess",
    "notify",
    "open",
    "percent_encoding",
    "rustix",
    "serde",
    "serde_json",
    "socket2",
    "tokio",
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
