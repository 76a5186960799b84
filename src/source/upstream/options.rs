//! What another server is made with: where it is, how it is asked, and who is told.

use std::path::PathBuf;
use std::time::Duration;

use crate::site::ServerUrl;
use crate::site::SitePath;

/// How another server is asked.
#[derive(Clone)]
pub struct Options {
    /// Where it is mounted.
    pub directory: SitePath,
    /// Where it is.
    pub server: ServerUrl,
    /// Below which directories its sources are.
    pub trees: Vec<PathBuf>,
    /// Whether it may be asked again. If not, a save reloads pages.
    pub asks: bool,
    /// The pause between two questions for what is followed, besides those after a save.
    pub poll: Option<Duration>,
    /// Whether any certificate is believed.
    pub believes_all: bool,
    /// The largest contents that are pushed, in bytes.
    pub max_push: u64,
}

/// What the person who runs it may want to know.
#[derive(Clone, Debug)]
pub enum Remark {
    /// It is away, since then. Why stands there in words, such as `refuses connections`.
    Away(String),
    /// It is back after so long.
    Back(Duration),
    /// It writes this file when it is asked, which would make us ask again.
    Echo(PathBuf),
}

/// What an [`Upstream`](crate::source::Upstream) says to others.
pub struct Tell {
    /// Something else may stand at this place.
    pub changed: Box<dyn Fn(SitePath) + Send + Sync>,
    /// A page was sent that is about to follow what it uses.
    pub expect: Box<dyn Fn() + Send + Sync>,
    /// For the person who runs the server.
    pub remark: Box<dyn Fn(Remark) + Send + Sync>,
}
