//! What is said of other servers: those behind the proxy, and Redis.

use crate::notice::Notice;

/// The lines of a notice of another server.
pub(super) fn lines(notice: &Notice<'_>) -> Vec<String> {
    match notice {
        Notice::Away { server, why } => vec![format!("savecast: {server} {why}; pages wait until it answers")],
        Notice::Back { server, elapsed } => {
            vec![format!("savecast: {server} answers again, after {:.1} s", elapsed.as_secs_f64())]
        }
        Notice::RelayAway { server, why } => {
            vec![format!("savecast: {server} {why}; nothing can be published to channels until it answers")]
        }
        Notice::RelayRefuses { server, why } => {
            vec![format!("savecast: {server} {why}; what you publish or save is sent when it writes again")]
        }
        Notice::RelayBack { server, elapsed } => {
            vec![format!("savecast: {server} answers again, after {:.1} s", elapsed.as_secs_f64())]
        }
        Notice::Draining { time } => {
            vec![format!(
                "savecast: no new streams; the open ones end within {} s (Ctrl-C stops at once)",
                time.as_secs()
            )]
        }
        Notice::OriginAway => vec![
            "savecast: there is no origin; the latest versions are served until there is one".to_owned(),
            "hint: start savecast with a directory, the same --relay and the same --relay-site".to_owned(),
        ],
        Notice::OriginBack => vec!["savecast: there is an origin".to_owned()],
        Notice::Echo { server, file } => vec![
            format!("savecast: {server} writes {} at every request, so saves of it are ignored", file.display()),
            "hint: --ignore leaves it out from the start".to_owned(),
        ],
        _ => Vec::new(),
    }
}
