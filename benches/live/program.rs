//! The programs that are measured, and what the kernel knows of them.

use std::ffi::OsStr;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use crate::floor;
use crate::peer;

/// Which program.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Savecast,
    Floor,
}

impl Kind {
    pub(crate) const BOTH: [Self; 2] = [Self::Savecast, Self::Floor];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Savecast => "savecast",
            Self::Floor => "bare",
        }
    }
}

/// A program that is running. Killed when dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) port: u16,
    /// How long it took until it was ready.
    pub(crate) start: Duration,
    /// What it needs as long as it runs.
    _files: Option<tempfile::TempDir>,
}

impl Program {
    pub(crate) fn start(kind: Kind, directory: &Path) -> Self {
        match kind {
            Kind::Savecast => Self::spawn(savecast(directory)),
            Kind::Floor => {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.arg(floor::FLAG).arg(directory).arg("data.json");
                Self::spawn(command)
            }
        }
    }

    /// `actix-files`, with as many workers as ours.
    pub(crate) fn start_actix_files(directory: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(peer::FLAG).arg(directory);
        Self::spawn(command)
    }

    /// With as many workers as there are processors, and without what it would do besides; `None` where it isn't installed.
    pub(crate) fn start_static_web_server(directory: &Path) -> Option<Self> {
        let port = free_port();
        let mut command = Command::new("static-web-server");
        command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--log-level", "error"]);
        command.args(["--cache-control-headers", "false", "--root"]).arg(directory);
        Self::wait_for(command, port, None)
    }

    /// Ours over HTTPS, with the certificate and the key in `files`, or with one that is made and kept in `data`.
    pub(crate) fn start_https(directory: &Path, files: &[impl AsRef<OsStr>], data: &Path) -> Self {
        let mut command = savecast(directory);
        // That nobody believes a certificate of ours needs not be said each time.
        command.arg("--https").args(files).env("XDG_DATA_HOME", data).stderr(Stdio::null());
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let start = Instant::now();
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.find_map(|line| line.ok().filter(|line| line.contains("://"))).unwrap();
        let start = start.elapsed();
        let port = line.rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap();
        Self { child, port, start, _files: None }
    }

    /// Ours in front of another server.
    pub(crate) fn start_proxy(directory: &Path, server: &str) -> Self {
        let mut command = savecast(directory);
        command.args(["--proxy", server]);
        Self::spawn(command)
    }

    /// Redis, without a disk; `None` where it isn't installed.
    pub(crate) fn start_redis() -> Option<Self> {
        let files = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string(), "--dir"]).arg(files.path());
        Self::wait_for(command, port, Some(files))
    }

    /// Ours with a directory that edges serve, too.
    pub(crate) fn start_origin(directory: &Path, relay: &str) -> Self {
        let mut command = savecast(directory);
        command.args(["--relay", relay]);
        Self::spawn(command)
    }

    /// Ours without a directory.
    pub(crate) fn start_edge(relay: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_savecast"));
        command.args(["--port", "0", "--edge", "--relay", relay]).stderr(Stdio::null());
        Self::spawn(command)
    }

    /// With as many workers as there are processors, like ours, with this beside its server, behind its port, and in its server;
    /// `None` where it isn't installed.
    pub(crate) fn start_nginx(http: &str, listen: &str, server: &str) -> Option<Self> {
        let files = tempfile::tempdir().unwrap();
        let port = free_port();
        let own = files.path().display();
        let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
        let config = format!(
            "{user} worker_processes auto; daemon off; pid {own}/pid; error_log stderr crit;
             worker_rlimit_nofile 20000; events {{ worker_connections 19000; }}
             http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000000; types {{ text/html html; }}
                    {http}
                    server {{ listen 127.0.0.1:{port} {listen}; {server} }} }}"
        );
        let name = files.path().join("nginx.conf");
        fs::write(&name, config).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(files.path()).arg("-c").arg(name);
        Self::wait_for(command, port, Some(files))
    }

    /// One that doesn't say when it is there; `None` where it isn't installed.
    fn wait_for(mut command: Command, port: u16, files: Option<tempfile::TempDir>) -> Option<Self> {
        let start = Instant::now();
        let mut child = command.stdout(Stdio::null()).spawn().ok()?;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "{command:?} has ended");
            std::thread::yield_now();
        }
        Some(Self { child, port, start: start.elapsed(), _files: files })
    }

    fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.child.id()))
    }

    /// The memory that it and its workers hold, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let id = self.child.id().to_string();
        let workers = fs::read_to_string(self.file(&format!("task/{id}/children"))).unwrap_or_default();
        let held = |id: &str| {
            let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
        };
        std::iter::once(&*id).chain(workers.split_whitespace()).map(held).sum()
    }

    /// The time that processors have spent on it, to 10 ms.
    pub(crate) fn processor(&self) -> Duration {
        let stat = fs::read_to_string(self.file("stat")).unwrap();
        // proc_pid_stat(5): fields 14 and 15, counted in hundredths of a second; the second may contain anything.
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().collect::<Vec<_>>();
        let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// How often its threads have waited for something.
    pub(crate) fn switches(&self) -> u64 {
        let threads = fs::read_dir(self.file("task")).unwrap().flatten();
        let status = threads.map(|thread| fs::read_to_string(thread.path().join("status")).unwrap_or_default());
        let count = |status: String| {
            let line =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse().ok());
            line.unwrap_or(0)
        };
        status.map(count).sum::<u64>()
    }

    /// The number of its inotify watches.
    pub(crate) fn watches(&self) -> usize {
        let files = fs::read_dir(self.file("fdinfo")).unwrap().flatten();
        files
            .filter_map(|file| fs::read_to_string(file.path()).ok())
            .map(|text| text.matches("inotify wd:").count())
            .sum()
    }
}

fn savecast(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_savecast"));
    command.arg(directory).args(["--port", "0"]);
    command
}

impl Drop for Program {
    fn drop(&mut self) {
        // nginx takes its workers with it only if it is asked to end.
        drop(Command::new("kill").arg(self.child.id().to_string()).status());
        drop(self.child.wait());
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
