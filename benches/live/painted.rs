//! From a save to the frame in which Chromium shows it, beside other programs: see `benches/painted`.

use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::Table;
use crate::ms;
use crate::percentile;

/// What is saved, in the order of the columns.
const KINDS: [&str; 6] = ["stylesheet", "page without scripts", "page with scripts", "script", "data", "picture"];

/// What tells of saves, in the order of the rows. The first is the floor of all that load the page again.
const PROGRAMS: [&str; 7] =
    ["a bare reload", "savecast", "vite", "live-server", "live-server --wait=0", "browser-sync", "five-server"];

pub(crate) fn small() -> Table {
    painted(
        "small",
        "From a save to the frame that shows it in Chromium, median and 95 %, in ms: a page of 20 paragraphs",
    )
}

pub(crate) fn large() -> Table {
    painted("large", "The same of a page of 2,000 paragraphs and 50 stylesheets")
}

fn painted(size: &'static str, title: &'static str) -> Table {
    let mut table =
        Table { title, head: [&["program"], KINDS.as_slice()].concat(), rows: Vec::new(), bars: Vec::new() };
    let Some(results) = measure(size) else {
        table.rows.push(vec!["needs Chromium, Node.js and npm".to_owned()]);
        return table;
    };
    let results = &results[size];
    for program in PROGRAMS {
        let cell = |kind: &str| {
            let times = results[kind][program].as_array()?.iter();
            let times = times.filter_map(Value::as_f64).map(|ms| ms.max(0.0) / 1000.0);
            let mut times = times.map(Duration::from_secs_f64).collect::<Vec<_>>();
            Some(format!("{:.0} / {:.0}", ms(percentile(&mut times, 50)), ms(percentile(&mut times, 95))))
        };
        let cells = KINDS.iter().map(|kind| cell(kind).unwrap_or_else(|| "does not tell".to_owned()));
        table.rows.push([program.to_owned()].into_iter().chain(cells).collect());
    }
    table
}

/// The times of each program for each kind, in milliseconds.
fn measure(size: &str) -> Option<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/painted");
    let quiet = |command: &mut Command| {
        command.current_dir(&folder).stdout(Stdio::null()).status().is_ok_and(|it| it.success())
    };
    if !quiet(Command::new("chromium").arg("--version"))
        || !quiet(Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]))
    {
        return None;
    }
    let mut node = Command::new("node");
    let node =
        node.arg("painted.mjs").current_dir(&folder).env("SIZE", size).env("SAVECAST", env!("CARGO_BIN_EXE_savecast"));
    let output = node.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    serde_json::from_slice(&output.stdout).ok()
}
