//! Instances on one machine or several, connected through Redis: what is published to a channel at one is heard at all, and what stands in
//! the directory of an origin is served by edges.
//!
//! The stream of a channel in Redis is the truth. A message (Pub/Sub) tells of each event at once, and each names the one before it,
//! so whatever is missed is noticed, and asked for. The hub keeps what Redis keeps of a channel that somebody listens to, so a
//! listener costs Redis nothing.
//!
//! Edges say which places they want. The origin follows those in its own hub, and tells what stands there in a hash of Redis, and in a message.
//! Every script that writes checks that the writer is the origin still.

mod asker;
mod backoff;
mod chain;
mod channels;
mod clock;
mod document;
mod documents;
mod edge;
mod entry;
mod error;
mod handle;
mod keys;
mod link;
mod options;
mod origin;
mod places;
mod run;

pub use crate::relay::error::RelayError;
pub use crate::relay::handle::Relay;
pub(crate) use crate::relay::handle::RelayStatus;
pub(crate) use crate::relay::options::Options;
pub(crate) use crate::relay::run::Side;
pub(crate) use crate::relay::run::start;
