//! The client of a request: the address that it came from, and whoever wants to know that it was authenticated. The
//! listener, or the function, that receives a request adds this as an extension of it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use http::Extensions;

/// Is told that a request of a client was authenticated; the listener's connection is one.
pub trait AuthenticationObserver: Send + Sync {
    /// The request that is being answered showed a valid key, or the token of a session.
    fn on_authenticated(&self);
}

/// Who sent a request, as far as it is known.
#[derive(Clone, Default)]
pub struct Client {
    address: Option<IpAddr>,
    observer: Option<Arc<dyn AuthenticationObserver>>,
}

impl Client {
    /// `address` is that of the client, not that of a proxy before us.
    pub fn new(address: Option<IpAddr>, connection: Option<Arc<dyn AuthenticationObserver>>) -> Self {
        Self { address, observer: connection }
    }

    /// The client in the extensions of a request; an unknown one where there is none.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    pub(crate) fn address_group(&self) -> AddressGroup {
        self.address.map(AddressGroup::of).unwrap_or_default()
    }

    /// Tells the observer that the request was authenticated.
    pub(crate) fn notify_authenticated(&self) {
        if let Some(connection) = &self.observer {
            connection.on_authenticated();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({:?})", self.address)
    }
}

/// The addresses that count as one client: an IPv4 address, or the /64 network of an IPv6 address, all of which belongs
/// to one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct AddressGroup(Option<IpAddr>);

impl AddressGroup {
    pub fn of(address: IpAddr) -> Self {
        Self(Some(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                Ipv6Addr::from_bits(network).into()
            }
            address @ IpAddr::V4(_) => address,
        }))
    }
}

impl fmt::Display for AddressGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(IpAddr::V6(network)) => write!(f, "{network}/64"),
            Some(address @ IpAddr::V4(_)) => write!(f, "{address}"),
            None => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_an_ipv4_address_or_the_64_of_an_ipv6_address() {
        for (address, group) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ] {
            assert_eq!(
                AddressGroup::of(address.parse().expect("an address")).to_string(),
                group,
                "{address}"
            );
        }
    }
}
