//! The addresses that are not on the public internet, and what each is for.
//!
//! The tables follow the IANA special-purpose registries,
//! [IPv4](https://www.iana.org/assignments/iana-ipv4-special-registry) and
//! [IPv6](https://www.iana.org/assignments/iana-ipv6-special-registry), with multicast and the deprecated
//! site-local addresses from the address-space registries beside them.
//!
//! For IPv4 everything that is not in the table is public. For IPv6 only global unicast, `2000::/3`, can be
//! public at all, so what IANA assigns later is refused until someone looks at it.
//!
//! Where an entry is stricter than the registry: the whole of `192.0.0.0/24` and of `2001::/23` is refused, although
//! a few anycast services and identifiers within them are reachable, because no receiver of webhooks lives there;
//! and so is Azure's platform address, public by number but a metadata service by nature. The AS112 and AMT
//! blocks count as public, as the registry has them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network and, as the end of the sentence "10.0.0.1 is …", what its addresses are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReservedNetwork<A> {
    network: A,
    prefix_length: u8,
    pub(crate) description: &'static str,
}

const fn v4(network: [u8; 4], length: u8, what: &'static str) -> ReservedNetwork<Ipv4Addr> {
    let [a, b, c, d] = network;
    ReservedNetwork { network: Ipv4Addr::new(a, b, c, d), prefix_length: length, description: what }
}

const fn v6(network: [u16; 4], length: u8, what: &'static str) -> ReservedNetwork<Ipv6Addr> {
    let [a, b, c, d] = network;
    ReservedNetwork {
        network: Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0),
        prefix_length: length,
        description: what,
    }
}

/// The first match counts, so what lies inside another network stands before it.
const RESERVED_IPV4: &[ReservedNetwork<Ipv4Addr>] = &[
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

const RESERVED_IPV6: &[ReservedNetwork<Ipv6Addr>] = &[
    ReservedNetwork {
        network: Ipv6Addr::UNSPECIFIED,
        prefix_length: 128,
        description: "the unspecified address (::/128)",
    },
    ReservedNetwork {
        network: Ipv6Addr::LOCALHOST,
        prefix_length: 128,
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

const GLOBAL_UNICAST: ReservedNetwork<Ipv6Addr> =
    v6([0x2000, 0, 0, 0], 3, "a global unicast address (2000::/3)");

/// What the address is, if it is not public: "a private address (10.0.0.0/8)".
pub(crate) fn reserved_description(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            RESERVED_IPV4.iter().find(|block| block.contains(address)).map(|block| block.description)
        }
        IpAddr::V6(address) => RESERVED_IPV6
            .iter()
            .find(|block| block.contains(address))
            .map(|block| block.description)
            .or_else(|| {
                (!GLOBAL_UNICAST.contains(address)).then_some("an address outside global unicast (2000::/3)")
            }),
    }
}

impl ReservedNetwork<Ipv4Addr> {
    fn contains(&self, address: Ipv4Addr) -> bool {
        let differing = address.to_bits() ^ self.network.to_bits();
        differing.leading_zeros() >= u32::from(self.prefix_length)
    }
}

impl ReservedNetwork<Ipv6Addr> {
    fn contains(&self, address: Ipv6Addr) -> bool {
        let differing = address.to_bits() ^ self.network.to_bits();
        differing.leading_zeros() >= u32::from(self.prefix_length)
    }
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;

    use super::*;

    /// The network that an entry's text names in its parentheses.
    fn network_in_text(what: &str) -> IpNet {
        let (_, rest) = what.split_once('(').expect("a network in parentheses");
        rest.trim_end_matches(')').parse().expect("a network")
    }

    #[test]
    fn the_text_of_an_entry_names_its_network() {
        for block in RESERVED_IPV4 {
            let network = IpNet::new(block.network.into(), block.prefix_length).expect("a network");
            assert_eq!(network_in_text(block.description), network);
            assert_eq!(network.trunc(), network);
        }
        for block in RESERVED_IPV6 {
            let network = IpNet::new(block.network.into(), block.prefix_length).expect("a network");
            assert_eq!(network_in_text(block.description), network);
            assert_eq!(network.trunc(), network);
        }
    }

    #[test]
    fn an_entry_inside_another_precedes_it() {
        for (at, what) in RESERVED_IPV4.iter().map(|b| b.description).enumerate() {
            let hidden = RESERVED_IPV4[..at]
                .iter()
                .find(|earlier| network_in_text(earlier.description).contains(&network_in_text(what)));
            assert_eq!(hidden, None, "{what}");
        }
        for (at, what) in RESERVED_IPV6.iter().map(|b| b.description).enumerate() {
            let hidden = RESERVED_IPV6[..at]
                .iter()
                .find(|earlier| network_in_text(earlier.description).contains(&network_in_text(what)));
            assert_eq!(hidden, None, "{what}");
        }
    }

    #[test]
    fn the_first_and_last_address_of_a_network_are_reserved_and_their_neighbours_are_not() {
        for (address, inside) in [
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
            assert_eq!(reserved_description(address).is_some(), inside, "{address}");
        }
    }
}
