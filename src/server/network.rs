//! How this machine is reached from others.

use std::fmt::Write;
use std::net::IpAddr;
use std::net::SocketAddr;

use fast_qr::QRBuilder;
use if_addrs::Interface;

use crate::http::urls::AUTHORITY;

/// What the interfaces of containers, virtual machines and tunnels are called, which no phone can reach.
const INSIDE: [&str; 8] = ["docker", "br-", "veth", "virbr", "utun", "vEthernet", "vmnet", "tun"];

/// The URLs under which a server is reached.
pub(super) struct Urls {
    /// On this machine.
    pub(super) here: String,
    /// By others.
    pub(super) network: Vec<String>,
    /// Where others get the certificate of the authority, if it is ours: without TLS, of which they think nothing without it.
    pub(super) certificate: Option<String>,
}

impl Urls {
    /// Those of a server that listens at this address, perhaps with TLS, and perhaps with an authority of ours.
    pub(super) fn new(address: SocketAddr, is_secure: bool, is_ours: bool) -> Self {
        let scheme = if is_secure { "https" } else { "http" };
        let url = |scheme: &str, host: &str| format!("{scheme}://{host}:{}/", address.port());
        // A browser can't open the address that means all addresses.
        let here = if address.ip().is_unspecified() { "localhost".to_owned() } else { host(address.ip()) };
        let hosts = addresses(address.ip()).into_iter().map(host).collect::<Vec<_>>();
        let first = hosts.first().filter(|_| is_ours);
        Self {
            here: url(scheme, &here),
            certificate: first.map(|host| format!("{}{}", url("http", host).trim_end_matches('/'), AUTHORITY)),
            network: hosts.iter().map(|host| url(scheme, host)).collect(),
        }
    }
}

/// The addresses under which others reach a server that listens at this one; none if it listens for this machine alone.
pub(super) fn addresses(ip: IpAddr) -> Vec<IpAddr> {
    if ip.is_loopback() {
        return Vec::new();
    }
    if !ip.is_unspecified() {
        return vec![ip];
    }
    let mut found = if_addrs::get_if_addrs().unwrap_or_default();
    found.retain(|interface| {
        !interface.is_loopback()
            && !interface.is_link_local()
            && (interface.ip().is_ipv4() || ip.is_ipv6())
            && !INSIDE.iter().any(|name| interface.name.starts_with(name))
    });
    found.sort_by_key(|interface| (interface.ip().is_ipv6(), interface.ip()));
    found.iter().map(Interface::ip).collect()
}

/// An address as it stands in a URL.
fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// The squares of a QR code, row by row: `1` is dark, and there is no margin. `None` if the text is too long.
pub(super) fn squares(text: &str) -> Option<Vec<String>> {
    let code = QRBuilder::new(text).build().ok()?;
    let row = |row: usize| (0..code.size).map(|column| if code[row][column].value() { '1' } else { '0' }).collect();
    Some((0..code.size).map(row).collect())
}

/// The URL as a code for a camera, dark on light whatever the colours of the terminal are; `None` if it is too narrow for it.
pub(super) fn code(url: &str, width: usize) -> Option<String> {
    /// Cameras want a margin.
    const QUIET: usize = 2;
    let rows = squares(url)?;
    let size = rows.len();
    if size + 2 * QUIET > width {
        return None;
    }
    let is_dark = |row: usize, column: usize| {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < size);
        inside(row).zip(inside(column)).is_some_and(|(row, column)| rows[row].as_bytes()[column] == b'1')
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
        let here = Urls::new("127.0.0.1:3000".parse().unwrap(), false, false);
        assert_eq!((here.here.as_str(), here.network.len()), ("http://127.0.0.1:3000/", 0));
        let one = Urls::new("192.0.2.1:80".parse().unwrap(), false, false);
        assert_eq!(one.network, ["http://192.0.2.1:80/"]);
        let six = Urls::new("[2001:db8::1]:80".parse().unwrap(), false, false);
        assert_eq!(six.here, "http://[2001:db8::1]:80/");
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
