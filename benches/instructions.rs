//! Nothing gets worse quietly: the instructions of the hot path, counted by valgrind and held against written bounds.
//!
//! ```sh
//! cargo bench --bench instructions           # shows them
//! cargo bench --bench instructions -- check  # fails beyond a bound
//! ```
//!
//! Times on shared machines can't be tested; the instructions of one program are nearly the same every time, for one
//! compiler and one kind of processor (these are of rustc 1.95 on x86-64). A change that needs more of them has to write
//! down a new bound, and why.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this is for")]

mod operations;

use std::process::Command;
use std::process::ExitCode;

use crate::operations::OPERATIONS;

/// The most instructions that an operation may take: what was counted, and about a tenth.
///
/// Telling 100 followers took 99,500 until each of them was looked up once for each update, for what it has found first and
/// for whether it is the last one to be told.
const BOUNDS: [u64; OPERATIONS.len()] = [62_600, 1_920_000, 4_200, 126_000, 3_400, 4_000];

/// How often an operation is repeated, less and more: the difference is free of what a start costs.
const REPEATS: [u64; 2] = [100, 1100];

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).filter(|argument| argument != "--bench").collect::<Vec<_>>();
    if let [number, repeats] = arguments.as_slice() {
        repeat(number.parse().expect("a number"), repeats.parse().expect("a number"));
        return ExitCode::SUCCESS;
    }
    println!("| operation | instructions | bound |\n|---|--:|--:|");
    let is_check = arguments == ["check"];
    let mut is_good = true;
    for (number, ((name, _), bound)) in OPERATIONS.iter().zip(BOUNDS).enumerate() {
        let Some([less, more]) = count(number) else {
            eprintln!("valgrind counts them, and is not installed");
            return if is_check { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        };
        let instructions = (more - less) / (REPEATS[1] - REPEATS[0]);
        println!("| {name} | {instructions} | {bound} |");
        is_good &= instructions <= bound;
    }
    if !is_good {
        eprintln!("more instructions than the bound allows");
    }
    if is_good || !is_check { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn repeat(number: usize, repeats: u64) {
    let mut operation = OPERATIONS[number].1();
    for _ in 0..repeats {
        std::hint::black_box(operation());
    }
}

/// The instructions of the whole program, with fewer and with more repeats.
fn count(number: usize) -> Option<[u64; 2]> {
    let program = std::env::current_exe().ok()?;
    let mut counts = REPEATS.map(|repeats| {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(&program);
        let output = command.arg(number.to_string()).arg(repeats.to_string()).output().ok()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.split("Collected :").nth(1)?.split_whitespace().next()?.parse().ok()
    });
    Some([counts[0].take()?, counts[1].take()?])
}
