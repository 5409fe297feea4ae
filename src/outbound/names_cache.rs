//! What is known of names, for as long as that is good.
//!
//! Answers are kept for their time to live. That there is no such name is kept for what its zone says, at most
//! [`NEGATIVE`], and that a look-up failed for [`FAILED`] (RFC 9520): names that are never answered are not asked for
//! by each webhook anew.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const POSITIVE: Duration = Duration::from_secs(24 * 3600);
const NEGATIVE: Duration = Duration::from_secs(10);
const FAILED: Duration = Duration::from_secs(1);
const CAPACITY: usize = 4096;

/// Addresses, and how long they are good for; none at all means that there is no such name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) addresses: Vec<IpAddr>,
    pub(super) good_for: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<HashMap<String, Known>>);

#[derive(Debug)]
struct Known {
    until: Instant,
    /// The addresses, or why the look-up failed.
    what: Result<Vec<IpAddr>, String>,
}

impl Cache {
    pub(super) fn get(&self, name: &str, now: Instant) -> Option<io::Result<Vec<IpAddr>>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { what, .. } = known.get(name).filter(|known| now < known.until)?;
        Some(what.clone().map_err(io::Error::other))
    }

    /// Keeps what came of a look-up. What this machine lacked for it is not kept: that says nothing of the name.
    pub(super) fn put(&self, name: String, answer: &io::Result<Answer>, now: Instant) {
        let (what, good_for) = match answer {
            Ok(Answer { addresses, good_for }) if addresses.is_empty() => {
                (Ok(Vec::new()), (*good_for).min(NEGATIVE))
            }
            Ok(Answer { addresses, good_for }) => (Ok(addresses.clone()), (*good_for).min(POSITIVE)),
            Err(error) if error.raw_os_error().is_some() => return,
            Err(error) => (Err(error.to_string()), FAILED),
        };
        if good_for.is_zero() {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY {
            known.retain(|_, known| now < known.until);
        }
        if known.len() < CAPACITY {
            known.insert(name, Known { until: now + good_for, what });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_known_is_good_until_its_time_is_over() {
        let (cache, now) = (Cache::default(), Instant::now());
        let address = IpAddr::from([192, 0, 2, 1]);
        let seconds = |addresses: Vec<IpAddr>, seconds| Ok(Answer { addresses, good_for: SECOND * seconds });
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
}
