//! The order in which a name's addresses are tried.
//!
//! Address families alternate (RFC 8305, section 4), so that a broken family costs one connection attempt at most.
//! Addresses that failed recently, or that did not answer before another, come last: the next request begins with
//! another address. Failures are recorded in this process only, and a function's next attempt may run in another one, so
//! the caller also rotates the list by a number that changes with each attempt.

use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::expiring_map::ExpiringMap;

/// For how long a failure is recorded.
const FAILURE_RETENTION: Duration = Duration::from_secs(60);
/// How many failed addresses are recorded.
const MAX_FAILED_ADDRESSES: usize = 4096;
/// How many addresses of a name are considered for one request. A stranger's name server says how many there are.
const MAX_CONSIDERED_ADDRESSES: usize = 64;
/// How many of those are tried.
const MAX_TRIED_ADDRESSES: usize = 16;

/// Addresses that failed recently.
#[derive(Debug)]
pub(crate) struct FailedAddresses(Mutex<ExpiringMap<SocketAddr, ()>>);

impl Default for FailedAddresses {
    fn default() -> Self {
        Self(Mutex::new(ExpiringMap::new(MAX_FAILED_ADDRESSES)))
    }
}

impl FailedAddresses {
    /// A connection to this address, or a request to it, failed or was not done in time.
    pub(crate) fn record_failure(&self, address: SocketAddr) {
        let expires_at = Instant::now() + FAILURE_RETENTION;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(address, expires_at, ());
    }

    /// A request to this address succeeded.
    pub(crate) fn record_success(&self, address: SocketAddr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&address);
    }

    /// The addresses to try, in order. `offset` is by how many places the list is rotated first.
    pub(crate) fn order(&self, found: &[IpAddr], port: u16, offset: usize) -> Vec<SocketAddr> {
        let mut order: Vec<_> = alternate_families(found)
            .map(|ip| SocketAddr::new(ip, port))
            .take(MAX_CONSIDERED_ADDRESSES)
            .collect();
        if order.len() < 2 {
            return order;
        }
        let offset = offset % order.len();
        order.rotate_left(offset);
        let now = Instant::now();
        let failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // First those without a recorded failure, then those whose failure is oldest.
        order.sort_by_key(|address| failed.get(address, now).map(|(expires_at, ())| expires_at));
        order.truncate(MAX_TRIED_ADDRESSES);
        order
    }
}

/// The addresses without duplicates, one of each family in turn, beginning with the family of the first address.
fn alternate_families(found: &[IpAddr]) -> impl Iterator<Item = IpAddr> {
    let mut seen = HashSet::with_capacity(found.len());
    let distinct: Vec<IpAddr> = found.iter().copied().filter(|address| seen.insert(*address)).collect();
    let first_is_ipv6 = distinct.first().is_some_and(IpAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        distinct.into_iter().partition(|address| address.is_ipv6() == first_is_ipv6);
    let longer = first.len().max(second.len());
    (0..longer).flat_map(move |at| [first.get(at).copied(), second.get(at).copied()]).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    fn order(failed: &FailedAddresses, found: &[&str], offset: usize) -> Vec<String> {
        let order = failed.order(&ips(found), 443, offset);
        order.iter().map(|address| address.ip().to_string()).collect()
    }

    #[test]
    fn address_families_alternate_and_duplicates_are_removed() {
        let failed = FailedAddresses::default();
        assert_eq!(
            order(&failed, &["1.0.0.1", "1.0.0.2", "1.0.0.1", "2001::1", "1.0.0.3"], 0),
            ["1.0.0.1", "2001::1", "1.0.0.2", "1.0.0.3"]
        );
        assert_eq!(order(&failed, &["2001::1", "1.0.0.1"], 0), ["2001::1", "1.0.0.1"]);
        assert!(order(&failed, &[], 3).is_empty());
    }

    #[test]
    fn the_offset_rotates_the_order() {
        let failed = FailedAddresses::default();
        let found = ["1.0.0.1", "1.0.0.2", "1.0.0.3"];
        for (offset, first) in [(0, "1.0.0.1"), (1, "1.0.0.2"), (2, "1.0.0.3"), (3, "1.0.0.1")] {
            assert_eq!(order(&failed, &found, offset)[0], first);
        }
    }

    #[test]
    fn addresses_that_failed_recently_come_last() {
        let failed = FailedAddresses::default();
        let found = ["1.0.0.1", "1.0.0.2", "1.0.0.3"];
        failed.record_failure("1.0.0.1:443".parse().expect("an address"));
        failed.record_failure("1.0.0.1:8443".parse().expect("an address"));
        assert_eq!(order(&failed, &found, 0), ["1.0.0.2", "1.0.0.3", "1.0.0.1"]);
        assert_eq!(order(&failed, &found, 2), ["1.0.0.3", "1.0.0.2", "1.0.0.1"]);
        failed.record_success("1.0.0.1:443".parse().expect("an address"));
        assert_eq!(order(&failed, &found, 0), found);
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
        // A rotation by all considered addresses changes nothing.
        assert_eq!(FailedAddresses::default().order(&found, 443, MAX_CONSIDERED_ADDRESSES), order);
    }

    #[test]
    fn a_new_failure_is_recorded_when_the_map_is_full() {
        let failed = FailedAddresses::default();
        for port in 0..=u16::try_from(MAX_FAILED_ADDRESSES).expect("few") {
            failed.record_failure(SocketAddr::from(([192, 0, 2, 1], port)));
        }
        failed.record_failure("1.0.0.1:443".parse().expect("an address"));
        assert_eq!(order(&failed, &["1.0.0.1", "1.0.0.2"], 0), ["1.0.0.2", "1.0.0.1"]);
    }
}
