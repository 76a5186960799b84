//! What passes through to another server, beside nginx as a proxy to the same one, which is another nginx.

use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;

use crate::Table;
use crate::compared;
use crate::files;
use crate::files::Folder;
use crate::files::Save;
use crate::listeners::DEADLINE;
use crate::listeners::Listeners;
use crate::ms;
use crate::percentile;
use crate::program::Kind;
use crate::program::Program;
use crate::rates;
use crate::tls;
use crate::wrk;

/// How many requests are sent, one after the other.
const REQUESTS: usize = 5000;

/// The length of a large body, in bytes.
const LARGE: u64 = 1 << 30;

/// Proxies to a server at this port, and what they are called.
fn proxies(port: u16, watched: &Folder) -> [(&'static str, Option<Program>); 2] {
    let upstream = format!("upstream behind {{ server 127.0.0.1:{port}; keepalive 64; }}");
    let location = "location / { proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host localhost;
                    proxy_buffering off; }";
    [
        ("savecast", Some(Program::start_proxy(watched.path(), &format!("http://127.0.0.1:{port}")))),
        ("nginx", Program::start_nginx(&upstream, "", location)),
    ]
}

/// A server for files; `None` where it isn't installed.
fn upstream(folder: &Folder) -> Option<Program> {
    Program::start_nginx("", "", &format!("root {};", folder.path().display()))
}

/// As many as possible at a time.
pub(crate) fn requests() -> Table {
    let mut table = Table {
        title: "Requests per second through a proxy, `wrk -t1 -c64`",
        head: vec!["file", "savecast", "nginx", "ratio"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    let (folder, watched) = (Folder::new(), Folder::new());
    folder.write("small.json", &files::content(0, 2 << 10));
    folder.write("large.bin", &"x".repeat(100 << 10));
    let Some(upstream) = upstream(&folder) else { return table };
    let proxies = proxies(upstream.port, &watched);
    for (name, what) in [("small.json", "2 KB"), ("large.bin", "100 KB")] {
        let rate = |side: usize| wrk(&format!("http://127.0.0.1:{}/{name}", proxies[side].1.as_ref()?.port)).ok();
        table.rows.push(compared(what.to_owned(), rates(rate)));
    }
    table
}

/// One at a time.
pub(crate) fn latencies() -> Table {
    let mut table = Table {
        title: "A file of 2 KB through a proxy, one request at a time, in ms",
        head: vec!["asked", "median", "p99"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    let (folder, watched) = (Folder::new(), Folder::new());
    folder.write("small.json", &files::content(0, 2 << 10));
    let Some(upstream) = upstream(&folder) else { return table };
    let proxies = proxies(upstream.port, &watched);
    let through = proxies.iter().filter_map(|(name, proxy)| Some((*name, proxy.as_ref()?.port)));
    let mut asked = [("the server itself", upstream.port)]
        .into_iter()
        .chain(through)
        .map(|(name, port)| (name, connect(port), Vec::new()))
        .collect::<Vec<_>>();
    for _ in 0..REQUESTS {
        // In turns, so that what happens to the machine happens to all.
        for (_, connection, times) in &mut asked {
            let start = Instant::now();
            get(connection, "/small.json");
            times.push(start.elapsed());
        }
    }
    for (name, _, mut times) in asked {
        let cells = [50, 99].map(|percent| format!("{:.3}", ms(percentile(&mut times, percent))));
        table.rows.push([name.to_owned()].into_iter().chain(cells).collect());
    }
    table
}

/// Streams of the other server that pass.
pub(crate) fn listeners() -> Table {
    let mut table = Table {
        title: "One change of 2 KB to 1,000 listeners through a proxy, to a savecast behind it: times in ms, memory in KB for each \
                listener, without what the one behind holds",
        head: vec!["proxy", "first", "median", "last", "memory"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    let (folder, watched) = (Folder::new(), Folder::new());
    folder.save(Save::InPlace, 0, 2 << 10);
    let behind = Program::start(Kind::Savecast, folder.path());
    for (name, proxy) in proxies(behind.port, &watched) {
        let Some(proxy) = proxy else { continue };
        table.rows.push(tls::row(&[name], &proxy, &folder, |count| {
            let mut listeners = Listeners::open(proxy.port, "/data.json", count);
            Box::new(move || listeners.wait())
        }));
    }
    table
}

/// A body that fits nowhere.
pub(crate) fn large() -> Table {
    let mut table = Table {
        title: "A file of 1 GB through a proxy: time in s, and by how many KB its memory grew meanwhile at most",
        head: vec!["proxy", "time", "memory"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    let (folder, watched) = (Folder::new(), Folder::new());
    File::create(folder.path().join("large.bin")).unwrap().set_len(LARGE).unwrap();
    folder.write("small.json", "{}");
    let Some(upstream) = upstream(&folder) else { return table };
    for (name, proxy) in proxies(upstream.port, &watched) {
        let Some(proxy) = proxy else { continue };
        let mut connection = connect(proxy.port);
        get(&mut connection, "/small.json");
        let before = proxy.memory();
        let (start, mut most, mut buffer) = (Instant::now(), before, vec![0; 1 << 20]);
        let (mut left, mut looked) = (begin(&mut connection, "/large.bin"), start);
        assert_eq!(left, LARGE);
        while left > 0 {
            left -= connection.read(&mut buffer).unwrap() as u64;
            if looked.elapsed() > Duration::from_millis(50) {
                (looked, most) = (Instant::now(), most.max(proxy.memory()));
            }
        }
        let cells = [format!("{:.2}", start.elapsed().as_secs_f64()), (most - before).to_string()];
        table.rows.push([name.to_owned()].into_iter().chain(cells).collect());
    }
    table
}

fn connect(port: u16) -> BufReader<TcpStream> {
    let connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    connection.set_nodelay(true).unwrap();
    connection.set_read_timeout(Some(DEADLINE)).unwrap();
    BufReader::new(connection)
}

/// Asks for a file, and reads all of it.
fn get(connection: &mut BufReader<TcpStream>, url: &str) {
    let length = begin(connection, url);
    connection.read_exact(&mut vec![0; usize::try_from(length).unwrap()]).unwrap();
}

/// Asks for a file, and reads the head of the answer: the length of the body.
fn begin(connection: &mut BufReader<TcpStream>, url: &str) -> u64 {
    let request = format!("GET {url} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    connection.get_mut().write_all(request.as_bytes()).unwrap();
    let mut length = None;
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok(),
            None if line.trim_end().is_empty() => return length.unwrap(),
            _ => {}
        }
    }
}
