//! What is said of certificates, and of who trusts them.

use std::iter;

use crate::console::printable::causes;
use crate::notice::Notice;

/// The lines of a notice of certificates.
pub(super) fn lines(notice: &Notice<'_>) -> Vec<String> {
    let hint = |hint: &str| format!("hint: {hint}");
    match notice {
        Notice::NotTrusted => vec![
            "savecast: browsers warn of the certificate, because they do not know its authority".to_owned(),
            hint("run savecast trust once; savecast trust --remove undoes it"),
        ],
        Notice::Doubted { is_ours, url } => vec![
            "savecast: a browser or program has refused the certificate, because it does not know its authority"
                .to_owned(),
            match url {
                Some(url) => hint(&format!(
                    "run savecast trust and start the browser again; on a phone or another machine, open {url}"
                )),
                None if *is_ours => hint("run savecast trust, and start the browser again"),
                None => hint("it has to know the authority that has signed your certificate, and those in between"),
            },
        ],
        Notice::NotCertified { names } => vec![
            format!(
                "savecast: the certificate is not for {}, because its authority is for this machine and private networks",
                names.join(", ")
            ),
            hint("use a name that ends in .localhost, .test or .internal; or bring a certificate: --https CERT KEY"),
        ],
        Notice::Certificate { file } => vec![format!("savecast: using {} from now on", file.display())],
        Notice::CertificateKept { error, hint: what } => {
            let first = format!("savecast: {}; the previous certificate stays in use", causes(*error));
            iter::once(first).chain(what.map(hint)).collect()
        }
        Notice::Running { command } => vec![format!("savecast: {command}")],
        Notice::Trust { store, is_added, is_changed } => {
            let words = match (is_added, is_changed) {
                (true, true) => "trusted from now on by",
                (true, false) => "already trusted by",
                (false, true) => "no longer trusted by",
                (false, false) => "was not trusted by",
            };
            vec![format!("savecast: {words} {store}")]
        }
        Notice::StartAgain => vec!["savecast: restart the browsers that are open".to_owned()],
        Notice::TrustFailed { store, error, hint: what } => {
            let first = format!("savecast: nothing has changed for {store}: {}", causes(*error));
            iter::once(first).chain(what.map(hint)).collect()
        }
        Notice::Mkcert { file } => vec![
            format!("savecast: certificates are signed by the authority of mkcert, {}", file.display()),
            hint("mkcert -install makes browsers trust it; mkcert -uninstall undoes that"),
        ],
        _ => Vec::new(),
    }
}
