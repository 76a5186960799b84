//! Binds a port.

use std::io;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::time::Duration;

use socket2::TcpKeepalive;

use crate::config::Config;
use crate::config::USUAL_PORT;
use crate::notice::Notice;
use crate::server::error::ServerError;

/// A connection that was quiet for so long is asked whether somebody is there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A machine that went away without a word (asleep, unplugged) is given up after this time.
#[cfg(any(target_os = "linux", target_os = "android"))]
const USER_TIMEOUT: Duration = Duration::from_secs(30);

/// How many ports after the usual one are tried.
const PORTS: u16 = 100;

/// Connections that wait to be accepted, when a thousand browsers reconnect at once.
const BACKLOG: i32 = 4096;

/// Binds the port that was asked for, or else the first free one from the usual one on.
pub(super) fn listen(config: &Config, say: impl Fn(&Notice<'_>)) -> Result<(TcpListener, SocketAddr), ServerError> {
    let first = config.port.unwrap_or(USUAL_PORT);
    let last = if config.port.is_some() { first } else { first + PORTS };
    let mut port = first;
    loop {
        let address = SocketAddr::new(config.address, port);
        match bind(address) {
            Ok(listener) => {
                if port != first {
                    say(&Notice::PortTaken { taken: first });
                }
                let address = listener.local_addr().map_err(|error| ServerError::Listen(address, error))?;
                return Ok((listener, address));
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && port < last => port += 1,
            Err(error) => return Err(ServerError::Listen(address, error)),
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    // On Windows, this would let two servers share a port. Elsewhere it allows to restart without waiting.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    // Connections inherit these, whatever speaks on them then. Without them, they are given up later.
    drop(socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE)));
    #[cfg(any(target_os = "linux", target_os = "android"))]
    drop(socket.set_tcp_user_timeout(Some(USER_TIMEOUT)));
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
