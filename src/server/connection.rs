//! What is asked of the system for each connection.

use std::any::Any;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::SockRef;
use socket2::TcpKeepalive;

/// A connection that was quiet for so long is asked whether somebody is there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A machine that went away without a word (asleep, unplugged) is given up after this time.
const USER_TIMEOUT: Duration = Duration::from_secs(30);

/// Makes the system notice machines that have gone without a word.
pub(super) fn on_connect(connection: &dyn Any, _: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    let socket = SockRef::from(stream);
    // Without these the connection works all the same, and is given up later.
    drop(socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE)));
    #[cfg(any(target_os = "linux", target_os = "android"))]
    drop(socket.set_tcp_user_timeout(Some(USER_TIMEOUT)));
}
