//! The open streams, and the tabs that they are for, as people are shown them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::SystemTime;

use actix_web::HttpRequest;
use actix_web::http::header;
use serde_json::Value;

use crate::http::shortened::shortened;

/// How many streams are noted at most: those with tabs, and the others. A crowd of listeners is counted, and not listed.
const NOTED: usize = 500;

/// How many tabs of a browser are noted.
const TABS: usize = 100;

/// How long a URL may be, and the name of a browser, in bytes. What is longer is cut off.
const URL: usize = 300;
const BROWSER: usize = 200;

/// The open streams.
#[derive(Clone, Debug, Default)]
pub struct OpenStreams(Arc<Mutex<Streams>>);

#[derive(Debug, Default)]
struct Streams {
    open: BTreeMap<u64, OpenStream>,
    next: u64,
}

/// How events travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Server-sent events.
    EventStream,
    /// A WebSocket.
    WebSocket,
}

/// An open stream.
#[derive(Clone, Debug)]
pub(crate) struct OpenStream {
    /// What was asked for: path and query.
    pub(crate) url: String,
    pub(crate) transport: Transport,
    pub(crate) since: SystemTime,
    /// What the program says of itself; empty if it says nothing.
    pub(crate) browser: String,
    pub(crate) address: Option<IpAddr>,
    /// The name of the client, if it has one, and the tabs that share the stream.
    pub(crate) client: String,
    pub(crate) tabs: Vec<Tab>,
}

/// An open page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tab {
    /// The path of its URL.
    pub(crate) page: String,
    /// When it was loaded, in milliseconds since 1970.
    pub(crate) since: u64,
}

/// The entry of a stream, which goes with it.
#[derive(Debug)]
pub(crate) struct Opened {
    streams: OpenStreams,
    number: u64,
}

impl OpenStreams {
    /// Notes a stream for as long as the entry is kept; `None` if there are too many.
    pub(crate) fn note(
        &self,
        request: &HttpRequest,
        transport: Transport,
        client: &str,
        tabs: Vec<Tab>,
    ) -> Option<Opened> {
        let browser = request.headers().get(header::USER_AGENT).and_then(|browser| browser.to_str().ok());
        let url = request.uri().path_and_query().map_or("/", |url| url.as_str());
        self.add(OpenStream {
            url: shortened(url, URL).to_owned(),
            transport,
            since: SystemTime::now(),
            browser: shortened(browser.unwrap_or_default(), BROWSER).to_owned(),
            address: request.peer_addr().map(|address| address.ip()),
            client: client.to_owned(),
            tabs,
        })
    }

    fn add(&self, stream: OpenStream) -> Option<Opened> {
        let mut streams = self.streams();
        let has_tabs = !stream.client.is_empty();
        let alike = streams.open.values().filter(|other| has_tabs != other.client.is_empty());
        if alike.count() >= NOTED {
            return None;
        }
        let number = streams.next;
        streams.next += 1;
        streams.open.insert(number, stream);
        Some(Opened { streams: self.clone(), number })
    }

    /// The stream of this client is for these tabs from now on.
    pub(crate) fn name_tabs(&self, client: &str, tabs: &[Tab]) {
        let mut streams = self.streams();
        // The one before may still be there.
        let newest = streams.open.values_mut().rev().find(|stream| stream.client == client);
        newest.into_iter().for_each(|stream| stream.tabs = tabs.to_vec());
    }

    /// Those that are noted, each with its number, the oldest first.
    pub(crate) fn all(&self) -> Vec<(u64, OpenStream)> {
        self.streams().open.iter().map(|(number, stream)| (*number, stream.clone())).collect()
    }

    /// No code panics while it holds this lock, so a poisoned lock is still whole.
    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.streams.streams().open.remove(&self.number);
    }
}

impl Tab {
    /// The tabs that a browser names: `[{"page": PATH, "since": MILLISECONDS}]`. What is no such thing is passed over.
    pub(crate) fn all(tabs: Option<&Value>) -> Vec<Self> {
        let tabs = tabs.and_then(Value::as_array).into_iter().flatten().take(TABS);
        let tab = |tab: &Value| {
            let page = tab.get("page")?.as_str().filter(|page| is_page(page))?;
            Some(Self {
                page: shortened(page, URL).to_owned(),
                since: tab.get("since").and_then(Value::as_u64).unwrap_or_default(),
            })
        };
        tabs.filter_map(tab).collect()
    }
}

/// It becomes a link, which must not lead elsewhere.
fn is_page(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') && !path.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stream() -> OpenStream {
        OpenStream {
            url: "/a.json".to_owned(),
            transport: Transport::EventStream,
            since: SystemTime::UNIX_EPOCH,
            browser: String::new(),
            address: None,
            client: "a".to_owned(),
            tabs: Vec::new(),
        }
    }

    #[test]
    fn the_newest_stream_of_a_client_is_for_its_tabs() {
        let streams = OpenStreams::default();
        let _both = (streams.add(stream()), streams.add(stream()));
        streams.name_tabs("a", &[Tab { page: "/".to_owned(), since: 0 }]);
        streams.name_tabs("b", &[]);
        let tabs = streams.all().iter().map(|(_, stream)| stream.tabs.len()).collect::<Vec<_>>();
        assert_eq!(tabs, [0, 1]);
    }

    #[test]
    fn a_stream_is_noted_until_it_ends() {
        let streams = OpenStreams::default();
        let (first, second) = (streams.add(stream()), streams.add(stream()));
        let numbers = || streams.all().iter().map(|(number, _)| *number).collect::<Vec<_>>();
        assert_eq!(numbers(), [0, 1]);
        drop(first);
        assert_eq!(numbers(), [1]);
        drop(second);
        assert!(numbers().is_empty());
    }

    #[test]
    fn a_crowd_is_not_noted() {
        let streams = OpenStreams::default();
        let opened = (0..NOTED + 10).map(|_| streams.add(stream())).collect::<Vec<_>>();
        assert_eq!((streams.all().len(), opened.iter().flatten().count()), (NOTED, NOTED));
    }

    #[test]
    fn a_browser_names_its_tabs() {
        let long = "/é".repeat(URL);
        let elsewhere = [
            "javascript:alert(1)",
            "//evil.example/",
            "https://evil.example/",
            "/\\evil.example",
            "/\t/evil.example",
            "",
        ];
        assert!(elsewhere.iter().all(|page| Tab::all(Some(&json!([{ "page": page }]))).is_empty()));
        let tabs = Tab::all(Some(&json!([{"page": "/", "since": 5}, {"page": 1}, 2, {"page": long}])));
        assert_eq!(tabs[0], Tab { page: "/".to_owned(), since: 5 });
        assert_eq!((tabs.len(), tabs[1].page.len()), (2, URL));
        assert_eq!(Tab::all(Some(&json!(vec![json!({"page": "/"}); 1000]))).len(), TABS);
        assert!(Tab::all(None).is_empty() && Tab::all(Some(&json!({}))).is_empty());
    }
}
