//! A wire between instances and Redis that can be cut. As with a network, nobody is told of that, and what was under way comes later.

use std::io::Read;
use std::io::Write as _;
use std::net::Shutdown;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::thread;

/// A wire to the socket of a server.
pub(crate) struct Wire {
    port: u16,
    cut: Arc<Cut>,
}

#[derive(Default)]
struct Cut {
    is_cut: Mutex<bool>,
    healed: Condvar,
}

impl Cut {
    fn wait(&self) {
        let is_cut = self.is_cut.lock().expect("no panic");
        drop(self.healed.wait_while(is_cut, |is_cut| *is_cut).expect("no panic"));
    }
}

impl Wire {
    pub(crate) fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let (port, cut) = (listener.local_addr().expect("an address").port(), Arc::new(Cut::default()));
        let wire = cut.clone();
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                wire.wait();
                let Ok(far) = UnixStream::connect(&socket) else { continue };
                let (mut near_in, mut far_in) =
                    (near.try_clone().expect("a handle"), far.try_clone().expect("a handle"));
                let (mut near, mut far) = (near, far);
                let (there, back) = (wire.clone(), wire.clone());
                thread::spawn(move || {
                    pass(&there, || read(&mut near_in), |bytes| far.write_all(bytes).is_ok());
                    drop(far.shutdown(Shutdown::Both));
                });
                thread::spawn(move || {
                    pass(&back, || read(&mut far_in), |bytes| near.write_all(bytes).is_ok());
                    drop(near.shutdown(Shutdown::Both));
                });
            }
        });
        Self { port, cut }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// From now on, nothing passes.
    pub(crate) fn cut(&self) {
        *self.cut.is_cut.lock().expect("no panic") = true;
    }

    /// All passes again, first what was held up.
    pub(crate) fn heal(&self) {
        *self.cut.is_cut.lock().expect("no panic") = false;
        self.cut.healed.notify_all();
    }
}

fn read(stream: &mut impl Read) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 64 << 10];
    let length = stream.read(&mut bytes).ok().filter(|length| *length > 0)?;
    bytes.truncate(length);
    Some(bytes)
}

/// Passes on what comes, until one side has gone.
fn pass(cut: &Cut, mut read: impl FnMut() -> Option<Vec<u8>>, mut write: impl FnMut(&[u8]) -> bool) {
    while let Some(bytes) = read() {
        cut.wait();
        if !write(&bytes) {
            return;
        }
    }
    // That one side has gone does not pass a wire that is cut, either.
    cut.wait();
}
