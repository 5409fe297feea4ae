//! A rate limiter: token buckets, one for each key, in a table of bounded size.

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

/// The buckets. A key without one has a full one.
#[derive(Debug)]
pub(super) struct RateLimiter<K> {
    rate: Rate,
    max_buckets: usize,
    buckets: Mutex<HashMap<K, Bucket>>,
}

impl<K: Eq + Hash + Clone> RateLimiter<K> {
    /// At most so many keys have a bucket; beyond, those whose bucket was used longest ago get a full one.
    pub(super) fn new(rate: Rate, max_buckets: usize) -> Self {
        Self { rate, max_buckets, buckets: Mutex::default() }
    }

    /// Takes a token from the bucket of a key.
    ///
    /// # Errors
    ///
    /// The bucket is empty: the time until it has a token.
    pub(super) fn take_token(&self, key: &K, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= self.max_buckets && !buckets.contains_key(key) {
            evict(&mut buckets, self.rate, now);
        }
        let full = Bucket { tokens: f64::from(self.rate.burst), at: now };
        let bucket = buckets.entry(key.clone()).or_insert(full);
        bucket.refill(self.rate, now);
        if bucket.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.tokens) / self.rate.per_second));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    /// Returns a token that turned out not to be needed.
    pub(super) fn return_token(&self, key: &K) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(key) {
            bucket.tokens = (bucket.tokens + 1.0).min(f64::from(self.rate.burst));
        }
    }
}

/// Removes full buckets, which are the same as none; if that is less than half of them, the older half too.
fn evict<K: Eq + Hash>(buckets: &mut HashMap<K, Bucket>, rate: Rate, now: Instant) {
    let before = buckets.len();
    buckets.retain(|_, bucket| {
        let earned = now.saturating_duration_since(bucket.at).as_secs_f64() * rate.per_second;
        bucket.tokens + earned < f64::from(rate.burst)
    });
    if buckets.len() > before / 2 {
        let mut ages: Vec<_> = buckets.values().map(|bucket| bucket.at).collect();
        ages.sort_unstable();
        let median = ages.get(ages.len() / 2).copied().unwrap_or(now);
        // Where all are of one age, this removes all of them.
        buckets.retain(|_, bucket| bucket.at > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, per_second: 2.0 };

    fn times(buckets: &RateLimiter<u32>, key: u32, now: Instant) -> usize {
        (0..10).take_while(|_| buckets.take_token(&key, now).is_ok()).count()
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
    fn each_key_has_a_bucket_of_its_own() {
        let (buckets, start) = (RateLimiter::new(RATE, 8), Instant::now());
        assert_eq!((times(&buckets, 1, start), times(&buckets, 2, start)), (3, 3));
    }

    #[test]
    fn a_returned_token_can_be_taken_again() {
        let (buckets, start) = (RateLimiter::new(RATE, 8), Instant::now());
        buckets.return_token(&1);
        assert_eq!(times(&buckets, 1, start), 3);
        buckets.return_token(&1);
        assert_eq!(times(&buckets, 1, start), 1);
    }

    #[test]
    fn the_table_stays_bounded_and_keeps_the_buckets_used_last() {
        let (buckets, start) = (RateLimiter::new(RATE, 64), Instant::now());
        let moment = |key: u32| start + Duration::from_millis(key.into());
        for key in 0..1000 {
            times(&buckets, key, moment(key));
            assert!(buckets.buckets.lock().expect("the table").len() <= 64);
        }
        assert_eq!(times(&buckets, 999, moment(999)), 0, "its empty bucket is still known");
    }

    #[test]
    fn a_table_of_buckets_of_one_age_stays_bounded() {
        let (buckets, start) = (RateLimiter::new(RATE, 64), Instant::now());
        for key in 0..1000 {
            times(&buckets, key, start);
            assert!(buckets.buckets.lock().expect("the table").len() <= 64);
        }
    }
}
