//! Certificates that we make for the names of this machine.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Instant;

use rcgen::CertificateParams;
use rcgen::DnType;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;
use rcgen::SanType;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use time::Duration;
use time::OffsetDateTime;

use crate::tls;
use crate::tls::authority;
use crate::tls::authority::Authority;
use crate::tls::error::TlsError;
use crate::tls::names;
use crate::tls::names::Name;
use crate::tls::private;

/// How long a certificate is good, and how long before its end another one is made.
const GOOD: Duration = Duration::days(90);
const EARLY: Duration = Duration::days(30);

/// How often it is asked at most which names this machine has.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// The certificate and its key, which are kept for the next start.
const FILE: &str = "localhost.pem";

/// The certificate for this machine, which is made anew when it has other names, or its end comes near. It is looked at when
/// somebody connects, so nothing wakes an idle machine.
#[derive(Debug)]
pub struct MadeCertificate {
    authority: Authority,
    /// Names that the person has given.
    given: BTreeSet<Name>,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    certificate: Leaf,
    looked: Instant,
}

/// A certificate that signs nothing else.
#[derive(Debug)]
struct Leaf {
    key: Arc<CertifiedKey>,
    names: BTreeSet<Name>,
    start: OffsetDateTime,
    end: OffsetDateTime,
}

impl MadeCertificate {
    /// A certificate for all names of this machine, and for these; also tells for which of these there can be none. That of the
    /// last start is used if it is still good.
    ///
    /// # Errors
    ///
    /// If the authority can't sign.
    pub fn new(authority: Authority, given: &[String]) -> Result<(Self, BTreeSet<Name>), TlsError> {
        let (given, refused) = given.iter().map(|name| Name::new(name)).partition(|name| authority.may_sign(name));
        let wanted = wanted(&authority, &given);
        let kept = private::read_text(&file(&authority)).ok().and_then(|text| Leaf::read(&authority, &text));
        let certificate = match kept.filter(|kept| kept.is_good(&wanted)) {
            Some(kept) => kept,
            None => Leaf::make(&authority, wanted)?,
        };
        let current = Mutex::new(Current { certificate, looked: Instant::now() });
        Ok((Self { authority, given, current }, refused))
    }
}

impl ResolvesServerCert for MadeCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.looked.elapsed() >= PAUSE {
            current.looked = Instant::now();
            let wanted = wanted(&self.authority, &self.given);
            // If that fails, the one we have is the best we have.
            if !current.certificate.is_good(&wanted)
                && let Ok(new) = Leaf::make(&self.authority, wanted)
            {
                current.certificate = new;
            }
        }
        Some(current.certificate.key.clone())
    }
}

/// What a certificate has to be for. One name that the authority may not sign would spoil the others.
fn wanted(authority: &Authority, given: &BTreeSet<Name>) -> BTreeSet<Name> {
    let mut names = names::of_machine();
    names.retain(|name| authority.may_sign(name));
    names.extend(given.iter().cloned());
    names
}

fn file(authority: &Authority) -> PathBuf {
    authority.directory().join(FILE)
}

impl Leaf {
    /// Makes one, and keeps it for the next start where that is possible.
    fn make(authority: &Authority, names: BTreeSet<Name>) -> Result<Self, TlsError> {
        let key = KeyPair::generate().map_err(TlsError::Making)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::OrganizationName, "savecast");
        params.distinguished_name.push(DnType::CommonName, "localhost");
        for name in &names {
            params.subject_alt_names.push(match name {
                Name::Ip(address) => SanType::IpAddress(*address),
                Name::Dns(name) => SanType::DnsName(name.as_str().try_into().map_err(TlsError::Making)?),
            });
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let now = OffsetDateTime::now_utc();
        // Clocks are not equal.
        params.not_before = now - Duration::days(1);
        params.not_after = now + GOOD;
        let made = params.signed_by(&key, authority.issuer()).map_err(TlsError::Making)?;
        let text = [key.serialize_pem(), made.pem(), authority.pem().to_owned()].concat();
        drop(private::replace(&file(authority), &text));
        let (start, end) = (params.not_before, params.not_after);
        let chain = vec![made.der().clone(), authority.der().clone()];
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("it was just written");
        let key = CertifiedKey::from_der(chain, key, &tls::provider()).map_err(TlsError::Library)?;
        Ok(Self { key: Arc::new(key), names, start, end })
    }

    /// That of an earlier start, if this authority has signed it.
    fn read(authority: &Authority, text: &str) -> Option<Self> {
        let chain = CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>().ok()?;
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).ok()?;
        let certificate = authority::parsed(chain.first()?)?;
        let names = names::of_certificate(&certificate);
        let validity = certificate.validity();
        let (start, end) = (validity.not_before.to_datetime(), validity.not_after.to_datetime());
        if chain.get(1) != Some(authority.der()) {
            return None;
        }
        let key = CertifiedKey::from_der(chain, key, &tls::provider()).ok()?;
        Some(Self { key: Arc::new(key), names, start, end })
    }

    /// Whether it is for these names, now and for long enough.
    fn is_good(&self, wanted: &BTreeSet<Name>) -> bool {
        let now = OffsetDateTime::now_utc();
        self.names == *wanted && self.start <= now && self.end - now > EARLY
    }
}
