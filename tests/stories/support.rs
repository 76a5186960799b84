//! A site in a folder of its own, the server that serves it, and the streams that it sends. All deadlines are here.

use std::fmt::Write as _;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write as _;
use std::net::Shutdown;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::task::Context;
use std::task::Poll;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use eventsource_stream::Event;
use eventsource_stream::Eventsource;
use futures::Stream;
use futures::StreamExt;
use serde_json::Value;
use ureq::http::Response;

/// How long anything may take on the slowest machine. Nothing waits for it but a test that fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A folder of files.
pub(crate) struct Site {
    directory: tempfile::TempDir,
}

impl Site {
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        // A root with a name, beside which there is room for files that must not be served.
        let site = Self { directory: tempfile::tempdir().expect("a temporary folder") };
        fs::create_dir(site.path("")).expect("a folder");
        for (name, content) in files {
            site.write(name, content);
        }
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("site").join(name)
    }

    /// Saves a file in place.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).expect("a file to remove");
    }

    /// Runs a shell command in the folder.
    #[cfg(unix)]
    #[track_caller]
    pub(crate) fn shell(&self, command: &str) {
        let status = Command::new("sh").arg("-c").arg(command).current_dir(self.path("")).status();
        assert!(status.expect("a shell").success(), "{command}");
    }

    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    pub(crate) fn serve_with(&self, arguments: &[&str]) -> Server {
        let server = Server::run(&self.path(""), arguments);
        server.expect("the server to start")
    }
}

/// A running `savecast`. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    complaints: Receiver<String>,
}

impl Server {
    /// Starts on a free port, unless the arguments say another; `Err` with standard error if it ends instead.
    pub(crate) fn run(directory: &Path, arguments: &[&str]) -> Result<Self, (ExitStatus, String)> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_savecast"));
        command.arg(directory);
        Self::start(command, arguments)
    }

    /// Starts a command that ends in the program and the directory.
    pub(crate) fn start(mut command: Command, arguments: &[&str]) -> Result<Self, (ExitStatus, String)> {
        command.args(arguments);
        if !arguments.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the built binary");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let line = lines.find_map(|line| line.ok().filter(|line| line.contains("://")));
        let Some(line) = line else {
            let output = child.wait_with_output().expect("an end");
            return Err((output.status, String::from_utf8_lossy(&output.stderr).into_owned()));
        };
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let (sender, complaints) = mpsc::channel();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // Also where tests print.
                eprintln!("{line}");
                drop(sender.send(line));
            }
        });
        let start = line.find("http").expect("the line was chosen for it");
        let url = line[start..].split_whitespace().next().expect("a word").trim_end_matches('/').to_owned();
        Ok(Self { child, url, complaints })
    }

    /// Waits until it says this on standard error.
    #[track_caller]
    pub(crate) fn expect_complaint(&self, words: &str) {
        let start = Instant::now();
        while let Ok(line) = self.complaints.recv_timeout(DEADLINE.saturating_sub(start.elapsed())) {
            if line.contains(words) {
                return;
            }
        }
        panic!("it never says {words:?}");
    }

    /// The next line on standard error.
    #[track_caller]
    pub(crate) fn next_complaint(&self) -> String {
        self.complaints.recv_timeout(DEADLINE).expect("a line")
    }

    #[cfg(unix)]
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
    }

    /// `GET`, whatever the status.
    pub(crate) fn get(&self, url: &str) -> Answer {
        self.request("GET", url, &[])
    }

    pub(crate) fn request(&self, method: &str, url: &str, headers: &[(&str, &str)]) -> Answer {
        Answer::from(send(&format!("{}{url}", self.url), method, headers, ""))
    }

    pub(crate) fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        Answer::from(send(&format!("{}{url}", self.url), "POST", headers, body))
    }

    /// Sends this text, with `HOST` replaced, and does not wait for the answer.
    pub(crate) fn open(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).expect("a connection");
        let host = format!("127.0.0.1:{}", self.port());
        stream.write_all(request.replace("HOST", &host).as_bytes()).expect("a request");
        stream
    }

    /// Sends this text, with `HOST` replaced, and reads to the end.
    pub(crate) fn raw(&self, request: &str) -> String {
        self.raw_until(request, None)
    }

    /// Sends this text, with `HOST` replaced, and reads until this has come.
    pub(crate) fn raw_until(&self, request: &str, last: Option<&str>) -> String {
        let mut stream = self.open(request);
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        let start = Instant::now();
        let mut answer = String::new();
        while !last.is_some_and(|last| answer.contains(last)) {
            // A stream that was not expected never ends.
            assert!(start.elapsed() < DEADLINE, "{request:?} is still being answered: {answer}");
            let mut bytes = [0; 4096];
            match stream.read(&mut bytes).expect("an answer") {
                0 => break,
                length => answer.push_str(&String::from_utf8_lossy(&bytes[..length])),
            }
        }
        answer
    }

    /// Opens the stream of a file.
    pub(crate) fn follow(&self, url: &str) -> Events {
        self.follow_with("GET", url, &[], "")
    }

    /// Opens the stream of a file, saying which version was seen last.
    pub(crate) fn resume(&self, url: &str, id: &str) -> Events {
        self.follow_with("GET", url, &[("last-event-id", id)], "")
    }

    pub(crate) fn follow_with(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Events {
        let mut request = format!("{method} {url} HTTP/1.1\r\nAccept: text/event-stream\r\n");
        let host = format!("127.0.0.1:{}", self.port());
        for (name, value) in [("host", host.as_str())].iter().chain(headers) {
            write!(request, "{name}: {value}\r\n").expect("writing to a string can't fail");
        }
        write!(request, "content-length: {}\r\n\r\n{body}", body.len()).expect("writing to a string can't fail");
        Events::open(self.port(), &request)
    }

    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.get("/_savecast/status").text).expect("JSON")
    }

    /// Waits until the status is as wished.
    #[track_caller]
    pub(crate) fn wait_for_status(&self, wish: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let status = self.status();
            if wish(&status) {
                return status;
            }
            assert!(start.elapsed() < DEADLINE, "the status stays {status}");
        }
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status();
        assert!(status.expect("kill").success());
    }

    /// Waits for the end, and says how long that took.
    #[cfg(unix)]
    pub(crate) fn wait_for_end(&mut self) -> (ExitStatus, Duration) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return (status, start.elapsed());
            }
            assert!(start.elapsed() < DEADLINE, "the server does not end");
            thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn send(url: &str, method: &str, headers: &[(&str, &str)], body: &str) -> Response<ureq::Body> {
    let config =
        ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).timeout_connect(Some(DEADLINE));
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.to_owned()).expect("a request");
    config.build().new_agent().run(request).unwrap_or_else(|error| panic!("{method} {url}: {error}"))
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) bytes: Vec<u8>,
    /// The same as text.
    pub(crate) text: String,
    headers: ureq::http::HeaderMap,
}

impl Answer {
    /// A header, or an empty text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }
}

impl From<Response<ureq::Body>> for Answer {
    fn from(mut response: Response<ureq::Body>) -> Self {
        let bytes = response.body_mut().with_config().limit(1 << 30).read_to_vec().expect("a body");
        Self {
            status: response.status().as_u16(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
            headers: response.headers().clone(),
        }
    }
}

/// An open stream, read by a parser that is not ours. Dropping it closes the connection, as a browser tab does.
pub(crate) struct Events {
    /// The status line and the headers.
    pub(crate) head: Head,
    received: Receiver<(Event, Instant)>,
    connection: TcpStream,
}

impl Events {
    fn open(port: u16, request: &str) -> Self {
        let mut connection = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        // Longer than a stream is ever quiet.
        connection.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        // A server that refuses a request need not read all of it.
        drop(connection.write_all(request.as_bytes()));
        let mut reader = BufReader::new(connection.try_clone().expect("a second handle"));
        let head = Head::read(&mut reader);
        let (sender, received) = mpsc::channel();
        if head.header("transfer-encoding") == "chunked" {
            thread::spawn(move || {
                let mut events = Chunks(reader).eventsource();
                while let Some(Ok(event)) = futures::executor::block_on(events.next()) {
                    if sender.send((event, Instant::now())).is_err() {
                        return;
                    }
                }
            });
        }
        Self { head, received, connection }
    }

    /// The next event.
    #[track_caller]
    pub(crate) fn next(&self) -> Event {
        match self.received.recv_timeout(DEADLINE) {
            Ok((event, _)) => event,
            Err(error) => panic!("no event: {error}"),
        }
    }

    /// The next event with the time of its arrival, if it comes in time.
    #[cfg(unix)]
    pub(crate) fn next_before(&self, deadline: Instant) -> Option<(Event, Instant)> {
        self.received.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
    }

    /// The next event is a message with this data.
    #[track_caller]
    pub(crate) fn expect(&self, data: &str) {
        let event = self.next();
        assert_eq!((event.event.as_str(), event.data.as_str()), ("message", data));
    }

    /// The next event has this name; its data, which is JSON.
    #[track_caller]
    pub(crate) fn expect_event(&self, name: &str) -> Value {
        let event = self.next();
        assert_eq!(event.event, name, "{event:?}");
        serde_json::from_str(&event.data).unwrap_or(Value::String(event.data))
    }

    /// The stream ends without another event.
    #[cfg(unix)]
    #[track_caller]
    pub(crate) fn expect_end(&self) {
        match self.received.recv_timeout(DEADLINE) {
            Ok(event) => panic!("not the end: {event:?}"),
            Err(error) => assert_eq!(error, mpsc::RecvTimeoutError::Disconnected),
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        drop(self.connection.shutdown(Shutdown::Both));
    }
}

/// The head of a response.
pub(crate) struct Head {
    pub(crate) status: u16,
    lines: Vec<String>,
}

impl Head {
    fn read(reader: &mut impl BufRead) -> Self {
        let lines = reader.lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect::<Vec<_>>();
        let status = lines.first().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        Self { status: status.expect("a status line"), lines }
    }

    /// A header, or an empty text.
    pub(crate) fn header(&self, name: &str) -> &str {
        let fields = self.lines.iter().filter_map(|line| line.split_once(": "));
        fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value).next().unwrap_or_default()
    }
}

/// A body in chunks (RFC 9112, section 7.1) as a stream of them, those of one event together: the parser reads again what it
/// has not understood yet. It has a thread of its own, so it may block.
struct Chunks<R>(R);

impl<R: BufRead + Unpin> Stream for Chunks<R> {
    type Item = std::io::Result<Vec<u8>>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut event = Vec::new();
        while !event.ends_with(b"\n\n") {
            let mut line = String::new();
            let Ok(_) = self.0.read_line(&mut line) else { return Poll::Ready(None) };
            let Ok(length @ 1..) = usize::from_str_radix(line.trim_end(), 16) else { return Poll::Ready(None) };
            let start = event.len();
            event.resize(start + length + 2, 0);
            if let Err(error) = self.0.read_exact(&mut event[start..]) {
                return Poll::Ready(Some(Err(error)));
            }
            event.truncate(start + length);
        }
        Poll::Ready(Some(Ok(event)))
    }
}
