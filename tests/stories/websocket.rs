//! A WebSocket client of a few lines, so that the stories can listen there, too.

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;

use serde_json::Value;

use crate::support::DEADLINE;
use crate::support::Server;

/// An open WebSocket.
pub(crate) struct Socket {
    connection: TcpStream,
}

impl Socket {
    /// Opens one; panics unless the server agrees.
    #[track_caller]
    pub(crate) fn open(server: &Server, url: &str) -> Self {
        let mut connection = server.open(&format!(
            "GET {url} HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ));
        connection.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte).expect("a head");
            head.extend(byte);
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{url}: {}", String::from_utf8_lossy(&head));
        Self { connection }
    }

    /// The next message.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Value {
        loop {
            let [first, length] = self.read::<2>();
            let length = match length {
                126 => u64::from(u16::from_be_bytes(self.read())),
                127 => u64::from_be_bytes(self.read()),
                length => u64::from(length),
            };
            let mut payload = vec![0; usize::try_from(length).expect("room")];
            self.connection.read_exact(&mut payload).expect("a message");
            match first {
                0x81 => return serde_json::from_slice(&payload).expect("JSON"),
                // A ping is answered, or else the server would wait. The mask may be anything, such as zeros.
                0x89 => {
                    let length = u8::try_from(payload.len()).expect("pings are short");
                    let pong = [&[0x8a, 0x80 | length, 0, 0, 0, 0], payload.as_slice()].concat();
                    self.connection.write_all(&pong).expect("a pong");
                }
                other => panic!("a frame that begins with {other:#x}"),
            }
        }
    }

    /// The next message is an event of this name; its data.
    #[track_caller]
    pub(crate) fn expect_event(&mut self, name: &str) -> String {
        let message = self.next();
        assert_eq!(message["event"], name, "{message}");
        message["data"].as_str().expect("a text").to_owned()
    }

    /// The next message has this data.
    #[track_caller]
    pub(crate) fn expect(&mut self, data: &str) {
        assert_eq!(self.expect_event("message"), data);
    }

    fn read<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.connection.read_exact(&mut bytes).expect("a message");
        bytes
    }
}
