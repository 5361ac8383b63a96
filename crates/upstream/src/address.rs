//! Which addresses an outbound request may reach: public ones, and what the operator has allowed by name.
//!
//! Names are checked after they are resolved, on the very addresses that are then connected to, so a name
//! that points inside (by mistake, or rebound between check and use) is refused.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Hosts (names or addresses, without port) that may be reached wherever they are: an operator's own
/// container beside us, a local mail catcher, a test's server. Only they may be spoken to without TLS.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts(BTreeSet<String>);

impl AllowedHosts {
    /// Nothing but public addresses.
    pub fn none() -> Self {
        Self::default()
    }

    pub fn contains(&self, host: &str) -> bool {
        self.0.contains(&normal(host))
    }
}

impl<S: AsRef<str>> FromIterator<S> for AllowedHosts {
    fn from_iter<I: IntoIterator<Item = S>>(hosts: I) -> Self {
        Self(hosts.into_iter().map(|host| normal(host.as_ref())).collect())
    }
}

/// Names compare without case, without the root's dot; IPv6 addresses without brackets.
fn normal(host: &str) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    host.to_ascii_lowercase()
}

/// The name or address is not one that we may reach.
#[derive(Debug, thiserror::Error)]
#[error("the host has no address that may be reached")]
pub struct Blocked;

/// Resolves through the system and keeps only addresses that may be reached.
pub(crate) struct GuardedResolver {
    pub allowed: AllowedHosts,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.allowed.contains(name.as_str());
        Box::pin(async move {
            // Port 0 stands for the scheme's own.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let reachable: Vec<SocketAddr> =
                found.filter(|address| allowed || is_public(address.ip())).collect();
            if reachable.is_empty() {
                return Err(Blocked.into());
            }
            Ok(Box::new(reachable.into_iter()) as Addrs)
        })
    }
}

/// Whether an address belongs to the public internet. An IPv6 address that carries an IPv4 address inside
/// (mapped, compatible, NAT64, 6to4) is as public as the one inside. Source: the IANA special-purpose registries.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    let within = |network: [u8; 4], prefix: u32| {
        let network = Ipv4Addr::from(network).to_bits();
        (bits ^ network) >> (32 - prefix) == 0
    };
    !(within([0, 0, 0, 0], 8)
        || within([10, 0, 0, 0], 8)
        || within([100, 64, 0, 0], 10)
        || within([127, 0, 0, 0], 8)
        // Link-local: clouds answer metadata questions (credentials among them) at 169.254.169.254.
        || within([169, 254, 0, 0], 16)
        || within([172, 16, 0, 0], 12)
        || within([192, 0, 0, 0], 24)
        || within([192, 0, 2, 0], 24)
        || within([192, 88, 99, 0], 24)
        || within([192, 168, 0, 0], 16)
        || within([198, 18, 0, 0], 15)
        || within([198, 51, 100, 0], 24)
        || within([203, 0, 113, 0], 24)
        // Multicast, reserved, broadcast.
        || within([224, 0, 0, 0], 3))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [a, b, c, d, e, f, high, low] = segments;
    let inner =
        |high: u16, low: u16| is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match (a, b) {
        // ::ffff:a.b.c.d (mapped); ::a.b.c.d (compatible) also covers :: and ::1.
        (0, 0) if [c, d, e] == [0; 3] && (f == 0xffff || f == 0) => inner(high, low),
        // NAT64.
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => inner(high, low),
        // 6to4 carries the address right after its prefix.
        (0x2002, _) => inner(b, c),
        // Teredo and other protocol assignments; documentation.
        (0x2001, 0..0x200) | (0x2001, 0xdb8) | (0x3fff, 0..0x1000) => false,
        // Of the rest only 2000::/3 is global unicast: that leaves out fc00::/7, fe80::/10, ff00::/8.
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!is_public(inside.parse().expect("an address")), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
            "2001:4860::8888",
        ] {
            assert!(is_public(outside.parse().expect("an address")), "{outside}");
        }
    }

    #[test]
    fn allowed_hosts_compare_as_names_do() {
        let allowed: AllowedHosts = ["Open-Meteo.local.", "127.0.0.1", "[::1]"].into_iter().collect();
        for host in ["open-meteo.local", "OPEN-METEO.LOCAL.", "127.0.0.1", "::1", "[::1]"] {
            assert!(allowed.contains(host), "{host}");
        }
        for host in ["meteo.local", "127.0.0.2", "x.open-meteo.local", ""] {
            assert!(!allowed.contains(host), "{host}");
        }
    }
}
