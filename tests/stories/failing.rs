//! The ways in which watching and reading fail, and that nothing is lost by it.

use std::fs;
use std::process::Command;

use crate::support::Server;
use crate::support::Site;

#[test]
fn polling_sees_what_watching_sees() {
    let site = Site::with(&[("a/data.txt", "0"), ("b/data.txt", "other"), ("pictures/1.png", "")]);
    site.shell("ln -s a now");
    let server = site.serve_with(&["--poll", "10"]);
    let data = server.follow("/now/data.txt");
    let later = server.follow("/later/data.txt");
    let pictures = server.follow("/pictures/");
    data.expect("0");
    later.expect_event("removed");
    assert_eq!(pictures.expect_event("message").as_array().map(Vec::len), Some(1));
    assert_eq!(server.status()["watched_dirs"], 0);

    site.write("a/data.txt", "1");
    data.expect("1");
    site.shell("ln -sfn b now");
    data.expect("other");
    site.shell("mkdir later && echo 2 > later/data.txt");
    later.expect("2\n");
    site.write("pictures/2.png", "");
    assert_eq!(pictures.expect_event("message").as_array().map(Vec::len), Some(2));
    site.remove("pictures/1.png");
    assert_eq!(pictures.expect_event("message").as_array().map(Vec::len), Some(1));
    site.shell("rm -r later");
    later.expect_event("removed");
    site.shell("cd .. && mv site old && mkdir -p site/later && echo 3 > site/later/data.txt");
    later.expect("3\n");
    data.expect_event("removed");
}

/// A user namespace in which the limits of the kernel are as small as wished; `None` where this machine has none.
fn serve_with_limit(site: &Site, limit: &str, value: usize) -> Option<Server> {
    let script = format!("echo {value} > /proc/sys/user/{limit} && exec \"$@\"");
    let namespace = || {
        let mut command = Command::new("unshare");
        command.args(["-Ur", "sh", "-c", &script, "sh"]);
        command
    };
    if !namespace().arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("not tested: this machine allows no user namespace with limits of its own");
        return None;
    }
    let mut command = namespace();
    command.arg(env!("CARGO_BIN_EXE_savecast")).arg(site.path(""));
    Some(Server::start(command, &[]).expect("a server"))
}

#[test]
fn beyond_the_limit_of_watches_there_is_polling() {
    let site = Site::with(&[("a/data.txt", "0"), ("b/data.txt", "0"), ("b/c/data.txt", "0")]);
    let Some(server) = serve_with_limit(&site, "max_inotify_watches", 3) else { return };
    let files = ["a/data.txt", "b/data.txt", "b/c/data.txt"];
    let streams = files.map(|name| server.follow(&format!("/{name}")));
    streams.iter().for_each(|events| events.expect("0"));
    server.expect_complaint("checking the files in use every 100ms instead");
    server.expect_complaint("fs.inotify.max_user_watches");
    assert_eq!(server.status()["watched_dirs"], 3);
    for (name, events) in files.iter().zip(&streams) {
        site.write(name, "1");
        events.expect("1");
        site.shell(&format!("echo 2 > new && mv new {name}"));
        events.expect("2\n");
    }
    // What is polled for the sake of its other names.
    site.shell("ln b/c/data.txt ../other");
    let linked = server.follow("/b/c/data.txt");
    linked.expect("2\n");
    site.shell("echo 1 > new && mv new b/c/data.txt && ln -f b/c/data.txt ../other");
    linked.expect("1\n");
    streams[2].expect("1\n");
    site.shell("echo 2 > ../other");
    linked.expect("2\n");
    streams[2].expect("2\n");
    // What is not watched any more makes room.
    let [a, b, c] = streams;
    drop((a, b));
    server.wait_for_status(|status| status["followed"] == 1);
    site.write("b/c/data.txt", "3");
    c.expect("3");
}

#[test]
fn without_a_watcher_there_is_polling() {
    let site = Site::with(&[("data.txt", "0")]);
    let Some(server) = serve_with_limit(&site, "max_inotify_instances", 0) else { return };
    server.expect_complaint("checking the files in use every 100ms instead");
    server.expect_complaint("fs.inotify.max_user_instances");
    let events = server.follow("/data.txt");
    events.expect("0");
    site.write("data.txt", "1");
    events.expect("1");
}

/// The kernel's queue of 16,384 events overflows while the server is stopped.
#[test]
fn nothing_is_lost_when_events_are() {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").expect("a limit");
    let limit = limit.trim().parse::<usize>().expect("a number");
    let site = Site::with(&[("data.txt", "0"), ("a/b.txt", "0")]);
    let server = site.serve();
    let data = server.follow("/data.txt");
    let deep = server.follow("/a/b.txt");
    [&data, &deep].iter().for_each(|events| events.expect("0"));
    server.signal("STOP");
    for number in 0..=limit {
        // Equal events that follow each other are one.
        fs::File::create(site.path(&format!("noise{}", number % 2))).expect("a file");
    }
    site.write("data.txt", "1");
    site.shell("mv a b && mkdir a && echo 1 > a/b.txt");
    server.signal("CONT");
    data.expect("1");
    deep.expect("1\n");
    site.write("a/b.txt", "2");
    deep.expect("2");
}

#[test]
fn what_is_no_file_is_a_problem_and_blocks_nobody() {
    let site = Site::with(&[("data.txt", "0")]);
    site.shell("mkfifo fifo.txt && ln -s circle.txt circle.txt");
    let socket = std::os::unix::net::UnixListener::bind(site.path("socket.txt")).expect("a socket");
    let server = site.serve();
    for name in ["fifo", "circle", "socket"] {
        let events = server.follow(&format!("/{name}.txt"));
        let problem = events.expect_event("problem");
        assert!(problem["message"].as_str().is_some_and(|text| text.starts_with("cannot be read")), "{problem}");
        assert_eq!(server.get(&format!("/{name}.txt")).status, 403);
        site.shell(&format!("echo 1 > new && mv -T new {name}.txt"));
        events.expect("1\n");
    }
    drop(socket);
}

/// Root may read everything, so the server runs as somebody else, if this is root.
#[test]
fn a_file_that_may_not_be_read_is_a_problem_until_it_may() {
    let site = Site::with(&[("a/data.txt", "0"), ("b/data.txt", "0")]);
    let is_root = Command::new("id").arg("-u").output().expect("an id").stdout == b"0\n";
    let program = site.path("../savecast");
    fs::copy(env!("CARGO_BIN_EXE_savecast"), &program).expect("a copy that everybody may run");
    site.shell("chmod 755 .. . && chmod 755 ../savecast");
    let mut command = Command::new(if is_root { "setpriv".into() } else { program.clone() });
    if is_root {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    }
    command.arg(site.path(""));
    let server = Server::start(command, &[]).expect("a server");
    for place in ["a/data.txt", "a"] {
        let events = server.follow("/a/data.txt");
        events.expect("0");
        site.shell(&format!("chmod 000 {place}"));
        let problem = events.expect_event("problem");
        assert!(problem["message"].as_str().is_some_and(|text| text.contains("ermission denied")), "{problem}");
        site.shell(&format!("chmod 755 {place}"));
        events.expect("0");
        site.write("a/data.txt", "1");
        events.expect("1");
        site.write("a/data.txt", "0");
        events.expect("0");
    }
    // A directory that can be passed but not read can't be watched either.
    site.shell("chmod 711 b");
    let events = server.follow("/b/data.txt");
    events.expect("0");
    server.expect_complaint("checking the files in use every 100ms instead");
    site.write("b/data.txt", "1");
    events.expect("1");
}
