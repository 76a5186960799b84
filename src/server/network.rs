//! How this machine is reached from others.

use std::fmt::Write;
use std::net::IpAddr;
use std::net::SocketAddr;

use fast_qr::QRBuilder;

/// What the interfaces of containers, virtual machines and tunnels are called, which no phone can reach.
const INSIDE: [&str; 8] = ["docker", "br-", "veth", "virbr", "utun", "vEthernet", "vmnet", "tun"];

/// The URLs under which others reach a server that listens at this address; none if it listens for this machine alone.
pub(super) fn urls(address: SocketAddr) -> Vec<String> {
    let ip = address.ip();
    if ip.is_loopback() {
        return Vec::new();
    }
    if !ip.is_unspecified() {
        return vec![url(ip, address.port())];
    }
    let mut found = if_addrs::get_if_addrs().unwrap_or_default();
    found.retain(|interface| {
        !interface.is_loopback()
            && !interface.is_link_local()
            && (interface.ip().is_ipv4() || ip.is_ipv6())
            && !INSIDE.iter().any(|name| interface.name.starts_with(name))
    });
    found.sort_by_key(|interface| (interface.ip().is_ipv6(), interface.ip()));
    found.iter().map(|interface| url(interface.ip(), address.port())).collect()
}

fn url(ip: IpAddr, port: u16) -> String {
    match ip {
        IpAddr::V4(ip) => format!("http://{ip}:{port}/"),
        IpAddr::V6(ip) => format!("http://[{ip}]:{port}/"),
    }
}

/// The URL as a code for a camera, dark on light whatever the colours of the terminal are; `None` if it is too narrow for it.
pub(super) fn code(url: &str, width: usize) -> Option<String> {
    /// Cameras want a margin.
    const QUIET: usize = 2;
    let code = QRBuilder::new(url).build().ok()?;
    let size = code.size;
    if size + 2 * QUIET > width {
        return None;
    }
    let is_dark = |row: usize, column: usize| {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < size);
        inside(row).zip(inside(column)).is_some_and(|(row, column)| code[row][column].value())
    };
    let mut text = String::new();
    for row in (0..size + 2 * QUIET).step_by(2) {
        // Two rows in one line, by letters that fill the upper or the lower half.
        text.push_str("\x1b[30;107m");
        for column in 0..size + 2 * QUIET {
            text.push(match (is_dark(row, column), is_dark(row + 1, column)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        writeln!(text, "\x1b[0m").expect("writing to a string can't fail");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_for_this_machine_has_no_others() {
        assert!(urls("127.0.0.1:3000".parse().unwrap()).is_empty());
        assert_eq!(urls("192.0.2.1:80".parse().unwrap()), ["http://192.0.2.1:80/"]);
    }

    #[test]
    fn the_code_has_a_margin_and_needs_room() {
        let code = code("http://192.168.178.22:3000/", 80).unwrap();
        let lines = code.lines().collect::<Vec<_>>();
        assert_eq!(lines.len(), 17);
        assert!(!lines[0].contains('█'));
        assert_eq!(super::code("http://192.168.178.22:3000/", 20), None);
    }
}
