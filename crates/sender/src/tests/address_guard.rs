//! The address guard, with tables of addresses and networks.

use std::net::IpAddr;

use crate::address_guard::{AddressGuard, Scheme};

fn check_address(allowed: &[&str], scheme: Scheme, address: &str) -> Result<(), String> {
    let allowed = allowed.iter().map(|network| network.parse().expect("a network")).collect();
    let address: IpAddr = address.parse().expect("an address");
    AddressGuard::new(allowed).check(scheme, address).map_err(|refusal| refusal.to_string())
}

#[test]
fn addresses_that_are_not_public_are_refused() {
    for (address, what) in [
        ("0.0.0.0", "an unspecified address"),
        ("0.1.2.3", "an unspecified address"),
        ("10.0.0.1", "a private address"),
        ("100.64.0.1", "a carrier-grade NAT address"),
        ("100.100.100.200", "a carrier-grade NAT address"),
        ("127.0.0.1", "a loopback address"),
        ("127.255.255.254", "a loopback address"),
        ("168.63.129.16", "a cloud metadata address"),
        ("169.254.169.254", "a cloud metadata address"),
        ("169.254.170.2", "a link-local address"),
        ("172.16.0.1", "a private address"),
        ("172.31.255.255", "a private address"),
        ("192.0.0.192", "an address for protocol assignments"),
        ("192.0.2.1", "a documentation address"),
        ("192.88.99.1", "a 6to4 relay address"),
        ("192.168.1.1", "a private address"),
        ("198.18.0.1", "a benchmarking address"),
        ("198.51.100.1", "a documentation address"),
        ("203.0.113.7", "a documentation address"),
        ("224.0.0.1", "a multicast address"),
        ("239.255.255.250", "a multicast address"),
        ("240.0.0.1", "a reserved address"),
        ("255.255.255.255", "the broadcast address"),
        ("::", "the unspecified address"),
        ("::1", "the loopback address"),
        ("::127.0.0.1", "an IPv4-compatible address"),
        ("::8.8.8.8", "an IPv4-compatible address"),
        ("::ffff:0:8.8.8.8", "an address outside global unicast"),
        ("64:ff9b:1::8.8.8.8", "a local NAT64 address"),
        ("100::1", "a discard-only address"),
        ("100:0:0:1::1", "an address outside global unicast"),
        ("2001::1", "a Teredo address"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "a Teredo address"),
        ("2001:2::1", "a benchmarking address"),
        ("2001:10::1", "an ORCHID identifier"),
        ("2001:2f:ffff::1", "an ORCHID identifier"),
        ("2001:1::1", "an address for protocol assignments"),
        ("2001:db8::1", "a documentation address"),
        ("2002:a00:1::", "a 6to4 address"),
        ("2002:808:808::1", "a 6to4 address"),
        ("3fff::1", "a documentation address"),
        ("4000::1", "an address outside global unicast"),
        ("5f00::1", "a segment routing identifier"),
        ("fc00::1", "a unique local address"),
        ("fd00:ec2::254", "a cloud metadata address"),
        ("fd20:ce::254", "a unique local address"),
        ("fe80::1", "a link-local address"),
        ("fec0::1", "a site-local address"),
        ("ff02::1", "a multicast address"),
    ] {
        for scheme in [Scheme::Http, Scheme::Https] {
            let refusal = check_address(&[], scheme, address).expect_err(address);
            let address: IpAddr = address.parse().expect("an address");
            assert!(refusal.starts_with(&format!("{address}, {what} (")), "{refusal}");
            assert!(
                refusal.ends_with("; the operator can allow its network with --allow-network"),
                "{refusal}"
            );
        }
    }
}

#[test]
fn public_addresses_are_permitted_for_https_only() {
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "126.255.255.255",
        "172.32.0.1",
        "192.0.1.1",
        "223.255.255.255",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2a00:1450::1",
    ] {
        assert_eq!(check_address(&[], Scheme::Https, address), Ok(()), "{address}");
        let refusal = check_address(&[], Scheme::Http, address).expect_err(address);
        let reason =
            "http:// is sent only to networks that the operator allows with --allow-network; use https://";
        assert_eq!(refusal, format!("{address}, and {reason}"));
    }
}

#[test]
fn an_address_that_stands_for_an_ipv4_address_is_judged_as_that_address() {
    for prefix in ["::ffff:", "64:ff9b::"] {
        assert_eq!(check_address(&[], Scheme::Https, &format!("{prefix}8.8.8.8")), Ok(()));
        assert!(check_address(&[], Scheme::Http, &format!("{prefix}8.8.8.8")).is_err());
        for address in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"] {
            let written = format!("{prefix}{address}");
            let refusal = check_address(&[], Scheme::Https, &written).expect_err(&written);
            assert!(refusal.contains(&format!("(which stands for {address}), ")), "{refusal}");
        }
        let written = format!("{prefix}10.1.2.3");
        for scheme in [Scheme::Http, Scheme::Https] {
            assert_eq!(check_address(&["10.0.0.0/8"], scheme, &written), Ok(()));
            assert!(check_address(&["192.168.0.0/16"], scheme, &written).is_err());
        }
    }
}

#[test]
fn only_the_operators_networks_are_permitted_besides_public_addresses() {
    for (allowed, address, permitted) in [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/24", "10.0.1.1", false),
        ("127.0.0.1/32", "127.0.0.1", true),
        ("127.0.0.1/32", "127.0.0.2", false),
        ("127.0.0.0/8", "::1", false),
        ("::1/128", "::1", true),
        ("::1/128", "127.0.0.1", false),
        ("169.254.169.254/32", "169.254.169.254", true),
        ("fd00::/8", "fd12:3456::1", true),
        ("fd00::/8", "fc00::1", false),
        ("8.8.8.0/24", "8.8.8.8", true),
        ("0.0.0.0/0", "127.0.0.1", true),
        ("0.0.0.0/0", "::1", false),
        ("::/0", "::1", true),
        // A network of mapped addresses is the IPv4 network.
        ("::ffff:10.0.0.0/104", "10.0.0.1", true),
        ("::ffff:10.0.0.0/104", "::ffff:10.0.0.1", true),
        ("::ffff:10.0.0.0/104", "172.16.0.1", false),
        // Not by the system, but by whoever runs the translator: all that it reaches.
        ("64:ff9b::/96", "64:ff9b::10.0.0.1", true),
        ("64:ff9b::/96", "10.0.0.1", false),
    ] {
        for scheme in [Scheme::Http, Scheme::Https] {
            let checked = check_address(&[allowed], scheme, address);
            assert_eq!(checked.is_ok(), permitted, "{address} where {allowed} is allowed");
        }
    }
}
