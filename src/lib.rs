//! Every save is cast to every browser: a server for a directory in which every file is live.
//!
//! # The map of the house
//!
//! ```text
//!  file system                                                        browser, curl, scripts
//!       │                                                                     ▲
//!       ▼                                                                     │ frames
//!    watch/ ──settled batch──▶ pipeline.rs ──update──▶ hub/ ──▶ http/stream ──┘
//!   (notify)                   read, version,       followers
//!       ▲                      validate
//!       │ what is in use          │ change/
//!       └──────────── hub ◀───────┘
//!                               SitePath  ◀── guard ◀── request ── http/ ──▶ files, inject
//! ```
//!
//! Two flows and one meeting point. The *save flow* goes from left to right and never back, but for one arrow: the
//! [`hub`] tells [`watch`] which paths are followed. The *request flow* goes through the guard, to a file or a stream.
//! Both speak [`SitePath`](site_path::SitePath), and both open files through [`Root`](root::Root), so that what may be
//! seen is decided in one place.
//!
//! | room | goes in | comes out |
//! |---|---|---|
//! | [`site_path`] | a URL | a place inside the served root |
//! | [`root`] | a place | what stands there |
//! | [`stamp`] | metadata | whether a file is another one |
//! | [`watch`] | file-system events | settled batches |
//! | [`change`] | bytes | updates |
//! | [`hub`] | updates, what is published | what each follower is owed |
//! | [`http`] | requests | files, pages, streams |
//! | [`pipeline`] | the story from a batch to an update ||
//! | [`app`] | puts them together, starts and stops them ||
//!
//! # Words
//!
//! A *change* is on disk. A *batch* has settled. A *burst* is many changes at once. An *update* is what followers are
//! told. A *frame* is its text. A *follower* is one open stream. A *version* is the hash of the content. A *problem* is a
//! broken file of the user's. A *log* is a file that is followed line by line, and a *mark* a place in it. A *channel* is
//! events without a file.
//!
//! # What is always true
//!
//! - A path is followed before it is read, so nothing is lost between the two.
//! - A follower is told states, not events: it may skip some, sees none twice in a row and ends on the newest.
//! - What a follower is told was read after it came, so it is never older than what it has.
//! - Good news is told at once; bad news only when a second look has confirmed it.
//! - No watch exists that no follower needs.

pub mod app;
pub mod change;
pub mod cli;
pub mod config;
pub mod console;
pub mod http;
pub mod hub;
pub mod pipeline;
pub mod root;
pub mod site_path;
pub mod stamp;
pub mod watch;
