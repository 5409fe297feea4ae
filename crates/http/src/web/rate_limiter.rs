//! Token buckets, one for each name, in a table of bounded size.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often something may happen: `burst` times at once, and `per_second` times a second in the long run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) burst: u32,
    pub(super) per_second: f64,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    /// When `tokens` was right.
    at: Instant,
}

impl Bucket {
    fn refill(&mut self, rate: Rate, now: Instant) {
        let earned = now.saturating_duration_since(self.at).as_secs_f64() * rate.per_second;
        self.tokens = (self.tokens + earned).min(f64::from(rate.burst));
        self.at = now;
    }
}

/// The buckets. A name without one has a full one.
#[derive(Debug)]
pub(super) struct RateLimiter<K> {
    rate: Rate,
    max_buckets: usize,
    buckets: Mutex<HashMap<K, Bucket>>,
}

impl<K: Eq + Hash + Clone> RateLimiter<K> {
    /// At most so many names are told apart; beyond, those that were seen longest ago start anew.
    pub(super) fn new(rate: Rate, most: usize) -> Self {
        Self { rate, max_buckets: most, buckets: Mutex::default() }
    }

    /// Takes a token from the bucket of a name.
    ///
    /// # Errors
    ///
    /// It is empty: how long until it has a token.
    pub(super) fn take_token(&self, name: &K, now: Instant) -> Result<(), Duration> {
        let mut table = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= self.max_buckets && !table.contains_key(name) {
            evict(&mut table, self.rate, now);
        }
        let full = Bucket { tokens: f64::from(self.rate.burst), at: now };
        let bucket = table.entry(name.clone()).or_insert(full);
        bucket.refill(self.rate, now);
        if bucket.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.tokens) / self.rate.per_second));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    /// Gives a token back that was taken for nothing.
    pub(super) fn return_token(&self, name: &K) {
        let mut table = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = table.get_mut(name) {
            bucket.tokens = (bucket.tokens + 1.0).min(f64::from(self.rate.burst));
        }
    }
}

/// Forgets full buckets, which say nothing; if that is not half of them, the older half.
fn evict<K: Eq + Hash>(table: &mut HashMap<K, Bucket>, rate: Rate, now: Instant) {
    let before = table.len();
    table.retain(|_, bucket| {
        let earned = now.saturating_duration_since(bucket.at).as_secs_f64() * rate.per_second;
        bucket.tokens + earned < f64::from(rate.burst)
    });
    if table.len() > before / 2 {
        let mut ages: Vec<_> = table.values().map(|bucket| bucket.at).collect();
        ages.sort_unstable();
        let median = ages.get(ages.len() / 2).copied().unwrap_or(now);
        // Where all are of one age it forgets all of them.
        table.retain(|_, bucket| bucket.at > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, per_second: 2.0 };

    fn times(buckets: &RateLimiter<u32>, name: u32, now: Instant) -> usize {
        (0..10).take_while(|_| buckets.take_token(&name, now).is_ok()).count()
    }

    #[test]
    fn a_burst_passes_at_once_and_then_the_rate() {
        let (buckets, start) = (RateLimiter::new(RATE, 8), Instant::now());
        assert_eq!(times(&buckets, 1, start), 3);
        assert_eq!(buckets.take_token(&1, start), Err(Duration::from_millis(500)));
        assert_eq!(times(&buckets, 1, start + Duration::from_secs(1)), 2);
        assert_eq!(times(&buckets, 1, start + Duration::from_secs(3600)), 3, "no more than a burst is kept");
    }

    #[test]
    fn names_have_a_bucket_each() {
        let (buckets, start) = (RateLimiter::new(RATE, 8), Instant::now());
        assert_eq!((times(&buckets, 1, start), times(&buckets, 2, start)), (3, 3));
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let (buckets, start) = (RateLimiter::new(RATE, 8), Instant::now());
        buckets.return_token(&1);
        assert_eq!(times(&buckets, 1, start), 3);
        buckets.return_token(&1);
        assert_eq!(times(&buckets, 1, start), 1);
    }

    #[test]
    fn the_table_stays_bounded_and_keeps_who_came_last() {
        let (buckets, start) = (RateLimiter::new(RATE, 64), Instant::now());
        let moment = |name: u32| start + Duration::from_millis(name.into());
        for name in 0..1000 {
            times(&buckets, name, moment(name));
            assert!(buckets.buckets.lock().expect("the table").len() <= 64);
        }
        assert_eq!(times(&buckets, 999, moment(999)), 0, "its empty bucket is still known");
    }

    #[test]
    fn a_table_of_buckets_of_one_moment_stays_bounded() {
        let (buckets, start) = (RateLimiter::new(RATE, 64), Instant::now());
        for name in 0..1000 {
            times(&buckets, name, start);
            assert!(buckets.buckets.lock().expect("the table").len() <= 64);
        }
    }
}
