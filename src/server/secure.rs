//! The server for HTTPS: one port for TLS, with HTTP/2 and HTTP/1.1, and for who comes without it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_http::HttpMessage;
use actix_http::HttpService;
use actix_http::Request;
use actix_http::Response;
use actix_http::body::BoxBody;
use actix_http::body::MessageBody;
use actix_http::error::DispatchError;
use actix_service::IntoServiceFactory;
use actix_service::boxed;
use actix_service::boxed::BoxService;
use actix_web::Error;
use actix_web::dev::AppConfig;
use actix_web::dev::Server;
use actix_web::dev::Service;
use actix_web::dev::ServiceFactory;
use actix_web::dev::fn_factory;
use actix_web::dev::fn_service;
use actix_web::rt::net::TcpStream;
use actix_web::rt::time::timeout;
use rustls::AlertDescription;
use rustls::ServerConfig;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::http::guard::reached::Reached;
use crate::notice::Notice;
use crate::server::h2;
use crate::server::h2::App;
use crate::server::h2::Room;
use crate::server::requests::Say;

/// The first byte of a connection that begins with TLS: a record with a handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// How long a client may take until it has said who it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the connections share.
#[derive(Clone)]
pub(super) struct Secure {
    pub(super) tls: Arc<ServerConfig>,
    pub(super) address: SocketAddr,
    /// Whether the certificate is signed by an authority of the person's, and where others get the certificate of that.
    pub(super) is_ours: bool,
    pub(super) authority: Option<String>,
    pub(super) say: Say,
    /// Becomes true when connections are to end.
    pub(super) stopping: watch::Receiver<bool>,
    /// How much is collected before it is written to a connection, in bytes.
    pub(super) write_buffer: usize,
    pub(super) workers: usize,
    /// How many connections each of the workers may have.
    pub(super) connections: usize,
}

impl Secure {
    /// Serves an app.
    pub(super) fn run<F, I, S, B>(self, listener: TcpListener, app: F) -> io::Result<Server>
    where
        F: Fn() -> I + Send + Clone + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig> + 'static,
        S::Error: Into<Error>,
        S::InitError: fmt::Debug,
        S::Response: Into<Response<B>>,
        B: MessageBody + 'static,
    {
        let (workers, connections) = (self.workers, self.connections);
        let shared = Shared { secure: self, room: Room::default(), is_doubted: Arc::default() };
        let factory = move || {
            let (app, shared) = (app.clone(), shared.clone());
            fn_factory(move || {
                let app = app().into_factory().new_service(AppConfig::default());
                let shared = shared.clone();
                async move {
                    let worker = Rc::new(Worker::new(app.await?, shared).await);
                    Ok::<_, S::InitError>(fn_service(move |io| {
                        let worker = worker.clone();
                        async move {
                            worker.serve(io).await;
                            Ok::<_, Error>(())
                        }
                    }))
                }
            })
        };
        let server = Server::build()
            .workers(workers)
            .max_concurrent_connections(connections)
            .disable_signals()
            .shutdown_timeout(1)
            .listen("savecast", listener, factory)?;
        Ok(server.run())
    }
}

/// What the workers share.
#[derive(Clone)]
struct Shared {
    secure: Secure,
    room: Room,
    /// Whether it was told that a client does not believe the certificate.
    is_doubted: Arc<AtomicBool>,
}

/// What HTTP/1.1 is spoken by.
type Http1<T> = BoxService<(T, Option<SocketAddr>), (), DispatchError>;

/// The ways into the app, in one of the threads.
struct Worker {
    shared: Shared,
    acceptor: TlsAcceptor,
    plain: Http1<TcpStream>,
    http1: Http1<TlsStream<TcpStream>>,
    http2: App,
}

impl Worker {
    async fn new<S, B>(app: S, shared: Shared) -> Self
    where
        S: Service<Request> + 'static,
        S::Error: Into<Error>,
        S::Response: Into<Response<B>>,
        B: MessageBody + 'static,
    {
        let app = Rc::new(app);
        let reached = |is_secure| reached(app.clone(), Reached { address: shared.secure.address, is_secure });
        Self {
            acceptor: TlsAcceptor::from(shared.secure.tls.clone()),
            plain: http1(reached(false), shared.secure.write_buffer).await,
            http1: http1(reached(true), shared.secure.write_buffer).await,
            http2: reached(true),
            shared,
        }
    }

    /// Answers all requests of a connection.
    async fn serve(&self, io: TcpStream) {
        let peer = io.peer_addr().ok();
        // Without it, answers come later.
        drop(io.set_nodelay(true));
        let mut first = [0];
        // What happens to a connection is known to who is at its other end.
        match timeout(PATIENCE, io.peek(&mut first)).await {
            Ok(Ok(1)) if first[0] == HANDSHAKE => {}
            Ok(Ok(1)) => return drop(self.plain.call((io, peer)).await),
            Ok(Ok(_) | Err(_)) | Err(_) => return,
        }
        let io = match timeout(PATIENCE, self.acceptor.accept(io)).await {
            Ok(Ok(io)) => io,
            Ok(Err(error)) => return self.tell(&error),
            Err(_) => return,
        };
        if io.get_ref().1.alpn_protocol() == Some(b"h2") {
            let Shared { room, secure, .. } = self.shared.clone();
            // Apart, so that no connection has room for both.
            Box::pin(h2::serve(io, self.http2.clone(), peer, room, secure.stopping)).await;
        } else {
            drop(self.http1.call((io, peer)).await);
        }
    }

    /// Says once that a client does not believe the certificate.
    fn tell(&self, error: &io::Error) {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let Some(rustls::Error::AlertReceived(alert)) = inner else { return };
        let is_doubt = matches!(
            alert,
            AlertDescription::UnknownCA | AlertDescription::BadCertificate | AlertDescription::CertificateUnknown
        );
        if is_doubt && !self.shared.is_doubted.swap(true, Ordering::Relaxed) {
            let Secure { is_ours, authority, say, .. } = &self.shared.secure;
            say(&Notice::Doubted { is_ours: *is_ours, url: authority.as_deref() });
        }
    }
}

/// An app that knows how it was reached.
fn reached<S, B>(app: Rc<S>, reached: Reached) -> App
where
    S: Service<Request> + 'static,
    S::Error: Into<Error>,
    S::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    Rc::new(move |request: Request| {
        request.extensions_mut().insert(reached);
        let answer = app.call(request);
        Box::pin(async move {
            match answer.await {
                Ok(response) => response.into().map_into_boxed_body(),
                Err(error) => Response::from(error.into()),
            }
        })
    })
}

async fn http1<T: AsyncRead + AsyncWrite + Unpin + 'static>(app: App, write_buffer: usize) -> Http1<T> {
    let service = HttpService::<T, _, BoxBody>::build()
        .h1_allow_half_closed(false)
        .h1_write_buffer_size(write_buffer)
        .h1(move |request| {
            let answer = app(request);
            async move { Ok::<_, Error>(answer.await) }
        });
    boxed::service(service.new_service(()).await.expect("nothing in it can fail"))
}
