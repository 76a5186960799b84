//! Another server as a source: its answers, asked for again when a save may have changed them.
//!
//! Pages have one place in common, whose version is another one after each look, because only a page itself can ask for itself with
//! all that it is. Other answers are asked for here, as they were asked for by those who use them.

mod answers;
mod asking;
pub mod client;
mod connect;
mod course;
pub mod decode;
pub mod delivery;
mod echo;
pub mod failure;
mod found;
pub mod known;
pub mod loads;
pub mod options;
pub mod outgoing;
mod run;
pub mod server;
mod signal;
pub mod tls;
mod turn;

use std::sync::Arc;
use std::thread;

use crate::source::upstream::loads::Loads;
use crate::source::upstream::options::Options;
use crate::source::upstream::options::Tell;
use crate::source::upstream::server::Upstream;

/// Another server, with a thread of its own, which ends with it. It is not asked for anything until somebody wants something.
pub fn start(options: Options, loads: Arc<Loads>, tell: Tell) -> Arc<Upstream> {
    let (upstream, signals) = Upstream::new(options, loads, tell);
    let weak = Arc::downgrade(&upstream);
    // Without a thread, nothing is asked again.
    drop(thread::Builder::new().name("upstream".into()).spawn(move || run::run(&weak, signals)));
    upstream
}
