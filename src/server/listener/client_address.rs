//! The address of a caller behind the proxies that the operator trusts.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies whose `X-Forwarded-For` is believed.
pub(super) struct TrustedProxies {
    pub(super) networks: Vec<IpNet>,
}

impl TrustedProxies {
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The caller of a request on a connection from `peer_address`. Each proxy appends the address that it received the
    /// request from, so the list is read from its end as long as trusted proxies wrote it; a caller can have made up
    /// what stands before.
    pub(super) fn client_address(&self, peer_address: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer_address.to_canonical();
        if self.networks.is_empty() {
            return client;
        }
        let lines: Vec<_> = headers.get_all(FORWARDED_FOR).into_iter().map(HeaderValue::as_bytes).collect();
        // Each entry is read by itself: bytes that are not text in one entry do not hide the entries after it.
        let entries = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
        let mut addresses =
            entries.map(|entry| std::str::from_utf8(entry).ok().and_then(parse_forwarded_address));
        while self.contains(client)
            && let Some(Some(address)) = addresses.next()
        {
            client = address;
        }
        client
    }
}

/// An address, which some proxies write with a port.
fn parse_forwarded_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let without_port = text.trim_start_matches('[').trim_end_matches(']').parse();
    let address = without_port.or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&str]) -> String {
        let networks =
            ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8"].map(|network| network.parse().expect("a network"));
        let mut headers = HeaderMap::new();
        for line in lines {
            let line = HeaderValue::from_bytes(line.as_bytes());
            headers.append(FORWARDED_FOR, line.expect("a value"));
        }
        let proxies = TrustedProxies { networks: networks.to_vec() };
        proxies.client_address(peer.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn only_entries_that_trusted_proxies_wrote_are_believed() {
        for (peer, lines, expected) in [
            ("192.0.2.7", &[][..], "192.0.2.7"),
            ("192.0.2.7", &["198.51.100.1"], "192.0.2.7"),
            ("10.1.1.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.1.1.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.1.1.1", &["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
            ("10.1.1.1", &["203.0.113.9, 198.51.100.1, 10.2.2.2"], "198.51.100.1"),
            ("10.1.1.1", &["203.0.113.9", "198.51.100.1 , 10.2.2.2"], "198.51.100.1"),
            ("10.1.1.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("fd00::1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("fd00::1", &["2001:db8::1"], "2001:db8::1"),
            ("10.1.1.1", &["198.51.100.1, nonsense"], "10.1.1.1"),
            ("10.1.1.1", &["\u{e9}", "198.51.100.1"], "198.51.100.1"),
            ("10.1.1.1", &["\u{e9}, 198.51.100.1"], "198.51.100.1"),
            ("10.1.1.1", &["198.51.100.1", "\u{e9}"], "10.1.1.1"),
            ("10.1.1.1", &[], "10.1.1.1"),
            ("10.1.1.1", &["10.3.3.3"], "10.3.3.3"),
        ] {
            assert_eq!(client(peer, lines), expected, "{peer} {lines:?}");
        }
    }
}
