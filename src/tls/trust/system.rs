//! The store of the system, which curl, git and many others ask; on macOS and Windows, Chromium and Safari or Edge, too.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::tls::authority;
use crate::tls::private;
use crate::tls::trust::run;
use crate::tls::trust::run::Outcome;
use crate::tls::trust::run::TrustError;

/// Where a distribution of Linux has certificates that somebody has added, and the command that reads them.
struct Anchors {
    directory: &'static str,
    ending: &'static str,
    update: &'static [&'static str],
}

const ANCHORS: [Anchors; 4] = [
    // Debian, Ubuntu, Alpine.
    Anchors { directory: "/usr/local/share/ca-certificates", ending: "crt", update: &["update-ca-certificates"] },
    // Fedora and Red Hat.
    Anchors { directory: "/etc/pki/ca-trust/source/anchors", ending: "pem", update: &["update-ca-trust", "extract"] },
    // openSUSE.
    Anchors { directory: "/usr/share/pki/trust/anchors", ending: "pem", update: &["update-ca-certificates"] },
    // Arch.
    Anchors {
        directory: "/etc/ca-certificates/trust-source/anchors",
        ending: "crt",
        update: &["trust", "extract-compat"],
    },
];

/// Adds a certificate to it. `id` is for the name of a file.
pub(super) fn add(file: &Path, id: &str, name: &str, tell: &dyn Fn(&str)) -> Outcome {
    let (store, result) = if cfg!(target_os = "macos") {
        (KEYCHAIN, keychain(Some(file), name, tell))
    } else if cfg!(windows) {
        (WINDOWS, windows(Some(file), name, tell))
    } else {
        (LINUX, add_anchor(file, id, tell))
    };
    Outcome { store: store.to_owned(), result }
}

/// Removes all certificates from it of which the names begin so.
pub(super) fn remove(names: &str, tell: &dyn Fn(&str)) -> Outcome {
    let (store, result) = if cfg!(target_os = "macos") {
        (KEYCHAIN, keychain(None, names, tell))
    } else if cfg!(windows) {
        (WINDOWS, windows(None, names, tell))
    } else {
        (LINUX, remove_anchors(names, tell))
    };
    Outcome { store: store.to_owned(), result }
}

/// What they are called.
const LINUX: &str = "this system";
const KEYCHAIN: &str = "the login keychain";
const WINDOWS: &str = "Windows";

fn add_anchor(file: &Path, id: &str, tell: &dyn Fn(&str)) -> Result<bool, TrustError> {
    let unknown = || {
        let hint = format!("install it, or add {} by hand", file.display());
        TrustError::Missing("the package ca-certificates".to_owned(), hint)
    };
    let (anchors, program) = here().ok_or_else(unknown)?;
    let anchor = PathBuf::from(format!("{}/savecast-{id}.{}", anchors.directory, anchors.ending));
    if fs::read(&anchor).is_ok_and(|there| fs::read(file).is_ok_and(|ours| ours == there)) {
        return Ok(false);
    }
    as_root("install", &["-m", "644", &file.display().to_string(), &anchor.display().to_string()], tell)?;
    as_root(&program.display().to_string(), &anchors.update[1..], tell)?;
    Ok(true)
}

fn remove_anchors(names: &str, tell: &dyn Fn(&str)) -> Result<bool, TrustError> {
    // Where there is no store, nothing was added.
    let Some((anchors, program)) = here() else { return Ok(false) };
    let entries = fs::read_dir(anchors.directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_ours = |file: &PathBuf| {
        file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("savecast-"))
            && CertificateDer::from_pem_file(file)
                .is_ok_and(|der| authority::name(&der).is_some_and(|name| name.starts_with(names)))
    };
    let files = entries.filter(is_ours).map(|file| file.display().to_string()).collect::<Vec<_>>();
    if files.is_empty() {
        return Ok(false);
    }
    let arguments = std::iter::once("-f").chain(files.iter().map(String::as_str)).collect::<Vec<_>>();
    as_root("rm", &arguments, tell)?;
    as_root(&program.display().to_string(), &anchors.update[1..], tell)?;
    Ok(true)
}

/// The store of this distribution, and its program.
fn here() -> Option<(&'static Anchors, PathBuf)> {
    let anchors = ANCHORS.iter().find(|anchors| Path::new(anchors.directory).is_dir())?;
    Some((anchors, run::find(anchors.update[0])?))
}

/// Runs a program as who may change the system.
fn as_root(program: &str, arguments: &[&str], tell: &dyn Fn(&str)) -> Result<(), TrustError> {
    #[cfg(unix)]
    let is_root = rustix::process::geteuid().is_root();
    #[cfg(not(unix))]
    let is_root = true;
    let words = [&[program], arguments].concat();
    let words = if is_root { words } else { [&["sudo"], &words[..]].concat() };
    tell(&words.join(" "));
    let by_hand = || {
        let command = words[usize::from(!is_root)..].join(" ");
        TrustError::Missing(words[0].to_owned(), format!("run this as root: {command}"))
    };
    let first = run::find(words[0]).ok_or_else(by_hand)?;
    run::run(&first, &words[1..]).map(drop)
}

/// The person's own keychain. macOS asks for the password in a window.
fn keychain(added: Option<&Path>, name: &str, tell: &dyn Fn(&str)) -> Result<bool, TrustError> {
    let keychain = private::home().unwrap_or_default().join("Library/Keychains/login.keychain-db");
    let keychain = keychain.display().to_string();
    let security = Path::new("/usr/bin/security");
    let is_there = run::run(security, &["find-certificate", "-c", name, &keychain]).is_ok();
    if is_there == added.is_some() {
        return Ok(false);
    }
    let file = added.map(|file| file.display().to_string());
    let command: &[&str] = match &file {
        Some(file) => &["add-trusted-cert", "-r", "trustRoot", "-k", &keychain, file],
        // It takes a part of a name, too.
        None => &["delete-certificate", "-c", name, "-t", &keychain],
    };
    tell(&format!("security {}", command.join(" ")));
    run::run(security, command)?;
    Ok(true)
}

/// The store of the person, which needs no administrator. Windows asks in a window.
fn windows(added: Option<&Path>, name: &str, tell: &dyn Fn(&str)) -> Result<bool, TrustError> {
    let missing = || TrustError::Missing("certutil".to_owned(), "it is a part of Windows".to_owned());
    let certutil = run::find("certutil.exe").ok_or_else(missing)?;
    let is_there = run::run(&certutil, &["-user", "-store", "Root", name]).is_ok();
    if is_there == added.is_some() {
        return Ok(false);
    }
    let file = added.map(|file| file.display().to_string());
    let command: &[&str] = match &file {
        Some(file) => &["-user", "-addstore", "-f", "Root", file],
        None => &["-user", "-delstore", "Root", name],
    };
    tell(&format!("certutil {}", command.join(" ")));
    run::run(&certutil, command)?;
    Ok(true)
}
