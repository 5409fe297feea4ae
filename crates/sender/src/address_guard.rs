//! The address guard: decides which addresses a webhook may be sent to.
//!
//! A tenant chooses the URL of its webhooks, but our network sends them: a URL of the cloud's metadata service, of a
//! database behind the firewall or of this process itself would let a tenant reach what it must not (server-side request
//! forgery). So a destination must be a public address, or one in a network that the operator allows.
//!
//! The guard judges addresses, never names. A literal host is checked when the request is prepared, after the URL has
//! been parsed (which turns `0x7f.1`, `2130706433` and the like into the address that they mean). The addresses of a
//! name are checked by the connector for each connection, and the connection goes to one of those same addresses.
//!
//! An IPv6 address that stands for an IPv4 one, because the system (IPv4-mapped, `::ffff:0:0/96`, RFC 4291) or a
//! translator (the well-known NAT64 prefix, `64:ff9b::/96`, RFC 6052) connects to that, is judged as the IPv4 address.
//! NAT64 cannot be refused outright, since in a subnet with DNS64 every IPv4 receiver has such an address. The other
//! forms that embed an IPv4 address (IPv4-compatible, 6to4, Teredo, local NAT64) are refused whatever they embed.
//!
//! # Guarantees
//!
//! - `https://` goes only to public addresses and to the operator's allowed networks; `http://` only to the latter.
//! - What is public is decided by the table in `reserved_addresses`. An address that is not known to be public is refused.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
};

use ipnet::{IpNet, Ipv4Net};
use thiserror::Error;

use crate::reserved_addresses;

/// The scheme of a request. No other scheme is ever sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Not encrypted: only to networks that the operator allows.
    Http,
    /// Over TLS.
    Https,
}

/// Decides which addresses a destination may have.
#[derive(Debug, Clone, Default)]
pub(crate) struct AddressGuard {
    allowed_networks: Vec<IpNet>,
}

impl AddressGuard {
    /// `allowed_networks` are the operator's, and need not be public. An IPv4-mapped one (`::ffff:10.0.0.0/104`) means
    /// the IPv4 network.
    #[must_use]
    pub(crate) fn new(allowed_networks: Vec<IpNet>) -> Self {
        Self { allowed_networks: allowed_networks.into_iter().map(unmapped_network).collect() }
    }

    /// Whether a connection to `address` may be made.
    ///
    /// # Errors
    ///
    /// Why it may not.
    pub(crate) fn check(&self, scheme: Scheme, address: IpAddr) -> Result<(), AddressRefusal> {
        let effective = effective_address(address);
        let is_allowed = |network: &IpNet| network.contains(&effective) || network.contains(&address);
        if self.allowed_networks.iter().any(is_allowed) {
            return Ok(());
        }
        let reason = match (reserved_addresses::reserved_description(effective), scheme) {
            (Some(description), _) => RefusalReason::NotPublic(description),
            (None, Scheme::Http) => RefusalReason::PlainHttp,
            (None, Scheme::Https) => return Ok(()),
        };
        Err(AddressRefusal { address, effective, reason })
    }

    /// Checks all addresses of a name. A name that has both permitted and refused addresses is refused whole: otherwise
    /// it would depend on chance to which address the connection goes, and whether the webhook is sent.
    ///
    /// # Errors
    ///
    /// The refusal of the first address that is refused.
    pub(crate) fn check_all(&self, scheme: Scheme, addresses: &[IpAddr]) -> Result<(), AddressRefusal> {
        addresses.iter().try_for_each(|address| self.check(scheme, *address))
    }
}

/// The address that a connection to `address` really reaches.
fn effective_address(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    match v6.octets() {
        [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => Ipv4Addr::new(a, b, c, d).into(),
        _ => address.to_canonical(),
    }
}

/// The IPv4 network that a network of IPv4-mapped addresses means; any other network as it is.
fn unmapped_network(network: IpNet) -> IpNet {
    const MAPPED_PREFIX_LENGTH: u8 = 96;
    let IpNet::V6(v6) = network else {
        return network;
    };
    let embedded = v6.network().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(MAPPED_PREFIX_LENGTH));
    embedded.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(network, IpNet::V4)
}

/// Why an address may not be a destination. Its text reads "10.0.0.1, a private address (10.0.0.0/8); …" and is for the
/// operator's log, never for a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) struct AddressRefusal {
    address: IpAddr,
    /// What the address stands for; itself, unless it embeds an IPv4 address.
    effective: IpAddr,
    reason: RefusalReason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum RefusalReason {
    NotPublic(&'static str),
    PlainHttp,
}

impl fmt::Display for AddressRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        if self.effective != self.address {
            write!(f, " (which stands for {})", self.effective)?;
        }
        match self.reason {
            RefusalReason::NotPublic(description) => {
                write!(f, ", {description}; the operator can allow its network with --allow-network")
            }
            RefusalReason::PlainHttp => f.write_str(
                ", and http:// is sent only to networks that the operator allows with --allow-network; use https://",
            ),
        }
    }
}
