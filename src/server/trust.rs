//! The command `savecast trust`.

use crate::console;
use crate::notice::Notice;
use crate::server::error::ServerError;
use crate::tls::authority::Authority;
use crate::tls::trust;

/// Has this system and the browsers of the person believe the certificates that are made, or no longer if `remove` is set; and
/// says what it does. False if some of them could not be changed.
///
/// # Errors
///
/// If there is no authority for certificates, and none can be made.
pub fn trust(remove: bool) -> Result<bool, ServerError> {
    let tell = |command: &str| console::say(&Notice::Running { command });
    let outcomes = if remove {
        trust::remove(&tell)
    } else {
        let authority = Authority::of_person().map_err(ServerError::Tls)?;
        if authority.is_mkcert() {
            console::say(&Notice::Mkcert { file: authority.file() });
            return Ok(true);
        }
        trust::add(&authority, &tell)
    };
    for outcome in &outcomes {
        let store = outcome.store.as_str();
        console::say(&match &outcome.result {
            Ok(is_changed) => Notice::Trust { store, is_added: !remove, is_changed: *is_changed },
            Err(error) => Notice::TrustFailed { store, error, hint: error.hint() },
        });
    }
    // The first is the system, which needs no start.
    if outcomes.iter().skip(1).any(|outcome| matches!(outcome.result, Ok(true))) {
        console::say(&Notice::StartAgain);
    }
    Ok(outcomes.iter().all(|outcome| outcome.result.is_ok()))
}
