//! What stays open: streams, web sockets and long polls.

pub(crate) mod channel;
pub mod clients;
pub(crate) mod feed;
pub(crate) mod guided;
mod lines;
pub(crate) mod long_poll;
pub(crate) mod open;
pub(crate) mod page;
mod received;
pub(crate) mod sse;
mod tail;
pub(crate) mod websocket;
