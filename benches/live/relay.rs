//! An origin and edges, connected through Redis: what that adds, and what many listeners cost.

use std::process::Command;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use crate::PAUSE;
use crate::Table;
use crate::files::Folder;
use crate::files::Save;
use crate::listeners::Listeners;
use crate::ms;
use crate::percentile;
use crate::program::Kind;
use crate::program::Program;
use crate::told;

/// How many listen in all.
const LISTENERS: usize = 12_000;

/// How many edges share them.
const EDGES: usize = 3;

/// Redis, an origin, and edges; `None` where there is no Redis.
struct Site {
    redis: Program,
    folder: Folder,
    origin: Program,
    edges: Vec<Program>,
}

impl Site {
    fn start(edges: usize) -> Option<Self> {
        let folder = Folder::new();
        folder.save(Save::InPlace, 0, 2 << 10);
        let redis = Program::start_redis()?;
        let relay = format!("redis://127.0.0.1:{}", redis.port);
        let origin = Program::start_origin(folder.path(), &relay);
        let edges = (0..edges).map(|_| Program::start_edge(&relay)).collect();
        Some(Self { redis, folder, origin, edges })
    }

    /// How many commands Redis has carried out, and how many bytes it has sent.
    fn redis(&self) -> [u64; 2] {
        let output = Command::new("redis-cli").args(["-p", &self.redis.port.to_string(), "INFO"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let number = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap();
        ["total_commands_processed:", "total_net_output_bytes:"].map(number)
    }
}

/// From a save to the event, and from publishing to the event.
pub(crate) fn latencies() -> Table {
    let mut table = Table {
        title: "From the end of a save of 2 KB to the event, with an origin and an edge connected through Redis, in ms",
        head: vec!["saved", "listener", "median", "p99"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    let Some(site) = Site::start(1) else { return table };
    for (name, pause, rounds) in [("with pauses of 0.25 s", Some(PAUSE), 200), ("back to back", None, 1000)] {
        let mut sides =
            [("of the origin", site.origin.port), ("of an edge", site.edges[0].port)].map(|(name, port)| {
                let mut listener = Listeners::open(port, "/data.json", 1);
                listener.wait();
                (name, listener, Vec::new())
            });
        for round in 1..=rounds {
            pause.into_iter().for_each(thread::sleep);
            let saved = site.folder.save(Save::Rename, round, 2 << 10);
            for (_, listener, times) in &mut sides {
                times.push(listener.wait()[0].saturating_duration_since(saved));
            }
        }
        for (side, _, mut times) in sides {
            let cells = [50, 99].map(|percent| format!("{:.3}", ms(percentile(&mut times, percent))));
            table.rows.push([name.to_owned(), side.to_owned()].into_iter().chain(cells).collect());
        }
    }
    table
}

/// Shares requests between these.
fn balancer(ports: &[u16]) -> Option<Program> {
    let servers = ports.iter().map(|port| format!("server 127.0.0.1:{port};")).collect::<Vec<_>>().concat();
    Program::start_nginx(
        &format!("upstream edges {{ {servers} }}"),
        "backlog=4096",
        "location / { proxy_pass http://edges; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host localhost;
                      proxy_buffering off; proxy_read_timeout 60s; }",
    )
}

/// One change told to very many, by one process and by several.
pub(crate) fn listeners() -> Table {
    let mut table = Table {
        title: "One change of 2 KB to 12,000 listeners: times in ms, and what Redis has to do for each change",
        head: vec!["listeners of", "first", "median", "last", "commands", "KB from Redis"],
        rows: Vec::new(),
        bars: Vec::new(),
    };
    let alone = |name: &str, is_balanced: bool| {
        let folder = Folder::new();
        folder.save(Save::InPlace, 0, 2 << 10);
        let program = Program::start(Kind::Savecast, folder.path());
        // What the balancer takes is no matter of edges.
        let balancer = if is_balanced { Some(balancer(&[program.port])?) } else { None };
        let port = balancer.as_ref().unwrap_or(&program).port;
        let mut listeners = Listeners::open(port, "/data.json", LISTENERS);
        listeners.wait();
        let times = told(&folder, || listeners.wait());
        Some([name.to_owned()].into_iter().chain(times).chain(["–".to_owned(), "–".to_owned()]).collect())
    };
    table.rows.extend(alone("one process", false));
    table.rows.extend(alone("one process behind nginx", true));
    let Some(site) = Site::start(EDGES) else { return table };
    let ports = site.edges.iter().map(|edge| edge.port).collect::<Vec<_>>();
    {
        let mut edges =
            ports.iter().map(|port| Listeners::open(*port, "/data.json", LISTENERS / EDGES)).collect::<Vec<_>>();
        edges.iter_mut().for_each(|edge| drop(edge.wait()));
        table.rows.push(row(&site, "three edges", || {
            thread::scope(|scope| {
                let waiting = edges.iter_mut().map(|edge| scope.spawn(|| edge.wait())).collect::<Vec<_>>();
                waiting.into_iter().flat_map(|edge| edge.join().unwrap()).collect()
            })
        }));
    }
    thread::sleep(Duration::from_secs(2));
    if let Some(balancer) = balancer(&ports) {
        let mut listeners = Listeners::open(balancer.port, "/data.json", LISTENERS);
        listeners.wait();
        table.rows.push(row(&site, "three edges behind nginx", || listeners.wait()));
    }
    table
}

fn row(site: &Site, name: &str, wait: impl FnMut() -> Vec<Instant>) -> Vec<String> {
    let before = site.redis();
    let start = Instant::now();
    let times = told(&site.folder, wait);
    let after = site.redis();
    // What is done each second, and not for a change.
    let idle = {
        let (before, time) = (site.redis(), start.elapsed());
        thread::sleep(time);
        let after = site.redis();
        [0, 1].map(|at| after[at] - before[at])
    };
    let each = [0, 1].map(|at| (after[at] - before[at]).saturating_sub(idle[at]) as f64 / crate::ROUNDS as f64);
    let cells = [format!("{:.1}", each[0]), format!("{:.1}", each[1] / 1024.0)];
    [name.to_owned()].into_iter().chain(times).chain(cells).collect()
}
