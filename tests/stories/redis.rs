//! A real Redis server for instances that belong together.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Instant;

use crate::support::DEADLINE;
use crate::support::Server;
use crate::support::Site;

/// A Redis server of its own, on a socket in a folder, so that it needs no port.
pub(crate) struct Redis {
    folder: tempfile::TempDir,
    keeps: bool,
    process: Child,
}

impl Redis {
    /// `keeps` says whether it has its data after a restart.
    pub(crate) fn start(keeps: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let process = Self::run(folder.path(), keeps);
        let redis = Self { folder, keeps, process };
        redis.wait();
        redis
    }

    fn run(folder: &Path, keeps: bool) -> Child {
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--dir"]).arg(folder);
        command.arg("--unixsocket").arg(folder.join("redis.sock"));
        command.args(["--appendonly", if keeps { "yes" } else { "no" }, "--appendfsync", "no"]);
        command.stdout(Stdio::null()).spawn().expect("redis-server")
    }

    pub(crate) fn wait(&self) {
        let start = Instant::now();
        while !self.ask(&["PING"]).starts_with("PONG") {
            assert!(start.elapsed() < DEADLINE, "redis-server does not start");
        }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    pub(crate) fn ask(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli").arg("-s").arg(self.socket()).args(words).output().expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The same with a last word that is too large for a command line.
    pub(crate) fn ask_with(&self, words: &[&str], last: &str) {
        let mut command = Command::new("redis-cli");
        command.arg("-s").arg(self.socket()).arg("-x").args(words).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut process = command.spawn().expect("redis-cli");
        process.stdin.take().expect("a pipe").write_all(last.as_bytes()).expect("it reads");
        assert!(process.wait().expect("an end").success());
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.process.id().to_string()).status();
        assert!(status.expect("kill").success());
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("an end");
    }

    pub(crate) fn restart(&mut self) {
        drop(fs::remove_file(self.socket()));
        self.process = Self::run(self.folder.path(), self.keeps);
        self.wait();
    }

    /// A command that begins an instance without a directory.
    fn edge_command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_savecast"));
        command.current_dir(self.folder.path());
        command
    }

    /// An edge that hears an origin.
    pub(crate) fn edge(&self) -> Server {
        let server = self.edge_alone(&[]);
        server.wait_for_status(|status| status["relay"]["origin"] == true);
        server
    }

    /// An edge, whether there is an origin or not.
    pub(crate) fn edge_alone(&self, arguments: &[&str]) -> Server {
        self.edge_of(&self.url(), arguments)
    }

    /// The same with this URL.
    pub(crate) fn edge_of(&self, url: &str, arguments: &[&str]) -> Server {
        let arguments = [&["--edge", "--relay", url], arguments].concat();
        Server::start(self.edge_command(), &arguments).expect("the server to start")
    }

    /// An instance that is connected.
    pub(crate) fn instance(&self, site: &Site) -> Server {
        let server = site.serve_with(&["--relay", &self.url()]);
        server.wait_for_status(|status| status["relay"]["up"] == true);
        server
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
