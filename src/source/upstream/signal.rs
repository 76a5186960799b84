//! What wakes the thread that asks another server again.

use std::path::PathBuf;

use crate::site::SitePath;
use crate::source::upstream::decode::Coding;
use crate::source::upstream::known::Known;
use crate::source::upstream::loads::Coming;

/// What wakes the thread.
pub enum Signal {
    /// Somebody follows this place.
    Begin(SitePath),
    /// Somebody has gone.
    End,
    /// These files were saved.
    Saved(Vec<PathBuf>),
    /// Saves are seen from now on, or no longer.
    Watched(bool),
    /// The server does not answer.
    Failed(String),
    /// This was sent to a browser, and is to be decoded.
    Delivered(Box<Coded>),
    /// This was sent to a browser after a save, and is not what it was before.
    Loaded(Box<Loaded>),
    /// A question is over. If the server is away, why.
    Asked(SitePath, Option<String>),
    /// A question takes longer than it should.
    Hung,
    /// What a knock has found.
    Knocked(Option<String>),
}

/// An answer that has been sent.
pub struct Loaded {
    /// What it is called.
    pub(super) load: u64,
    pub(super) place: SitePath,
    pub(super) known: Known,
}

/// A body that has been sent, and is still to be decoded.
pub struct Coded {
    /// What it is called.
    pub(super) load: u64,
    pub(super) place: SitePath,
    pub(super) known: Known,
    pub(super) body: Coming,
    pub(super) coding: Coding,
}
