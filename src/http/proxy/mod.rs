//! What other servers answer passes through as it is, and their pages get the client.

mod answer;
mod away;
mod forward;
pub(crate) mod loaded;
pub mod mounted;
mod page;
mod passenger;
mod passing;
mod poll;
mod request;
pub(crate) mod route;
mod stream;
mod tunnel;

pub(crate) use crate::http::proxy::forward::serve;
