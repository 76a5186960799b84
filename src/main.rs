//! Arguments → config → run → exit status.

use std::process::ExitCode;

use clap::Parser;
use savecast::cli::Args;
use savecast::config::Config;
use savecast::console;
use savecast::notice::Notice;
use savecast::server;

/// See Cargo.toml for what it saves.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // Wrong usage ends here, with status 2.
    let args = Args::parse();
    let config = match Config::try_from(args) {
        Ok(config) => config,
        Err(error) => {
            console::say(&Notice::Failed { error: &error, hint: error.hint() });
            return ExitCode::FAILURE;
        }
    };
    match server::run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::say(&Notice::Failed { error: &error, hint: error.hint() });
            ExitCode::FAILURE
        }
    }
}
