//! Every save is cast to every browser: a server for a directory in which every file is live.
//!
//! Run it as a command, or make your own actix-web app live with two lines: see [`Live`].
//!
//! # The map of the house
//!
//! ```text
//!  file system                                                               browser, curl, scripts
//!       │                                                                             ▲
//!       ▼                                                                             │ events
//!    watch/ ──settled batch──▶ pipeline/ ──snapshot──▶ hub/ ─────▶ http/live/ ────────┘
//!   (notify)                  read, version,         followers
//!       ▲                     validate                  │
//!       │ what is in use         │ content/             │ event/
//!       └────────── hub ◀────────┴─── source/ ◀─────────┴── http/{files,html,proxy}
//!                                directory, upstream              ▲
//!                                        ▲                        │
//!                                        └──────── site/ ◀── http/guard ◀── request
//! ```
//!
//! Two flows and one meeting point. The *save flow* goes from left to right and never back, but for one arrow: the
//! `hub` tells `watch` which paths are followed. The *request flow* goes through the guard, to a file or a stream.
//! Both speak [`SitePath`], and both ask the same sources, so that what may be seen is decided in one place.
//!
//! | room | goes in | comes out |
//! |---|---|---|
//! | `site` | a URL, and the rules of the site | a place inside what is served |
//! | `source` | a place | what stands there |
//! | `watch` | file-system events | settled batches |
//! | `content` | bytes | snapshots |
//! | `event` | snapshots | the text that is sent |
//! | `pipeline` | the story from a batch to a snapshot ||
//! | `hub` | snapshots, what is published | what each follower is sent |
//! | `http` | requests | files, pages, streams |
//! | `relay` | what other instances publish | channels that all of them share, through Redis |
//! | `notice` | what people may be told, as data | `console` shows it at the terminal |
//! | `live` | puts them together, starts and stops them: [`Live`] ||
//! | `tls` | the names of this machine | certificates, and browsers that believe them |
//! | `running` | what the command asks of a server that is running | its answer, in words |
//! | `server` | the server of the command, around a [`Live`], from its `config` ||
//!
//! # Words
//!
//! A *change* is on disk. A *batch* has settled. A *burst* is many changes at once. A *snapshot* is a version of a
//! resource with its content. An *event* is what is sent. A *follower* is one open stream. A *version* is the hash of the
//! content. A *problem* is a broken file of the user's. A *tail* follows a file line by line, and a *mark* is a place in
//! it. A *channel* is events without a file. A *source* is where contents come from: a directory, or
//! an *upstream*, which is another server. An *answer* is what an upstream says at a URL, and a *tree* is where its sources are.
//!
//! # What is always true
//!
//! - A path is followed before it is read, so nothing is lost between the two.
//! - A follower gets states, not events: it may skip some, gets none twice in a row and ends on the newest.
//! - What a follower gets was read after it came, so it is never older than what it has.
//! - Good news is sent at once; bad news only when a second look has confirmed it.
//! - No watch exists that no follower needs.
//!
//! Which room uses which is drawn in `docs/rooms.md`, and held by a test. No file uses another in a circle.

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "cli")]
mod config;
mod console;
#[doc(hidden)]
pub mod content;
#[doc(hidden)]
pub mod event;
#[doc(hidden)]
pub mod http;
#[doc(hidden)]
pub mod hub;
mod live;
mod notice;
mod pipeline;
#[cfg(feature = "cli")]
mod relay;
#[cfg(feature = "cli")]
mod running;
#[cfg(feature = "cli")]
mod server;
#[doc(hidden)]
pub mod site;
mod source;
#[cfg(feature = "cli")]
mod tls;
mod watch;

#[cfg(feature = "cli")]
pub use crate::config::Command;
#[cfg(feature = "cli")]
pub use crate::config::Config;
#[cfg(feature = "cli")]
pub use crate::config::ConfigError;
#[cfg(feature = "cli")]
pub use crate::config::Https;
pub use crate::content::Problem;
pub use crate::http::html::assets::PageConsole;
pub use crate::http::html::middleware::Inject;
pub use crate::hub::Report;
pub use crate::live::Channel;
pub use crate::live::Live;
pub use crate::live::LiveBuilder;
pub use crate::live::LiveError;
pub use crate::notice::Notice;
pub use crate::notice::PageMessage;
#[cfg(feature = "cli")]
pub use crate::relay::RelayError;
#[cfg(feature = "cli")]
pub use crate::running::Question;
#[cfg(feature = "cli")]
pub use crate::running::RunningError;
#[cfg(feature = "cli")]
pub use crate::running::Wish;
#[cfg(feature = "cli")]
pub use crate::running::ask;
#[cfg(feature = "cli")]
pub use crate::server::Server;
#[cfg(feature = "cli")]
pub use crate::server::ServerError;
#[cfg(feature = "cli")]
pub use crate::server::trust;
pub use crate::site::SitePath;
#[cfg(feature = "cli")]
pub use crate::tls::error::TlsError;
pub use crate::watch::Cause;
pub use crate::watch::Polled;
pub use crate::watch::WatchError;

/// The Rust in the documents, which has to compile.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/src/library.md")]
    struct Library;
}
