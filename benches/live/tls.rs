//! What TLS and HTTP/2 cost, beside nginx with the same certificate and key.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use rustls::ClientConfig;
use rustls::RootCertStore;

use crate::Table;
use crate::compared;
use crate::files;
use crate::files::Folder;
use crate::files::Save;
use crate::listeners::Listeners;
use crate::ms;
use crate::percentile;
use crate::program::Kind;
use crate::program::Program;
use crate::rates;
use crate::streams::Streams;
use crate::told;
use crate::wrk;

/// How many listen, and how many have listened before, so that everything is there that a program has only once.
const LISTENERS: usize = 1000;
const BEFORE: usize = 10;

/// Tells how many requests per second of this URL are answered.
type Load = fn(&str) -> io::Result<f64>;

/// Opens so many listeners at this port, and gives what waits until each of them had the next event.
type Open = fn(u16, usize, Arc<ClientConfig>) -> Box<dyn FnMut() -> Vec<Instant>>;

/// A certificate for both sides.
struct Certificate {
    folder: Folder,
    /// Who believes it.
    client: ClientConfig,
}

impl Certificate {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = Folder::new();
        folder.write("cert.pem", &made.cert.pem());
        folder.write("key.pem", &made.signing_key.serialize_pem());
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        Self { folder, client: ClientConfig::builder().with_root_certificates(roots).with_no_client_auth() }
    }

    fn files(&self) -> [PathBuf; 2] {
        ["cert.pem", "key.pem"].map(|name| self.folder.path().join(name))
    }

    /// The client that speaks this.
    fn client(&self, protocol: &str) -> Arc<ClientConfig> {
        let mut client = self.client.clone();
        client.alpn_protocols = vec![protocol.into()];
        Arc::new(client)
    }

    fn savecast(&self, directory: &Path) -> Program {
        Program::start_https(directory, &self.files(), self.folder.path())
    }

    /// With the versions of TLS that savecast has, and with as many streams in a connection.
    fn nginx(&self, server: &str) -> Option<Program> {
        let [certificate, key] = self.files().map(|file| file.display().to_string());
        let tls = format!(
            "ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;
             http2_max_concurrent_streams 2000;"
        );
        Program::start_nginx("", "ssl http2", &format!("{tls} {server}"))
    }
}

/// Files that are merely served.
pub(crate) fn requests() -> Table {
    let mut table = Table {
        title: "Requests per second over TLS, `wrk -t1 -c64` and `h2load -t1 -c8 -m8`, of files that were not saved within \
                the last minute",
        head: vec!["protocol and file", "savecast", "nginx", "ratio"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    let folder = Folder::new();
    folder.write("small.json", &files::content(0, 2 << 10));
    folder.write("large.bin", &"x".repeat(100 << 10));
    ["small.json", "large.bin"].iter().for_each(|name| folder.age(name));
    let certificate = Certificate::new();
    let ours = certificate.savecast(folder.path());
    let nginx = certificate.nginx(&format!("root {};", folder.path().display()));
    let ports = [Some(ours.port), nginx.as_ref().map(|nginx| nginx.port)];
    let loads: [(_, Load); 2] = [("HTTP/1.1", wrk), ("HTTP/2", h2load)];
    for (protocol, load) in loads {
        for (name, what) in [("small.json", "2 KB"), ("large.bin", "100 KB")] {
            let rates = rates(|side| load(&format!("https://127.0.0.1:{}/{name}", ports[side]?)).ok());
            table.rows.push(compared(format!("{protocol}, {what}"), rates));
        }
    }
    table
}

/// Requests per second over HTTP/2, as many at a time as with `wrk`.
fn h2load(url: &str) -> io::Result<f64> {
    let output = Command::new("h2load").args(["-t1", "-c8", "-m8", "-D3", url]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rate = text.lines().find_map(|line| line.strip_prefix("finished in ")?.split(' ').nth(1));
    rate.and_then(|rate| rate.parse().ok()).ok_or_else(|| io::Error::other(text))
}

/// Those who listen.
pub(crate) fn listeners() -> Table {
    let mut table = Table {
        title: "One change of 2 KB to 1,000 listeners over TLS: times in ms, memory in KB for each listener; nginx is a proxy, \
                without what the savecast behind it holds",
        head: vec!["listeners", "program", "first", "median", "last", "memory"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    let certificate = Certificate::new();
    let protocols: [(_, _, Open); 2] = [
        ("HTTP/1.1, a connection each", "http/1.1", |port, count, client| {
            let mut listeners = Listeners::open_tls(port, "/data.json", count, &client);
            Box::new(move || listeners.wait())
        }),
        ("HTTP/2, in one connection", "h2", |port, count, client| {
            let mut streams = Streams::open(port, "/data.json", count, client);
            Box::new(move || streams.wait())
        }),
    ];
    for (name, protocol, open) in protocols {
        let folder = Folder::new();
        folder.save(Save::InPlace, 0, 2 << 10);
        let ours = certificate.savecast(folder.path());
        let client = certificate.client(protocol);
        table.rows.push(row(&[name, "savecast"], &ours, &folder, |count| open(ours.port, count, client.clone())));
        drop(ours);
        let behind = Program::start(Kind::Savecast, folder.path());
        let proxy = format!(
            "location / {{ proxy_pass http://127.0.0.1:{}; proxy_http_version 1.1; proxy_buffering off; }}",
            behind.port
        );
        if let Some(nginx) = certificate.nginx(&proxy) {
            table.rows.push(row(&[name, "nginx"], &nginx, &folder, |count| open(nginx.port, count, client.clone())));
        }
    }
    table
}

/// The row of one program.
pub(crate) fn row(
    names: &[&str],
    program: &Program,
    folder: &Folder,
    open: impl Fn(usize) -> Box<dyn FnMut() -> Vec<Instant>>,
) -> Vec<String> {
    open(BEFORE)();
    let empty = program.memory();
    let mut wait = open(LISTENERS);
    wait();
    let memory = program.memory().saturating_sub(empty) as f64 / LISTENERS as f64;
    let mut row = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    row.extend(told(folder, wait));
    row.push(format!("{memory:.1}"));
    row
}

/// From the start of the program to the line that says that it is ready.
pub(crate) fn starts() -> Table {
    let mut table = Table {
        title: "Start, in ms",
        head: vec!["options", "median", "slowest of 20"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    let (folder, certificate) = (Folder::new(), Certificate::new());
    let none: [&Path; 0] = [];
    let made = Folder::new();
    // Makes the certificate.
    drop(Program::start_https(folder.path(), &none, made.path()));
    let options: [(_, &dyn Fn() -> Program); 4] = [
        ("none", &|| Program::start(Kind::Savecast, folder.path())),
        ("`--https CERT KEY`", &|| certificate.savecast(folder.path())),
        ("`--https`, with a certificate that was made before", &|| {
            Program::start_https(folder.path(), &none, made.path())
        }),
        ("`--https`, which makes one", &|| Program::start_https(folder.path(), &none, Folder::new().path())),
    ];
    let mut times = options.map(|_| Vec::new());
    for _ in 0..20 {
        // In turns, so that what happens to the machine happens to all.
        for ((_, start), times) in options.iter().zip(&mut times) {
            times.push(start().start);
        }
    }
    for ((name, _), mut times) in options.into_iter().zip(times) {
        let cells = [50, 100].map(|percent| format!("{:.1}", ms(percentile(&mut times, percent))));
        table.rows.push([name.to_owned()].into_iter().chain(cells).collect());
    }
    table
}
