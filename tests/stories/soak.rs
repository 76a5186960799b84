//! Many saves and messages, while whatever is between them and their listeners is killed again and again.
//!
//! `cargo test --test stories soak::soak -- --ignored --nocapture`; `SAVES` says how many there are of each, 20,000 if it is not set.

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use crate::redis::Redis;
use crate::support::DEADLINE;
use crate::support::Server;
use crate::support::Site;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const CHANNEL: &str = "/_savecast/channels/soak";

/// Numbers that look random, and are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}

/// What one listener has heard.
#[derive(Default)]
struct Heard {
    last: String,
    id: String,
    numbers: Vec<u64>,
    /// After how many numbers there was a gap.
    gaps: Vec<usize>,
    connections: usize,
}

/// Reads events of one connection until it breaks, or nothing comes for a while.
fn read(heard: &Mutex<Heard>, port: u16, url: &str, is_over: &AtomicBool) -> std::io::Result<()> {
    let id = heard.lock().expect("no panic").id.clone();
    let mut connection = TcpStream::connect(("127.0.0.1", port))?;
    connection.set_read_timeout(Some(Duration::from_secs(3)))?;
    let id = if id.is_empty() { String::new() } else { format!("Last-Event-ID: {id}\r\n") };
    write!(connection, "GET {url} HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n{id}\r\n")?;
    heard.lock().expect("no panic").connections += 1;
    let (mut name, mut data, mut id) = (String::new(), String::new(), String::new());
    for line in BufReader::new(connection).lines() {
        let line = line?;
        if is_over.load(Ordering::Relaxed) {
            return Ok(());
        }
        if let Some(value) = line.strip_prefix("data: ") {
            value.clone_into(&mut data);
        } else if let Some(value) = line.strip_prefix("event: ") {
            value.clone_into(&mut name);
        } else if let Some(value) = line.strip_prefix("id: ") {
            value.clone_into(&mut id);
        } else if line.is_empty() {
            let mut heard = heard.lock().expect("no panic");
            match name.as_str() {
                "end" => return Ok(()),
                "gap" => {
                    let at = heard.numbers.len();
                    heard.gaps.push(at);
                }
                "" if !data.is_empty() => {
                    heard.last.clone_from(&data);
                    heard.numbers.extend(data.parse::<u64>());
                }
                _ => {}
            }
            if !id.is_empty() {
                heard.id.clone_from(&id);
            }
            (name, data, id) = (String::new(), String::new(), String::new());
        }
    }
    Ok(())
}

/// Publishes a number; whether somebody has said that it was.
fn publish(port: u16, number: u64) -> Option<bool> {
    let text = number.to_string();
    let mut connection = TcpStream::connect(("127.0.0.1", port)).ok()?;
    connection.set_read_timeout(Some(Duration::from_secs(8))).ok()?;
    let length = text.len();
    write!(
        connection,
        "POST {CHANNEL} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {length}\r\n\r\n{text}"
    )
    .ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    match answer.split(' ').nth(1)? {
        "200" => Some(true),
        // It was certainly not published.
        "503" if answer.contains("was not published") => Some(false),
        _ => None,
    }
}

#[test]
#[ignore = "takes long"]
fn soak() {
    let saves = std::env::var("SAVES").ok().and_then(|saves| saves.parse().ok()).unwrap_or(20_000_u64);
    let site = Site::with(&[("data.json", "0"), ("token", TOKEN)]);
    let mut redis = Redis::start(true);
    let (relay, token) = (redis.url(), site.path("token").display().to_string());
    let edge = |port: u16| {
        let port = port.to_string();
        redis_edge(&relay, &["--port", &port, "--publish", "--publish-token-file", &token])
    };
    let origin = || site.serve_with(&["--relay", &relay]);
    let mut origins = [Some(origin()), Some(origin())];
    let mut edges = [0; 3].map(|_| Some(edge(0)));
    let ports = Arc::new(edges.each_ref().map(|edge| AtomicU16::new(edge.as_ref().expect("an edge").port())));
    let (is_over, published, saved) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let port = |chance: &mut Chance, ports: &[AtomicU16; 3]| ports[chance.below(3)].load(Ordering::Relaxed);

    let heard = (0..12).map(|_| Arc::new(Mutex::new(Heard::default()))).collect::<Vec<_>>();
    let listeners = heard.iter().enumerate().map(|(number, heard)| {
        let (heard, ports, is_over) = (heard.clone(), ports.clone(), is_over.clone());
        thread::spawn(move || {
            let mut chance = Chance(number as u64);
            // Half of them listen to the file, and half to the channel.
            let url = if number % 2 == 0 { "/data.json" } else { CHANNEL };
            while !is_over.load(Ordering::Relaxed) {
                drop(read(&heard, port(&mut chance, &ports), url, &is_over));
                thread::sleep(Duration::from_millis(20));
            }
        })
    });
    let listeners = listeners.collect::<Vec<_>>();
    let saver = {
        let (saved, file, next) = (saved.clone(), site.path("data.json"), site.path("next"));
        thread::spawn(move || {
            for number in 1..=saves {
                fs::write(&next, number.to_string()).expect("a file");
                fs::rename(&next, &file).expect("a file");
                saved.store(number, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(3));
            }
        })
    };
    let publisher = {
        let (published, ports, acknowledged) = (published.clone(), ports.clone(), acknowledged.clone());
        thread::spawn(move || {
            let mut chance = Chance(4711);
            for number in 1..=saves {
                // What was certainly not published is published again; what perhaps was, is not.
                while publish(port(&mut chance, &ports), number).is_some_and(|is_there| {
                    if is_there {
                        acknowledged.lock().expect("no panic").push(number);
                    }
                    !is_there
                }) {
                    thread::sleep(Duration::from_millis(20));
                }
                published.store(number, Ordering::Relaxed);
            }
        })
    };
    let (mut chance, mut kills) = (Chance(17), [0; 3]);
    while !(saver.is_finished() && publisher.is_finished()) {
        thread::sleep(Duration::from_millis(500 + chance.below(2500) as u64));
        let (what, which) = (chance.below(5), chance.below(3));
        match what {
            0 => {
                redis.kill();
                thread::sleep(Duration::from_millis(chance.below(1500) as u64));
                redis.restart();
                kills[0] += 1;
            }
            1 | 2 => {
                let origin_at = which % 2;
                drop(origins[origin_at].take());
                thread::sleep(Duration::from_millis(chance.below(1000) as u64));
                origins[origin_at] = Some(origin());
                kills[1] += 1;
            }
            _ => {
                drop(edges[which].take());
                thread::sleep(Duration::from_millis(chance.below(1000) as u64));
                edges[which] = Some(edge(ports[which].load(Ordering::Relaxed)));
                kills[2] += 1;
            }
        }
        eprintln!(
            "{} saved, {} published, {kills:?} killed",
            saved.load(Ordering::Relaxed),
            published.load(Ordering::Relaxed)
        );
    }
    saver.join().expect("it saves");
    publisher.join().expect("it publishes");
    site.write("data.json", "\"end\"");
    let start = Instant::now();
    let mut chance = Chance(3);
    while publish(port(&mut chance, &ports), saves + 1) != Some(true) {
        assert!(start.elapsed() < 3 * DEADLINE, "nothing can be published");
        thread::sleep(Duration::from_millis(100));
    }
    for (number, heard) in heard.iter().enumerate() {
        let last = if number % 2 == 0 { "\"end\"".to_owned() } else { (saves + 1).to_string() };
        while heard.lock().expect("no panic").last != last {
            let heard = heard.lock().expect("no panic").last.clone();
            assert!(start.elapsed() < 6 * DEADLINE, "listener {number} ends with {heard}, and not with {last}");
            thread::sleep(Duration::from_millis(50));
        }
    }
    let recovered = start.elapsed();
    is_over.store(true, Ordering::Relaxed);
    // What wakes those who wait.
    publish(port(&mut chance, &ports), saves + 2);
    site.write("data.json", "\"over\"");
    listeners.into_iter().for_each(|listener| listener.join().expect("it listens"));
    let acknowledged = acknowledged.lock().expect("no panic");
    let (mut gaps, mut lost, mut connections) = (0, 0, 0);
    for heard in heard.iter().skip(1).step_by(2) {
        let heard = heard.lock().expect("no panic");
        gaps += heard.gaps.len();
        connections += heard.connections;
        for (at, pair) in heard.numbers.windows(2).enumerate() {
            assert!(pair[0] < pair[1], "{pair:?}: doubled or out of order");
            let missed = acknowledged.iter().filter(|number| (pair[0] + 1..pair[1]).contains(number)).count();
            let is_told = heard.gaps.contains(&(at + 1));
            lost += if is_told { missed } else { 0 };
            assert!(missed == 0 || is_told, "{missed} are missing in {pair:?}, and nobody has said so");
        }
    }
    eprintln!(
        "{saves} saves, {} of {saves} messages acknowledged; {kills:?} kills of Redis, origins and edges; {connections} connections; {gaps} gaps, \
         of which {lost} messages; the last listener was right {recovered:?} after the end",
        acknowledged.len()
    );
}

fn redis_edge(relay: &str, arguments: &[&str]) -> Server {
    let arguments = [&["--edge", "--relay", relay], arguments].concat();
    let start = Instant::now();
    loop {
        let mut command = Command::new(env!("CARGO_BIN_EXE_savecast"));
        command.current_dir("/");
        // A port may be taken for a moment by those who have just been cut off.
        match Server::start(command, &arguments) {
            Ok(server) => return server,
            Err((_, text)) => assert!(start.elapsed() < DEADLINE, "{text}"),
        }
    }
}
