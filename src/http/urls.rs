//! Where our own resources are, which no project has.

/// What their paths begin with.
pub const PREFIX: &str = "/_savecast";

/// The stream of a page.
pub const EVENTS: &str = "/_savecast/events";

/// The numbers of what the server is doing.
pub const STATUS: &str = "/_savecast/status";

/// The channels.
pub const CHANNELS: &str = "/_savecast/channels/";
