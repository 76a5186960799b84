//! A certificate that the person brings.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use time::OffsetDateTime;

use crate::tls;
use crate::tls::authority;
use crate::tls::error::TlsError;
use crate::tls::private;

/// A certificate and its key, each in a file in PEM. What stands there is used from [`FileCertificate::load`] to the next one.
#[derive(Debug)]
pub struct FileCertificate {
    certificate: PathBuf,
    key: PathBuf,
    current: Mutex<Arc<CertifiedKey>>,
}

impl FileCertificate {
    /// Reads both files.
    ///
    /// # Errors
    ///
    /// If no browser could be answered with them.
    pub fn new(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let current = Mutex::new(Arc::new(read(&certificate, &key)?));
        Ok(Self { certificate, key, current })
    }

    /// Both files.
    #[must_use]
    pub fn files(&self) -> [&Path; 2] {
        [&self.certificate, &self.key]
    }

    /// Reads them again; true if another certificate is used from now on. Connections that are open stay so.
    ///
    /// # Errors
    ///
    /// If no browser could be answered with them. The ones before stay in use.
    pub fn load(&self) -> Result<bool, TlsError> {
        let new = Arc::new(read(&self.certificate, &self.key)?);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = current.cert != new.cert;
        *current = new;
        Ok(is_other)
    }
}

impl ResolvesServerCert for FileCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn read(certificate_file: &Path, key_file: &Path) -> Result<CertifiedKey, TlsError> {
    let pem = pem_of(certificate_file)?;
    let none = || TlsError::NoCertificate(certificate_file.to_path_buf());
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>().map_err(|_| none())?;
    // One that makes no sense would be refused by browsers, wherever it stands.
    let certificates = chain.iter().map(authority::parsed).collect::<Option<Vec<_>>>().ok_or_else(none)?;
    let validity = certificates.first().ok_or_else(none)?.validity();
    let (start, end) = (validity.not_before.to_datetime(), validity.not_after.to_datetime());
    let pem = pem_of(key_file)?;
    if ENCRYPTED.iter().any(|mark| contains(&pem, mark)) {
        return Err(TlsError::Encrypted(key_file.to_path_buf()));
    }
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| TlsError::NoKey(key_file.to_path_buf()))?;
    let now = OffsetDateTime::now_utc();
    if end < now {
        return Err(TlsError::Expired(certificate_file.to_path_buf(), end.date().to_string()));
    }
    if start > now {
        return Err(TlsError::NotYet(certificate_file.to_path_buf(), start.date().to_string()));
    }
    let provider = tls::provider();
    let of = |one: &CertificateDer<'static>| CertifiedKey::from_der(vec![one.clone()], key.clone_key(), &provider);
    let is_other = chain.iter().skip(1).any(|one| of(one).is_ok());
    CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) if is_other => TlsError::Order(certificate_file.to_path_buf()),
        rustls::Error::InconsistentKeys(_) => {
            TlsError::Mismatch(certificate_file.to_path_buf(), key_file.to_path_buf())
        }
        rustls::Error::InvalidCertificate(_) => TlsError::Unsupported(certificate_file.to_path_buf(), "certificate"),
        _ => TlsError::Unsupported(key_file.to_path_buf(), "key"),
    })
}

/// What stands in files with keys that are behind a passphrase (RFC 7468, section 11; RFC 1421, section 4.6.1.1).
const ENCRYPTED: [&[u8]; 2] = [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED"];

/// What is in a file in PEM. Editors of Windows put a mark before it.
fn pem_of(file: &Path) -> Result<Vec<u8>, TlsError> {
    let mut bytes = private::read(file).map_err(|error| TlsError::Unreadable(file.to_path_buf(), error))?;
    if bytes.starts_with(&[0xef, 0xbb, 0xbf]) {
        bytes.drain(..3);
    }
    if bytes.contains(&0) {
        return Err(TlsError::NotPem(file.to_path_buf()));
    }
    Ok(bytes)
}

fn contains(bytes: &[u8], mark: &[u8]) -> bool {
    bytes.windows(mark.len()).any(|part| part == mark)
}
