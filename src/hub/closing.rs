//! Which listeners have ended: none, all, or some of them by chance.

/// How many of all listeners have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Closing {
    /// None.
    #[default]
    Open,
    /// This share of them, and whoever comes now may be among them.
    Some(f64),
    /// All, also those that come later.
    All,
}

impl Closing {
    /// Whether the listener with this number has ended.
    #[expect(clippy::cast_precision_loss, reason = "a few bits are enough")]
    pub(super) fn has_ended(self, id: u64) -> bool {
        match self {
            Self::Open => false,
            // Numbers that follow each other are far from each other behind this (Fibonacci hashing).
            Self::Some(share) => (id.wrapping_mul(0x9e37_79b9_7f4a_7c15) as f64) < share * u64::MAX as f64,
            Self::All => true,
        }
    }

    /// Whether all have.
    pub(super) fn is_all(self) -> bool {
        self == Self::All
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_ends_and_stays_ended() {
        let ended = |share| (0..1000).filter(|id| Closing::Some(share).has_ended(*id)).count();
        assert_eq!((ended(0.0), ended(1.0)), (0, 1000));
        assert!((280..320).contains(&ended(0.3)), "{}", ended(0.3));
        assert!((0..1000).all(|id| !Closing::Some(0.3).has_ended(id) || Closing::Some(0.4).has_ended(id)));
        assert!(Closing::All.has_ended(17) && !Closing::Open.has_ended(17));
    }
}
