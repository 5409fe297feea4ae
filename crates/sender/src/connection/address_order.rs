//! The order in which a name's addresses are tried.
//!
//! Families alternate, so that a family that is broken costs one try at most. Addresses that failed of late, or that
//! were beaten by another, come last: the next attempt begins with another address than the one that failed. What
//! failed is known to this process only; a function's next attempt may run in another one, so the attempt's number
//! turns the list as well.

use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::expiring_map::ExpiringMap;

/// For how long a failure counts.
const FAILURE_RETENTION: Duration = Duration::from_secs(60);
/// How many addresses are remembered.
const MAX_FAILED_ADDRESSES: usize = 4096;
/// How many addresses of a name are looked at for one request. A stranger's name server says how many there are.
const MAX_CONSIDERED_ADDRESSES: usize = 64;
/// How many addresses of a name are tried for one request.
const MAX_TRIED_ADDRESSES: usize = 16;

/// Addresses that failed of late.
#[derive(Debug)]
pub(crate) struct FailedAddresses(Mutex<ExpiringMap<SocketAddr, ()>>);

impl Default for FailedAddresses {
    fn default() -> Self {
        Self(Mutex::new(ExpiringMap::new(MAX_FAILED_ADDRESSES)))
    }
}

impl FailedAddresses {
    /// Something that goes to this address failed, or did not come about in time.
    pub(crate) fn record_failure(&self, address: SocketAddr) {
        let until = Instant::now() + FAILURE_RETENTION;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(address, until, ());
    }

    /// It works after all.
    pub(crate) fn remove(&self, address: SocketAddr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&address);
    }

    /// The order in which the addresses are tried; `turn` is how many places the list is turned by.
    pub(crate) fn order(&self, found: &[IpAddr], port: u16, offset: usize) -> Vec<SocketAddr> {
        let mut order: Vec<_> = alternate_families(found)
            .map(|ip| SocketAddr::new(ip, port))
            .take(MAX_CONSIDERED_ADDRESSES)
            .collect();
        if order.len() < 2 {
            return order;
        }
        let places = offset % order.len();
        order.rotate_left(places);
        let now = Instant::now();
        let failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What never failed stands first, then what failed longest ago.
        order.sort_by_key(|address| failing.get(address, now).map(|(until, ())| until));
        order.truncate(MAX_TRIED_ADDRESSES);
        order
    }
}

/// The addresses without repetitions, one of each family in turn, beginning with that of the first.
fn alternate_families(found: &[IpAddr]) -> impl Iterator<Item = IpAddr> {
    let mut seen = HashSet::with_capacity(found.len());
    let distinct: Vec<IpAddr> = found.iter().copied().filter(|address| seen.insert(*address)).collect();
    let begins_with_6 = distinct.first().is_some_and(IpAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        distinct.into_iter().partition(|address| address.is_ipv6() == begins_with_6);
    let longer = first.len().max(second.len());
    (0..longer).flat_map(move |at| [first.get(at).copied(), second.get(at).copied()]).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    fn order(failing: &FailedAddresses, found: &[&str], turn: usize) -> Vec<String> {
        let order = failing.order(&ips(found), 443, turn);
        order.iter().map(|address| address.ip().to_string()).collect()
    }

    #[test]
    fn address_families_alternate_and_duplicates_are_removed() {
        let failing = FailedAddresses::default();
        assert_eq!(
            order(&failing, &["1.0.0.1", "1.0.0.2", "1.0.0.1", "2001::1", "1.0.0.3"], 0),
            ["1.0.0.1", "2001::1", "1.0.0.2", "1.0.0.3"]
        );
        assert_eq!(order(&failing, &["2001::1", "1.0.0.1"], 0), ["2001::1", "1.0.0.1"]);
        assert!(order(&failing, &[], 3).is_empty());
    }

    #[test]
    fn the_offset_rotates_the_order() {
        let failing = FailedAddresses::default();
        let found = ["1.0.0.1", "1.0.0.2", "1.0.0.3"];
        for (turn, first) in [(0, "1.0.0.1"), (1, "1.0.0.2"), (2, "1.0.0.3"), (3, "1.0.0.1")] {
            assert_eq!(order(&failing, &found, turn)[0], first);
        }
    }

    #[test]
    fn addresses_that_failed_recently_come_last() {
        let failing = FailedAddresses::default();
        let found = ["1.0.0.1", "1.0.0.2", "1.0.0.3"];
        failing.record_failure("1.0.0.1:443".parse().expect("an address"));
        failing.record_failure("1.0.0.1:8443".parse().expect("an address"));
        assert_eq!(order(&failing, &found, 0), ["1.0.0.2", "1.0.0.3", "1.0.0.1"]);
        assert_eq!(order(&failing, &found, 2), ["1.0.0.3", "1.0.0.2", "1.0.0.1"]);
        failing.remove("1.0.0.1:443".parse().expect("an address"));
        assert_eq!(order(&failing, &found, 0), found);
    }

    #[test]
    fn a_long_address_list_keeps_both_families() {
        let found: Vec<IpAddr> = (0..4000_u16)
            .map(|at| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, at]))
            .chain([IpAddr::from([1, 0, 0, 1])])
            .collect();
        let order = FailedAddresses::default().order(&found, 443, 0);
        assert_eq!(order.len(), MAX_TRIED_ADDRESSES);
        assert!(order[1].is_ipv4());
        // Turned by a whole round of what is looked at, it is the same.
        assert_eq!(FailedAddresses::default().order(&found, 443, MAX_CONSIDERED_ADDRESSES), order);
    }

    #[test]
    fn a_new_failure_is_recorded_when_the_map_is_full() {
        let failing = FailedAddresses::default();
        for port in 0..=u16::try_from(MAX_FAILED_ADDRESSES).expect("few") {
            failing.record_failure(SocketAddr::from(([192, 0, 2, 1], port)));
        }
        failing.record_failure("1.0.0.1:443".parse().expect("an address"));
        assert_eq!(order(&failing, &["1.0.0.1", "1.0.0.2"], 0), ["1.0.0.2", "1.0.0.1"]);
    }
}
