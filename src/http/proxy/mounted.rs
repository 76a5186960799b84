//! Which server a URL belongs to.

use std::cell::RefCell;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::rc::Rc;
use std::sync::Arc;

use crate::source::Sources;
use crate::source::Upstream;
use crate::source::upstream::client::Client;
use crate::source::upstream::loads::Loads;

/// The other servers that answer a part of the site.
#[derive(Clone, Default)]
pub struct Proxies {
    /// With the directory of each, as it stands in a URL; the longest first.
    servers: Vec<(String, Arc<Upstream>)>,
    loads: Arc<Loads>,
    /// What we call ourselves to them, so that we know our own requests when they come back.
    name: String,
}

impl Proxies {
    /// All of them.
    #[must_use]
    pub fn new(servers: Vec<Arc<Upstream>>, loads: Arc<Loads>) -> Self {
        let mut servers: Vec<_> =
            servers.into_iter().map(|server| (server.directory().as_directory().to_url(), server)).collect();
        servers.sort_by_key(|(directory, _)| std::cmp::Reverse(directory.len()));
        let name = format!("savecast-{:016x}", RandomState::new().hash_one(0));
        Self { servers, loads, name }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What was loaded from them.
    pub(crate) fn loads(&self) -> &Loads {
        &self.loads
    }

    /// Whose directories are whose, for the client: the longest first, as they stand in a URL, separated by spaces. One of ours, which
    /// lies in one of theirs, has a `!`.
    #[must_use]
    pub fn directories(&self, sources: &Sources) -> String {
        let ours = sources.prefixes().map(|prefix| prefix.as_directory().to_url());
        let ours = ours.filter(|ours| self.at(ours).is_some_and(|(directory, _)| directory.len() < ours.len()));
        let theirs = self.servers.iter().map(|(directory, _)| directory.clone());
        let mut all = theirs.chain(ours.map(|ours| format!("!{ours}"))).collect::<Vec<_>>();
        all.sort_by_key(|directory| std::cmp::Reverse(directory.trim_start_matches('!').len()));
        all.join(" ")
    }

    /// The server with the longest directory that this URL is below.
    pub(crate) fn at(&self, url: &str) -> Option<(&str, &Arc<Upstream>)> {
        let path = url.split('?').next().unwrap_or_default();
        let is_at = |directory: &str| path.starts_with(directory) || Some(path) == directory.strip_suffix('/');
        let found = self.servers.iter().find(|(directory, _)| is_at(directory));
        found.map(|(directory, server)| (directory.as_str(), server))
    }
}

/// The connections of a worker, for each server.
#[derive(Clone, Default)]
pub(crate) struct Clients(Rc<RefCell<Vec<Connected>>>);

type Connected = (Arc<Upstream>, Client);

impl Clients {
    pub(crate) fn of(&self, server: &Arc<Upstream>) -> Client {
        let mut clients = self.0.borrow_mut();
        if let Some((_, client)) = clients.iter().find(|(other, _)| Arc::ptr_eq(other, server)) {
            return client.clone();
        }
        let client = server.client();
        clients.push((server.clone(), client.clone()));
        client
    }
}
