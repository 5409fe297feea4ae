//! The cache of name lookups, each for as long as its time to live.
//!
//! Addresses are kept for the time to live that the name server gave, at most [`MAX_POSITIVE_TTL`]. That a name does not
//! exist is kept for as long as its zone says, at most [`MAX_NEGATIVE_TTL`]. That a lookup failed is kept for
//! [`FAILURE_TTL`] (RFC 9520), so that webhooks to a name that never gets an answer do not each ask for it.
//!
//! In a full cache a new name replaces the one that expires first. An answer of more than [`MAX_CACHED_ADDRESSES`] is not
//! cached: a stranger's name server says how long an answer is, and it must not be cut, since the guard checks every
//! address of a name.

use std::{
    io,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::expiring_map::ExpiringMap;

const MAX_POSITIVE_TTL: Duration = Duration::from_secs(3600);
const MAX_NEGATIVE_TTL: Duration = Duration::from_secs(10);
const FAILURE_TTL: Duration = Duration::from_secs(1);
const MAX_CACHED_NAMES: usize = 4096;
const MAX_CACHED_ADDRESSES: usize = 64;

/// What the name servers say of a name: its addresses, and for how long that holds. Without an address, the name has none
/// or does not exist.
#[derive(Debug)]
pub(crate) struct DnsAnswer {
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) time_to_live: Duration,
}

/// The addresses of a name, or why the lookup failed.
type CachedLookup = Result<Vec<IpAddr>, String>;

#[derive(Debug)]
pub(crate) struct LookupCache(Mutex<ExpiringMap<String, CachedLookup>>);

impl Default for LookupCache {
    fn default() -> Self {
        Self(Mutex::new(ExpiringMap::new(MAX_CACHED_NAMES)))
    }
}

impl LookupCache {
    /// What is known of a name, unless it has expired.
    pub(crate) fn get(&self, name: &str, now: Instant) -> Option<io::Result<Vec<IpAddr>>> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, lookup) = entries.get(name, now)?;
        Some(lookup.clone().map_err(io::Error::other))
    }

    /// Keeps the result of a lookup, but not an error that this machine lacks something: that says nothing of the name.
    pub(crate) fn put(&self, name: String, answer: &io::Result<DnsAnswer>, now: Instant) {
        let (lookup, time_to_live) = match answer {
            Ok(DnsAnswer { addresses, time_to_live }) if addresses.is_empty() => {
                (Ok(Vec::new()), (*time_to_live).min(MAX_NEGATIVE_TTL))
            }
            Ok(DnsAnswer { addresses, .. }) if addresses.len() > MAX_CACHED_ADDRESSES => return,
            Ok(DnsAnswer { addresses, time_to_live }) => {
                (Ok(addresses.clone()), (*time_to_live).min(MAX_POSITIVE_TTL))
            }
            Err(error) if error.raw_os_error().is_some() => return,
            Err(error) => (Err(error.to_string()), FAILURE_TTL),
        };
        if time_to_live.is_zero() {
            return;
        }
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.insert(name, now + time_to_live, lookup);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_cached_lookup_is_returned_until_its_time_to_live_ends() {
        let (cache, now) = (LookupCache::default(), Instant::now());
        let address = IpAddr::from([192, 0, 2, 1]);
        let seconds =
            |addresses: Vec<IpAddr>, seconds| Ok(DnsAnswer { addresses, time_to_live: SECOND * seconds });
        cache.put("a.test".into(), &seconds(vec![address], 60), now);
        cache.put("b.test".into(), &seconds(vec![address], 0), now);
        cache.put("c.test".into(), &seconds(Vec::new(), 3600), now);
        cache.put("d.test".into(), &Err(io::Error::other("no name server answered in time")), now);
        cache.put("e.test".into(), &Err(io::Error::from_raw_os_error(libc::EMFILE)), now);
        let known = |name: &str, later: u32| {
            cache.get(name, now + SECOND * later).map(|known| known.map_err(|error| error.to_string()))
        };
        assert_eq!((known("a.test", 59), known("a.test", 60)), (Some(Ok(vec![address])), None));
        assert_eq!(known("b.test", 0), None);
        assert_eq!((known("c.test", 9), known("c.test", 10)), (Some(Ok(Vec::new())), None));
        assert_eq!(known("d.test", 0), Some(Err("no name server answered in time".into())));
        assert_eq!((known("d.test", 1), known("e.test", 0)), (None, None));
    }

    #[test]
    fn an_answer_is_cached_for_at_most_an_hour_and_only_if_it_is_short() {
        let (cache, now) = (LookupCache::default(), Instant::now());
        let answer = |count| {
            let addresses = vec![IpAddr::from([192, 0, 2, 1]); count];
            Ok(DnsAnswer { addresses, time_to_live: SECOND * 86_400 })
        };
        cache.put("a.test".into(), &answer(MAX_CACHED_ADDRESSES), now);
        cache.put("b.test".into(), &answer(MAX_CACHED_ADDRESSES + 1), now);
        let known = |name: &str, later: u32| cache.get(name, now + SECOND * later).is_some();
        assert!(known("a.test", 3599) && !known("a.test", 3600));
        assert!(!known("b.test", 0));
    }

    #[test]
    fn a_full_cache_accepts_another_name() {
        let (cache, now) = (LookupCache::default(), Instant::now());
        let answer =
            Ok(DnsAnswer { addresses: vec![IpAddr::from([192, 0, 2, 1])], time_to_live: SECOND * 3600 });
        for at in 0..MAX_CACHED_NAMES {
            cache.put(format!("{at}.test"), &answer, now);
        }
        cache.put("new.test".into(), &answer, now + SECOND);
        assert!(cache.get("new.test", now + SECOND).is_some());
    }
}
