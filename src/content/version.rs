//! The version of a resource: a hash of its content.

use std::fmt;
use std::str::FromStr;

use xxhash_rust::xxh3::Xxh3;
use xxhash_rust::xxh3::xxh3_128;

/// The version of a file: a hash of its content (XXH3-128). It is the event id and the `ETag`.
///
/// As text it is 32 hexadecimal digits. Equal content has the same version on every machine and after every restart, so
/// that resuming needs no memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    /// In two halves, because a `u128` wants places of 16 bytes, and every listener keeps a few versions.
    halves: (u64, u64),
}

impl Version {
    /// The version of a file that isn't there.
    pub const ABSENT: Self = Self { halves: (0, 0) };

    /// The version of this content.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self::from(xxh3_128(content))
    }

    /// Half of it, where that is enough.
    #[must_use]
    pub fn short(self) -> u64 {
        self.halves.0
    }
}

/// Makes a [`Version`] of content that comes in parts.
#[derive(Clone, Default)]
pub struct Hasher(Xxh3);

impl Hasher {
    /// Adds what comes next.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The version of all that has come.
    #[must_use]
    pub fn version(&self) -> Version {
        Version::from(self.0.digest128())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hasher({})", self.version())
    }
}

impl From<u128> for Version {
    #[expect(clippy::cast_possible_truncation, reason = "each half is half of it")]
    fn from(hash: u128) -> Self {
        Self { halves: ((hash >> 64) as u64, hash as u64) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from(self.halves.0) << 64 | u128::from(self.halves.1))
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Version {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_hashes_that_survive_as_text() {
        let version = Version::of(b"{}");
        assert_eq!(version.to_string().len(), 32);
        assert_eq!(version.to_string().parse(), Ok(version));
        assert_ne!(Version::of(b""), Version::ABSENT);
        assert!("not a version".parse::<Version>().is_err());
    }
}
