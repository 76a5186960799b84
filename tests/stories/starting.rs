//! Start, stop, and the words in between.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
#[cfg(unix)]
use std::time::Duration;

use crate::support::Server;
use crate::support::Site;

#[cfg(unix)]
const ONE_SECOND: Duration = Duration::from_secs(1);

#[test]
fn it_says_where_it_is() {
    let site = Site::with(&[("index.html", "hello")]);
    let server = site.serve();
    assert!(server.url.starts_with("http://127.0.0.1:"));
    assert!(server.get("/").text.contains("hello"));
    let status = server.status();
    assert_eq!((&status["version"], &status["root"]), (&env!("CARGO_PKG_VERSION").into(), &"site".into()));
}

#[test]
fn a_port_that_was_asked_for_must_be_free() {
    let site = Site::with(&[]);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let (status, error) = Server::run(&site.path(""), &["--port", &port]).err().expect("no server");
    assert_eq!(status.code(), Some(1));
    assert!(error.contains(&format!("cannot listen on 127.0.0.1:{port}: ")), "{error}");
    assert!(error.contains("hint: pass another --port"), "{error}");
}

#[test]
fn wrong_usage_has_its_own_status() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_savecast")).args(arguments).output().expect("the built binary");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(run(&["--no-such-flag"]).0, Some(2));
    assert_eq!(run(&["--port", "99999"]).0, Some(2));
    assert_eq!(run(&["a", "b"]).0, Some(2));
    assert_eq!(run(&["--allow-host", "http://demo.test:80/"]).0, Some(2));
    assert_eq!(run(&["--allow-host", ""]).0, Some(2));
    let (code, error) = run(&["/no/such/directory"]);
    assert_eq!(code, Some(1));
    let reason = if cfg!(windows) { "" } else { "No such file or directory" };
    assert!(error.starts_with(&format!("savecast: cannot serve /no/such/directory: {reason}")), "{error}");
    let (code, error) = run(&[concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    assert_eq!(code, Some(1));
    assert!(error.contains("hint: pass the directory that holds the file"), "{error}");
    assert!(Server::run(Path::new("."), &["--host", "256.1.1.1"]).is_err());
}

#[cfg(unix)]
#[test]
fn a_signal_ends_every_stream_and_the_process() {
    for signal in ["INT", "TERM"] {
        let site = Site::with(&[("data.json", "1")]);
        let mut server = site.serve();
        let streams = (0..100).map(|_| server.follow("/data.json")).collect::<Vec<_>>();
        streams.iter().for_each(|events| events.expect("1"));
        let page = server.follow_with("POST", "/_savecast/events", &[], "{}");
        server.signal(signal);
        for events in streams.iter().chain([&page]) {
            let end = events.next();
            assert_eq!((end.event.as_str(), end.data.as_str()), ("end", "Connection closed"));
            events.expect_end();
        }
        let (status, time) = server.wait_for_end();
        assert!(status.success(), "{signal}: {status}");
        assert!(time < ONE_SECOND, "{signal}: {time:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_client_that_reads_nothing_does_not_hold_up_the_end() {
    use std::io::Write;
    let site = Site::with(&[("large.txt", &"x".repeat(7 << 20))]);
    let mut server = site.serve();
    let mut streams = Vec::new();
    for url in ["/large.txt", "/large.txt"] {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port())).expect("a connection");
        write!(stream, "GET {url} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
            .expect("a request");
        streams.push(stream);
    }
    server.wait_for_status(|status| status["streams"] == 2 && status["updates"] == 1);
    server.signal("INT");
    assert!(server.wait_for_end().1 < ONE_SECOND);
}
