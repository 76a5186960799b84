//! Why there is no certificate.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why there is no certificate.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// Nobody says where the data of the person is kept.
    NoPlace,
    /// A file or directory of ours can't be read or written.
    Place(PathBuf, io::Error),
    /// What is in the file of the authority is none, for this reason.
    Authority(PathBuf, &'static str),
    /// A file that was named can't be read.
    Unreadable(PathBuf, io::Error),
    /// It is in another format.
    NotPem(PathBuf),
    /// The certificate for the key is not the first one in the file.
    Order(PathBuf),
    /// It is of a kind that the library does not know: a certificate or a key.
    Unsupported(PathBuf, &'static str),
    /// There is no certificate in it.
    NoCertificate(PathBuf),
    /// There is no key in it.
    NoKey(PathBuf),
    /// The key is behind a passphrase.
    Encrypted(PathBuf),
    /// The certificate and the key do not belong together.
    Mismatch(PathBuf, PathBuf),
    /// The certificate was good until this day.
    Expired(PathBuf, String),
    /// The certificate is good from this day on.
    NotYet(PathBuf, String),
    /// The library refuses.
    Library(rustls::Error),
    /// No certificate can be made.
    Making(rcgen::Error),
}

impl TlsError {
    /// What the person can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoPlace => "set XDG_DATA_HOME or HOME, or bring a certificate: --https CERT KEY".into(),
            Self::Place(..) => {
                "make it writable, set XDG_DATA_HOME to another directory, or bring a certificate: --https CERT KEY"
                    .into()
            }
            Self::Authority(file, _) => {
                let directory = file.parent().unwrap_or(file).display();
                format!(
                    "run savecast trust --remove, and then remove {directory}: a new one is made, to be trusted anew"
                )
            }
            Self::NoCertificate(_) | Self::NoKey(_) => {
                "two files in PEM are needed, first the certificate: --https cert.pem key.pem".into()
            }
            Self::NotPem(file) => format!(
                "turn it into PEM: openssl x509 -in {0} -out cert.pem, openssl pkey -in {0} -out key.pem, or for PKCS 12 \
                 openssl pkcs12 -in {0} -nodes -out both.pem",
                file.display()
            ),
            Self::Order(_) => "put the certificate of this server first, then the one that has signed it".into(),
            Self::Unsupported(_, "certificate") => "have one made of version 3, as all authorities do".into(),
            Self::Unsupported(..) => {
                "make one that browsers know: RSA of 2048 bits or more, P-256, P-384 or Ed25519".into()
            }
            Self::Encrypted(file) => {
                format!("write it without one: openssl pkey -in {} -out key.pem", file.display())
            }
            Self::Mismatch(..) => "name the key with which the certificate was made".into(),
            Self::Expired(..) => "have it renewed; or let savecast make one: --https without files".into(),
            Self::NotYet(..) => "is the clock of this machine right?".into(),
            Self::Unreadable(..) | Self::Library(_) | Self::Making(_) => return None,
        })
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPlace => f.write_str("cannot make a certificate: there is no directory for the data of a person"),
            Self::Place(path, _) => write!(f, "cannot keep the authority for certificates in {}", path.display()),
            Self::Authority(file, why) => {
                write!(f, "cannot use the authority for certificates in {}: {why}", file.display())
            }
            Self::Unreadable(file, _) => write!(f, "cannot read {}", file.display()),
            Self::NotPem(file) => write!(f, "cannot use {}: it is not in PEM", file.display()),
            Self::Order(file) => {
                write!(f, "cannot use {}: its first certificate is not the one for the key", file.display())
            }
            Self::Unsupported(file, what) => {
                write!(f, "cannot use {}: the {what} is of a kind that is not supported", file.display())
            }
            Self::NoCertificate(file) => write!(f, "cannot use {}: there is no certificate in it", file.display()),
            Self::NoKey(file) => write!(f, "cannot use {}: there is no private key in it", file.display()),
            Self::Encrypted(file) => write!(f, "cannot use {}: it is protected by a passphrase", file.display()),
            Self::Mismatch(certificate, key) => write!(
                f,
                "cannot use {} with {}: the certificate is for another key",
                certificate.display(),
                key.display()
            ),
            Self::Expired(file, day) => write!(f, "cannot use {}: the certificate expired on {day}", file.display()),
            Self::NotYet(file, day) => {
                write!(f, "cannot use {}: the certificate is good from {day} on", file.display())
            }
            Self::Library(_) => f.write_str("cannot speak TLS"),
            Self::Making(_) => f.write_str("cannot make a certificate"),
        }
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Place(_, error) | Self::Unreadable(_, error) => Some(error),
            Self::Library(error) => Some(error),
            Self::Making(error) => Some(error),
            Self::NoPlace
            | Self::Authority(..)
            | Self::NotPem(_)
            | Self::Order(_)
            | Self::Unsupported(..)
            | Self::NoCertificate(_)
            | Self::NoKey(_)
            | Self::Encrypted(_)
            | Self::Mismatch(..)
            | Self::Expired(..)
            | Self::NotYet(..) => None,
        }
    }
}
