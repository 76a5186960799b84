//! Where our own resources are, which no project has.

/// What their paths begin with, for `concat!`.
macro_rules! prefix {
    () => {
        "/_savecast"
    };
}

/// What their paths begin with.
pub const PREFIX: &str = prefix!();

/// The stream of a page.
pub const EVENTS: &str = concat!(prefix!(), "/events");

/// Which tabs the stream of a page is for.
pub const TABS: &str = concat!(prefix!(), "/tabs");

/// What pages have made of changes.
pub const EFFECTS: &str = concat!(prefix!(), "/effects");

/// What pages write into their console.
pub const CONSOLE: &str = concat!(prefix!(), "/console");

/// What a page has loaded through the proxy.
#[cfg(feature = "cli")]
pub const LOADED: &str = concat!(prefix!(), "/loaded");

/// The numbers of what the server is doing.
pub const STATUS: &str = concat!(prefix!(), "/status");

/// All that the page for people shows.
pub const OVERVIEW: &str = concat!(prefix!(), "/overview");

/// Has all pages loaded again.
pub const RELOAD: &str = concat!(prefix!(), "/reload");

/// Whether this instance is to be sent requests.
pub const HEALTH: &str = concat!(prefix!(), "/health");

/// The numbers for Prometheus.
pub const METRICS: &str = concat!(prefix!(), "/metrics");

/// The channels.
pub const CHANNELS: &str = concat!(prefix!(), "/channels/");

/// The certificate of the authority by which browsers know this server.
pub const AUTHORITY: &str = concat!(prefix!(), "/ca.pem");

/// The script that every page gets.
pub const CLIENT: &str = concat!(prefix!(), "/client.js");

/// The script and the style of the page that shows a file.
pub const VIEW_SCRIPT: &str = concat!(prefix!(), "/ui/view.js");
pub const VIEW_STYLE: &str = concat!(prefix!(), "/ui/view.css");

/// The script and the style of the page that shows a directory.
pub const LISTING_SCRIPT: &str = concat!(prefix!(), "/ui/listing.js");
pub const LISTING_STYLE: &str = concat!(prefix!(), "/ui/listing.css");
