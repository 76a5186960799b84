//! The store of the system, which curl, git and many others ask; on macOS and Windows, Chromium and Safari or Edge, too.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

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

/// Adds a certificate to it, or removes it. `id` is for the name of a file.
pub(super) fn change(file: &Path, id: &str, name: &str, is_added: bool, tell: &dyn Fn(&str)) -> Outcome {
    let (store, result) = if cfg!(target_os = "macos") {
        ("the login keychain", keychain(file, name, is_added, tell))
    } else if cfg!(windows) {
        ("Windows", windows(file, name, is_added, tell))
    } else {
        ("this system", anchors(file, id, is_added, tell))
    };
    Outcome { store: store.to_owned(), result }
}

fn anchors(file: &Path, id: &str, is_added: bool, tell: &dyn Fn(&str)) -> Result<bool, TrustError> {
    let exists = |anchors: &&Anchors| Path::new(anchors.directory).is_dir();
    let unknown = || {
        let hint = format!("install it, or add {} by hand", file.display());
        TrustError::Missing("the package ca-certificates".to_owned(), hint)
    };
    let Anchors { directory, ending, update } = ANCHORS.iter().find(exists).ok_or_else(unknown)?;
    let program = run::find(update[0]).ok_or_else(unknown)?;
    let anchor = PathBuf::from(format!("{directory}/savecast-{id}.{ending}"));
    let is_there =
        fs::read(&anchor).ok().is_some_and(|there| !is_added || fs::read(file).is_ok_and(|ours| ours == there));
    if is_there == is_added {
        return Ok(false);
    }
    let text = |path: &Path| path.display().to_string();
    if is_added {
        as_root("install", &["-m", "644", &text(file), &text(&anchor)], tell)?;
    } else {
        as_root("rm", &["-f", &text(&anchor)], tell)?;
    }
    as_root(&text(&program), &update[1..], tell)?;
    Ok(true)
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
    run::run(&first, &words[1..])
}

/// The person's own keychain. macOS asks for the password in a window.
fn keychain(file: &Path, name: &str, is_added: bool, tell: &dyn Fn(&str)) -> Result<bool, TrustError> {
    let keychain = private::home().unwrap_or_default().join("Library/Keychains/login.keychain-db");
    let (file, keychain) = (file.display().to_string(), keychain.display().to_string());
    let security = Path::new("/usr/bin/security");
    let is_there = run::run(security, &["find-certificate", "-c", name, &keychain]).is_ok();
    if is_there == is_added {
        return Ok(false);
    }
    let command: &[&str] = if is_added {
        &["add-trusted-cert", "-r", "trustRoot", "-k", &keychain, &file]
    } else {
        &["delete-certificate", "-c", name, "-t", &keychain]
    };
    tell(&format!("security {}", command.join(" ")));
    run::run(security, command)?;
    Ok(true)
}

/// The store of the person, which needs no administrator. Windows asks in a window.
fn windows(file: &Path, name: &str, is_added: bool, tell: &dyn Fn(&str)) -> Result<bool, TrustError> {
    let missing = || TrustError::Missing("certutil".to_owned(), "it is a part of Windows".to_owned());
    let certutil = run::find("certutil.exe").ok_or_else(missing)?;
    let is_there = run::run(&certutil, &["-user", "-store", "Root", name]).is_ok();
    if is_there == is_added {
        return Ok(false);
    }
    let file = file.display().to_string();
    let command: &[&str] =
        if is_added { &["-user", "-addstore", "-f", "Root", &file] } else { &["-user", "-delstore", "Root", name] };
    tell(&format!("certutil {}", command.join(" ")));
    run::run(&certutil, command)?;
    Ok(true)
}
