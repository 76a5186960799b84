//! Arguments → config → serve → exit status.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use savecast::Config;
use savecast::Notice;
use savecast::Server;
use savecast::cli::Args;

/// See Cargo.toml for what it saves.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // Wrong usage ends here, with status 2.
    let args = Args::parse();
    let config = match Config::try_from(args) {
        Ok(config) => config,
        Err(error) => return fail(&error, error.hint()),
    };
    match Server::new(config).run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, error.hint()),
    }
}

#[expect(clippy::print_stderr, reason = "that is where a person looks for it")]
fn fail(error: &dyn Error, hint: Option<&str>) -> ExitCode {
    eprintln!("{}", Notice::Failed { error, hint });
    ExitCode::FAILURE
}
