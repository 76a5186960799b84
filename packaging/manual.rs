//! The command line → manual pages and completions for shells, which the packages bring.
//!
//! ```sh
//! cargo run --example manual    # after each change of the command line, or of the version
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use clap::Command;
use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use savecast::cli::Args;

/// The folders in which nothing else lies.
const FOLDERS: [&str; 2] = ["man", "completions"];

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging")
}

fn main() -> Result<(), Box<dyn Error>> {
    for folder in FOLDERS {
        let folder = here().join(folder);
        // Pages of subcommands that are gone go, too.
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
    }
    for (path, content) in written()? {
        fs::write(here().join(path), content)?;
    }
    Ok(())
}

/// Path below `packaging/` → content.
fn written() -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut command = Args::command();
    command.build();
    let mut files = BTreeMap::new();
    add_manuals(&command, &mut files)?;
    for (shell, name) in [(Shell::Bash, "savecast.bash"), (Shell::Zsh, "_savecast"), (Shell::Fish, "savecast.fish")] {
        let mut content = Vec::new();
        clap_complete::generate(shell, &mut Args::command(), "savecast", &mut content);
        files.insert(Path::new("completions").join(name), content);
    }
    Ok(files)
}

/// A page for the command, and one for each subcommand. They have no date, so that they change only with the command line.
fn add_manuals(command: &Command, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> io::Result<()> {
    let man = Man::new(command.clone()).source(concat!("savecast ", env!("CARGO_PKG_VERSION")));
    let mut content = Vec::new();
    man.render(&mut content)?;
    files.insert(Path::new("man").join(man.get_filename()), content);
    command.get_subcommands().filter(|sub| !sub.is_hide_set()).try_for_each(|sub| add_manuals(sub, files))
}

#[test]
fn manual_pages_and_completions_are_those_of_the_command_line() {
    let mut found = BTreeMap::new();
    for folder in FOLDERS {
        for entry in fs::read_dir(here().join(folder)).expect("packaging/ has these folders") {
            let name = entry.expect("it can be listed").file_name();
            let path = Path::new(folder).join(name);
            let content = fs::read(here().join(&path)).expect("it can be read");
            found.insert(path, content);
        }
    }
    let expected = written().expect("memory takes all");
    let stale: Vec<_> =
        expected.keys().chain(found.keys()).filter(|path| expected.get(*path) != found.get(*path)).collect();
    assert!(
        stale.is_empty(),
        "these files in packaging/ are stale; renew them with `cargo run --example manual`: {stale:?}"
    );
}
