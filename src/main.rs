//! Arguments → config → serve → exit status.

use std::error::Error;
use std::process::ExitCode;

use savecast::Command;
use savecast::ConfigError;
use savecast::Notice;
use savecast::Server;

/// See Cargo.toml for what it saves.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The exit status for wrong usage.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let done = match Command::read() {
        Ok(Command::Serve(config)) => Server::new(*config).run().map(|()| true),
        Ok(Command::Trust { remove }) => savecast::trust(remove),
        Ok(Command::Ask(question)) => return answer(&question),
        // It knows its own words, colours and status: asking for help is no mistake.
        Err(ConfigError::Usage(error)) => error.exit(),
        Err(error) => {
            say(&error, error.hint().as_deref());
            return ExitCode::from(USAGE);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&error, error.hint().as_deref());
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "that is what was asked for")]
fn answer(question: &savecast::Question) -> ExitCode {
    match savecast::ask(question) {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&error, error.hint().as_deref());
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "that is where a person looks for it")]
fn say(error: &dyn Error, hint: Option<&str>) {
    eprintln!("{}", Notice::Failed { error, hint });
}
