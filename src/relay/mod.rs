//! Instances on one machine or several, connected through Redis: what is published to a channel at one is heard at all.
//!
//! The stream of a channel in Redis is the truth. A message (Pub/Sub) tells of each event at once, and each names the one before it,
//! so whatever is missed is noticed, and asked for. The hub keeps what Redis keeps of a channel that somebody listens to, so a
//! listener costs Redis nothing.

mod backoff;
mod chain;
mod channels;
mod entry;
mod error;
mod handle;
mod keys;
mod link;
mod options;
mod run;

pub use crate::relay::error::RelayError;
pub use crate::relay::handle::Relay;
pub(crate) use crate::relay::handle::RelayStatus;
pub(crate) use crate::relay::options::Options;
pub(crate) use crate::relay::run::start;
