//! Many saves and messages, while whatever is between them and their listeners is killed again and again.
//!
//! `cargo test --test stories soak::soak -- --ignored --nocapture`; `SAVES` says how many there are of each, 20,000 if it is not set.

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;
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

/// What all threads have in common.
#[derive(Default)]
struct Run {
    ports: [AtomicU16; 3],
    is_over: AtomicBool,
    /// How many were saved, and how many published.
    done: [AtomicU64; 2],
    acknowledged: Mutex<Vec<u64>>,
}

impl Run {
    /// The port of an edge that is there, or comes back.
    fn port(&self, chance: &mut Chance) -> u16 {
        self.ports[chance.below(3)].load(Ordering::Relaxed)
    }

    fn listen(&self, number: usize, heard: &Mutex<Heard>) {
        let mut chance = Chance(number as u64);
        // Half of them listen to the file, and half to the channel.
        let url = if number.is_multiple_of(2) { "/data.json" } else { CHANNEL };
        while !self.is_over.load(Ordering::Relaxed) {
            drop(read(heard, self.port(&mut chance), url, &self.is_over));
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn save(&self, folder: &Path, rounds: u64) {
        let (next, file) = (folder.join("next"), folder.join("data.json"));
        for number in 1..=rounds {
            fs::write(&next, number.to_string()).expect("a file");
            fs::rename(&next, &file).expect("a file");
            self.done[0].store(number, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(3));
        }
    }

    fn publish(&self, rounds: u64) {
        let mut chance = Chance(4711);
        for number in 1..=rounds {
            // What was certainly not published is published again; what perhaps was, is not.
            while publish(self.port(&mut chance), number).is_some_and(|is_there| {
                if is_there {
                    self.acknowledged.lock().expect("no panic").push(number);
                }
                !is_there
            }) {
                thread::sleep(Duration::from_millis(20));
            }
            self.done[1].store(number, Ordering::Relaxed);
        }
    }

    /// Everything is in order, came once, and was told to be missing if it is; how many were told so.
    fn check(&self, heard: &Heard) -> usize {
        let acknowledged = self.acknowledged.lock().expect("no panic");
        let mut told = 0;
        for (at, pair) in heard.numbers.windows(2).enumerate() {
            assert!(pair[0] < pair[1], "{pair:?}: doubled or out of order");
            let missed = acknowledged.iter().filter(|number| (pair[0] + 1..pair[1]).contains(number)).count();
            let is_told = heard.gaps.contains(&(at + 1));
            assert!(missed == 0 || is_told, "{missed} are missing in {pair:?}, and nobody has said so");
            told += missed;
        }
        told
    }
}

/// What is killed and started again.
struct Instances<'a> {
    site: &'a Site,
    redis: Redis,
    origins: [Option<Server>; 2],
    edges: [Option<Server>; 3],
    kills: [usize; 3],
}

impl<'a> Instances<'a> {
    fn start(site: &'a Site) -> Self {
        let redis = Redis::start(true);
        let (origins, edges) =
            ([0; 2].map(|_| Some(origin(site, &redis))), [0; 3].map(|_| Some(edge(site, &redis, 0))));
        Self { site, redis, origins, edges, kills: [0; 3] }
    }

    fn kill_one(&mut self, chance: &mut Chance, run: &Run) {
        let (what, which) = (chance.below(7), chance.below(3));
        let away = Duration::from_millis(chance.below(1500) as u64);
        match what {
            0 => {
                self.redis.kill();
                thread::sleep(away);
                self.redis.restart();
                self.kills[0] += 1;
            }
            1 => {
                // It says nothing, and goes on later with all that was sent to it meanwhile.
                self.redis.signal("STOP");
                thread::sleep(away * 3);
                self.redis.signal("CONT");
                self.kills[0] += 1;
            }
            2 => {
                self.redis.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]);
                self.kills[0] += 1;
            }
            3 | 4 => {
                drop(self.origins[which % 2].take());
                thread::sleep(away);
                self.origins[which % 2] = Some(origin(self.site, &self.redis));
                self.kills[1] += 1;
            }
            _ => {
                drop(self.edges[which].take());
                thread::sleep(away);
                self.edges[which] = Some(edge(self.site, &self.redis, run.ports[which].load(Ordering::Relaxed)));
                self.kills[2] += 1;
            }
        }
    }
}

fn origin(site: &Site, redis: &Redis) -> Server {
    site.serve_with(&["--relay", &redis.url()])
}

#[test]
#[ignore = "takes long"]
fn soak() {
    let rounds = std::env::var("SAVES").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(20_000_u64);
    let site = Site::with(&[("data.json", "0"), ("token", TOKEN)]);
    let mut instances = Instances::start(&site);
    let run = Arc::new(Run::default());
    for (port, edge) in run.ports.iter().zip(&instances.edges) {
        port.store(edge.as_ref().expect("an edge").port(), Ordering::Relaxed);
    }
    let heard = (0..12).map(|_| Arc::new(Mutex::new(Heard::default()))).collect::<Vec<_>>();
    let listeners = heard.iter().cloned().enumerate().map(|(number, heard)| {
        let run = run.clone();
        thread::spawn(move || run.listen(number, &heard))
    });
    let listeners = listeners.collect::<Vec<_>>();
    let (saving, publishing, folder) = (run.clone(), run.clone(), site.path(""));
    let work = [thread::spawn(move || saving.save(&folder, rounds)), thread::spawn(move || publishing.publish(rounds))];
    let mut chance = Chance(17);
    while !work.iter().all(JoinHandle::is_finished) {
        thread::sleep(Duration::from_millis(500 + chance.below(2500) as u64));
        instances.kill_one(&mut chance, &run);
        eprintln!("{:?} saved and published, {:?} killed", run.done, instances.kills);
    }
    work.into_iter().for_each(|work| work.join().expect("no panic"));
    site.write("data.json", "\"end\"");
    let start = Instant::now();
    while publish(run.port(&mut chance), rounds + 1) != Some(true) {
        assert!(start.elapsed() < 3 * DEADLINE, "nothing can be published");
        thread::sleep(Duration::from_millis(100));
    }
    for (number, heard) in heard.iter().enumerate() {
        let last = if number.is_multiple_of(2) { "\"end\"".to_owned() } else { (rounds + 1).to_string() };
        while heard.lock().expect("no panic").last != last {
            let heard = heard.lock().expect("no panic").last.clone();
            assert!(start.elapsed() < 6 * DEADLINE, "listener {number} ends with {heard}, and not with {last}");
            thread::sleep(Duration::from_millis(50));
        }
    }
    let recovered = start.elapsed();
    run.is_over.store(true, Ordering::Relaxed);
    // What wakes those who wait.
    publish(run.port(&mut chance), rounds + 2);
    site.write("data.json", "\"over\"");
    listeners.into_iter().for_each(|listener| listener.join().expect("it listens"));
    let (mut gaps, mut told, mut connections) = (0, 0, 0);
    for heard in heard.iter().skip(1).step_by(2) {
        let heard = heard.lock().expect("no panic");
        gaps += heard.gaps.len();
        connections += heard.connections;
        told += run.check(&heard);
    }
    eprintln!(
        "{rounds} saves, {} of {rounds} messages acknowledged; {:?} faults of Redis, and kills of origins and edges; {connections} connections; {gaps} gaps for \
         {told} messages; the last listener was right {recovered:?} after the end",
        run.acknowledged.lock().expect("no panic").len(),
        instances.kills
    );
}

fn edge(site: &Site, redis: &Redis, port: u16) -> Server {
    let (relay, token, port) = (redis.url(), site.path("token").display().to_string(), port.to_string());
    let arguments = ["--edge", "--relay", &relay, "--port", &port, "--publish", "--publish-token-file", &token];
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
