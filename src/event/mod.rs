//! What is sent, as data and as text. Pure.

pub mod format;
pub mod named;
pub mod page;
pub mod sse;
pub mod websocket;

pub use crate::event::format::Encoding;
pub use crate::event::format::Format;
pub use crate::event::named::Event;
pub use crate::event::named::MESSAGE;
