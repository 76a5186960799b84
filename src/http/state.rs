//! What requests are answered from.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::http::guard::verdict::Guard;
use crate::http::live::clients::Clients;
use crate::http::request_body::Room;
use crate::hub::Hub;
use crate::notice::Notice;
use crate::site::SitePath;
use crate::source::Rendered;
use crate::source::Sources;

/// Tells the person who runs the server.
pub type Say = Arc<dyn Fn(&Notice<'_>) + Send + Sync>;

/// What requests are answered from.
pub struct AppState {
    /// The name of what is served, for people.
    pub name: String,
    /// The directory of the app at which all of it is.
    pub prefix: SitePath,
    /// Where contents come from.
    pub sources: Sources,
    /// The versions of pages that other people's handlers render, if there are some.
    pub rendered: Option<Arc<Rendered>>,
    /// Where snapshots come from.
    pub hub: Arc<Hub>,
    /// Who may ask.
    pub guard: Guard,
    /// The number of followed paths, and of watched directories.
    pub watched: Box<dyn Fn() -> (usize, usize) + Send + Sync>,
    /// Where bodies are kept while they come.
    pub room: Room,
    /// The clients of pages, each with its stream.
    pub clients: Clients,
    /// Tells the person who runs the server.
    pub say: Say,
    /// How many large files may be on their way at once. Each of them is open.
    pub downloads: Arc<Semaphore>,
}
