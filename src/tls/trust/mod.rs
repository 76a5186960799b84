//! Has browsers believe the authority of the person, or no longer: only when the person asks for it.

mod nss;
mod run;
mod system;

use std::fs;
use std::path::PathBuf;

use crate::tls::authority::Authority;
use crate::tls::private;
pub use crate::tls::trust::run::Outcome;

/// Names the authority that is trusted by somebody, beside its files.
const MARK: &str = "trusted";

/// Adds the authority to all stores that are found, or removes it from them. `tell` hears of each command of the system before
/// it runs, because it may ask for a password.
pub fn change(authority: &Authority, is_added: bool, tell: &dyn Fn(&str)) -> Vec<Outcome> {
    let name = authority.name();
    let mut outcomes = vec![system::change(authority.file(), &authority.id(), &name, is_added, tell)];
    outcomes.extend(nss::change(authority.file(), &name, is_added));
    let is_trusted = is_added && outcomes.iter().any(|outcome| outcome.result.is_ok());
    // It only decides whether a hint is given.
    drop(if is_trusted { private::replace(&mark(authority), &name) } else { fs::remove_file(mark(authority)) });
    outcomes
}

/// Whether somebody was told to trust this authority. mkcert sees to that itself.
#[must_use]
pub fn is_trusted(authority: &Authority) -> bool {
    authority.is_mkcert() || fs::read_to_string(mark(authority)).is_ok_and(|name| name == authority.name())
}

fn mark(authority: &Authority) -> PathBuf {
    authority.directory().join(MARK)
}
