//! A server to put savecast in front of: as rude as a test wants it.

use std::fmt::Write as _;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write as _;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Instant;

use crate::support::DEADLINE;

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) url: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// A header, or an empty text; several of one name are joined.
    pub(crate) fn header(&self, name: &str) -> String {
        let values =
            self.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        values.collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    }

    fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end() {
                "" if lines.is_empty() => {}
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut first = lines[0].split(' ');
        let (method, url) = (first.next()?.to_owned(), first.next()?.to_owned());
        let headers = lines[1..].iter().filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
        let mut asked = Self { method, url, headers, body: Vec::new() };
        if asked.header("transfer-encoding") == "chunked" {
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).ok()?;
                let length = usize::from_str_radix(line.trim(), 16).ok()?;
                let mut part = vec![0; length + 2];
                reader.read_exact(&mut part).ok()?;
                if length == 0 {
                    break;
                }
                asked.body.extend_from_slice(&part[..length]);
            }
        } else if let Ok(length) = asked.header("content-length").parse() {
            asked.body.resize(length, 0);
            reader.read_exact(&mut asked.body).ok()?;
        }
        Some(asked)
    }
}

/// Answers on this connection; false closes it then.
type Handler = dyn Fn(&Asked, &mut TcpStream) -> bool + Send + Sync;

/// A server on a port of its own.
pub(crate) struct Upstream {
    pub(crate) port: u16,
    /// What it is asked, in order.
    pub(crate) asked: Receiver<Asked>,
    handler: Arc<Handler>,
    sender: Sender<Asked>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    /// Stops to accept when it is dropped.
    listener: Option<TcpListener>,
}

impl Upstream {
    pub(crate) fn new(handler: impl Fn(&Asked, &mut TcpStream) -> bool + Send + Sync + 'static) -> Self {
        let mut upstream = Self::away(handler);
        upstream.start();
        upstream
    }

    /// It has a port, and does not listen there yet.
    pub(crate) fn away(handler: impl Fn(&Asked, &mut TcpStream) -> bool + Send + Sync + 'static) -> Self {
        // A port outside of those that the system gives to others, so that it stays free.
        let port = (20_000..30_000).cycle().skip(usize::from(u16::try_from(std::process::id() % 9000).unwrap_or(0)));
        let port = port.skip(next()).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port");
        let (sender, asked) = mpsc::channel();
        Self { port, asked, handler: Arc::new(handler), sender, connections: Arc::default(), listener: None }
    }

    /// Answers `200` with this text of this type.
    pub(crate) fn saying(media_type: &'static str, text: impl Fn(&Asked) -> String + Send + Sync + 'static) -> Self {
        Self::new(move |asked, stream| answer(stream, "200 OK", &[("content-type", media_type)], &text(asked)))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Listens from now on.
    pub(crate) fn start(&mut self) {
        let start = Instant::now();
        let listener = loop {
            match TcpListener::bind(("127.0.0.1", self.port)) {
                Ok(listener) => break listener,
                Err(error) => assert!(start.elapsed() < DEADLINE, "{error}"),
            }
        };
        let accepting = listener.try_clone().expect("a handle");
        self.listener = Some(listener);
        let (handler, sender, connections) = (self.handler.clone(), self.sender.clone(), self.connections.clone());
        thread::spawn(move || {
            for stream in accepting.incoming().map_while(Result::ok) {
                connections.lock().expect("a list").push(stream.try_clone().expect("a handle"));
                let (handler, sender) = (handler.clone(), sender.clone());
                thread::spawn(move || serve(stream, &*handler, &sender));
            }
        });
    }

    /// Ends all connections and takes no more.
    pub(crate) fn stop(&mut self) {
        if let Some(listener) = self.listener.take() {
            // What waits in `accept` wakes up, and finds that this is over.
            rustix::net::shutdown(&listener, rustix::net::Shutdown::Both).expect("a listener");
        }
        for connection in self.connections.lock().expect("a list").drain(..) {
            drop(connection.shutdown(Shutdown::Both));
        }
    }

    /// The next thing that it is asked.
    #[track_caller]
    pub(crate) fn next(&self) -> Asked {
        self.asked.recv_timeout(DEADLINE).expect("it is asked")
    }

    /// Waits until it is asked for this.
    #[track_caller]
    pub(crate) fn expect(&self, url: &str) -> Asked {
        loop {
            let asked = self.next();
            if asked.url == url {
                return asked;
            }
        }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stop();
    }
}

fn next() -> usize {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn serve(mut stream: TcpStream, handler: &Handler, sender: &Sender<Asked>) {
    stream.set_nodelay(true).expect("a socket");
    let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
    while let Some(asked) = Asked::read(&mut reader) {
        drop(sender.send(asked.clone()));
        if !handler(&asked, &mut stream) {
            drop(stream.shutdown(Shutdown::Both));
            return;
        }
    }
}

/// Sends a whole answer.
pub(crate) fn answer(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &str) -> bool {
    answer_bytes(stream, status, headers, body.as_bytes())
}

pub(crate) fn answer_bytes(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) -> bool {
    let mut head = head(status, headers);
    write!(head, "content-length: {}\r\n\r\n", body.len()).expect("a string");
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).is_ok()
}

/// Sends an answer in these parts, each as a chunk of its own.
pub(crate) fn chunked(stream: &mut TcpStream, headers: &[(&str, &str)], parts: &[&[u8]]) -> bool {
    let head = head("200 OK", headers) + "transfer-encoding: chunked\r\n\r\n";
    let mut sent = stream.write_all(head.as_bytes());
    for part in parts.iter().copied().filter(|part| !part.is_empty()) {
        let chunk = [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
        sent = sent.and_then(|()| stream.write_all(&chunk));
    }
    sent.and_then(|()| stream.write_all(b"0\r\n\r\n")).is_ok()
}

fn head(status: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").expect("a string");
    }
    head
}
