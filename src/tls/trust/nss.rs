//! The stores of Firefox and, on Linux, Chromium: databases of NSS.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use crate::tls::private;
use crate::tls::trust::run;
use crate::tls::trust::run::Outcome;
use crate::tls::trust::run::TrustError;

/// Where Firefox has its profiles, in the home of the person.
const FIREFOX: [&str; 4] = [
    ".mozilla/firefox",
    ".config/mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
    "Library/Application Support/Firefox/Profiles",
];

/// Where Chromium has its own, if it is a snap.
const SNAP: &str = "snap/chromium/current/.pki/nssdb";

/// Where it had it otherwise, and where others look that ask NSS. Since version 146, Chromium has it with the data of the person, but
/// uses this one where it exists. So it is not made beside that, which would hide what the person trusts there.
const SHARED: &str = ".pki/nssdb";

/// Where it has it since then.
const DATA: &str = "pki/nssdb";

/// What has to be installed for `certutil`.
const PACKAGES: &str = "install it and try again: apt install libnss3-tools (Debian, Ubuntu), dnf install nss-tools (Fedora), \
                        pacman -S nss (Arch), brew install nss (macOS)";

/// Adds a certificate to all of them.
pub(super) fn add(file: &Path, name: &str) -> Vec<Outcome> {
    change(|certutil, directory| add_to(certutil, directory, file, name))
}

/// Removes all certificates from them of which the names begin so.
pub(super) fn remove(names: &str) -> Vec<Outcome> {
    change(|certutil, directory| remove_from(certutil, directory, names))
}

fn change(change: impl Fn(&Path, &Path) -> Result<bool, TrustError>) -> Vec<Outcome> {
    // On Windows, both ask the system.
    let Some(home) = private::home().filter(|_| !cfg!(windows)) else { return Vec::new() };
    let stores = stores(&home);
    let Some(certutil) = run::find("certutil") else {
        let names = stores.into_iter().map(|(store, _)| store).collect::<Vec<_>>();
        let missing = TrustError::Missing("certutil".to_owned(), PACKAGES.to_owned());
        return vec![Outcome { store: names.join(", "), result: Err(missing) }];
    };
    let outcome = |(store, directory): (String, PathBuf)| Outcome { store, result: change(&certutil, &directory) };
    stores.into_iter().map(outcome).collect()
}

/// The databases of this person, each with a name for people.
fn stores(home: &Path) -> Vec<(String, PathBuf)> {
    let mut stores = Vec::new();
    if cfg!(target_os = "linux") {
        let shared = [Some(home.join(SHARED)), private::data_home().map(|data| data.join(DATA))];
        let mut there =
            shared.into_iter().flatten().filter(|store| store.join("cert9.db").is_file()).collect::<Vec<_>>();
        if there.is_empty() {
            there.push(home.join(SHARED));
        }
        stores.extend(there.into_iter().map(|store| ("Chromium and Chrome".to_owned(), store)));
        if home.join(SNAP).is_dir() {
            stores.push(("Chromium (snap)".to_owned(), home.join(SNAP)));
        }
    }
    let profiles = FIREFOX.iter().filter_map(|directory| fs::read_dir(home.join(directory)).ok()).flatten().flatten();
    let profiles = profiles.map(|entry| entry.path()).filter(|profile| profile.join("cert9.db").is_file());
    let name = |profile: &PathBuf| profile.file_name().unwrap_or_default().to_string_lossy().into_owned();
    stores.extend(profiles.map(|profile| (format!("Firefox ({})", name(&profile)), profile)));
    stores.sort();
    stores
}

fn add_to(certutil: &Path, directory: &Path, file: &Path, name: &str) -> Result<bool, TrustError> {
    if names_in(certutil, directory)?.iter().any(|known| known == name) {
        return Ok(false);
    }
    let database = database(directory);
    if !directory.join("cert9.db").exists() {
        private::make_directory(directory)
            .map_err(|error| TrustError::Failed(format!("making {}", directory.display()), error.to_string()))?;
        run::run(certutil, &["-d", &database, "-N", "--empty-password"])?;
    }
    let file = file.display().to_string();
    run::run(certutil, &["-d", &database, "-A", "-t", "C,,", "-n", name, "-i", &file])?;
    Ok(true)
}

fn remove_from(certutil: &Path, directory: &Path, names: &str) -> Result<bool, TrustError> {
    let mut found = names_in(certutil, directory)?;
    found.retain(|name| name.starts_with(names));
    for name in &found {
        run::run(certutil, &["-d", &database(directory), "-D", "-n", name])?;
    }
    Ok(!found.is_empty())
}

/// The names of all certificates in a database. Each stands in a line of its own, before what it is trusted for.
fn names_in(certutil: &Path, directory: &Path) -> Result<Vec<String>, TrustError> {
    if !directory.join("cert9.db").exists() {
        return Ok(Vec::new());
    }
    let listed = run::run(certutil, &["-d", &database(directory), "-L"])?;
    Ok(listed
        .lines()
        .filter_map(|line| line.trim_end().rsplit_once("  "))
        .map(|(name, _)| name.trim().to_owned())
        .collect())
}

fn database(directory: &Path) -> String {
    format!("sql:{}", directory.display())
}
