//! What a follower asks for.

use crate::content::Version;
use crate::event::Format;
use crate::hub::needs::Need;
use crate::site::SitePath;

/// What a follower wants to know of one path.
#[derive(Clone, Debug)]
pub struct Interest {
    /// The file or directory.
    pub path: SitePath,
    /// What the follower has already.
    pub has: Known,
    /// In which form.
    pub format: Format,
    /// What is sent besides.
    pub need: Need,
}

/// What a follower knows before it is sent anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it gets the state as it is.
    Nothing,
    /// This version: it gets every other one.
    Version(Version),
    /// The state as it is now, without knowing its version: it gets the next one.
    Present,
}
