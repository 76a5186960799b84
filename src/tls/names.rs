//! The names under which this machine is reached, and those that an authority may sign.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use rcgen::CidrSubnet;
use rcgen::GeneralSubtree;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

/// A name in a certificate (RFC 5280, section 4.2.1.6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// An address.
    Ip(IpAddr),
    /// A name of the DNS, in lower case.
    Dns(String),
}

impl Name {
    /// Reads a name as it stands in a URL, but without a port.
    pub(super) fn new(text: &str) -> Self {
        let text = text.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        text.parse().map_or_else(|_| Self::Dns(text.to_ascii_lowercase()), Self::Ip)
    }

    fn of(name: &GeneralName<'_>) -> Option<Self> {
        match name {
            GeneralName::DNSName(name) => Some(Self::Dns(name.to_ascii_lowercase())),
            GeneralName::IPAddress(bytes) => address(bytes).map(Self::Ip),
            _ => None,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Dns(name) => f.write_str(name),
        }
    }
}

/// The names and addresses of this machine. What an address on one link is called differs from machine to machine, so it is
/// none for others.
pub(super) fn of_machine() -> BTreeSet<Name> {
    let mut names = BTreeSet::from([
        Name::Dns("localhost".into()),
        Name::Ip(Ipv4Addr::LOCALHOST.into()),
        Name::Ip(Ipv6Addr::LOCALHOST.into()),
    ]);
    if let Some(host) = host_name() {
        if !host.contains('.') {
            // By this one, others find it (RFC 6762).
            names.insert(Name::Dns(format!("{host}.local")));
        }
        names.insert(Name::Dns(host));
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    names.extend(interfaces.iter().filter(|one| !one.is_link_local()).map(|one| Name::Ip(one.ip())));
    names
}

/// What this machine is called, if that may stand in a certificate.
pub(super) fn host_name() -> Option<String> {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_str().ok()?.to_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").ok()?;
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    is_host(&name).then_some(name)
}

/// Whether a name may stand in a certificate (RFC 1123, section 2.1).
fn is_host(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.len() < 250 && name.split('.').all(is_label)
}

/// Names that are nobody's in the Internet (RFC 6761, RFC 6762, RFC 8375, and those that ICANN has set aside).
const DNS: [&str; 6] = ["localhost", "local", "test", "internal", "lan", "home.arpa"];

/// Addresses that are nobody's in the Internet (RFC 1122, RFC 1918, RFC 3927, RFC 6598, RFC 4193, RFC 4291).
const V4: [([u8; 4], u8); 6] = [
    ([127, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([172, 16, 0, 0], 12),
    ([192, 168, 0, 0], 16),
    ([169, 254, 0, 0], 16),
    ([100, 64, 0, 0], 10),
];
const V6: [(Ipv6Addr, u8); 3] = [
    (Ipv6Addr::LOCALHOST, 128),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
];

/// For what a new authority may sign: this machine and private networks. Who steals its key can't be anybody else with it. The name
/// of the machine is not among them, because it may be one of the Internet: that of a machine called `dev` would be all below `.dev`.
pub(super) fn permitted() -> Vec<GeneralSubtree> {
    let dns = DNS.into_iter().map(str::to_owned).map(GeneralSubtree::DnsName);
    let v4 = V4.into_iter().map(|(address, prefix)| CidrSubnet::from_v4_prefix(address, prefix));
    let v6 = V6.into_iter().map(|(address, prefix)| CidrSubnet::from_v6_prefix(address.octets(), prefix));
    dns.chain(v4.chain(v6).map(GeneralSubtree::IpAddress)).collect()
}

/// Whether an authority may sign this name (RFC 5280, section 4.2.1.10).
pub(super) fn may_sign(authority: &X509Certificate<'_>, name: &Name) -> bool {
    if matches!(name, Name::Dns(name) if !is_host(name)) {
        return false;
    }
    let Ok(constraints) = authority.name_constraints() else { return false };
    let Some(constraints) = constraints.map(|extension| extension.value) else { return true };
    let covers = |base: &GeneralName<'_>| match (base, name) {
        (GeneralName::DNSName(base), Name::Dns(name)) => is_below(name, base),
        (GeneralName::IPAddress(base), Name::Ip(address)) => is_in(*address, base),
        _ => false,
    };
    let is_kind = |base: &GeneralName<'_>| {
        matches!((base, name), (GeneralName::DNSName(_), Name::Dns(_)) | (GeneralName::IPAddress(_), Name::Ip(_)))
    };
    let permitted = constraints.permitted_subtrees.iter().flatten().map(|subtree| &subtree.base);
    let mut of_kind = permitted.filter(|base| is_kind(base)).peekable();
    let is_permitted = of_kind.peek().is_none() || of_kind.any(covers);
    is_permitted && !constraints.excluded_subtrees.iter().flatten().any(|subtree| covers(&subtree.base))
}

/// The names for which a certificate is.
pub(super) fn of_certificate(certificate: &X509Certificate<'_>) -> BTreeSet<Name> {
    let names = certificate.subject_alternative_name().ok().flatten();
    names.iter().flat_map(|names| &names.value.general_names).filter_map(Name::of).collect()
}

/// Whether this is the name, or one below it.
fn is_below(name: &str, base: &str) -> bool {
    let base = base.trim_start_matches('.').to_ascii_lowercase();
    name.strip_suffix(base.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether the address is in a network, which is written as its address and its mask.
fn is_in(address: IpAddr, network: &[u8]) -> bool {
    let octets = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let (base, mask) = network.split_at(network.len() / 2);
    octets.len() == base.len()
        && octets.iter().zip(base.iter().zip(mask)).all(|(octet, (base, mask))| octet & mask == base & mask)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = || <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
    v4().or_else(|| <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lie_below_each_other() {
        for (name, base, expected) in [
            ("localhost", "localhost", true),
            ("app.localhost", "localhost", true),
            ("notlocalhost", "localhost", false),
            ("nas.fritz.box", ".fritz.box", true),
            ("localhost", "app.localhost", false),
        ] {
            assert_eq!(is_below(name, base), expected, "{name} {base}");
        }
    }

    #[test]
    fn addresses_are_in_networks() {
        for (address, expected) in [
            ("10.1.2.3", true),
            ("172.31.255.255", true),
            ("172.32.0.0", false),
            ("192.168.178.22", true),
            ("8.8.8.8", false),
            ("100.100.0.1", true),
        ] {
            let is_private = V4.iter().any(|(base, prefix)| {
                let mask = u32::MAX << (32 - prefix);
                is_in(address.parse().unwrap(), &[&base[..], &mask.to_be_bytes()].concat())
            });
            assert_eq!(is_private, expected, "{address}");
        }
        assert!(!is_in("::1".parse().unwrap(), &[0; 8]));
    }
}
