//! What people and scripts are told of a server that is running, and what they can have it do.

use std::fs;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::support::DEADLINE;
use crate::support::Server;
use crate::support::Site;

const OVERVIEW: &str = "/_savecast/overview";

/// Runs the command with the address of the server behind it.
fn ask(server: &Server, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_savecast"));
    command.args(arguments).args(["--server", &server.url]).stdin(Stdio::null());
    command.output().expect("the built binary")
}

#[track_caller]
fn says(output: &Output, words: &str) {
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned()).concat();
    assert!(said.contains(words), "{said}");
}

/// Asks for the overview until it is as wished.
#[track_caller]
fn overview(server: &Server, wish: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let told = serde_json::from_str(&server.get(OVERVIEW).text).expect("JSON");
        if wish(&told) {
            return told;
        }
        assert!(start.elapsed() < DEADLINE, "it stays {told}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// How many are listed.
fn length(list: &Value) -> usize {
    list.as_object().map_or(0, serde_json::Map::len)
}

#[test]
fn all_that_is_going_on_is_in_one_document() {
    let site = Site::with(&[("a.json", "[1]"), ("b.json", "[1")]);
    let server = site.serve();
    let [good, bad] = ["/a.json", "/b.json"].map(|path| server.follow(path));
    good.expect("[1]");
    bad.expect_event("problem");
    site.write("a.json", "[2]");
    good.expect("[2]");
    let told = overview(&server, |told| told["events"]["0"]["path"] == "/a.json");
    assert_eq!((&told["streams"], &told["problems"]), (&2.into(), &1.into()));
    assert_eq!((&told["files"]["/a.json"]["size"], &told["files"]["/a.json"]["listeners"]), (&3.into(), &1.into()));
    assert!(told["files"]["/a.json"]["ms"].as_f64().is_some_and(|ms| ms > 0.0));
    assert_eq!(told["files"]["/b.json"]["problem"]["line"], 1);
    assert_eq!(length(&told["connections"]), 2);
    assert_eq!(told["network"]["urls"], Value::Array(Vec::new()));
    drop((good, bad));
    overview(&server, |told| length(&told["connections"]) == 0);
}

#[cfg(unix)]
#[test]
fn the_overview_is_a_stream_of_patches_and_none_of_those_it_counts() {
    let site = Site::with(&[("a.txt", "1")]);
    let mut server = site.serve();
    let stream = server.follow(OVERVIEW);
    let mut document = serde_json::from_str::<Value>(&stream.next().data).expect("JSON");
    assert_eq!(document["streams"], 0);
    let events = server.follow("/a.txt");
    events.expect("1");
    site.write("a.txt", "2");
    while document["events"]["0"]["path"] != "/a.txt" {
        let event = stream.next();
        // A patch is sent where it is smaller.
        if event.event == "message" {
            document = serde_json::from_str(&event.data).expect("JSON");
            continue;
        }
        assert_eq!(event.event, "patch");
        let patch = serde_json::from_str::<json_patch::Patch>(&event.data).expect("a patch");
        json_patch::patch(&mut document, &patch).expect("it fits");
    }
    assert_eq!(document["streams"], 1);
    server.signal("TERM");
    stream.expect_event("end");
    server.wait_for_end();
}

#[test]
fn a_crowd_is_counted_and_not_listed() {
    let site = Site::with(&[("a.txt", "1")]);
    let server = site.serve();
    let streams = (0..600).map(|_| server.follow("/a.txt")).collect::<Vec<_>>();
    let told = overview(&server, |told| told["streams"] == 600);
    assert_eq!(length(&told["connections"]), 500);
    drop(streams);
}

#[test]
fn pages_of_others_learn_nothing_and_do_nothing() {
    let site = Site::with(&[]);
    let server = site.serve();
    let foreign = [("sec-fetch-site", "cross-site"), ("origin", "http://evil.test")];
    assert_eq!(server.request("GET", OVERVIEW, &foreign).status, 403);
    for url in ["/_savecast/reload", "/_savecast/console", "/_savecast/tabs"] {
        assert_eq!(server.post(url, &foreign, "").status, 403, "{url}");
        assert_eq!(server.get(url).status, 405, "{url}");
    }
    assert_eq!(server.post(OVERVIEW, &[], "").status, 405);
    for nonsense in ["", "[", "[]", "{\"page\": 1, \"messages\": []}", "{\"page\": \"/\", \"messages\": {}}"] {
        assert_eq!(server.post("/_savecast/console", &[], nonsense).status, 400, "{nonsense}");
    }
    let odd = r#"{"page": "/", "messages": [1, {"kind": "shout"}, {"kind": "log", "message": 7, "line": -1, "count": 1e99}]}"#;
    assert_eq!(server.post("/_savecast/console", &[], odd).status, 204);
    assert_eq!(server.post("/_savecast/console", &[], &"x".repeat(100_000)).status, 413);
}

#[test]
fn pages_that_may_use_files_learn_nothing_of_others_either() {
    let site = Site::with(&[("a.json", "1")]);
    let server = site.serve_with(&["--cors"]);
    let other = [("sec-fetch-site", "cross-site"), ("origin", "http://other.example")];
    assert_eq!(server.request("GET", "/a.json", &other).status, 200);
    assert_eq!(server.request("GET", OVERVIEW, &other).status, 403);
    for url in ["/_savecast/reload", "/_savecast/console", "/_savecast/tabs"] {
        assert_eq!(server.post(url, &other, "").status, 403, "{url}");
    }
    let page = server.get("/_savecast/");
    assert!(page.header("content-security-policy").contains("frame-ancestors 'self'"));
}

#[test]
fn the_overview_has_a_bound_whatever_browsers_say_of_themselves() {
    let site = Site::with(&[]);
    let server = site.serve();
    let tab = serde_json::json!({ "page": format!("/{}", "x".repeat(1000)), "since": 1 });
    let streams = (0..20).map(|number| {
        let wish = serde_json::json!({ "client": format!("c{number}"), "tabs": vec![&tab; 1000] }).to_string();
        server.follow_with("POST", "/_savecast/events", &[("user-agent", &"é".repeat(1000))], &wish)
    });
    let streams = streams.collect::<Vec<_>>();
    let told = overview(&server, |told| told["streams"] == 20);
    assert_eq!(length(&told["tabs"]), 500);
    assert!(told.to_string().len() < 500 << 10, "{}", told.to_string().len());
    let links =
        ["javascript:alert(1)", "//evil.example/", "/\\evil.example"].map(|page| serde_json::json!({ "page": page }));
    let named = serde_json::json!({ "client": "c0", "tabs": links }).to_string();
    assert_eq!(server.post("/_savecast/tabs", &[], &named).status, 204);
    overview(&server, |told| told["tabs"].as_object().is_some_and(|tabs| !tabs.contains_key("0.0")));
    drop(streams);
}

#[test]
fn a_server_that_is_no_savecast_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            thread::spawn(move || {
                let mut stream = stream;
                drop(stream.read(&mut [0; 4096]));
                let answers = [
                    "200 OK\r\ncontent-length: 2\r\n\r\n[]",
                    "404 Not Found\r\ncontent-length: 0\r\n\r\n",
                    "200 OK\r\n\r\n",
                ];
                drop(write!(stream, "HTTP/1.1 {}", answers[number % 3]));
                // It goes on and on, and never ends.
                while number % 3 == 2 && stream.write_all(b" ").is_ok() {
                    thread::sleep(Duration::from_millis(100));
                }
            });
        }
    });
    for words in ["is no savecast", "is no savecast", "does not answer"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_savecast"));
        let output = command.args(["reload"]).env("PORT", &port).output().expect("the built binary");
        assert_eq!(output.status.code(), Some(1));
        says(&output, words);
    }
}

#[cfg(unix)]
#[test]
fn a_shell_can_do_what_the_page_does() {
    let site = Site::with(&[("a.json", "[1"), ("index.html", "<!doctype html>")]);
    let mut server = site.serve();
    let page = server.follow_with(
        "POST",
        "/_savecast/events",
        &[],
        r#"{"uses": {"/a.json": ""}, "tabs": [{"page": "/index.html", "since": 1}]}"#,
    );
    page.expect_event("problem");
    let status = ask(&server, &["status"]);
    assert!(status.status.success());
    for words in ["1 stream, ", "open: /index.html", "problem: /a.json:1:1"] {
        says(&status, words);
    }
    let json = ask(&server, &["status", "--json"]);
    assert_eq!(serde_json::from_slice::<Value>(&json.stdout).expect("JSON")["problems"], 1);

    let reload = ask(&server, &["reload"]);
    says(&reload, "the pages of 1 browser load again");
    page.expect_event("reload");

    let channel = server.follow("/_savecast/channels/users/4%202");
    says(&ask(&server, &["publish", "/users/4 2", "-5", "--event", "a b"]), "to 1 listener");
    let event = channel.next();
    assert_eq!((event.event.as_str(), event.data.as_str()), ("a b", "-5"));
    let mut piped = Command::new(env!("CARGO_BIN_EXE_savecast"));
    piped.args(["publish", "users/4 2", "-p", &server.url]).stdin(fs::File::open(site.path("a.json")).expect("a file"));
    assert!(piped.status().expect("the built binary").success());
    channel.expect("[1");
    let refused = ask(&server, &["publish", "users/42", "1", "--event", "end"]);
    assert_eq!(refused.status.code(), Some(1));
    says(&refused, "answers 400: end and gap are what the server itself says");

    server.signal("TERM");
    server.wait_for_end();
    let away = ask(&server, &["status"]);
    assert_eq!(away.status.code(), Some(1));
    says(&away, "refuses connections\nhint: ");
}

#[test]
fn a_token_is_needed_for_what_all_pages_hear() {
    let site = Site::with(&[]);
    let token = site.path("../token");
    fs::write(&token, "0123456789abcdef0123456789abcdef\n").expect("a file");
    let token = token.to_str().expect("UTF-8");
    let server = site.serve_with(&["--publish-token-file", token]);
    for arguments in [&["reload"] as &[_], &["publish", "a", "1"]] {
        let refused = ask(&server, arguments);
        assert_eq!(refused.status.code(), Some(1));
        says(&refused, "answers 401");
        says(&refused, "hint: name the file with the token");
        let allowed = ask(&server, &[arguments, &["--token-file", token]].concat());
        assert!(allowed.status.success(), "{allowed:?}");
    }
}

#[test]
fn a_server_that_speaks_tls_is_asked_as_well() {
    let site = Site::with(&[]);
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_savecast"));
    command.arg(site.path("")).env("HOME", home.path()).env("XDG_DATA_HOME", home.path());
    let server = Server::start(command, &["--https"]).expect("the server to start");
    let port = server.url.rsplit(':').next().expect("a port");
    for named in [port, &server.url] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_savecast"));
        let output = command.args(["status", "-p", named]).output().expect("the built binary");
        assert!(output.status.success(), "{named}: {output:?}");
    }
}
