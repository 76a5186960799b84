//! Who may ask.
//!
//! The server sits on the person's own machine, behind every firewall. Any page that they visit can send requests to it.
//! Three rules keep such pages out: a foreign name in `Host` is DNS rebinding, which would let the page read the answers;
//! streams and everything that isn't a plain GET are not for pages of other origins; and pages of other sites get nothing
//! that they could embed, because whether a picture, a script or an object loads tells them which files there are.

pub mod middleware;
pub mod reached;
pub mod verdict;
