//! Other servers of which a part of the site comes.

use std::path::Path;
use std::sync::Arc;

use crate::http::proxy::mounted::Proxies;
use crate::live::builder::LiveBuilder;
use crate::notice::Notice;
use crate::site::verbatim::plain;
use crate::source::Sources;
use crate::source::upstream;
use crate::source::upstream::loads::Loads;
use crate::source::upstream::options::Options;
use crate::source::upstream::options::Remark;
use crate::source::upstream::options::Tell;
use crate::watch::WatchHandle;

/// Starts all of them. `directory` is the one that is served.
pub(super) fn mount(live: &LiveBuilder, directory: &Path, handle: &WatchHandle, sources: &mut Sources) -> Proxies {
    let proxy = &live.proxy;
    let loads = Arc::new(Loads::default());
    let trees = if proxy.trees.is_empty() { vec![directory.to_owned()] } else { proxy.trees.clone() };
    let start = |(directory, server): &(_, _)| {
        let options = Options {
            directory: Clone::clone(directory),
            server: Clone::clone(server),
            trees: trees.clone(),
            asks: proxy.asks,
            poll: proxy.poll,
            believes_all: proxy.believes_all,
            max_push: live.max_push,
        };
        let (changed, expect) = (handle.clone(), handle.clone());
        let (say, server) = (live.say.clone(), options.server.clone());
        let tell = Tell {
            changed: Box::new(move |place| changed.changed(place)),
            expect: Box::new(move || expect.expect()),
            remark: Box::new(move |remark| match remark {
                Remark::Away(why) => say(&Notice::Away { server: &server, why: &why }),
                Remark::Back(elapsed) => say(&Notice::Back { server: &server, elapsed }),
                Remark::Echo(file) => say(&Notice::Echo { server: &server, file: &plain(&file) }),
            }),
        };
        upstream::start(options, loads.clone(), tell)
    };
    let servers = proxy.servers.iter().map(start).collect::<Vec<_>>();
    for server in &servers {
        sources.mount_server(server.directory(), server.clone());
    }
    Proxies::new(servers, loads)
}
