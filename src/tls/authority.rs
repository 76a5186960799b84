//! The authority that signs the certificates of this machine: the person's own, made once, or that of mkcert.

use std::env;
use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::DnType;
use rcgen::IsCa;
use rcgen::Issuer;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;
use rcgen::NameConstraints;
use rcgen::PublicKeyData;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use time::Duration;
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;

use crate::tls::error::TlsError;
use crate::tls::names;
use crate::tls::names::Name;
use crate::tls::private;

/// How long a new authority is good. mkcert's are so for as long.
const YEARS: i64 = 10;

/// One that ends sooner can't sign certificates that are good for 90 days.
const LEAST: Duration = Duration::days(100);

/// Where our files are, in the place for data of the person.
const DIRECTORY: &str = "savecast";

const CERTIFICATE: &str = "authority.pem";
const KEY: &str = "authority-key.pem";

/// Signs certificates.
pub struct Authority {
    /// Where the files are that only the person can read.
    directory: PathBuf,
    file: PathBuf,
    pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    is_mkcert: bool,
}

/// Not its key.
impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Authority {
    /// That of the person: of mkcert if there is one, else our own, which is made with the first call.
    ///
    /// # Errors
    ///
    /// If it can't be read or made.
    pub fn of_person() -> Result<Self, TlsError> {
        let directory = directory().ok_or(TlsError::NoPlace)?;
        private::make_directory(&directory).map_err(|error| TlsError::Place(directory.clone(), error))?;
        match mkcert(&directory) {
            Some(authority) => Ok(authority),
            None => own(directory),
        }
    }

    /// The directory for files of its own.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its certificate, which may be given to anybody.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What is in it.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Whether it was made by mkcert, which has its own command to have it trusted.
    #[must_use]
    pub fn is_mkcert(&self) -> bool {
        self.is_mkcert
    }

    /// What it is called, by which stores know it.
    pub(super) fn name(&self) -> String {
        name(&self.der).unwrap_or_else(|| "savecast".to_owned())
    }

    /// A few letters that no other authority has.
    pub(super) fn id(&self) -> String {
        id(self.issuer.key())
    }

    pub(super) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    pub(super) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }

    /// Whether it may sign this name.
    pub(super) fn may_sign(&self, name: &Name) -> bool {
        parsed(&self.der).is_some_and(|authority| names::may_sign(&authority, name))
    }

    /// Puts a certificate and its key together, as they stand in two files.
    fn new(directory: PathBuf, file: PathBuf, pem: String, key: &str, is_mkcert: bool) -> Result<Self, TlsError> {
        let wrong = |why| TlsError::Authority(file.clone(), why);
        let key = KeyPair::from_pem(key).map_err(|_| wrong("its key can't be read"))?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| wrong("there is no certificate in it"))?;
        let certificate = parsed(&der).ok_or_else(|| wrong("there is no certificate in it"))?;
        if certificate.public_key().raw != key.subject_public_key_info() {
            return Err(wrong("its certificate is for another key"));
        }
        let (validity, now) = (certificate.validity(), OffsetDateTime::now_utc());
        if !certificate.is_ca() || validity.not_after.to_datetime() < now + LEAST {
            return Err(wrong("its time is over"));
        }
        if validity.not_before.to_datetime() > now {
            return Err(wrong("its time has not begun; is the clock of this machine right?"));
        }
        let issuer = Issuer::from_ca_cert_der(&der, key).map_err(TlsError::Making)?;
        Ok(Self { directory, file, pem, der, issuer, is_mkcert })
    }
}

/// Where our files are.
pub(super) fn directory() -> Option<PathBuf> {
    private::data_home().map(|home| home.join(DIRECTORY))
}

/// What stands in a certificate.
pub(super) fn parsed<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    x509_parser::parse_x509_certificate(der).ok().map(|(_, certificate)| certificate)
}

/// What a certificate is called.
pub(super) fn name(der: &CertificateDer<'_>) -> Option<String> {
    let certificate = parsed(der)?;
    let name = certificate.subject().iter_common_name().next()?;
    name.as_str().ok().map(str::to_owned)
}

/// That of mkcert, if it is there, with its key, and good: people take the key away from where it isn't needed.
fn mkcert(directory: &Path) -> Option<Authority> {
    let root = match env::var_os("CAROOT") {
        Some(root) if !root.is_empty() => PathBuf::from(root),
        _ => private::data_home()?.join("mkcert"),
    };
    let file = root.join("rootCA.pem");
    let pem = private::read_text(&file).ok()?;
    let key = private::read_text(&root.join("rootCA-key.pem")).ok()?;
    Authority::new(directory.to_path_buf(), file, pem, &key, true).ok()
}

/// Our own. First its key is made and then its certificate, so that two who make it at the same time end with the same.
fn own(directory: PathBuf) -> Result<Authority, TlsError> {
    let wrong = |error| TlsError::Place(directory.clone(), error);
    let made = |made: Result<String, rcgen::Error>| made.map_err(io::Error::other);
    let key = private::read_or_make(&directory.join(KEY), || made(KeyPair::generate().map(|key| key.serialize_pem())));
    let key = key.map_err(wrong)?;
    let file = directory.join(CERTIFICATE);
    let pem = private::read_or_make(&file, || made(certificate(&key))).map_err(wrong)?;
    Authority::new(directory, file, pem, &key, false)
}

/// A certificate for this key, which says who and where it is.
fn certificate(key: &str) -> Result<String, rcgen::Error> {
    let key = KeyPair::from_pem(key)?;
    let mut params = CertificateParams::default();
    let host = names::host_name().unwrap_or_else(|| "this machine".into());
    // Stores know certificates by their names, so no two are to have the same.
    let id = id(&key);
    params.distinguished_name.push(DnType::OrganizationName, "savecast");
    params.distinguished_name.push(DnType::CommonName, format!("{} at {host} ({id})", of_person()));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: names::permitted(), excluded_subtrees: Vec::new() });
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(1);
    params.not_after = now + Duration::days(YEARS * 365);
    Ok(params.self_signed(&key)?.pem())
}

/// What the names of all authorities of this person begin with. Some letters mean something to the programs that look for them.
pub(super) fn of_person() -> String {
    let mut who = env::var("USER").or_else(|_| env::var("USERNAME")).unwrap_or_else(|_| "somebody".into());
    who.retain(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
    format!("savecast of {who}")
}

fn id(key: &KeyPair) -> String {
    let identifier = CertificateParams::default().key_identifier(key);
    format!("{:08x}", identifier.iter().take(4).fold(0u32, |id, byte| id << 8 | u32::from(*byte)))
}
