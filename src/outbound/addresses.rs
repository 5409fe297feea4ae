//! Which of a name's addresses is tried first.
//!
//! Families alternate, so that a family that is broken costs one try at most. Addresses that failed of late, or that
//! were beaten by another, come last: the next attempt begins with another address than the one that failed. What
//! failed is known to this process only; a function's next attempt may run in another one, so the attempt's number
//! turns the list as well.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// For how long a failure counts.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How many addresses are remembered.
const MAX_REMEMBERED: usize = 4096;
/// How many addresses of a name are tried for one request.
const MAX_TRIED: usize = 16;

/// Addresses that failed of late.
#[derive(Debug, Default)]
pub(super) struct Failing(Mutex<HashMap<SocketAddr, Instant>>);

impl Failing {
    /// Something that goes to this address failed, or did not come about in time.
    pub(super) fn note(&self, address: SocketAddr) {
        let now = Instant::now();
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failing.len() >= MAX_REMEMBERED {
            failing.retain(|_, since| now.duration_since(*since) < REMEMBERED);
        }
        if failing.len() < MAX_REMEMBERED || failing.contains_key(&address) {
            failing.insert(address, now);
        }
    }

    /// It works after all.
    pub(super) fn clear(&self, address: SocketAddr) {
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !failing.is_empty() {
            failing.remove(&address);
        }
    }

    /// The order in which the addresses are tried; `turn` is how many places the list is turned by.
    pub(super) fn order(&self, found: &[IpAddr], port: u16, turn: usize) -> Vec<SocketAddr> {
        let mut order: Vec<_> = alternating(found).into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        if order.len() < 2 {
            return order;
        }
        let places = turn % order.len();
        order.rotate_left(places);
        let now = Instant::now();
        let failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = |address: &SocketAddr| {
            failing.get(address).copied().filter(|since| now.duration_since(*since) < REMEMBERED)
        };
        // What never failed stands first, then what failed longest ago.
        order.sort_by_key(since);
        order.truncate(MAX_TRIED);
        order
    }
}

/// The addresses without repetitions, one of each family in turn, beginning with that of the first.
fn alternating(found: &[IpAddr]) -> Vec<IpAddr> {
    let mut distinct: Vec<IpAddr> = Vec::with_capacity(found.len());
    for address in found {
        if !distinct.contains(address) {
            distinct.push(*address);
        }
    }
    let begins_with_6 = distinct.first().is_some_and(IpAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        distinct.into_iter().partition(|address| address.is_ipv6() == begins_with_6);
    let longer = first.len().max(second.len());
    let pairs = (0..longer).flat_map(|at| [first.get(at), second.get(at)]);
    pairs.flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    fn order(failing: &Failing, found: &[&str], turn: usize) -> Vec<String> {
        let order = failing.order(&ips(found), 443, turn);
        order.iter().map(|address| address.ip().to_string()).collect()
    }

    #[test]
    fn families_alternate_and_no_address_comes_twice() {
        let failing = Failing::default();
        assert_eq!(
            order(&failing, &["1.0.0.1", "1.0.0.2", "1.0.0.1", "2001::1", "1.0.0.3"], 0),
            ["1.0.0.1", "2001::1", "1.0.0.2", "1.0.0.3"]
        );
        assert_eq!(order(&failing, &["2001::1", "1.0.0.1"], 0), ["2001::1", "1.0.0.1"]);
        assert!(order(&failing, &[], 3).is_empty());
    }

    #[test]
    fn the_next_attempt_begins_with_another_address() {
        let failing = Failing::default();
        let found = ["1.0.0.1", "1.0.0.2", "1.0.0.3"];
        for (turn, first) in [(0, "1.0.0.1"), (1, "1.0.0.2"), (2, "1.0.0.3"), (3, "1.0.0.1")] {
            assert_eq!(order(&failing, &found, turn)[0], first);
        }
    }

    #[test]
    fn what_failed_of_late_comes_last() {
        let failing = Failing::default();
        let found = ["1.0.0.1", "1.0.0.2", "1.0.0.3"];
        failing.note("1.0.0.1:443".parse().expect("an address"));
        failing.note("1.0.0.1:8443".parse().expect("an address"));
        assert_eq!(order(&failing, &found, 0), ["1.0.0.2", "1.0.0.3", "1.0.0.1"]);
        assert_eq!(order(&failing, &found, 2), ["1.0.0.3", "1.0.0.2", "1.0.0.1"]);
        failing.clear("1.0.0.1:443".parse().expect("an address"));
        assert_eq!(order(&failing, &found, 0), found);
    }
}
