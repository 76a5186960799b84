//! An origin with a directory, and edges that serve what it tells, with a real Redis between them.

use std::fs;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::io::Write as _;
use std::time::Duration;
use std::time::Instant;

use serde_json::json;

use crate::redis::Redis;
use crate::support::DEADLINE;
use crate::support::Events;
use crate::support::Server;
use crate::support::Site;
use crate::websocket::Socket;
use crate::wire::Wire;

/// What an edge has always an eye on: the rules.
const ALWAYS: usize = 2;

/// Waits until an event has this data, and says how many came before.
#[track_caller]
fn expect_at_last(events: &Events, data: &str) -> Vec<String> {
    let mut before = Vec::new();
    loop {
        let event = events.next();
        if event.data == data {
            return before;
        }
        before.push(event.data);
    }
}

fn role(server: &Server, role: &str) {
    // A lease that nobody gives back takes its time.
    let start = Instant::now();
    while server.status()["relay"]["role"] != role {
        assert!(start.elapsed() < 2 * DEADLINE, "{}", server.status());
    }
}

/// Waits for an answer with this text.
#[track_caller]
fn get_at_last(server: &Server, url: &str, text: &str) {
    let start = Instant::now();
    loop {
        let answer = server.get(url);
        if answer.text == text {
            return;
        }
        assert!(start.elapsed() < DEADLINE, "{answer:?}");
    }
}

#[test]
fn an_edge_serves_what_an_origin_tells() {
    let large = "x".repeat(3 << 20);
    let site = Site::with(&[
        ("index.html", "<h1>start</h1>"),
        ("about.html", "about"),
        ("404.html", "not here"),
        ("data.json", "{\"a\": 1}"),
        ("text.txt", "text"),
        ("empty.txt", ""),
        ("picture.png", "\u{1}\0\u{2}"),
        ("sub/tea & cake.txt", "sub"),
        ("broken.json", "{"),
        ("large.txt", &large),
        (".env", "secret"),
        ("_redirects", "/old /about 301\n/rw /data.json 200\n"),
        ("_headers", "/text.txt\n  X-Own: yes\n"),
    ]);
    let redis = Redis::start(false);
    let relay = redis.url();
    let origin = site.serve_with(&["--relay", &relay, "--max-push", "1M"]);
    role(&origin, "origin");
    let edge = redis.edge();
    for url in [
        "/",
        "/index.html",
        "/about",
        "/about.html",
        "/about/",
        "/data.json",
        "/text.txt",
        "/empty.txt",
        "/picture.png",
        "/sub",
        "/sub/",
        "/sub/tea%20&%20cake.txt",
        "/broken.json",
        "/large.txt",
        "/missing",
        "/missing.js",
        "/.env",
        "/old",
        "/rw",
        "/_redirects",
        "/sub/../.env",
        "/%2e%2e/x",
        "/data.json?view",
        "/favicon.ico",
    ] {
        let (here, there) = (origin.get(url), edge.get(url));
        assert_eq!((here.status, &here.text), (there.status, &there.text), "{url}");
        for header in ["content-type", "etag", "last-modified", "cache-control", "location", "x-own", "warning"] {
            assert_eq!(here.header(header), there.header(header), "{header} of {url}");
        }
    }
    let part = edge.request("GET", "/large.txt", &[("range", "bytes=1-2")]);
    assert_eq!((part.status, part.text.as_str()), (206, "xx"));
    let etag = edge.get("/data.json").header("etag").to_owned();
    assert_eq!(edge.request("GET", "/data.json", &[("if-none-match", &etag)]).status, 304);
    // A long poll waits for what comes from the origin itself, too.
    let etag = edge.get("/large.txt").header("etag").to_owned();
    let request = format!(
        "GET /large.txt HTTP/1.1\r\nHost: HOST\r\nIf-None-Match: {etag}\r\nPrefer: wait=20\r\nConnection: close\r\n\r\n"
    );
    let mut poll = edge.open(&request);
    poll.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    edge.wait_for_status(|status| status["streams"] == 1);
    site.write("large.txt", "y".repeat(3 << 20));
    let mut answer = String::new();
    poll.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("yy"), "{}", &answer[..200.min(answer.len())]);
}

#[test]
fn every_form_of_a_stream_comes_from_an_edge() {
    // A patch is sent where it is smaller than the whole.
    let document = |number: u32| format!(r#"{{"a":"{}","b":[{number}]}}"#, "x".repeat(200));
    let site =
        Site::with(&[("data.json", &document(1)), ("log.txt", "one\n"), ("sub/x.txt", "x"), ("page.html", "page")]);
    let redis = Redis::start(false);
    let origin = redis.instance(&site);
    let edge = redis.edge();
    let [here, whole] = [&origin, &edge].map(|server| server.follow("/data.json"));
    let first = [here.next(), whole.next()].map(|event| (event.id, event.data));
    assert_eq!(first[0], first[1]);
    let [value, patch, lines, listing, missing, page] =
        ["/data.json?at=/b/0", "/data.json?as=patch", "/log.txt?as=lines&last=5", "/sub/", "/late.txt", "/page"]
            .map(|url| edge.follow(url));
    value.expect("1");
    patch.next();
    lines.expect("one");
    listing.next();
    missing.expect_event("removed");
    page.expect("page");
    let etag = edge.get("/data.json").header("etag").to_owned();
    let request = format!(
        "GET /data.json HTTP/1.1\r\nHost: HOST\r\nIf-None-Match: {etag}\r\nPrefer: wait=20\r\nConnection: close\r\n\r\n"
    );
    let mut poll = edge.open(&request);
    poll.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    // It waits, like seven streams.
    edge.wait_for_status(|status| status["streams"] == 8);
    site.write("data.json", document(2));
    let mut answer = String::new();
    poll.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(&document(2)), "{answer}");
    let second = [here.next(), whole.next()].map(|event| (event.id, event.data));
    assert_eq!(second[0], second[1]);
    value.expect("2");
    assert_eq!(patch.expect_event("patch"), json!([{ "op": "replace", "path": "/b/0", "value": 2 }]));
    let mut log = OpenOptions::new().append(true).open(site.path("log.txt")).expect("a file to append to");
    log.write_all(b"two\n").expect("a line");
    lines.expect("two");
    site.write("sub/y.txt", "y");
    assert_eq!(listing.expect_event("message").as_array().map(Vec::len), Some(2));
    site.write("late.txt", "late");
    missing.expect("late");
    site.write("page", "file");
    page.expect("file");
    // Broken, and good again.
    site.write("data.json", "{");
    whole.expect_event("problem");
    site.write("data.json", "3");
    whole.expect("3");
    fs::remove_file(site.path("data.json")).expect("no file");
    whole.expect_event("removed");
    // Who comes back, anywhere, gets what it has not.
    site.write("data.json", "4");
    whole.expect("4");
    drop(whole);
    let other = redis.edge();
    site.write("data.json", "5");
    // What was so a moment ago may come before it.
    expect_at_last(&other.resume("/data.json", &second[0].0), "5");
    Socket::open(&other, "/data.json").expect("5");
    // A page hears what it has loaded.
    assert_eq!(other.get("/sub/x.txt").text, "x");
    let page = r#"{"uses": {"/sub/x.txt": null}, "reads": {"/data.json": null}}"#;
    let page = other.follow_with("POST", "/_savecast/events", &[], page);
    page.next();
    site.write("sub/x.txt", "other");
    assert_eq!(page.expect_event("change")["path"], "/sub/x.txt");
}

#[test]
fn what_nobody_wants_is_watched_by_no_origin() {
    let site = Site::with(&[("data.json", "1"), ("sub/index.html", "x")]);
    let redis = Redis::start(false);
    let origin = redis.instance(&site);
    let mut edges = [redis.edge(), redis.edge()];
    let [a, b] = edges.each_ref().map(|edge| edge.follow("/data.json"));
    a.expect("1");
    b.expect("1");
    assert_eq!(edges[0].get("/sub/").status, 200);
    drop(a);
    // Kept for the next one who asks, and then no longer.
    let followed = |wanted: usize| {
        let start = Instant::now();
        while origin.status()["followed"] != wanted {
            assert!(start.elapsed() < Duration::from_secs(30), "{}", origin.status());
        }
    };
    followed(ALWAYS + 1);
    site.write("data.json", "2");
    b.expect("2");
    // One that dies says nothing.
    edges[1].signal("KILL");
    edges[1].wait_for_end();
    followed(ALWAYS);
    let keys = redis.ask(&["KEYS", "*doc:*"]);
    assert_eq!(keys.lines().count(), ALWAYS, "{keys}");
}

#[test]
fn listeners_stay_while_the_origin_is_away() {
    let site = Site::with(&[("data.json", "1"), ("other.json", "other"), ("page.html", "<p>page")]);
    let redis = Redis::start(false);
    let mut origin = redis.instance(&site);
    let edge = redis.edge();
    let events = edge.follow("/data.json");
    events.expect("1");
    assert!(edge.get("/page.html").text.contains("<p>page"));
    origin.signal("KILL");
    origin.wait_for_end();
    edge.expect_complaint("there is no origin");
    // What is known is served, and said to be old; what is not is asked for later.
    let answer = edge.get("/data.json");
    assert_eq!((answer.status, answer.text.as_str()), (200, "1"));
    assert!(answer.header("warning").starts_with("110"), "{answer:?}");
    let late = edge.follow("/data.json");
    late.expect("1");
    let answer = edge.get("/other.json");
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{answer:?}");
    assert!(answer.text.contains("there is no origin"), "{}", answer.text);
    let waiting = edge.follow("/other.json");
    assert_eq!(edge.status()["relay"]["origin"], false);
    // An edge that starts now serves what Redis remembers.
    let cold = redis.edge_alone(&[]);
    get_at_last(&cold, "/data.json", "1");
    site.write("data.json", "2");
    let _origin = redis.instance(&site);
    edge.expect_complaint("there is an origin");
    for events in [&events, &late] {
        events.expect("2");
    }
    waiting.expect_event("problem");
    get_at_last(&cold, "/data.json", "2");
    get_at_last(&edge, "/other.json", "other");
    assert_eq!(edge.get("/data.json").header("warning"), "");
}

#[test]
fn another_origin_takes_over() {
    let (site, other) = (Site::with(&[("data.json", "\"first\"")]), Site::with(&[("data.json", "\"second\"")]));
    let redis = Redis::start(false);
    let first = redis.instance(&site);
    role(&first, "origin");
    let second = redis.instance(&other);
    let edge = redis.edge();
    let events = edge.follow("/data.json");
    events.expect("\"first\"");
    // A standby watches nothing, and what it has is not told.
    role(&second, "standby");
    other.write("data.json", "\"third\"");
    assert_eq!(second.status()["followed"], 0);
    // One that does not move loses its turn, and does not know it when it wakes.
    first.signal("STOP");
    events.expect("\"third\"");
    site.write("data.json", "\"late\"");
    first.signal("CONT");
    role(&first, "standby");
    other.write("data.json", "\"fourth\"");
    events.expect("\"fourth\"");
    drop(second);
    // One that ends says so.
    events.expect("\"late\"");
    role(&first, "origin");
}

#[test]
fn a_redis_that_restarts_loses_nothing_of_files() {
    for keeps in [true, false] {
        let site = Site::with(&[("data.json", "1"), ("still.txt", "still")]);
        let mut redis = Redis::start(keeps);
        let origin = redis.instance(&site);
        let edge = redis.edge();
        let [events, still] = ["/data.json", "/still.txt"].map(|url| edge.follow(url));
        events.expect("1");
        still.expect("still");
        redis.kill();
        edge.wait_for_status(|status| status["relay"]["up"] == false);
        site.write("data.json", "2");
        let answer = edge.get("/data.json");
        assert_eq!((answer.status, answer.text.as_str()), (200, "1"));
        assert!(answer.header("warning").starts_with("110"), "{answer:?}");
        redis.restart();
        events.expect("2");
        site.write("data.json", "3");
        events.expect("3");
        // What has not changed is no news.
        site.write("still.txt", "moved");
        still.expect("moved");
        drop(origin);
    }
}

#[test]
fn a_network_that_is_cut_loses_nothing() {
    let site = Site::with(&[("data.json", "\"first\""), ("other.json", "1")]);
    let redis = Redis::start(false);
    let [near, far, spare] = [0; 3].map(|_| Wire::to(redis.socket()));
    let instance = |wire: &Wire| {
        let server = site.serve_with(&["--relay", &wire.url()]);
        server.wait_for_status(|status| status["relay"]["up"] == true);
        server
    };
    let first = instance(&near);
    role(&first, "origin");
    let second = instance(&spare);
    let edge = redis.edge_of(&far.url(), &[]);
    edge.wait_for_status(|status| status["relay"]["origin"] == true);
    let [events, news] = ["/data.json", "/_savecast/channels/news"].map(|url| edge.follow(url));
    events.expect("\"first\"");
    // Between the edge and Redis.
    far.cut();
    edge.expect_complaint("does not answer");
    site.write("data.json", "\"missed\"");
    assert_eq!(first.post("/_savecast/channels/news", &[], "missed").status, 200);
    assert_eq!(edge.get("/data.json").text, "\"first\"");
    far.heal();
    events.expect("\"missed\"");
    news.expect("missed");
    // Between the origin and Redis: another one tells, and what the first one had said before comes late.
    near.cut();
    site.write("data.json", "\"old\"");
    expect_at_last(&events, "\"old\"");
    site.write("data.json", "\"new\"");
    expect_at_last(&events, "\"new\"");
    near.heal();
    role(&first, "standby");
    role(&second, "origin");
    site.write("data.json", "\"end\"");
    events.expect("\"end\"");
    assert_eq!(redis.edge().get("/data.json").text, "\"end\"");
}

#[test]
fn a_redis_that_forgets_everything_is_told_anew() {
    let site = Site::with(&[("data.json", "1")]);
    let redis = Redis::start(false);
    let origin = redis.instance(&site);
    let edge = redis.edge();
    let events = edge.follow("/data.json");
    events.expect("1");
    redis.ask(&["FLUSHALL"]);
    site.write("data.json", "2");
    assert_eq!(expect_at_last(&events, "2"), Vec::<String>::new());
    let start = Instant::now();
    while redis.ask(&["KEYS", "*want:*"]).trim().is_empty() {
        assert!(start.elapsed() < DEADLINE, "the edge wants nothing any more");
    }
    site.write("data.json", "3");
    events.expect("3");
    drop(origin);
}

#[test]
fn a_redis_that_is_full_keeps_its_listeners() {
    let site = Site::with(&[("data.json", "1"), ("other.json", "other")]);
    let redis = Redis::start(false);
    let origin = redis.instance(&site);
    let edge = redis.edge();
    let [events, news] = ["/data.json", "/_savecast/channels/news"].map(|url| edge.follow(url));
    events.expect("1");
    redis.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    edge.expect_complaint("when it writes again");
    site.write("data.json", "2");
    let answer = origin.post("/_savecast/channels/news", &[], "lost");
    assert!(answer.status == 503 && answer.text.contains("says"), "{}", answer.text);
    assert_eq!(edge.get("/data.json").text, "1");
    assert_eq!(edge.get("/other.json").status, 503);
    for server in [&origin, &edge] {
        let status = server.status();
        assert_eq!((&status["relay"]["up"], &status["relay"]["reconnects"]), (&json!(true), &json!(0)));
    }
    redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    events.expect("2");
    get_at_last(&edge, "/other.json", "other");
    assert_eq!(origin.post("/_savecast/channels/news", &[], "news").status, 200);
    news.expect("news");
}

#[test]
fn a_redis_that_stands_still_loses_nothing_of_files() {
    let site = Site::with(&[("data.json", "1")]);
    let redis = Redis::start(false);
    let _origin = redis.instance(&site);
    let edge = redis.edge();
    let events = edge.follow("/data.json");
    events.expect("1");
    redis.signal("STOP");
    edge.expect_complaint("does not answer");
    site.write("data.json", "2");
    assert_eq!(edge.get("/data.json").text, "1");
    redis.signal("CONT");
    events.expect("2");
}

#[test]
fn many_who_ask_a_cold_edge_ask_the_origin_once() {
    let site = Site::with(&[("data.json", "1")]);
    let redis = Redis::start(false);
    let _origin = redis.instance(&site);
    let edge = redis.edge();
    redis.ask(&["CONFIG", "RESETSTAT"]);
    let request = "GET /data.json HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n";
    let answers = (0..100).map(|_| edge.open(request)).collect::<Vec<_>>();
    for mut answer in answers {
        let mut text = String::new();
        answer.read_to_string(&mut text).expect("an answer");
        assert!(text.ends_with("\r\n\r\n1"), "{text}");
    }
    let stats = redis.ask(&["INFO", "commandstats"]);
    let count = |name: &str| {
        let line = stats.lines().find(|line| line.starts_with(&format!("cmdstat_{name}:"))).unwrap_or_default();
        line.split(['=', ',']).nth(1).and_then(|count| count.parse().ok()).unwrap_or(0_u64)
    };
    // For the file, and what else might be there under its name.
    assert!(count("sadd") <= 5 && count("publish") <= 20, "{stats}");
}

#[test]
fn nonsense_in_redis_is_not_believed() {
    let site = Site::with(&[("data.json", "1")]);
    let redis = Redis::start(false);
    let _origin = redis.instance(&site);
    let edge = redis.edge();
    let events = edge.follow("/data.json");
    events.expect("1");
    let say = "sc:{site}:say:doc:/data.json";
    for message in [
        "",
        "1",
        "1 nothing\n",
        "1 99999999999999999999999 0 file - 1\nx",
        "1 9007199254740993 00000000000000000000000000000001 file - 1\nx",
        "1 9007199254740993 00000000000000000000000000000001 missing - 0\n",
        "1 9007199254740993 00000000000000000000000000000001 program - 1\nx",
        "2 9007199254740993 00000000000000000000000000000000 missing - 0\n",
    ] {
        redis.ask(&["PUBLISH", say, message]);
    }
    for message in ["", "1 want", "1 want x", "1 want /../x", "1 want /.env", "1 leave /nothing", "2 want /x"] {
        redis.ask(&["PUBLISH", "sc:{site}:ask", message]);
    }
    redis.ask(&["HSET", "sc:{site}:doc:/other.json", "o", "x", "n", "x", "v", "x", "k", "file", "m", "x", "b", "x"]);
    assert_eq!(edge.get("/other.json").status, 404);
    assert_eq!(edge.get("/.env").status, 404);
    site.write("data.json", "2");
    events.expect("2");
    assert_eq!(edge.status()["relay"]["reconnects"], 0);
}

#[test]
fn what_an_old_connection_says_late_is_not_believed() {
    let site = Site::with(&[("data.json", "1")]);
    let redis = Redis::start(false);
    let origin = redis.instance(&site);
    let edge = redis.edge();
    let events = edge.follow("/data.json");
    events.expect("1");
    let name = || redis.ask(&["GET", "sc:{site}:origin"]).split_whitespace().next().unwrap_or_default().to_owned();
    let old = name();
    redis.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    let start = Instant::now();
    while name() == old {
        assert!(start.elapsed() < DEADLINE, "the origin has no new connection");
    }
    origin.wait_for_status(|status| status["relay"]["up"] == true);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/relay/put.lua");
    let put = |name: &str| {
        let keys = ["sc:{site}:origin", "sc:{site}:doc:/data.json", "sc:{site}:n", ","];
        let version = "00000000000000000000000000000000";
        let after = format!(" {version} missing - 0\n");
        let arguments = [name, "sc:{site}:say:doc:/data.json", "1 ", &after, version, "missing", "-", "", "1", "60000"];
        redis.ask(&[&["--eval", script], &keys[..], &arguments].concat()).trim().to_owned()
    };
    assert_eq!(put(&old), "0");
    site.write("data.json", "2");
    events.expect("2");
    assert_eq!(put(&name()), "1");
    events.expect_event("removed");
}

#[test]
#[cfg(target_os = "linux")]
fn an_edge_holds_no_more_than_it_may() {
    let site = Site::with(&[("index.html", "x")]);
    for number in 0..100 {
        site.write(&format!("{number}.txt"), number.to_string().repeat(1 << 20));
    }
    let redis = Redis::start(false);
    let _origin = redis.instance(&site);
    let edge = redis.edge();
    let memory = || {
        let status = fs::read_to_string(format!("/proc/{}/status", edge.pid())).expect("its status");
        let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("a line");
        line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).expect("a number") >> 10
    };
    for number in 0..100 {
        assert_eq!(edge.get(&format!("/{number}.txt")).status, 200);
    }
    // 190 MB were asked for.
    assert!(memory() < 160, "{} MB", memory());
    for number in 0..4000 {
        edge.get(&format!("/missing-{number}.txt"));
    }
    assert!(memory() < 180, "{} MB", memory());
    let wants = redis.ask(&["KEYS", "*want:*"]);
    let count = redis.ask(&["SCARD", wants.trim()]);
    assert!(count.trim().parse::<u64>().expect("a number") <= 10_000, "{count}");
}

#[test]
fn an_edge_needs_a_relay_and_no_directory() {
    for (arguments, words) in [
        (&["--edge"][..], "--relay"),
        (&["--edge", "--relay", "redis://localhost", "."], "[DIR]"),
        (&["--edge", "--relay", "redis://localhost", "--mount", "/a=."], "--mount"),
    ] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_savecast"));
        let output = command.args(arguments).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn publishing_at_an_edge_needs_a_token() {
    let token = "0123456789abcdef0123456789abcdef";
    let site = Site::with(&[("index.html", "x"), ("token.txt", token), ("short.txt", "x")]);
    let redis = Redis::start(false);
    let file = site.path("token.txt").display().to_string();
    let news = "/_savecast/channels/news";
    let origin = redis.instance(&site);
    let closed = redis.edge();
    assert_eq!(closed.post(news, &[], "x").status, 403);
    let edge = redis.edge_alone(&["--publish", "--publish-token-file", &file]);
    edge.wait_for_status(|status| status["relay"]["origin"] == true);
    let events = closed.follow(news);
    for authorization in
        ["", "Bearer", "Bearer x", "Basic 0123456789abcdef0123456789abcdef", &format!("Bearer {token}x")]
    {
        let answer = edge.post(news, &[("authorization", authorization)], "x");
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"), "{authorization}");
    }
    let answer = edge.post(news, &[("authorization", &format!("bearer {token}"))], "with it");
    assert_eq!(answer.status, 200, "{}", answer.text);
    events.expect("with it");
    // Where there is a directory, the token is never served.
    let own = site.serve_with(&["--publish-token-file", &file]);
    assert_eq!((own.get("/token.txt").status, own.post(news, &[], "x").status), (404, 401));
    assert_eq!(origin.post(news, &[], "x").status, 200);
    let short = site.path("short.txt").display().to_string();
    for arguments in [&["--publish-token-file", &short][..], &["--publish-token-file", "/nothing"]] {
        let (status, text) = Server::run(&site.path(""), arguments).err().expect("no server");
        assert!(status.code() == Some(2) && text.contains("no token for publishing"), "{text}");
    }
}

#[test]
fn a_balancer_and_prometheus_are_told_how_it_stands() {
    let site = Site::with(&[("data.json", "1")]);
    let mut redis = Redis::start(false);
    let edge = redis.edge_alone(&["--drain", "2"]);
    let health = |server: &Server| {
        let answer = server.get("/_savecast/health");
        (answer.status, answer.text)
    };
    assert_eq!(health(&edge).0, 503);
    let origin = redis.instance(&site);
    edge.wait_for_status(|status| status["relay"]["origin"] == true);
    assert_eq!(health(&edge), (200, "ok\n".to_owned()));
    let events = edge.follow("/data.json");
    events.expect("1");
    site.write("data.json", "2");
    events.expect("2");
    let metrics = edge.get("/_savecast/metrics");
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        "# TYPE savecast_listeners gauge",
        "savecast_listeners 1",
        "savecast_relay_up 1",
        "savecast_origin_up 1",
        "savecast_delivery_seconds_bucket{le=\"+Inf\"} 1",
        "savecast_delivery_seconds_count 1",
        "savecast_gaps_total 0",
    ] {
        assert!(metrics.text.lines().any(|one| one == line), "{line} is not in {}", metrics.text);
    }
    let sent = metrics.text.lines().find_map(|line| line.strip_prefix("savecast_sent_bytes_total "));
    assert!(sent.is_some_and(|bytes| bytes.parse::<u64>().is_ok_and(|bytes| bytes > 50)), "{sent:?}");
    redis.kill();
    edge.wait_for_status(|status| status["relay"]["up"] == false);
    assert_eq!(health(&edge), (200, "ok, but Redis is away\n".to_owned()));
    drop(origin);
}

#[test]
fn streams_end_one_after_the_other_on_sigterm() {
    let site = Site::with(&[("data.json", "1")]);
    let redis = Redis::start(false);
    let _origin = redis.instance(&site);
    let mut edge = redis.edge_alone(&["--drain", "3"]);
    edge.wait_for_status(|status| status["relay"]["origin"] == true);
    let streams = (0..60).map(|_| edge.follow("/data.json")).collect::<Vec<_>>();
    streams.iter().for_each(|events| events.expect("1"));
    let start = Instant::now();
    edge.signal("TERM");
    edge.expect_complaint("no new streams");
    // Files are served meanwhile.
    let answer = edge.get("/_savecast/health");
    assert_eq!((answer.status, answer.text.as_str()), (503, "this instance is about to end\n"));
    assert_eq!(edge.get("/data.json").text, "1");
    assert_eq!(edge.follow("/data.json").head.status, 503);
    assert_eq!(edge.follow("/_savecast/channels/x").head.status, 503);
    let ends = streams.iter().map(|events| {
        let (event, at) = events.next_before(Instant::now() + DEADLINE).expect("an end");
        assert_eq!(event.event, "end");
        at - start
    });
    let mut ends = ends.collect::<Vec<_>>();
    ends.sort_unstable();
    assert!(ends[0] < Duration::from_millis(1500) && ends[59] > Duration::from_millis(1500), "{ends:?}");
    let (status, _) = edge.wait_for_end();
    assert!(status.success());
}

#[test]
fn an_edge_needs_no_right_to_write_documents() {
    let site = Site::with(&[("data.json", "1")]);
    let redis = Redis::start(false);
    let origin = redis.instance(&site);
    // As the documentation says.
    let words = include_str!("../../docs/src/scaling.md")
        .split("ACL SETUSER ")
        .nth(1)
        .and_then(|text| text.split("```").next());
    let words = words.expect("the rights").replace(">PASSWORD", ">secret");
    let words = words.split_whitespace().collect::<Vec<_>>();
    assert_eq!(redis.ask(&[&["ACL", "SETUSER"], words.as_slice()].concat()).trim(), "OK");
    let url = format!("{}?user=edge&pass=secret", redis.url());
    let edge = redis.edge_of(&url, &[]);
    edge.wait_for_status(|status| status["relay"]["origin"] == true);
    let [events, news] = ["/data.json", "/_savecast/channels/news"].map(|url| edge.follow(url));
    events.expect("1");
    site.write("data.json", "2");
    events.expect("2");
    assert_eq!(origin.post("/_savecast/channels/news", &[], "news").status, 200);
    news.expect("news");
    drop((events, news));
    // Also what it does later: it wants nothing of it any more.
    let start = Instant::now();
    while redis.ask(&["KEYS", "*doc:/data.json"]).contains("data.json") {
        assert!(start.elapsed() < Duration::from_secs(30), "it is still wanted");
    }
    assert_eq!(edge.status()["relay"]["reconnects"], 0);
    let refused = redis.ask(&["--user", "edge", "--pass", "secret", "HSET", "sc:{site}:doc:/data.json", "v", "x"]);
    assert!(refused.contains("NOPERM"), "{refused}");
}

#[test]
fn one_address_has_no_more_than_it_may() {
    let site = Site::with(&[("data.json", "1"), ("large.txt", &"x".repeat(1 << 20))]);
    let server = site.serve_with(&["--limit-requests", "3", "--limit-bytes", "4M", "--trust-proxy", "127.0.0.1"]);
    let streams = [(); 3].map(|()| server.follow("/data.json"));
    streams.iter().for_each(|events| events.expect("1"));
    let answer = server.get("/data.json");
    assert_eq!((answer.status, answer.header("retry-after")), (429, "1"));
    // The proxy says that it is somebody else.
    let other = [("x-forwarded-for", "8.8.8.8")];
    assert_eq!(server.request("GET", "/data.json", &other).text, "1");
    site.write("data.json", "2");
    streams.iter().for_each(|events| events.expect("2"));
    drop(streams);
    let start = Instant::now();
    while server.get("/data.json").status != 200 {
        assert!(start.elapsed() < DEADLINE, "its streams are still counted");
    }
    // As many in a minute as it may have. Another minute may begin meanwhile.
    let statuses = [(); 12].map(|()| server.request("GET", "/large.txt", &other).status);
    assert!(statuses.starts_with(&[200; 4]) && statuses.contains(&429), "{statuses:?}");
    assert_eq!(server.get("/large.txt").status, 200);
}
