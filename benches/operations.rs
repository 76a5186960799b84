//! The pure parts of a save's way from the disk to the listeners, each as an operation that can be repeated.

use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Instant;

use savecast::content::Snapshot;
use savecast::content::Version;
use savecast::event::Format;
use savecast::http::html::inject;
use savecast::http::html::inject::Tag;
use savecast::hub::Delivery;
use savecast::hub::Follower;
use savecast::hub::Hub;
use savecast::hub::Interest;
use savecast::hub::Known;
use savecast::hub::Need;
use savecast::site::SitePath;

/// Something to repeat. What it returns shows that it was done.
pub(crate) type Operation = Box<dyn FnMut() -> usize>;

/// Makes an operation ready.
type Prepare = fn() -> Operation;

/// All of them, by name.
pub(crate) const OPERATIONS: [(&str, Prepare); 6] = [
    ("2 KB of JSON become a snapshot", || json(2 << 10)),
    ("64 KB of JSON become a snapshot", || json(64 << 10)),
    ("a snapshot of 2 KB becomes a frame", frame),
    ("a snapshot is told to 100 followers", tell),
    ("a page of 2 KB gets the client", page),
    ("a URL becomes a path", url),
];

fn path(url: &str) -> SitePath {
    SitePath::from_url(url).expect("a path")
}

/// A document as programs write it, with white space and numbers and names.
fn document(size: usize) -> Vec<u8> {
    let mut text = "{\n  \"rows\": [\n".to_owned();
    while text.len() < size {
        text.push_str("    { \"id\": 97234, \"price\": 97234.10, \"name\": \"row \\u00e9\", \"open\": true },\n");
    }
    text.push_str("    null\n  ]\n}\n");
    text.into_bytes()
}

fn json(size: usize) -> Operation {
    let (path, content) = (path("/data.json"), document(size));
    Box::new(move || usize::from(Snapshot::of_file(path.clone(), content.clone()).is_doubtful()))
}

fn frame() -> Operation {
    let snapshot = Snapshot::of_file(path("/data.json"), document(2 << 10));
    Box::new(move || Format::Stream.write(&snapshot).len())
}

fn tell() -> Operation {
    let hub = Hub::new(|_| {}, |_| {});
    let interest =
        || Interest { path: path("/data.json"), has: Known::Nothing, format: Format::Stream, need: Need::Nothing };
    let follower = |_| Follower::new(&hub, vec![interest()]);
    let mut followers = (0..100).map(follower).collect::<Vec<_>>();
    let updates = [1, 2].map(|number| Snapshot::of_file(path("/data.json"), format!("[{number}]").into_bytes()));
    let hub = Arc::clone(&hub);
    let mut turn = 0;
    Box::new(move || {
        turn += 1;
        let ticket = hub.look(&path("/data.json")).expect("followers");
        hub.publish(ticket, updates[turn % 2].clone(), Instant::now());
        let mut context = Context::from_waker(Waker::noop());
        let mut told = 0;
        for follower in &mut followers {
            while let Poll::Ready(Some(Delivery::Snapshot(snapshot, format))) = follower.poll_next(&mut context) {
                told += snapshot.event(format).len();
            }
        }
        told
    })
}

fn page() -> Operation {
    let html = format!("<!doctype html>\n<html>\n<head>\n<title>Page</title>\n</head>\n<body>{}", "text ".repeat(400));
    let (path, version) = (path("/index.html"), Version::of(html.as_bytes()));
    Box::new(move || {
        inject::inject(
            html.as_bytes(),
            &Tag { base: "", path: &path, version, nonce: None, also: &[], loaded: None }.write(),
        )
        .map_or(0, |page| page.len())
    })
}

fn url() -> Operation {
    Box::new(|| path("/a/directory/with%20space/data.json").as_str().len())
}
