//! The programs that are measured, and what the kernel knows of them.

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

use crate::floor;

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
    /// What it needs as long as it runs.
    _files: Option<tempfile::TempDir>,
}

impl Program {
    pub(crate) fn start(kind: Kind, directory: &Path) -> Self {
        let mut command = match kind {
            Kind::Savecast => Command::new(env!("CARGO_BIN_EXE_savecast")),
            Kind::Floor => Command::new(std::env::current_exe().unwrap()),
        };
        match kind {
            Kind::Savecast => command.arg(directory).args(["--port", "0"]),
            Kind::Floor => command.arg(floor::FLAG).arg(directory).arg("data.json"),
        };
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.find_map(|line| line.ok().filter(|line| line.contains("http://"))).unwrap();
        let port = line.rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap();
        Self { child, port, _files: None }
    }

    /// With as many workers as there are processors, like ours; `None` where it isn't installed.
    pub(crate) fn start_nginx(directory: &Path) -> Option<Self> {
        let files = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (root, own) = (directory.display(), files.path().display());
        let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
        let config = format!(
            "{user} worker_processes auto; daemon off; pid {own}/pid; error_log stderr crit; events {{}}
             http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000000; types {{ text/html html; }}
                    server {{ listen 127.0.0.1:{port}; root {root}; }} }}"
        );
        let name = files.path().join("nginx.conf");
        fs::write(&name, config).unwrap();
        let child = Command::new("nginx").arg("-p").arg(files.path()).arg("-c").arg(name).spawn().ok()?;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        Some(Self { child, port, _files: Some(files) })
    }

    fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.child.id()))
    }

    /// The memory that it holds, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(self.file("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
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

impl Drop for Program {
    fn drop(&mut self) {
        // nginx takes its workers with it only if it is asked to end.
        drop(Command::new("kill").arg(self.child.id().to_string()).status());
        drop(self.child.wait());
    }
}
