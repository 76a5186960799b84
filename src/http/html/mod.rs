//! HTML, with the client in it.

pub(crate) mod assets;
pub(crate) mod csp;
pub mod inject;
pub mod middleware;
pub(crate) mod page;
pub(crate) mod serve;
pub(crate) mod viewer;
