//! Has browsers believe the authority of the person, or no longer: only when the person asks for it.

mod nss;
mod run;
mod system;

use std::fs;

use crate::tls::authority;
use crate::tls::authority::Authority;
use crate::tls::private;
pub use crate::tls::trust::run::Outcome;

/// Names the authority that is trusted by somebody, beside its files.
const MARK: &str = "trusted";

/// Adds the authority to all stores that are found. `tell` hears of each command of the system before it runs, because it may ask
/// for a password.
pub fn add(authority: &Authority, tell: &dyn Fn(&str)) -> Vec<Outcome> {
    let (file, name) = (authority.file(), authority.name());
    let mut outcomes = vec![system::add(file, &authority.id(), &name, tell)];
    outcomes.extend(nss::add(file, &name));
    if outcomes.iter().any(|outcome| outcome.result.is_ok()) {
        // It only decides whether a hint is given.
        drop(private::replace(&authority.directory().join(MARK), &name));
    }
    outcomes
}

/// Removes all authorities of the person from all stores that are found, whatever has become of their files.
pub fn remove(tell: &dyn Fn(&str)) -> Vec<Outcome> {
    let names = authority::of_person();
    let mut outcomes = vec![system::remove(&names, tell)];
    outcomes.extend(nss::remove(&names));
    if let Some(directory) = authority::directory() {
        drop(fs::remove_file(directory.join(MARK)));
    }
    outcomes
}

/// Whether somebody was told to trust this authority. mkcert sees to that itself.
#[must_use]
pub fn is_trusted(authority: &Authority) -> bool {
    let mark = || private::read_text(&authority.directory().join(MARK));
    authority.is_mkcert() || mark().is_ok_and(|name| name == authority.name())
}
