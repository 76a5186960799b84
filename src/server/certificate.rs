//! The certificate of the server: one that is made for this machine, or one that the person brings.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use rustls::ServerConfig;

use crate::config::Config;
use crate::config::Https;
use crate::notice::Notice;
use crate::server::network;
use crate::server::requests::Say;
use crate::tls;
use crate::tls::authority::Authority;
use crate::tls::error::TlsError;
use crate::tls::files::FileCertificate;
use crate::tls::made::MadeCertificate;
use crate::tls::trust;
use crate::watch;

/// What TLS is spoken with.
pub(super) struct Certificate {
    pub(super) config: Arc<ServerConfig>,
    /// The certificate of the authority, in PEM, if we have made it ourselves.
    pub(super) authority: Option<String>,
    /// Whether browsers were told to believe it, as far as we know.
    pub(super) is_trusted: bool,
}

/// The certificate that the config asks for, if it does.
pub(super) fn begin(config: &Config, say: &Say) -> Result<Option<Certificate>, TlsError> {
    match &config.https {
        None => Ok(None),
        Some(Https::Made) => made(config, say).map(Some),
        Some(Https::Files { certificate, key }) => {
            let certificate = Arc::new(FileCertificate::new(certificate.clone(), key.clone())?);
            follow(&certificate, say.clone());
            Ok(Some(Certificate { config: Arc::new(tls::config(certificate)?), authority: None, is_trusted: true }))
        }
    }
}

fn made(config: &Config, say: &Say) -> Result<Certificate, TlsError> {
    let authority = Authority::of_person()?;
    let (pem, is_trusted) = (authority.pem().to_owned(), trust::is_trusted(&authority));
    // Those in the network, too: a phone could not open them.
    let addresses = network::addresses(config.address).into_iter().chain([config.address]);
    let addresses = addresses.filter(|address| !address.is_unspecified()).map(|address| address.to_string());
    let given = config.allowed_hosts.iter().cloned().chain(addresses).collect::<Vec<_>>();
    let (certificate, refused) = MadeCertificate::new(authority, &given)?;
    if !refused.is_empty() {
        let names = refused.iter().map(ToString::to_string).collect::<Vec<_>>();
        say(&Notice::NotCertified { names: &names });
    }
    Ok(Certificate { config: Arc::new(tls::config(Arc::new(certificate))?), authority: Some(pem), is_trusted })
}

/// Has the files used again that have been saved.
fn follow(certificate: &Arc<FileCertificate>, say: Say) {
    let (files, followed, told) = (certificate.files(), certificate.clone(), Mutex::new(String::new()));
    let tell = say.clone();
    let settled = move || {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        match followed.load() {
            Ok(is_other) => {
                if is_other || !told.is_empty() {
                    tell(&Notice::Certificate { file: followed.files()[0] });
                }
                told.clear();
            }
            // It was said.
            Err(error) if error.to_string() == *told => {}
            Err(error) => {
                tell(&Notice::CertificateKept { error: &error, hint: error.hint().as_deref() });
                *told = error.to_string();
            }
        }
    };
    if let Err(error) = watch::files::follow(&files, settled) {
        say(&Notice::CertificateKept { error: &error, hint: Some("start savecast again when they have changed") });
    }
}
