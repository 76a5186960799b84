//! How instances are connected.

use crate::site::RelayUrl;

/// How instances are connected.
#[derive(Clone)]
pub(crate) struct Options {
    /// Where Redis is.
    pub(crate) url: RelayUrl,
    /// The user, if the URL does not say it.
    pub(crate) user: Option<String>,
    /// The password, if the URL does not say it.
    pub(crate) password: Option<String>,
    /// The name of the site. Sites with different names know nothing of each other.
    pub(crate) site: String,
    /// Whether an origin tells what is served.
    pub(crate) is_edge: bool,
}
