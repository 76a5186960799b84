//! A connection to another server, however it is reached.

use std::cell::Cell;
use std::io;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use hyper::client::conn::http1;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::sync::SemaphorePermit;
use tokio::task;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::site::ServerUrl;
use crate::site::server_url::Endpoint;
use crate::source::upstream::failure::Failure;
use crate::source::upstream::outgoing::Outgoing;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// The largest head of an answer, and how much of a body is read at once, in bytes.
const LARGEST_HEAD: usize = 64 << 10;

/// How many connections there are to all servers at once, at most: a share of the files that may be open, so that as much is left for the
/// connections of browsers and for looking at files.
static OPEN: LazyLock<Semaphore> = LazyLock::new(|| {
    #[cfg(unix)]
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let limit = None::<u64>;
    let files = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(UNLIMITED);
    Semaphore::new((files / 4).clamp(1, UNLIMITED))
});

/// How many connections there are at most where files have no limit.
const UNLIMITED: usize = 100_000;

/// The right to have a connection.
type Permit = SemaphorePermit<'static>;

/// What requests are sent with, one after the other.
pub(super) type Sender = SendRequest<Outgoing>;

/// Makes connections to a server.
pub(super) struct Connector {
    server: ServerUrl,
    tls: Option<TlsConnector>,
    /// Which of the addresses of this machine has answered last.
    is_ipv6: Cell<bool>,
}

impl Connector {
    pub(super) fn new(server: ServerUrl, tls: Option<TlsConnector>) -> Self {
        Self { server, tls, is_ipv6: Cell::new(false) }
    }

    /// A new connection that speaks HTTP/1.1, and TLS if there is a connector for it.
    pub(super) async fn connect(&self) -> Result<Sender, Failure> {
        // The requests of one HTTP/2 connection of a browser need a connection each here.
        let made = async {
            let permit = OPEN.acquire().await.map_err(|closed| Failure::Connect(io::Error::other(closed)))?;
            self.connect_and_greet(permit).await
        };
        let connected = timeout(CONNECT, made).await;
        connected.unwrap_or_else(|_| Err(Failure::Connect(io::ErrorKind::TimedOut.into())))
    }

    async fn connect_and_greet(&self, permit: Permit) -> Result<Sender, Failure> {
        match &self.server.endpoint {
            Endpoint::Tcp(host, port) => {
                let stream = self.reach(host, *port).await.map_err(Failure::Connect)?;
                stream.set_nodelay(true).map_err(Failure::Connect)?;
                let Some(tls) = &self.tls else { return begin(stream, permit).await };
                let name =
                    ServerName::try_from(host.clone()).map_err(|error| Failure::Connect(io::Error::other(error)))?;
                begin(tls.connect(name, stream).await.map_err(Failure::of_tls)?, permit).await
            }
            #[cfg(unix)]
            Endpoint::Unix(file) => {
                begin(tokio::net::UnixStream::connect(file).await.map_err(Failure::Connect)?, permit).await
            }
            #[cfg(not(unix))]
            Endpoint::Unix(_) => {
                Err(Failure::Connect(io::Error::other("this system has no sockets in the file system")))
            }
        }
    }

    /// A server of this machine listens on one of two addresses, or on both.
    async fn reach(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        if host != "localhost" {
            return TcpStream::connect((host, port)).await;
        }
        let address = |is_ipv6| {
            let ip = if is_ipv6 { IpAddr::V6(Ipv6Addr::LOCALHOST) } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
            SocketAddr::new(ip, port)
        };
        let is_ipv6 = self.is_ipv6.get();
        match TcpStream::connect(address(is_ipv6)).await {
            Ok(stream) => Ok(stream),
            Err(error) => match TcpStream::connect(address(!is_ipv6)).await {
                Ok(stream) => {
                    self.is_ipv6.set(!is_ipv6);
                    Ok(stream)
                }
                Err(_) => Err(error),
            },
        }
    }
}

/// Begins to speak HTTP.
async fn begin(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, permit: Permit) -> Result<Sender, Failure> {
    let mut builder = http1::Builder::new();
    // What other clients forgive, too.
    builder
        .max_buf_size(LARGEST_HEAD)
        // A head is one write.
        .writev(false)
        .max_headers(256)
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true)
        .ignore_invalid_headers_in_responses(true);
    let (sender, connection) = builder.handshake(TokioIo::new(io)).await.map_err(Failure::of)?;
    // How it ends, the requests on it hear.
    task::spawn_local(async move {
        drop(connection.with_upgrades().await);
        drop(permit);
    });
    Ok(sender)
}
