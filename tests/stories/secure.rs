//! A server that speaks TLS, and a client of ours for both versions of HTTP. It believes the authority of the server alone.

#![cfg_attr(not(unix), allow(dead_code, reason = "most stories that use it need Unix"))]

use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use h2::RecvStream;
use h2::client::SendRequest;
use http::HeaderMap;
use http::Request;
use http::Response;
use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::RootCertStore;
use rustls::StreamOwned;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::support::DEADLINE;
use crate::support::Server;
use crate::support::Site;

/// Where a person has their data.
pub(crate) struct Home {
    directory: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    /// A command of this person.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_savecast"));
        command.env("HOME", self.path("")).env("XDG_DATA_HOME", self.path("")).env_remove("CAROOT").env_remove("PORT");
        command
    }

    pub(crate) fn try_serve(&self, site: &Site, arguments: &[&str]) -> Result<Server, (ExitStatus, String)> {
        let mut command = self.command();
        command.arg(site.path(""));
        Server::start(command, arguments)
    }

    /// A server with the certificate that is made for it.
    #[track_caller]
    pub(crate) fn serve(&self, site: &Site, arguments: &[&str]) -> Secure {
        let server = self.try_serve(site, &[arguments, &["--https"]].concat()).expect("the server to start");
        Secure::new(server, &self.path("savecast/authority.pem"))
    }
}

/// A running server, and what its clients share.
pub(crate) struct Secure {
    pub(crate) server: Server,
    roots: Arc<RootCertStore>,
    runtime: Runtime,
}

impl Secure {
    /// Believes the last certificate in this file, which is that of an authority.
    pub(crate) fn new(server: Server, authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        let last = CertificateDer::pem_file_iter(authority).expect("a file").last().expect("a certificate");
        roots.add(last.expect("a certificate")).expect("an authority");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Self { server, roots: Arc::new(roots), runtime: runtime.expect("a runtime") }
    }

    fn config(&self, protocol: &[u8]) -> Arc<ClientConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = config.expect("versions").with_root_certificates(self.roots.clone()).with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        Arc::new(config)
    }

    /// A connection over HTTP/1.1, to the server under this name; an error if its certificate is not believed.
    pub(crate) fn try_http1(&self, name: &str) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let tls = ClientConnection::new(self.config(b"http/1.1"), name).expect("a client");
        let tcp = TcpStream::connect(("127.0.0.1", self.server.port()))?;
        tcp.set_read_timeout(Some(DEADLINE))?;
        let mut stream = StreamOwned::new(tls, tcp);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(stream)
    }

    /// Sends this text over HTTP/1.1, with `HOST` replaced, and reads until this has come, or to the end.
    #[track_caller]
    pub(crate) fn http1(&self, request: &str, last: Option<&str>) -> String {
        let mut stream = self.try_http1("localhost").expect("a connection");
        let host = format!("localhost:{}", self.server.port());
        stream.write_all(request.replace("HOST", &host).as_bytes()).expect("a request");
        let mut answer = String::new();
        while !last.is_some_and(|last| answer.contains(last)) {
            let mut bytes = [0; 4096];
            match stream.read(&mut bytes) {
                Ok(0) => break,
                Ok(length) => answer.push_str(&String::from_utf8_lossy(&bytes[..length])),
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
                Err(error) => panic!("{request:?}: {error}, after {answer}"),
            }
        }
        answer
    }

    /// The certificates that the server sends, its own first.
    pub(crate) fn certificates(&self) -> Vec<CertificateDer<'static>> {
        let stream = self.try_http1("localhost").expect("a connection");
        stream.conn.peer_certificates().expect("certificates").to_vec()
    }

    /// A connection over HTTP/2 with the windows that browsers have.
    pub(crate) fn http2(&self) -> Http2<'_> {
        self.http2_with(6 << 20)
    }

    /// A connection over HTTP/2, of which each stream takes so many bytes before somebody reads it.
    pub(crate) fn http2_with(&self, window: u32) -> Http2<'_> {
        let connect = async {
            let tcp = tokio::net::TcpStream::connect(("127.0.0.1", self.server.port())).await.expect("a connection");
            let name = ServerName::try_from("localhost").expect("a name");
            let tls = TlsConnector::from(self.config(b"h2")).connect(name, tcp).await.expect("TLS");
            let mut builder = h2::client::Builder::new();
            builder.initial_window_size(window).initial_connection_window_size(15 << 20);
            let (sender, connection) = builder.handshake::<_, Bytes>(tls).await.expect("HTTP/2");
            (sender, tokio::spawn(async move { drop(connection.await) }))
        };
        let (sender, driver) = self.runtime.block_on(connect);
        Http2 { of: self, sender, driver }
    }

    /// Waits until the status is as wished, and says how long that took.
    #[track_caller]
    pub(crate) fn wait_for_status(&self, wish: impl Fn(&Value) -> bool) -> Duration {
        let start = Instant::now();
        let mut connection = self.http2();
        loop {
            let status = serde_json::from_str(&connection.get("/_savecast/status", &[]).text()).expect("JSON");
            if wish(&status) {
                return start.elapsed();
            }
            assert!(start.elapsed() < DEADLINE, "the status stays {status}");
        }
    }
}

/// A connection over HTTP/2. Dropping it closes it without a word.
pub(crate) struct Http2<'a> {
    of: &'a Secure,
    sender: SendRequest<Bytes>,
    driver: JoinHandle<()>,
}

impl Drop for Http2<'_> {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// A header, or an empty text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// An answer that goes on. Dropping it resets the stream.
pub(crate) struct Open<'a> {
    of: &'a Secure,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    body: RecvStream,
    text: String,
}

/// A request that is not answered yet. Aborting it resets the stream.
pub(crate) struct Begun<'a> {
    of: &'a Secure,
    pub(crate) answer: JoinHandle<Option<Response<RecvStream>>>,
}

impl<'a> Begun<'a> {
    /// Waits for the head of the answer. `None` if the stream was reset.
    #[track_caller]
    pub(crate) fn finish(self) -> Option<Open<'a>> {
        let answer = self.of.runtime.block_on(async { timeout(DEADLINE, self.answer).await });
        let (head, body) = answer.expect("an answer in time").expect("a task")?.into_parts();
        Some(Open { of: self.of, status: head.status.as_u16(), headers: head.headers, body, text: String::new() })
    }
}

impl<'a> Http2<'a> {
    /// `GET`, whatever the status.
    #[track_caller]
    pub(crate) fn get(&mut self, url: &str, headers: &[(&str, &str)]) -> Answer {
        self.request("GET", url, headers, "").finish()
    }

    /// Sends a request and waits for the head of the answer.
    #[track_caller]
    pub(crate) fn request(&mut self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Open<'a> {
        let authority = format!("localhost:{}", self.of.server.port());
        self.try_request(&authority, method, url, headers, body).expect("an answer")
    }

    /// The same under another name. `None` if the stream was reset.
    #[track_caller]
    pub(crate) fn try_request(
        &mut self,
        authority: &str,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<Open<'a>> {
        self.begin(authority, method, url, headers, body).finish()
    }

    /// Sends a request, and does not wait.
    pub(crate) fn begin(
        &mut self,
        authority: &str,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Begun<'a> {
        let mut request = Request::builder().method(method).uri(format!("https://{authority}{url}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("a request");
        let mut sender = self.sender.clone();
        let body = Bytes::copy_from_slice(body.as_bytes());
        let answer = self.of.runtime.spawn(async move {
            std::future::poll_fn(|context| sender.poll_ready(context)).await.ok()?;
            let (answer, mut stream) = sender.send_request(request, body.is_empty()).ok()?;
            if !body.is_empty() {
                drop(stream.send_data(body, true));
            }
            answer.await.ok()
        });
        Begun { of: self.of, answer }
    }

    /// The stream of a file.
    #[track_caller]
    pub(crate) fn follow(&mut self, url: &str) -> Open<'a> {
        let open = self.request("GET", url, &[("accept", "text/event-stream")], "");
        assert_eq!(open.status, 200, "{url}");
        open
    }
}

impl Open<'_> {
    /// The next part of the body; `None` at its end.
    #[track_caller]
    fn next(&mut self) -> Option<Bytes> {
        let body = &mut self.body;
        let next = async { timeout(DEADLINE, body.data()).await };
        let part = self.of.runtime.block_on(next).expect("a part in time")?.ok()?;
        drop(self.body.flow_control().release_capacity(part.len()));
        Some(part)
    }

    /// Reads until this has come.
    #[track_caller]
    pub(crate) fn expect(&mut self, words: &str) {
        let start = Instant::now();
        while !self.text.contains(words) {
            // Comments go on coming.
            assert!(start.elapsed() < DEADLINE, "no {words:?} has come, but {}", self.text);
            let part = self.next().unwrap_or_else(|| panic!("it ends without {words:?}: {}", self.text));
            self.text.push_str(&String::from_utf8_lossy(&part));
        }
        let end = self.text.find(words).expect("it was found") + words.len();
        self.text.drain(..end);
    }

    /// Reads to the end.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Answer {
        let mut bytes = Vec::new();
        while let Some(part) = self.next() {
            bytes.extend_from_slice(&part);
        }
        Answer { status: self.status, headers: self.headers, bytes }
    }
}
