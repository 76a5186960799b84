//! How much a notice matters, which decides its colour, and whether it is said with `--quiet`.

use std::iter;

use crate::notice::Notice;
use crate::site::rules::line::Remark;
use crate::site::rules::line::RemarkKind;

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Plain,
    /// What to do about something.
    Hint,
    /// Something is not as it could be.
    Warning,
    /// Something is broken.
    Problem,
}

/// How much this one matters.
pub fn tone(notice: &Notice<'_>) -> Tone {
    match notice {
        Notice::Ready { .. }
        | Notice::Certificate { .. }
        | Notice::Running { .. }
        | Notice::Trust { .. }
        | Notice::StartAgain
        | Notice::Mkcert { .. }
        | Notice::Sent { .. }
        | Notice::Effect { .. }
        | Notice::Request { .. }
        | Notice::Back { .. }
        | Notice::RelayBack { .. }
        | Notice::OriginBack
        | Notice::Draining { .. }
        | Notice::Rule { remark: Remark { kind: RemarkKind::Differs, .. }, .. }
        | Notice::RuleUse { .. } => Tone::Plain,
        Notice::PortTaken { .. }
        | Notice::NotTrusted
        | Notice::Doubted { .. }
        | Notice::NotCertified { .. }
        | Notice::TrustFailed { .. }
        | Notice::NotLive { .. }
        | Notice::Forbidden { .. }
        | Notice::Refused { .. }
        | Notice::ForeignHost { .. }
        | Notice::Away { .. }
        | Notice::RelayAway { .. }
        | Notice::RelayRefuses { .. }
        | Notice::OriginAway
        | Notice::Echo { .. }
        | Notice::Polled(_)
        | Notice::Missing { .. }
        | Notice::NotOpened { .. } => Tone::Warning,
        Notice::Page { message, .. } => match message.kind {
            "log" | "info" | "debug" => Tone::Plain,
            "warn" => Tone::Warning,
            _ => Tone::Problem,
        },
        Notice::Broken { .. } | Notice::CertificateKept { .. } | Notice::Rule { .. } | Notice::Failed { .. } => {
            Tone::Problem
        }
    }
}

/// The tones of the lines of a notice: its own, and then that of hints.
pub fn tones(first: Tone) -> impl Iterator<Item = Tone> {
    iter::once(first).chain(iter::repeat(Tone::Hint))
}
