//! The table of reserved addresses: those that are not on the public internet, and what each is for.
//!
//! The address guard refuses what stands here. The sources are the IANA special-purpose registries for
//! [IPv4](https://www.iana.org/assignments/iana-ipv4-special-registry) and
//! [IPv6](https://www.iana.org/assignments/iana-ipv6-special-registry), and the address-space registries for multicast
//! and the deprecated site-local addresses.
//!
//! For IPv4 everything that is not in the table is public. For IPv6 only global unicast, `2000::/3`, can be public, so
//! what IANA assigns later is refused until someone adds it.
//!
//! The table is stricter than the registries in three places. The whole of `192.0.0.0/24` and of `2001::/23` is refused,
//! although a few anycast services and identifiers within them can be reached, because no receiver of webhooks is there.
//! Azure's platform address, which is public by its number, is refused because it is a metadata service. The AS112 and
//! AMT blocks count as public, as in the registries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// A network and what its addresses are, as the end of the sentence "10.0.0.1 is …".
#[derive(Debug, Clone, Copy)]
struct ReservedNetwork<N> {
    network: N,
    description: &'static str,
}

const fn v4(network: [u8; 4], prefix_length: u8, description: &'static str) -> ReservedNetwork<Ipv4Net> {
    let [a, b, c, d] = network;
    ReservedNetwork { network: Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix_length), description }
}

const fn v6(network: [u16; 4], prefix_length: u8, description: &'static str) -> ReservedNetwork<Ipv6Net> {
    let [a, b, c, d] = network;
    let network = Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix_length);
    ReservedNetwork { network, description }
}

/// The first match counts, so a network inside another one stands before it.
const RESERVED_IPV4: &[ReservedNetwork<Ipv4Net>] = &[
    v4([0, 0, 0, 0], 8, "an unspecified address (0.0.0.0/8)"),
    v4([10, 0, 0, 0], 8, "a private address (10.0.0.0/8)"),
    v4([100, 64, 0, 0], 10, "a carrier-grade NAT address (100.64.0.0/10)"),
    v4([127, 0, 0, 0], 8, "a loopback address (127.0.0.0/8)"),
    v4([168, 63, 129, 16], 32, "a cloud metadata address (168.63.129.16/32)"),
    v4([169, 254, 169, 254], 32, "a cloud metadata address (169.254.169.254/32)"),
    v4([169, 254, 0, 0], 16, "a link-local address (169.254.0.0/16)"),
    v4([172, 16, 0, 0], 12, "a private address (172.16.0.0/12)"),
    v4([192, 0, 0, 0], 24, "an address for protocol assignments (192.0.0.0/24)"),
    v4([192, 0, 2, 0], 24, "a documentation address (192.0.2.0/24)"),
    v4([192, 88, 99, 0], 24, "a 6to4 relay address (192.88.99.0/24)"),
    v4([192, 168, 0, 0], 16, "a private address (192.168.0.0/16)"),
    v4([198, 18, 0, 0], 15, "a benchmarking address (198.18.0.0/15)"),
    v4([198, 51, 100, 0], 24, "a documentation address (198.51.100.0/24)"),
    v4([203, 0, 113, 0], 24, "a documentation address (203.0.113.0/24)"),
    v4([224, 0, 0, 0], 4, "a multicast address (224.0.0.0/4)"),
    v4([255, 255, 255, 255], 32, "the broadcast address (255.255.255.255/32)"),
    v4([240, 0, 0, 0], 4, "a reserved address (240.0.0.0/4)"),
];

const RESERVED_IPV6: &[ReservedNetwork<Ipv6Net>] = &[
    ReservedNetwork {
        network: Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128),
        description: "the unspecified address (::/128)",
    },
    ReservedNetwork {
        network: Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128),
        description: "the loopback address (::1/128)",
    },
    v6([0, 0, 0, 0], 96, "an IPv4-compatible address (::/96)"),
    v6([0x64, 0xff9b, 1, 0], 48, "a local NAT64 address (64:ff9b:1::/48)"),
    v6([0x100, 0, 0, 0], 64, "a discard-only address (100::/64)"),
    v6([0x2001, 0, 0, 0], 32, "a Teredo address (2001::/32)"),
    v6([0x2001, 2, 0, 0], 48, "a benchmarking address (2001:2::/48)"),
    v6([0x2001, 0x10, 0, 0], 28, "an ORCHID identifier (2001:10::/28)"),
    v6([0x2001, 0x20, 0, 0], 28, "an ORCHID identifier (2001:20::/28)"),
    v6([0x2001, 0, 0, 0], 23, "an address for protocol assignments (2001::/23)"),
    v6([0x2001, 0xdb8, 0, 0], 32, "a documentation address (2001:db8::/32)"),
    v6([0x2002, 0, 0, 0], 16, "a 6to4 address (2002::/16)"),
    v6([0x3fff, 0, 0, 0], 20, "a documentation address (3fff::/20)"),
    v6([0x5f00, 0, 0, 0], 16, "a segment routing identifier (5f00::/16)"),
    v6([0xfd00, 0xec2, 0, 0], 32, "a cloud metadata address (fd00:ec2::/32)"),
    v6([0xfc00, 0, 0, 0], 7, "a unique local address (fc00::/7)"),
    v6([0xfe80, 0, 0, 0], 10, "a link-local address (fe80::/10)"),
    v6([0xfec0, 0, 0, 0], 10, "a site-local address (fec0::/10)"),
    v6([0xff00, 0, 0, 0], 8, "a multicast address (ff00::/8)"),
];

const GLOBAL_UNICAST: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What the address is, such as "a private address (10.0.0.0/8)"; none if it is public.
pub(crate) fn reserved_description(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            let reserved = RESERVED_IPV4.iter().find(|reserved| reserved.network.contains(&address));
            reserved.map(|reserved| reserved.description)
        }
        IpAddr::V6(address) => {
            let reserved = RESERVED_IPV6.iter().find(|reserved| reserved.network.contains(&address));
            match reserved {
                Some(reserved) => Some(reserved.description),
                None if GLOBAL_UNICAST.contains(&address) => None,
                None => Some("an address outside global unicast (2000::/3)"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;

    use super::*;

    /// Networks and descriptions of both tables, in their order.
    fn tables() -> [Vec<(IpNet, &'static str)>; 2] {
        let v4 = RESERVED_IPV4.iter().map(|reserved| (reserved.network.into(), reserved.description));
        let v6 = RESERVED_IPV6.iter().map(|reserved| (reserved.network.into(), reserved.description));
        [v4.collect(), v6.collect()]
    }

    #[test]
    fn the_description_of_an_entry_ends_with_its_network() {
        for (network, description) in tables().concat() {
            let (_, rest) = description.split_once('(').expect("a network in parentheses");
            let described: IpNet = rest.trim_end_matches(')').parse().expect("a network");
            assert_eq!(described, network);
            assert_eq!(network.trunc(), network);
        }
    }

    #[test]
    fn an_entry_inside_another_precedes_it() {
        for table in tables() {
            for (at, (network, description)) in table.iter().enumerate() {
                let hiding = table[..at].iter().find(|(earlier, _)| earlier.contains(network));
                assert_eq!(hiding, None, "{description}");
            }
        }
    }

    #[test]
    fn the_first_and_last_address_of_a_network_are_reserved_and_their_neighbours_are_not() {
        for (address, reserved) in [
            ("9.255.255.255", false),
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("100.63.255.255", false),
            ("100.64.0.0", true),
            ("100.127.255.255", true),
            ("100.128.0.0", false),
            ("172.15.255.255", false),
            ("172.31.255.255", true),
            ("172.32.0.0", false),
            ("1fff:ffff::", true),
            ("2000::", false),
            ("2001:1ff:ffff::", true),
            ("2001:200::", false),
            ("3fff:fff:ffff::", true),
            ("3fff:1000::", false),
            ("4000::", true),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(reserved_description(address).is_some(), reserved, "{address}");
        }
    }
}
