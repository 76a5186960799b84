//! What passes through the proxy is never kept: however large it is, however slow, and whether anybody reads it or not.

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use crate::bounds::make_room_for_connections;
use crate::bounds::memory;
use crate::support::DEADLINE;
use crate::support::Server;
use crate::support::Site;
use crate::upstream::Upstream;
use crate::upstream::answer;

/// How large a large body is.
const LARGE: usize = 300 << 20;

/// What is sent at once, by both sides.
const PART: usize = 1 << 20;

fn before(upstream: &Upstream) -> (Site, Server) {
    let site = Site::with(&[("app.py", "1")]);
    let server = site.serve_with(&["--proxy", &upstream.url()]);
    (site, server)
}

/// Reads to the end, and counts.
fn count(stream: &mut TcpStream) -> usize {
    let (mut bytes, mut count) = (vec![0; PART], 0);
    while let Ok(length @ 1..) = stream.read(&mut bytes) {
        count += length;
    }
    count
}

#[test]
fn a_large_body_passes_both_ways_in_little_memory() {
    let upstream = Upstream::new(|asked, stream| {
        if asked.method == "POST" {
            return answer(stream, "200 OK", &[], &asked.body.len().to_string());
        }
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {LARGE}\r\n\r\n").unwrap();
        let part = vec![b'x'; PART];
        (0..LARGE / PART).all(|_| stream.write_all(&part).is_ok())
    });
    let (_site, server) = before(&upstream);
    assert_eq!(server.get("/_savecast/status").status, 200);
    let start = memory(&server);
    let mut down = server.open("GET /large HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n");
    down.set_read_timeout(Some(DEADLINE)).unwrap();
    assert!(count(&mut down) > LARGE);
    let mut up = server
        .open(&format!("POST /large HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Length: {LARGE}\r\n\r\n"));
    let part = vec![b'x'; PART];
    (0..LARGE / PART).for_each(|_| up.write_all(&part).unwrap());
    let mut said = String::new();
    up.read_to_string(&mut said).unwrap();
    assert!(said.ends_with(&LARGE.to_string()), "{said}");
    let used = memory(&server).saturating_sub(start);
    assert!(used < 16 << 10, "{used} KiB");
}

#[test]
fn who_does_not_read_holds_up_the_server_and_not_us() {
    let upstream = Upstream::new(|asked, stream| {
        let media_type = if asked.url == "/page" { "text/html" } else { "text/plain" };
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {LARGE}\r\n\r\n<!doctype html><head>"
        )
        .unwrap();
        let part = vec![b'x'; PART];
        while stream.write_all(&part).is_ok() {}
        false
    });
    let (_site, server) = before(&upstream);
    let start = memory(&server);
    let open = |number: usize| {
        let url = if number.is_multiple_of(2) { "/page" } else { "/text" };
        let mut stream = server.open(&format!("GET {url} HTTP/1.1\r\nHost: HOST\r\nAccept: text/html\r\n\r\n"));
        stream.read_exact(&mut [0; 12]).unwrap();
        stream
    };
    let clients = (0..100).map(open).collect::<Vec<_>>();
    // All of them have what they get.
    server.get("/_savecast/status");
    let used = memory(&server).saturating_sub(start);
    assert!(used / clients.len() < 512, "{used} KiB for {} clients", clients.len());
}

#[test]
fn a_bomb_does_not_go_off_here() {
    // A page of 200 MB in 200 KB.
    let mut gzip = Command::new("gzip").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = gzip.stdin.take().unwrap();
    thread::spawn(move || {
        input.write_all(b"<!doctype html><head>").unwrap();
        (0..200).for_each(|_| input.write_all(&vec![b' '; PART]).unwrap());
    });
    let page = gzip.wait_with_output().unwrap().stdout;
    assert!(page.len() < 1 << 20);
    let upstream = Upstream::new(move |_, stream| {
        let headers = [("content-type", "text/html"), ("content-encoding", "gzip")];
        crate::upstream::answer_bytes(stream, "200 OK", &headers, &page)
    });
    let (_site, server) = before(&upstream);
    let start = memory(&server);
    let request = "GET / HTTP/1.1\r\nHost: HOST\r\nAccept: text/html\r\nConnection: close\r\n\r\n";
    let unread = (0..10).map(|_| server.open(request)).collect::<Vec<_>>();
    let mut read = server.open(request);
    assert!(count(&mut read) > 200 * PART);
    let used = memory(&server).saturating_sub(start);
    assert!(used < 24 << 10, "{used} KiB, {} do not read", unread.len());
}

#[test]
fn a_thousand_idle_streams_take_little() {
    make_room_for_connections();
    let upstream = Upstream::new(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: hello\n\n").unwrap();
        // Until the other side is gone.
        drop(stream.read(&mut [0]));
        false
    });
    let (_site, server) = before(&upstream);
    let open = || {
        let mut stream = server.open("GET /events HTTP/1.1\r\nHost: HOST\r\nAccept: text/event-stream\r\n\r\n");
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut come = String::new();
        while !come.contains("hello") {
            let mut bytes = [0; 1024];
            let length = stream.read(&mut bytes).unwrap();
            come.push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
        stream
    };
    let first = (0..10).map(|_| open()).collect::<Vec<_>>();
    let start = memory(&server);
    let streams = (0..1000).map(|_| open()).collect::<Vec<_>>();
    let used = memory(&server).saturating_sub(start);
    assert!(used / streams.len() <= 40, "{used} KiB for {} streams", streams.len());
    drop((first, streams));
}

#[test]
fn what_is_known_of_answers_has_a_bound() {
    let upstream = Upstream::new(|asked, stream| {
        let media_type = if asked.url.starts_with("/page") { "text/html" } else { "application/json" };
        let body = "x".repeat(if asked.url.starts_with("/page") { 1 << 20 } else { 100 << 10 });
        answer(stream, "200 OK", &[("content-type", media_type)], &body)
    });
    let (_site, server) = before(&upstream);
    let start = memory(&server);
    let cookie = format!("Cookie: {}\r\n", "c".repeat(4000));
    // One connection, many answers that a page says it uses, and that nobody asks about.
    let load = |count: usize, url: &str, dest: &str| {
        let mut stream = server.open("");
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut bytes = vec![0; 1 << 16];
        for number in 0..count {
            let request = format!(
                "GET {url}{number} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nSec-Fetch-Dest: {dest}\r\n{cookie}\r\n"
            );
            stream.write_all(request.as_bytes()).unwrap();
            let mut come = 0;
            let least = if dest == "document" { 1 << 20 } else { 100 << 10 };
            while come < least {
                come += stream.read(&mut bytes).unwrap();
            }
        }
    };
    load(1000, "/data?t=", "empty");
    load(100, "/page?t=", "document");
    let used = memory(&server).saturating_sub(start);
    assert!(used < 110 << 10, "{used} KiB");
}

#[test]
fn a_server_that_takes_its_time_holds_up_nobody_else() {
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let upstream = Upstream::new(move |asked, stream| {
        if asked.url == "/slow" {
            // The head, byte by byte, and then nothing more.
            for byte in b"HTTP/1.1 200 OK\r\ncontent-le" {
                stream.write_all(&[*byte]).unwrap();
            }
            let _ = wait.lock().unwrap().recv();
            return false;
        }
        answer(stream, "200 OK", &[], "quick")
    });
    let (_site, server) = before(&upstream);
    let slow = (0..20).map(|_| server.open("GET /slow HTTP/1.1\r\nHost: HOST\r\n\r\n")).collect::<Vec<_>>();
    for _ in 0..20 {
        upstream.expect("/slow");
    }
    assert_eq!(server.get("/quick").text, "quick");
    drop((slow, go_on));
}
