//! How a request has come.

use std::net::SocketAddr;

use actix_web::HttpMessage;
use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;

/// How a request has come. Who accepts connections says so in the extensions of each request; if not, actix knows.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// Where the server listens.
    pub address: SocketAddr,
    /// Whether TLS was spoken.
    pub is_secure: bool,
}

impl Reached {
    /// How this one has come.
    pub(super) fn of(request: &ServiceRequest) -> Self {
        Self::of_request(request.request())
    }

    /// The same of a request that has come to its handler.
    pub(crate) fn of_request(request: &HttpRequest) -> Self {
        let said = request.extensions().get::<Self>().copied();
        said.unwrap_or_else(|| {
            let config = request.app_config();
            Self { address: config.local_addr(), is_secure: config.secure() }
        })
    }
}
