//! Those who listen over HTTP/2: many streams of one connection.

use std::sync::Arc;
use std::time::Instant;

use futures::future::join_all;
use h2::RecvStream;
use h2::client::Builder;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::listeners::DEADLINE;
use crate::listeners::Event;

/// How much may come before it is read, in bytes: of a stream as much as Chromium says, of all of them nearly so.
const WINDOW: u32 = 6 << 20;
const WINDOWS: u32 = 16 << 20;

/// Open streams of one file.
pub(crate) struct Streams {
    runtime: Runtime,
    streams: Vec<(RecvStream, Event)>,
}

impl Streams {
    /// So many streams of this file.
    pub(crate) fn open(port: u16, url: &str, count: usize, tls: Arc<ClientConfig>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let url = format!("https://localhost:{port}{url}");
        let open = async {
            let io = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let io = TlsConnector::from(tls).connect("localhost".try_into().unwrap(), io).await.unwrap();
            let mut builder = Builder::new();
            builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOWS);
            let (mut requests, connection) = builder.handshake::<_, &[u8]>(io).await.unwrap();
            tokio::spawn(connection);
            let mut streams = Vec::new();
            for _ in 0..count {
                let request = http::Request::get(&url).header("accept", "text/event-stream").body(()).unwrap();
                requests = requests.ready().await.unwrap();
                let (response, _) = requests.send_request(request, true).unwrap();
                streams.push((response.await.unwrap().into_body(), Event::default()));
            }
            streams
        };
        let streams = runtime.block_on(async { timeout(DEADLINE, open).await.unwrap() });
        Self { runtime, streams }
    }

    /// When each of them had all of the next event.
    pub(crate) fn wait(&mut self) -> Vec<Instant> {
        let all = join_all(self.streams.iter_mut().map(|(body, event)| arrival(body, event)));
        self.runtime.block_on(async { timeout(DEADLINE, all).await.unwrap() })
    }
}

async fn arrival(body: &mut RecvStream, event: &mut Event) -> Instant {
    loop {
        let bytes = body.data().await.expect("a stream that goes on").unwrap();
        body.flow_control().release_capacity(bytes.len()).unwrap();
        if event.is_over(&bytes) {
            return Instant::now();
        }
    }
}
