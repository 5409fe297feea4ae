//! The address guard: where a webhook may go.
//!
//! A tenant chooses the URL of its webhooks, but our network sends them: a URL that led to the metadata service of
//! the cloud, to a database behind the firewall or to ourselves would make us its accomplice. So a destination must
//! be a public address, or one in a network that the operator allows.
//!
//! # How it works
//!
//! The guard judges addresses, never names. A literal host is judged before the send, after the URL has been parsed
//! (which turns `0x7f.1`, `2130706433` and the like into the address they mean); the addresses of a name are judged
//! by the resolver each time a connection is made, and the connection goes to those very addresses.
//!
//! An IPv6 address that stands for an IPv4 one, because the system (IPv4-mapped, `::ffff:0:0/96`) or a translator
//! (the well-known NAT64 prefix, `64:ff9b::/96`) will connect to that, is judged as the IPv4 address; NAT64 must not
//! be refused outright, since in a subnet with DNS64 every IPv4 receiver has such an address. The other forms
//! that embed an IPv4 address (IPv4-compatible, 6to4, Teredo, local NAT64) are refused whatever they embed.
//!
//! # What it guarantees
//!
//! - `https://` leaves only to public addresses and to the operator's allowed networks; `http://` only to the latter.
//! - What is public is decided by a table, `special.rs`, and what is not known to be public is refused.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
};

use ipnet::{IpNet, Ipv4Net};
use thiserror::Error;

use crate::reserved_addresses;

/// How a request travels. Nothing but these two is ever sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear: only to networks that the operator allows.
    Http,
    /// Over TLS.
    Https,
}

/// Decides which addresses a destination may have.
#[derive(Debug, Clone, Default)]
pub struct AddressGuard {
    allowed_networks: Vec<IpNet>,
}

impl AddressGuard {
    /// `allowed` are the operator's networks, which need not be public. An IPv4-mapped one (`::ffff:10.0.0.0/104`)
    /// means the IPv4 network.
    #[must_use]
    pub fn new(allowed: Vec<IpNet>) -> Self {
        let allowed = allowed.into_iter().map(unmapped_network).collect();
        Self { allowed_networks: allowed }
    }

    /// Whether a connection to `address` may be made.
    ///
    /// # Errors
    ///
    /// The reason why not, as a sentence's end after the address.
    pub fn check(&self, scheme: Scheme, address: IpAddr) -> Result<(), AddressRefusal> {
        let judged = effective_address(address);
        if self.allowed_networks.iter().any(|network| network.contains(&judged) || network.contains(&address))
        {
            return Ok(());
        }
        let reason = match (reserved_addresses::reserved_description(judged), scheme) {
            (Some(what), _) => RefusalReason::NotPublic(what),
            (None, Scheme::Http) => RefusalReason::PlainHttp,
            (None, Scheme::Https) => return Ok(()),
        };
        Err(AddressRefusal { address, effective: judged, reason })
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

fn unmapped_network(network: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    let IpNet::V6(v6) = network else {
        return network;
    };
    let embedded = v6.network().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(MAPPED));
    embedded.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(network, IpNet::V4)
}

/// Why an address may not be a destination; reads "10.0.0.1, a private address (10.0.0.0/8); …".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct AddressRefusal {
    address: IpAddr,
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
            RefusalReason::NotPublic(what) => {
                write!(f, ", {what}; the operator can allow its network with --allow-network")
            }
            RefusalReason::PlainHttp => f.write_str(
                ", and http:// is sent only to networks that the operator allows with --allow-network; use https://",
            ),
        }
    }
}
