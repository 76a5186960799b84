//! Watched is what is in use, while it is in use.

#[cfg(target_os = "linux")]
use std::fs;
use std::time::Instant;

use crate::support::Server;
use crate::support::Site;

/// The number of inotify watches that the kernel keeps for the server.
#[cfg(target_os = "linux")]
fn kernel_watches(server: &Server) -> usize {
    let folder = format!("/proc/{}/fdinfo", server.pid());
    let files = fs::read_dir(folder).expect("the folder of a process").flatten();
    // A file that was closed meanwhile is no watch.
    files.filter_map(|file| fs::read_to_string(file.path()).ok()).map(|text| text.matches("inotify wd:").count()).sum()
}

#[cfg(target_os = "linux")]
#[test]
fn no_watch_without_a_stream() {
    let site = Site::with(&[("index.html", "a"), ("a/data.json", "1"), ("b/data.json", "1"), ("c/d/e/f", "1")]);
    let server = site.serve();
    server.get("/");
    server.get("/a/data.json");
    assert_eq!(kernel_watches(&server), 0);

    let a = server.follow("/a/data.json");
    a.expect("1");
    // The root and its parent, and the directory.
    assert_eq!(kernel_watches(&server), 3);
    let same = server.follow("/a/data.json");
    let b = server.follow("/b/data.json");
    same.expect("1");
    b.expect("1");
    let status = server.status();
    assert_eq!(kernel_watches(&server), 4);
    assert_eq!((&status["streams"], &status["followed"], &status["watched_dirs"]), (&3.into(), &2.into(), &4.into()));

    drop(a);
    drop(b);
    server.wait_for_status(|status| status["watched_dirs"] == 3);
    drop(same);
    wait_for_silence(&server);
    assert_eq!(kernel_watches(&server), 0);
}

#[test]
fn streams_that_are_killed_leave_nothing_behind() {
    let site = Site::with(&[("data.json", "1")]);
    let server = site.serve();
    for _ in 0..5 {
        let streams = (0..100).map(|_| server.follow("/data.json")).collect::<Vec<_>>();
        streams.iter().for_each(|events| events.expect("1"));
        drop(streams);
    }
    let start = Instant::now();
    wait_for_silence(&server);
    assert!(start.elapsed().as_secs() < 1, "a watch goes away within a second, not after {:?}", start.elapsed());
    let events = server.follow("/data.json");
    events.expect("1");
    site.write("data.json", "2");
    events.expect("2");
}

#[test]
fn many_files_on_many_streams() {
    let files = (0..50).map(|number| (format!("d{number}/data.json"), number.to_string())).collect::<Vec<_>>();
    let site = Site::with(&[]);
    files.iter().for_each(|(name, content)| site.write(name, content));
    let server = site.serve();
    let streams = files.iter().map(|(name, _)| server.follow(&format!("/{name}"))).collect::<Vec<_>>();
    streams.iter().zip(&files).for_each(|(events, (_, content))| events.expect(content));
    files.iter().for_each(|(name, content)| site.write(name, format!("[{content}]")));
    streams.iter().zip(&files).for_each(|(events, (_, content))| events.expect(&format!("[{content}]")));
}

fn wait_for_silence(server: &Server) {
    let is_zero = |value: &serde_json::Value| *value == 0;
    server.wait_for_status(|status| {
        ["streams", "followed", "watched_files", "watched_dirs"].iter().all(|count| is_zero(&status[*count]))
    });
}
