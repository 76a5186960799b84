//! What requests are answered from.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::http::guard::verdict::Guard;
use crate::http::live::clients::Clients;
use crate::http::request_body::Room;
use crate::hub::Hub;
use crate::notice::Notice;
use crate::source::Sources;

/// What requests are answered from.
pub struct AppState {
    /// The name of what is served, for people.
    pub name: String,
    /// Where contents come from.
    pub sources: Sources,
    /// Where updates come from.
    pub hub: Arc<Hub>,
    /// Who may ask.
    pub guard: Guard,
    /// The number of followed paths, and of watched directories.
    pub watched: Box<dyn Fn() -> (usize, usize) + Send + Sync>,
    /// Where bodies are kept while they come.
    pub room: Room,
    /// The clients of pages, each with its stream.
    pub clients: Clients,
    /// Tells the person at the terminal.
    pub say: fn(&Notice<'_>),
    /// How many large files may be on their way at once. Each of them is open.
    pub downloads: Arc<Semaphore>,
}
