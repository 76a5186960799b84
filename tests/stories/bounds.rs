//! What is kept for others has a bound: whatever they ask for, however they ask, and whether they read the answer or not.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;

use rustix::process::Resource;

use crate::secure::Home;
use crate::secure::Http2;
use crate::support::DEADLINE;
use crate::support::Server;
use crate::support::Site;

/// The memory that the server has in use, in KiB.
pub(crate) fn memory(server: &Server) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Lets this process, too, have so many open connections as the server may.
pub(crate) fn make_room_for_connections() {
    let mut limit = rustix::process::getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    rustix::process::setrlimit(Resource::Nofile, limit).expect("a limit");
}

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";

/// Opens a stream, a WebSocket or a long poll, and waits until it is answered.
fn ask(server: &Server, url: &str, headers: &str) -> TcpStream {
    use std::io::Read;
    let mut connection = server.open(&format!("GET {url} HTTP/1.1\r\nHost: HOST\r\n{headers}\r\n\r\n"));
    connection.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    connection.read_exact(&mut [0; 12]).expect("an answer");
    connection
}

#[test]
fn urls_that_lead_deep_into_nothing_delay_nobody() {
    make_room_for_connections();
    let site = Site::with(&[("data.json", "0")]);
    site.shell("ln -s . loop");
    let server = site.serve();
    server.follow("/data.json").expect("0");
    let start = memory(&server);

    let mut open = Vec::new();
    for number in 0..2000 {
        let headers = match number % 3 {
            0 => "Accept: text/event-stream",
            1 => UPGRADE,
            _ => "Prefer: wait=60",
        };
        let name = if number % 2 == 0 { "/a" } else { "/loop" };
        let url = format!("{}/{number}", name.repeat(3900 / name.len()));
        let connection = ask(&server, &url, headers);
        // A long poll of what is missing is answered at once. Its connection would be closed after some seconds of rest, so
        // that it depended on the speed of the machine how many of them are counted.
        if number % 3 != 2 {
            open.push(connection);
        }
    }
    for segments in [2100, 3000, 30_000] {
        let url = "/a".repeat(segments);
        assert_eq!(server.get(&url).status, 404);
        assert_eq!(server.follow(&url).head.status, 404);
    }
    let paths = (0..900).map(|number| format!("\"{}/{number}\":null", "/b".repeat(2000 - 100)));
    let wish = format!("{{\"uses\":{{{}}}}}", paths.collect::<Vec<_>>().join(","));
    let page = server.follow_with("POST", "/_savecast/events", &[], &wish);
    assert_eq!(page.head.status, 200);

    let events = server.follow("/data.json");
    events.expect("0");
    site.write("data.json", "1");
    events.expect("1");
    let used = memory(&server).saturating_sub(start);
    assert!(used < 64 << 10, "{used} KiB for {} streams", open.len());
}

#[test]
fn a_page_may_use_ten_thousand_files_and_not_a_million() {
    let site = Site::with(&[("data.json", "0")]);
    let server = site.serve();
    let wish = |count: usize, length: usize| {
        let paths = (0..count).map(|number| format!("\"/{}{number}\":null", "x".repeat(length)));
        let wish =
            format!("{{\"reads\":{{\"/data.json\":null}},\"uses\":{{{}}}}}", paths.collect::<Vec<_>>().join(","));
        server.follow_with("POST", "/_savecast/events", &[], &wish)
    };
    let page = wish(10_000, 100);
    assert_eq!(page.next().event, "message");
    site.write("data.json", "1");
    assert_eq!(page.next().event, "message");
    assert_eq!(wish(20_001, 10).head.status, 413);
    assert_eq!(wish(19_000, 240).head.status, 413);
}

/// What a WebSocket sends as long as the server takes it, up to so many MiB; the most memory that it had meanwhile, above the
/// start, and what it answered.
fn flood(server: &Server, first: &[u8], again: &[u8], megabytes: usize) -> (usize, Vec<u8>) {
    use std::io::Read;
    use std::io::Write;
    let start = memory(server);
    let mut socket = ask(server, "/data.json", UPGRADE);
    let mut reader = socket.try_clone().expect("a second handle");
    let (mut most, mut answer) = (0, Vec::new());
    let mut sent = socket.write_all(first);
    let part = again.repeat((1 << 20) / again.len());
    for _ in 0..megabytes {
        if sent.is_err() {
            break;
        }
        sent = socket.write_all(&part);
        most = most.max(memory(server).saturating_sub(start));
    }
    drop(socket.shutdown(std::net::Shutdown::Write));
    drop(reader.read_to_end(&mut answer));
    (most, answer)
}

#[test]
fn nothing_that_a_websocket_sends_is_kept() {
    let site = Site::with(&[("data.json", "0")]);
    let server = site.serve();
    let close = |code: u16| [&[0x88, 2][..], &code.to_be_bytes()].concat();
    let announced = |length: u64| [&[0x82, 0xff][..], &length.to_be_bytes(), &[0; 4]].concat();
    // For the buffers that every connection has.
    flood(&server, &[], &[0x81, 0x81, 0, 0, 0, 0, b'x'], 1);
    for (first, again, code) in [
        (announced(1 << 63), &[0; 64][..], Some(1009)),
        (announced(1 << 62), &[0; 64], Some(1009)),
        (announced(1 << 30), &[0; 64], Some(1009)),
        (vec![0x81, 0x05], b"unmasked", Some(1002)),
        // A message of very many parts, small messages, and pings whose answers are not read.
        (vec![0x01, 0x80, 0, 0, 0, 0], &[0x00, 0x81, 0, 0, 0, 0, b'x'], None),
        (vec![], &[0x81, 0x81, 0, 0, 0, 0, b'x'], None),
        (vec![], &[0x89, 0x80, 0, 0, 0, 0], None),
    ] {
        let (most, answer) = flood(&server, &first, again, 8);
        assert!(most <= 1 << 10, "{most} KiB for {first:?} and {again:?}");
        if let Some(code) = code {
            assert!(answer.windows(4).any(|bytes| bytes == close(code)), "no close with {code} to {first:?}");
        }
    }
    assert_eq!(server.get("/data.json").text, "0");
}

/// Asks for these URLs and never reads the answers; the memory that this takes, in KiB.
fn stall(server: &Server, urls: impl Iterator<Item = String>, headers: &str) -> usize {
    let start = memory(server);
    let open = urls.map(|url| ask(server, &url, headers)).collect::<Vec<_>>();
    // Their answers were begun. One more shows that all are being sent.
    assert_eq!(server.get("/small.txt").text, "small");
    let used = memory(server).saturating_sub(start);
    drop(open);
    used
}

#[test]
fn who_does_not_read_a_large_file_holds_a_small_part_of_it() {
    make_room_for_connections();
    let length = 6 << 20;
    let site = Site::with(&[("small.txt", "small")]);
    for name in ["large.bin", "large.txt", "larger.bin", "page.html"] {
        site.write(name, "x".repeat(if name == "larger.bin" { 2 * length } else { length }));
    }
    site.shell("for i in $(seq 0 99); do (cat large.txt && echo $i) > $i.txt; done");
    let server = site.serve();
    server.get("/large.txt");
    let same = |url: &'static str| std::iter::repeat_n(url.to_owned(), 100);
    for (what, used) in [
        ("one file", stall(&server, same("/large.bin"), "Accept: */*")),
        ("one that is not pushed", stall(&server, same("/larger.bin"), "Accept: */*")),
        ("a part of it", stall(&server, same("/large.txt"), "Range: bytes=10-")),
        ("pages with the client", stall(&server, same("/page.html"), "Accept: */*")),
        ("a hundred files", stall(&server, (0..100).map(|number| format!("/{number}.txt")), "Accept: */*")),
    ] {
        assert!(used < 50 << 10, "{used} KiB for {what}");
    }
}

#[test]
fn a_large_file_is_sent_as_it_was_or_not_to_its_end() {
    use std::io::Read;
    // Much larger than what the system keeps for a connection.
    let length = 16 << 20;
    let (old, new) = ("old ".repeat(length / 4), "new ".repeat(length / 4));
    for (name, limit) in [("data.txt", "64M"), ("data.txt", "8M"), ("page.html", "64M")] {
        let site = Site::with(&[(name, &old)]);
        let server = site.serve_with(&["--max-push", limit]);
        let whole = server.get(&format!("/{name}")).bytes;
        assert!(whole.ends_with(&old.as_bytes()[100..]) && (whole.len() > old.len()) == (name == "page.html"));
        for (change, is_all) in
            [("mv new $0", true), ("echo more >> $0", true), ("cp new $0", false), ("truncate -s 1000 $0", false)]
        {
            site.write(name, &old);
            site.write("new", &new);
            let mut connection = ask(&server, &format!("/{name}"), "Connection: close");
            site.shell(&change.replace("$0", name));
            let mut answer = Vec::new();
            drop(connection.read_to_end(&mut answer));
            let body = answer.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4;
            let length = answer.len() - body;
            assert_eq!(length == whole.len(), is_all, "{length} bytes of {name} after {change}");
            assert!(!is_all || answer[body..] == whole, "{name} after {change}");
        }
    }
}

#[test]
fn a_large_event_arrives_as_it_was_or_is_cut() {
    use std::io::Read;
    let site = Site::with(&[]);
    let server = site.serve();
    let large = "line é\r\n\"".repeat(10_000);
    let listener = server.follow("/_savecast/channels/a");
    let mut slow = ask(&server, "/_savecast/channels/a", "Accept: text/event-stream");
    server.post("/_savecast/channels/a", &[], &large);
    listener.expect(&large.replace("\r\n", "\n"));
    // More than the system keeps for a connection, and than the channel remembers.
    for _ in 0..120 {
        server.post("/_savecast/channels/a", &[], &large);
    }
    // It has a part of one that is forgotten by now: no gap is told in the midst of it, and no end.
    let mut text = String::new();
    drop(slow.read_to_string(&mut text));
    assert!(text.len() > large.len() && !text.contains("event: "));
    assert!(!text.ends_with("0\r\n\r\n"), "the answer is not complete");
}

#[test]
fn a_crowd_of_connections_leaves_files_to_look_at() {
    make_room_for_connections();
    let site = Site::with(&[("data.json", "0"), ("large.txt", &"x".repeat(16 << 20))]);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -n 64 && exec \"$@\"", "sh", env!("CARGO_BIN_EXE_savecast")]).arg(site.path(""));
    let server = Server::start(command, &[]).expect("a server");
    let events = server.follow("/data.json");
    events.expect("0");
    // Those that are not answered wait to be accepted.
    let open = |request: &str| (0..100).map(|_| server.open(request)).collect::<Vec<_>>();
    let crowds = [
        "GET /large.txt HTTP/1.1\r\nHost: HOST\r\n\r\n",
        "GET /data.json HTTP/1.1\r\nHost: HOST\r\nAccept: text/event-stream\r\n\r\n",
    ];
    for (number, request) in crowds.into_iter().enumerate() {
        let crowd = open(request);
        for save in 0..20 {
            site.write("data.json", format!("1{number}{save:02}"));
            events.expect(&format!("1{number}{save:02}"));
        }
        drop(crowd);
    }
}

#[test]
fn channels_are_bounded_also_for_listeners_that_never_read() {
    make_room_for_connections();
    let site = Site::with(&[]);
    let server = site.serve();
    let large = "x".repeat(128 << 10);
    let publish = |number: usize| {
        assert_eq!(server.post(&format!("/_savecast/channels/{number}"), &[], &large).status, 200);
    };
    let start = memory(&server);
    let headers = |number| if number % 2 == 0 { "Accept: text/event-stream" } else { UPGRADE };
    let listen = |number| ask(&server, &format!("/_savecast/channels/{number}"), headers(number));
    let listeners = (0..1000).map(listen).collect::<Vec<_>>();
    (0..1000).for_each(publish);
    // More than the system keeps for a connection.
    for _ in 0..50 {
        (0..10).for_each(publish);
    }
    // What is free again goes back to the system a little later.
    let end = Instant::now() + DEADLINE;
    loop {
        let used = memory(&server).saturating_sub(start);
        if used < (64 + 64) << 10 {
            break;
        }
        assert!(Instant::now() < end, "{used} KiB for {} listeners", listeners.len());
    }
}

#[test]
fn the_memory_of_listeners_goes_with_them() {
    make_room_for_connections();
    let site = Site::with(&[("data.json", "0")]);
    let server = site.serve();
    server.follow("/data.json").expect("0");
    let start = memory(&server);
    let listen = |_| ask(&server, "/data.json", "Accept: text/event-stream");
    let listeners = (0..5000).map(listen).collect::<Vec<_>>();
    site.write("data.json", "1");
    let used = memory(&server).saturating_sub(start);
    assert!(used > 30 << 10, "{used} KiB are not worth this test");
    drop(listeners);
    server.wait_for_status(|status| status["streams"] == 0);
    let since = std::time::Instant::now();
    // It goes within the ten seconds in which it might be used again.
    while memory(&server).saturating_sub(start) > 20 << 10 {
        assert!(since.elapsed() < DEADLINE, "{} KiB of {used} stay", memory(&server).saturating_sub(start));
        std::thread::yield_now();
    }
}

#[test]
fn the_page_of_a_large_directory_is_small() {
    let site = Site::with(&[]);
    site.shell("mkdir large && cd large && seq -f 'file%06.0f' 1 10500 | xargs touch");
    let server = site.serve();
    let page = server.get("/large/").text;
    assert!(page.contains("file010000<") && !page.contains("file010001<") && page.contains("and 500 more"));
    let listing = server.follow("/large/").expect_event("message");
    assert_eq!(listing.as_array().map(Vec::len), Some(10_500));
}

/// A body that never comes to its end keeps what has come of it.
#[test]
fn bodies_that_are_half_sent_have_a_bound() {
    let site = Site::with(&[]);
    let server = site.serve();
    let start = memory(&server);
    let half = "x".repeat(1_000_000);
    let sent: Vec<_> = ["channels/a", "events"]
        .into_iter()
        .cycle()
        .take(150)
        .map(|url| {
            let mut connection = server.open(&format!(
                "POST /_savecast/{url} HTTP/1.1\r\nHost: HOST\r\nAccept: text/event-stream\r\nContent-Length: 1048576\r\n\r\n"
            ));
            // A server that refuses it does not read it.
            drop(connection.write_all(half.as_bytes()));
            connection
        })
        .collect();
    let answer = server.post("/_savecast/channels/a", &[], "small");
    assert_eq!((answer.status, answer.text.contains("listeners")), (200, true));
    let more = memory(&server).saturating_sub(start);
    eprintln!("{} MiB more for 150 half-sent bodies of 1 MiB", more >> 10);
    // The room for bodies is 64 MiB. What connections have read ahead comes to 40 more, when all have come to rest.
    assert!(more < 120 << 10, "{} MiB more", more >> 10);
    drop(sent);
    let large = "x".repeat(1 << 20);
    while server.post("/_savecast/channels/a", &[], &large).status != 200 {}
}

#[test]
fn who_reads_nothing_over_http_2_makes_the_server_keep_little() {
    let site =
        Site::with(&[("data.json", "0"), ("picture.bin", &"p".repeat(900_000)), ("text.txt", &"t".repeat(60_000))]);
    let home = Home::new();
    let secure = home.serve(&site, &[]);
    let start = memory(&secure.server);
    // Connections of which no stream takes a byte, and one that takes all and reads nothing.
    let here = format!("localhost:{}", secure.server.port());
    let mut connections = (0..5).map(|_| secure.http2_with(0)).collect::<Vec<_>>();
    connections.push(secure.http2_with(1 << 30));
    let ask = |connection: &mut Http2<'_>| {
        let files = ["/picture.bin", "/text.txt"].into_iter().cycle().take(1500);
        files.map(|file| connection.begin(&here, "GET", file, &[], "").answer).collect::<Vec<_>>()
    };
    let asked = connections.iter_mut().flat_map(ask).collect::<Vec<_>>();
    // Whoever else asks is answered, and hears.
    let mut events = secure.http2();
    let mut events = events.follow("/data.json");
    events.expect("data: 0");
    site.write("data.json", "1");
    events.expect("data: 1");
    let used = memory(&secure.server).saturating_sub(start);
    assert!(used < 96 << 10, "{used} KiB for {} requests of which nobody reads the answer", asked.len());
    // What has gone takes no room any more.
    drop(asked);
    drop(connections);
    secure.wait_for_status(|status| status["streams"] == 1);
    assert_eq!(secure.http2().get("/text.txt", &[]).bytes.len(), 60_000);
}

#[test]
fn long_polls_that_nobody_reads_have_a_bound_too() {
    let site = Site::with(&[("text.txt", &"t".repeat(60_000))]);
    let home = Home::new();
    let secure = home.serve(&site, &[]);
    let start = memory(&secure.server);
    let here = format!("localhost:{}", secure.server.port());
    let mut connections = (0..3).map(|_| secure.http2_with(1 << 30)).collect::<Vec<_>>();
    let mut asked = Vec::new();
    for connection in &mut connections {
        for _ in 0..1500 {
            asked.push(connection.begin(&here, "GET", "/text.txt", &[("prefer", "wait=1")], ""));
        }
    }
    let answers = asked.into_iter().map(|asked| asked.finish().expect("an answer")).collect::<Vec<_>>();
    let used = memory(&secure.server).saturating_sub(start);
    assert!(used < 128 << 10, "{used} KiB for {} answers that nobody reads", answers.len());
    assert!(answers.iter().all(|answer| [200, 503].contains(&answer.status)));
    // They take no room from others.
    assert_eq!(secure.http2().get("/text.txt", &[]).status, 200);
}
