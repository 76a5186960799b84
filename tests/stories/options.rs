//! What can be typed, and what can be written down instead.

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;
use std::process::Output;

use crate::support::Server;
use crate::support::Site;

fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_savecast"));
    command.current_dir(directory).env_remove("PORT");
    command
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// It ends with status 2 and these words.
#[track_caller]
fn refuses(site: &Site, arguments: &[&str], expected: &[&str]) {
    let output = command(&site.path("")).args(arguments).output().expect("the built binary");
    let words = words(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {words}");
    for part in expected {
        assert!(words.contains(part), "{arguments:?} lacks {part:?}: {words}");
    }
}

#[test]
fn the_file_has_the_same_options() {
    let site = Site::with(&[
        ("index.html", "start"),
        ("lib/a.js", "1"),
        (
            "savecast.toml",
            "port = 0\nspa = true\nopen = false\ncors = [\"http://localhost:1\"]\n[mount]\n\"/vendor\" = \"lib\"\n",
        ),
    ]);
    let server = Server::start(command(&site.path("")), &[]).expect("a server");
    assert_eq!(server.get("/vendor/a.js").text, "1");
    assert_eq!(server.request("GET", "/x", &[("accept", "text/html")]).status, 200);
    for url in ["/savecast.toml", "/Savecast.TOML"] {
        assert_eq!(server.request("GET", url, &[("sec-fetch-dest", "empty")]).status, 404, "{url}");
    }
    assert!(!server.follow("/").next().data.contains("savecast.toml"));
    let cors = server.request("GET", "/", &[("origin", "http://localhost:1")]);
    assert_eq!(cors.header("access-control-allow-origin"), "http://localhost:1");
    drop(server);
    // What was typed counts more.
    let server = Server::start(command(&site.path("")), &["--cors", "http://localhost:2"]).expect("a server");
    let cors =
        |origin| server.request("GET", "/", &[("origin", origin)]).header("access-control-allow-origin").to_owned();
    assert_eq!([cors("http://localhost:1"), cors("http://localhost:2")], ["", "http://localhost:2"]);
}

#[test]
fn a_file_that_was_named_is_not_served_either() {
    let site = Site::with(&[("index.html", "start"), ("my.conf", "spa = true\nport = 0\n")]);
    #[cfg(unix)]
    std::os::unix::fs::symlink(site.path("my.conf"), site.path("link.txt")).expect("a link");
    let server = Server::start(command(&site.path("")), &["--config", "my.conf"]).expect("a server");
    for url in ["/my.conf", "/link.txt"] {
        assert_eq!(server.request("GET", url, &[("sec-fetch-dest", "empty")]).status, 404, "{url}");
    }
    let listing = server.follow("/").next().data;
    assert!(
        listing.contains("index.html") && !listing.contains("my.conf") && !listing.contains("link.txt"),
        "{listing}"
    );
}

#[test]
fn options_that_need_each_other_may_stand_in_the_file() {
    let site = Site::with(&[("conf/token", "0123456789abcdef0123456789abcdef"), ("empty/x", "")]);
    let relay = "relay = \"redis://127.0.0.1:1\"\n";
    let file = format!("port = 0\nedge = true\npublish = true\npublish-token-file = \"token\"\n{relay}");
    site.write("conf/edge.toml", &file);
    let server = Server::start(command(&site.path("empty")), &["--config", "../conf/edge.toml", "--port", "0"]);
    assert_eq!(server.expect("a server").get("/_savecast/channels/").status, 200);
    site.write("conf/edge.toml", file.replace(relay, ""));
    let refused = Server::start(command(&site.path("empty")), &["--config", "../conf/edge.toml", "--port", "0"]);
    let (_, words) = refused.err().expect("an edge needs a relay");
    assert!(words.contains("--relay"), "{words}");
}

#[test]
fn mistakes_in_the_file_have_a_line() {
    let site = Site::with(&[("a/x", "1")]);
    for (text, expected) in [
        ("spa = true\nprot = 1", &["savecast.toml:2: ", "prot is no option", "port is one"][..]),
        ("zzz = 1", &["savecast.toml:1: zzz is no option"]),
        ("config = \"x\"", &["config is no option"]),
        ("\nspa = 1", &["savecast.toml:2: spa is true or false"]),
        ("port = true", &["savecast.toml:1: port needs"]),
        ("port = \"web\"", &["savecast.toml:1: port: a port is a number"]),
        ("port = 99999", &["savecast.toml:1: port: a port is a number"]),
        ("mount = 1", &["savecast.toml:1: mount is a table"]),
        ("[mount]\n\"vendor\" = \"a\"", &["savecast.toml:2: mount vendor: a path of the site"]),
        ("ignore = [\"[\"]", &["savecast.toml:1: ignore: "]),
        ("spa = ", &["savecast.toml:1: "]),
        ("spa = true\nspa = true", &["savecast.toml:2: "]),
        ("[mount]\n\"/x\" = \"nothing\"", &["savecast.toml:2: mount /x: cannot read"]),
    ] {
        site.write("savecast.toml", text);
        refuses(&site, &["--port", "0"], expected);
    }
    refuses(&site, &["--config", "nothing.toml"], &["cannot read nothing.toml"]);
}

#[test]
fn a_file_that_was_only_found_reaches_nothing_outside() {
    let site = Site::with(&[("a/.git/config", "secret"), ("a/b/x.txt", "1")]);
    fs::create_dir(site.path("../elsewhere")).expect("a directory");
    #[cfg(unix)]
    for (link, target) in [("link", "../elsewhere"), ("q=.", "/")] {
        std::os::unix::fs::symlink(target, site.path(link)).expect("a link");
    }
    let hint = "hint: if you trust it, allow it with --config savecast.toml";
    for text in [
        "[mount]\n\"/x\" = \"../elsewhere\"",
        "[mount]\n\"/x\" = \"a/../../elsewhere\"",
        "[mount]\n\"/x\" = \"/etc\"",
        "[mount]\n\"/x\" = \"a/.git\"",
        #[cfg(unix)]
        "[mount]\n\"/x\" = \"link\"",
        "publish-token-file = \"../elsewhere\"",
        "host = \"0.0.0.0\"",
        "host = true",
        "allow-host = \"evil.example\"",
        "cors = true",
        "cors = [\"http://localhost:1\", \"https://evil.example\"]",
    ] {
        site.write("savecast.toml", text);
        let line = if text.starts_with('[') { "savecast.toml:2: " } else { "savecast.toml:1: " };
        refuses(&site, &["--port", "0"], &[line, "only found", hint]);
    }
    // What a path has in it is no part of the directory.
    site.write("savecast.toml", "[mount]\n\"/x=q\" = \"etc\"");
    refuses(&site, &["--port", "0"], &["savecast.toml:2: mount /x=q: cannot read"]);
    site.write("savecast.toml", "port = 0\nhost = \"localhost\"\n[mount]\n\"/x\" = \"a/b\"\n");
    let server = Server::start(command(&site.path("")), &[]).expect("a server");
    assert_eq!(server.get("/x/x.txt").text, "1");
    drop(server);
    // Who names it trusts it. A bare option does not take the directory that was typed for its value.
    site.write("savecast.toml", "port = 0\nhost = true\ncors = true\n");
    let mut all = command(&site.path(""));
    all.arg("a");
    let server = Server::start(all, &["--config", "savecast.toml"]).expect("a server");
    assert_eq!(server.get("/b/x.txt").text, "1");
    drop(server);
    site.write("savecast.toml", "port = 0\n[mount]\n\"/x\" = \"../elsewhere\"\n");
    assert!(Server::start(command(&site.path("")), &["--config", "savecast.toml"]).is_ok());
}

#[test]
fn the_port_may_come_from_the_environment() {
    let site = Site::with(&[("savecast.toml", "port = 1")]);
    let mut child = command(&site.path(""))
        .env("PORT", "0")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the built binary");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    child.kill().and_then(|()| child.wait()).expect("an end");
    assert!(line.contains(" at http://127.0.0.1:") && !line.contains(":1/"), "{line}");
    let mut wrong = command(&site.path(""));
    let output = wrong.env("PORT", "web").output().expect("an end");
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output).contains("PORT in the environment is \"web\""), "{}", words(&output));
}

#[test]
fn flags_of_other_tools_are_answered() {
    let site = Site::with(&[]);
    for (typed, expected) in [
        ("--entry-file=index.html", "savecast --spa"),
        ("--wait=200", "nothing is needed"),
        ("--no-browser", "only with --open"),
        ("--files", "is watched"),
        ("-s", "savecast --spa"),
        ("-c-1", "browsers ask for each file again"),
        ("-S", "savecast --https"),
        ("--directory", "savecast DIR"),
        ("--bind", "--host ADDRESS"),
    ] {
        refuses(&site, &[typed], &["is an option of", expected]);
    }
    refuses(&site, &["--host", "."], &["the directory goes before --host"]);
    refuses(&site, &["--mount", "/x"], &["/vendor=node_modules"]);
    refuses(&site, &["--mount", "/_savecast=."], &["taken"]);
    refuses(&site, &["--mount", "/x=nothing"], &["cannot mount nothing at /x"]);
    refuses(&site, &["--mount", "/x=.", "--mount", "/x/=."], &["two directories at /x"]);
    refuses(&site, &["--ignore", "["], &["--ignore <GLOB>"]);
    refuses(&site, &["--open=about"], &["--open=/about"]);
    refuses(&site, &["--port", "web"], &["a port is a number"]);
}

#[test]
fn programs_read_one_object_a_line() {
    let site = Site::with(&[("a.json", "1"), ("b.json", "{")]);
    let server = site.serve_with(&["--log", "json", "--verbose"]);
    let object = |event: &str| loop {
        let line = server.next_complaint();
        let object = serde_json::from_str::<serde_json::Value>(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(object["time"].is_string() && object["message"].is_string(), "{object}");
        if object["event"] == event {
            return object;
        }
    };
    assert_eq!(object("ready")["url"], format!("{}/", server.url));
    server.get("/a.json?x");
    let request = object("request");
    assert_eq!((&request["url"], &request["status"], &request["bytes"]), (&"/a.json?x".into(), &200.into(), &1.into()));
    let events = server.follow("/a.json");
    events.expect("1");
    site.write("a.json", "2");
    events.expect("2");
    assert_eq!(object("sent")["path"], "/a.json");
    let broken = server.follow("/b.json");
    broken.expect_event("problem");
    assert_eq!(object("problem")["path"], "/b.json");
    let effects = r#"[{"effect": "swapped", "path": "/a%20b.css"}, {"effect": "nonsense", "path": "/x"}]"#;
    assert_eq!(server.post("/_savecast/effects", &[], effects).status, 204);
    assert_eq!(object("effect")["path"], "/a b.css");
    assert_eq!(server.post("/_savecast/effects", &[], "{").status, 400);
}

#[test]
fn other_machines_get_less_to_load() {
    let text = "a text that repeats itself. ".repeat(200);
    let site =
        Site::with(&[("a.txt", &text), ("page.html", &format!("<!doctype html>{text}")), ("small.txt", "small")]);
    site.write("font.woff2", "x".repeat(5000));
    let server = site.serve_with(&["--compress"]);
    let get = |url: &str, headers: &[(&str, &str)]| {
        server.raw(&format!(
            "GET {url} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n{}\r\n",
            headers.iter().fold(String::new(), |lines, (name, value)| lines + name + ": " + value + "\r\n")
        ))
    };
    for (accept, encoding) in [("gzip, br, zstd", "zstd"), ("br", "br"), ("gzip", "gzip")] {
        let answer = get("/a.txt", &[("accept-encoding", accept)]).to_ascii_lowercase();
        assert!(answer.contains(&format!("content-encoding: {encoding}\r\n")), "{accept}");
        assert!(answer.contains("etag: w/\"") && answer.contains("vary: accept-encoding\r\n"), "{accept}");
        assert!(answer.len() < 2000);
    }
    let plain = get("/a.txt", &[]);
    assert!(plain.contains("repeats itself") && plain.to_ascii_lowercase().contains("vary: accept-encoding"));
    for url in ["/small.txt", "/font.woff2"] {
        assert!(!get(url, &[("accept-encoding", "gzip")]).to_ascii_lowercase().contains("content-encoding"), "{url}");
    }
    let part = get("/a.txt", &[("accept-encoding", "gzip"), ("range", "bytes=0-5")]);
    assert!(part.starts_with("HTTP/1.1 206") && part.ends_with("a text"), "{part}");
    let etag = plain.lines().find_map(|line| line.strip_prefix("etag: ")).expect("an etag").to_owned();
    let weak = format!("W/{etag}");
    assert!(get("/a.txt", &[("if-none-match", &weak)]).starts_with("HTTP/1.1 304"));
    // What was compressed is never continued with what is not.
    let continued = get("/a.txt", &[("if-range", &weak), ("range", "bytes=0-5")]);
    assert!(continued.starts_with("HTTP/1.1 200"), "{continued}");
    // Without the option, this machine gets all as it is.
    let server = site.serve();
    let answer = server.raw("GET /a.txt HTTP/1.1\r\nHost: HOST\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n");
    assert!(answer.contains("repeats itself") && !answer.to_ascii_lowercase().contains("accept-encoding"));
}
