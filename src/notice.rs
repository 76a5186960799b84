//! What people may be told: a closed list, as data.

use std::error::Error;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::content::Problem;
use crate::hub::Report;
use crate::site::RelayUrl;
use crate::site::ServerUrl;
use crate::site::SitePath;
use crate::site::resolve::RuleRemark;
use crate::site::rules::line::Remark;
use crate::watch::Polled;

/// What the person who runs the server is told.
///
/// Written out, it is a sentence for the terminal, with a hint in a line of its own if there is one:
///
/// ```
/// # fn main() -> Result<(), savecast::LiveError> {
/// # let directory = std::env::temp_dir();
/// let live = savecast::Live::builder(directory).on_notice(|notice| eprintln!("{notice}")).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are what the sentence of their notice speaks of")]
pub enum Notice<'a> {
    /// The server answers from now on. `name` is that of the directory, `url` that of its root.
    /// In the network, it is reached at the others, and phones get the `certificate` there.
    Ready { name: &'a str, url: &'a str, network: &'a [String], certificate: Option<&'a str> },
    /// Nobody was told yet to believe the certificate that was made.
    NotTrusted,
    /// A browser or program does not believe the certificate. Others get that of our authority at `url`.
    Doubted { is_ours: bool, url: Option<&'a str> },
    /// The certificate that is made can't be for these names.
    NotCertified { names: &'a [String] },
    /// Another certificate is used from now on, because its file was saved.
    Certificate { file: &'a Path },
    /// What was saved can't be used, so the certificate before stays in use.
    CertificateKept { error: &'a dyn Error, hint: Option<&'a str> },
    /// Such a command of the system is run.
    Running { command: &'a str },
    /// These trust our certificates from now on, or no longer. `is_changed` is false if it was so before.
    Trust { store: &'a str, is_added: bool, is_changed: bool },
    /// These could not be changed.
    TrustFailed { store: &'a str, error: &'a dyn Error, hint: Option<&'a str> },
    /// Browsers that are open do not know of it yet.
    StartAgain,
    /// The certificates are signed by the authority of mkcert.
    Mkcert { file: &'a Path },
    /// The usual port was taken, so this one is used.
    PortTaken { taken: u16 },
    /// A file of the user's is broken.
    Broken { path: &'a SitePath, problem: &'a Problem },
    /// A line of `_redirects` or `_headers` makes no sense, or hosts do not agree on it.
    Rule { path: &'a SitePath, remark: &'a Remark },
    /// A rule is not followed here where a host would do so, or the other way round. `place` is what was answered.
    RuleUse { line: usize, remark: RuleRemark, place: Option<&'a SitePath> },
    /// A page is served without the client.
    NotLive { path: &'a SitePath, reason: &'a str, hint: &'a str },
    /// The Content Security Policy of a page forbids the client.
    Forbidden { path: &'a SitePath, directive: &'a str },
    /// Pages of this origin load, and are refused their events, because the server is reached under this other host.
    Refused { origin: &'a str, host: &'a str },
    /// Requests name this host, under which the server is not known.
    ForeignHost { name: &'a str },
    /// A server behind the proxy does not answer. `why` says what it does instead.
    Away { server: &'a ServerUrl, why: &'a str },
    /// It answers again.
    Back { server: &'a ServerUrl, elapsed: Duration },
    /// Redis does not do what it is asked to, for this reason, so other instances are not heard.
    RelayAway { server: &'a RelayUrl, why: &'a str },
    /// It answers, and refuses to write.
    RelayRefuses { server: &'a RelayUrl, why: &'a str },
    /// It does so again.
    RelayBack { server: &'a RelayUrl, elapsed: Duration },
    /// Streams are ended within this time, and then the server stops.
    Draining { time: Duration },
    /// No origin tells an edge what stands in the site.
    OriginAway,
    /// One does so again.
    OriginBack,
    /// A server behind the proxy writes this file when it is asked, so the saves of that file count for nothing.
    Echo { server: &'a ServerUrl, file: &'a Path },
    /// A directory is polled, although nobody asked for it.
    Polled(&'a Polled),
    /// A snapshot has reached everybody.
    Sent { report: &'a Report },
    /// A page has been reloaded or changed, because of this file and so many others.
    Effect { effect: &'a str, path: &'a SitePath, more: usize },
    /// A page asks for what is not there.
    Missing { path: &'a SitePath, page: &'a str },
    /// A page says this, after so many messages of pages that were left out because there were too many.
    Page { message: &'a PageMessage<'a>, left_out: usize },
    /// A request was answered.
    Request { method: &'a str, url: &'a str, status: u16, bytes: u64, elapsed: Duration },
    /// The browser was not opened.
    NotOpened { url: &'a str, error: &'a io::Error },
    /// The program ends with an error.
    Failed { error: &'a dyn Error, hint: Option<&'a str> },
}

/// What has gone wrong in a page, or what it has written into its console.
#[derive(Clone, Copy, Debug)]
pub struct PageMessage<'a> {
    /// `uncaught`, `rejected`, `failed` (to load), `forbidden` (by a policy), or the function of `console`.
    pub kind: &'a str,
    /// The path of its URL.
    pub page: &'a str,
    /// What it says.
    pub message: &'a str,
    /// Which file says so, or which can't be loaded: a path of the site, or another URL; empty if that is not known.
    pub url: &'a str,
    /// Line and column there, from 1.
    pub place: Option<(u32, u32)>,
    /// How often.
    pub count: u32,
}
