//! A certificate that the person brings.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
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

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

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
    let text = text_of(certificate_file)?;
    let chain = CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>().ok();
    let chain = chain.filter(|chain| !chain.is_empty());
    let none = || TlsError::NoCertificate(certificate_file.to_path_buf());
    let chain = chain.ok_or_else(none)?;
    let certificate = authority::parsed(&chain[0]).ok_or_else(none)?;
    let (start, end) =
        (certificate.validity().not_before.to_datetime(), certificate.validity().not_after.to_datetime());
    let text = text_of(key_file)?;
    if text.contains("ENCRYPTED") {
        return Err(TlsError::Encrypted(key_file.to_path_buf()));
    }
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| TlsError::NoKey(key_file.to_path_buf()))?;
    let now = OffsetDateTime::now_utc();
    if end < now {
        return Err(TlsError::Expired(certificate_file.to_path_buf(), end.date().to_string()));
    }
    if start > now {
        return Err(TlsError::NotYet(certificate_file.to_path_buf(), start.date().to_string()));
    }
    CertifiedKey::from_der(chain, key, &tls::provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            TlsError::Mismatch(certificate_file.to_path_buf(), key_file.to_path_buf())
        }
        error => TlsError::Library(error),
    })
}

fn text_of(file: &Path) -> Result<String, TlsError> {
    let failed = |error| TlsError::Unreadable(file.to_path_buf(), error);
    // A FIFO would be waited for.
    if !fs::metadata(file).map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("it is no file")));
    }
    let mut text = String::new();
    File::open(file).and_then(|file| file.take(LARGEST).read_to_string(&mut text)).map_err(failed)?;
    Ok(text)
}
