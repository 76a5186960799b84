//! Those who listen: many connections on one thread, and when each of them had the whole event.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use rustix::event::epoll;
use rustix::event::epoll::CreateFlags;
use rustix::event::epoll::EventData;
use rustix::event::epoll::EventFlags;
use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::StreamOwned;

/// How long anything may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Open streams of one file.
pub(crate) struct Listeners {
    streams: Vec<Stream>,
    ready: OwnedFd,
    buffer: Vec<u8>,
    /// How many bytes they have got.
    pub(crate) received: usize,
}

struct Stream {
    connection: Box<dyn Read + Send>,
    event: Event,
}

/// What came of an event so far.
#[derive(Default)]
pub(crate) struct Event {
    /// The last bytes, as many as an end has.
    tail: [u8; 2],
    has_data: bool,
}

impl Listeners {
    /// So many streams of this file. HTTP/1.0, so that there are no chunks to be taken apart.
    pub(crate) fn open(port: u16, url: &str, count: usize) -> Self {
        Self::open_each(port, std::iter::repeat_n(url.to_owned(), count))
    }

    /// The same over TLS.
    pub(crate) fn open_tls(port: u16, url: &str, count: usize, tls: &Arc<ClientConfig>) -> Self {
        Self::connect(port, std::iter::repeat_n(request(url), count), Some(tls))
    }

    /// One for each of these URLs.
    pub(crate) fn open_each(port: u16, urls: impl Iterator<Item = String>) -> Self {
        Self::connect(port, urls.map(|url| request(&url)), None)
    }

    /// The stream of a page with these wishes.
    pub(crate) fn page(port: u16, wishes: &str) -> Self {
        let request = format!(
            "POST /_savecast/events HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\nContent-Length: {}\r\n\r\n{wishes}",
            wishes.len()
        );
        Self::connect(port, std::iter::once(request), None)
    }

    fn connect(port: u16, requests: impl Iterator<Item = String>, tls: Option<&Arc<ClientConfig>>) -> Self {
        let ready = epoll::create(CreateFlags::CLOEXEC).unwrap();
        let stream = |(number, request): (usize, String)| {
            let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
            // Reset at the end, so that thousands of ports are free again at once.
            socket2::SockRef::from(&connection).set_linger(Some(Duration::ZERO)).unwrap();
            epoll::add(&ready, &connection, EventData::new_u64(number as u64), EventFlags::IN).unwrap();
            let connection: Box<dyn Read + Send> = if let Some(tls) = tls {
                let client = ClientConnection::new(tls.clone(), "localhost".try_into().unwrap()).unwrap();
                let mut connection = StreamOwned::new(client, connection);
                connection.write_all(request.as_bytes()).unwrap();
                connection.sock.set_nonblocking(true).unwrap();
                Box::new(connection)
            } else {
                connection.write_all(request.as_bytes()).unwrap();
                connection.set_nonblocking(true).unwrap();
                Box::new(connection)
            };
            Stream { connection, event: Event::default() }
        };
        Self { streams: requests.enumerate().map(stream).collect(), ready, buffer: vec![0; 1 << 20], received: 0 }
    }

    /// When each of them had all of the next event.
    pub(crate) fn wait(&mut self) -> Vec<Instant> {
        let start = Instant::now();
        let mut arrived = vec![None; self.streams.len()];
        let mut missing = arrived.len();
        let mut events = Vec::with_capacity(1024);
        while missing > 0 {
            assert!(start.elapsed() < DEADLINE, "{missing} listeners were told nothing");
            events.clear();
            let timeout = DEADLINE.try_into().unwrap();
            epoll::wait(&self.ready, rustix::buffer::spare_capacity(&mut events), Some(&timeout)).unwrap();
            for event in &events {
                let number = usize::try_from(event.data.u64()).unwrap();
                if self.streams[number].has_event(&mut self.buffer, &mut self.received) && arrived[number].is_none() {
                    arrived[number] = Some(Instant::now());
                    missing -= 1;
                }
            }
        }
        arrived.into_iter().flatten().collect()
    }
}

fn request(url: &str) -> String {
    format!("GET {url} HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
}

impl Stream {
    /// Reads what is there; true if an event with data has come to its end.
    fn has_event(&mut self, buffer: &mut [u8], received: &mut usize) -> bool {
        let mut has_event = false;
        loop {
            let length = match self.connection.read(buffer) {
                Ok(0) => panic!("the server has closed the stream"),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return has_event,
                Err(error) => panic!("{error}"),
            };
            *received += length;
            has_event |= self.event.is_over(&buffer[..length]);
        }
    }
}

impl Event {
    /// True if the one that has data ends with these bytes.
    pub(crate) fn is_over(&mut self, bytes: &[u8]) -> bool {
        // Data is what is neither a head nor a comment; the first bytes behind a head tell, and the rest is long.
        let start = &bytes[..bytes.len().min(1024)];
        self.has_data |= start.windows(6).any(|bytes| bytes == b"data: ");
        self.tail = match bytes {
            [.., first, second] => [*first, *second],
            [only] => [self.tail[1], *only],
            [] => self.tail,
        };
        let is_over = self.has_data && self.tail == *b"\n\n";
        self.has_data &= !is_over;
        is_over
    }
}
