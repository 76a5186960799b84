//! The floor: as little as a program can do that tells its listeners of a save. One thread, one file, `inotify` and
//! `write`; what it sends is not checked, and a listener that does not read stops it.

use std::fs;
use std::io;
use std::io::Read;
use std::io::Write;
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;

use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::poll;
use rustix::fs::inotify;
use rustix::fs::inotify::CreateFlags;
use rustix::fs::inotify::WatchFlags;

/// The argument that makes the benchmark the floor.
pub(crate) const FLAG: &str = "--floor";

/// Tells everybody of `name` in `directory`, until it is killed.
pub(crate) fn run(directory: &Path, name: &str) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // As many may wait as with savecast.
    rustix::net::listen(&listener, 4096)?;
    let events = inotify::init(CreateFlags::empty())?;
    inotify::add_watch(&events, directory, WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO)?;
    println!("http://{}/", listener.local_addr()?);
    let path = directory.join(name);
    let mut listeners = Vec::new();
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = inotify::Reader::new(&events, &mut buffer);
    loop {
        let mut ready = [PollFd::new(&events, PollFlags::IN), PollFd::new(&listener, PollFlags::IN)];
        poll(&mut ready, None)?;
        let [has_events, has_listener] = ready.map(|ready| !ready.revents().is_empty());
        if has_events {
            loop {
                if reader.next()?.file_name().is_some_and(|file| file.to_bytes() == name.as_bytes()) {
                    let frame = frame(&path)?;
                    listeners.iter_mut().try_for_each(|listener: &mut TcpStream| listener.write_all(&frame))?;
                }
                if reader.is_buffer_empty() {
                    break;
                }
            }
        }
        if has_listener {
            let (mut listener, _) = listener.accept()?;
            listener.set_nodelay(true)?;
            // A request comes in one piece.
            let _ = listener.read(&mut [0; 1024])?;
            listener.write_all(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")?;
            listener.write_all(&frame(&path)?)?;
            listeners.push(listener);
        }
    }
}

fn frame(path: &Path) -> io::Result<Vec<u8>> {
    let mut frame = b"data: ".to_vec();
    frame.extend(fs::read(path)?);
    frame.extend(b"\n\n");
    Ok(frame)
}
