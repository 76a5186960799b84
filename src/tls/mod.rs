//! Certificates: why a browser believes that it talks to this server, and to nobody in between.
//!
//! An [authority] that belongs to the person signs certificates for the names of this machine. Browsers take its word once the
//! person has told them to, which is what [`trust`] does. Or the person brings a certificate.

pub mod authority;
pub mod error;
pub mod files;
pub mod made;
mod names;
mod private;
pub mod trust;

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring;
use rustls::server::ResolvesServerCert;

use crate::tls::error::TlsError;

/// What is spoken over TLS, the preferred one first (RFC 7301, section 6).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// TLS 1.2 and 1.3 with these certificates.
///
/// # Errors
///
/// If the library has no such versions, which is a bug of ours.
pub fn config(certificates: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Library)?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

fn provider() -> CryptoProvider {
    ring::default_provider()
}
