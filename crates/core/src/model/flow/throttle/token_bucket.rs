//! Token bucket: at most so many requests a second. It holds one second's worth of tokens, at least one.
//!
//! A token is reserved first, and used when its request leaves. Until then it takes the room of one that is free, so that the
//! bucket does not refill for it: in any time of `t` seconds no more tokens are used than it holds and `t` times its rate.

use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct TokenBucket {
    per_second: f64,
    /// Those that are free.
    tokens: f64,
    /// Those of requests that have not left.
    reserved: usize,
    /// When `tokens` was right.
    at: Instant,
    /// It tells buckets of a subscription apart.
    made_at: Instant,
}

impl TokenBucket {
    /// One from which nothing was taken so far.
    pub(super) fn full(per_second: f64, now: Instant) -> Self {
        Self { per_second, tokens: capacity(per_second), reserved: 0, at: now, made_at: now }
    }

    /// One from which nothing can be taken yet: what left before it was made is not known.
    pub(super) fn empty(per_second: f64, now: Instant) -> Self {
        Self { per_second, tokens: 0.0, reserved: 0, at: now, made_at: now }
    }

    pub(super) fn made_at(&self) -> Instant {
        self.made_at
    }

    /// The same with another rate.
    pub(super) fn set_rate(&mut self, per_second: f64, now: Instant) {
        self.refill(now);
        self.per_second = per_second;
        self.tokens = self.tokens.min(self.room());
    }

    /// How many tokens can be taken.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is 0 to 10,000")]
    pub(super) fn available(&mut self, now: Instant) -> usize {
        self.refill(now);
        self.tokens.floor() as usize
    }

    /// Whether no token can be taken.
    pub(super) fn is_empty(&self, now: Instant) -> bool {
        self.tokens_at(now) < 1.0
    }

    /// How long until there is a token, where there is none.
    pub(super) fn time_to_next(&self) -> Duration {
        Duration::from_secs_f64((1.0 - self.tokens).max(0.0) / self.per_second)
    }

    /// Reserves tokens that are free.
    pub(super) fn reserve(&mut self, count: usize) {
        self.tokens = (self.tokens - float(count)).max(0.0);
        self.reserved += count;
    }

    /// A request leaves with a token that was reserved.
    pub(super) fn record_sent(&mut self, now: Instant) {
        self.refill(now);
        self.reserved = self.reserved.saturating_sub(1);
    }

    /// Frees reserved tokens whose requests do not leave.
    pub(super) fn give_back(&mut self, count: usize) {
        self.reserved = self.reserved.saturating_sub(count);
        self.tokens = (self.tokens + float(count)).min(self.room());
    }

    /// Frees a token of a request that was said to leave and did not.
    pub(super) fn take_back_sent(&mut self, now: Instant) {
        self.refill(now);
        self.tokens = (self.tokens + 1.0).min(self.room());
    }

    fn tokens_at(&self, now: Instant) -> f64 {
        let new = now.saturating_duration_since(self.at).as_secs_f64() * self.per_second;
        (self.tokens + new).min(self.room())
    }

    fn refill(&mut self, now: Instant) {
        self.tokens = self.tokens_at(now);
        self.at = self.at.max(now);
    }

    /// How many tokens may be free.
    fn room(&self) -> f64 {
        (capacity(self.per_second) - float(self.reserved)).max(0.0)
    }
}

fn capacity(per_second: f64) -> f64 {
    per_second.max(1.0)
}

fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_bucket_holds_one_seconds_worth_at_least_one() {
        let now = Instant::now();
        for (per_second, capacity) in [(0.1, 1), (0.5, 1), (1.0, 1), (2.5, 2), (100.0, 100)] {
            let mut bucket = TokenBucket::full(per_second, now);
            assert_eq!(bucket.available(now), capacity, "{per_second}");
            assert_eq!(bucket.available(now + 3600 * SECOND), capacity, "{per_second} after an hour");
            assert_eq!(TokenBucket::empty(per_second, now).available(now), 0, "{per_second} at the start");
        }
    }

    #[test]
    fn tokens_come_at_the_rate() {
        let now = Instant::now();
        let mut bucket = TokenBucket::full(4.0, now);
        let all = bucket.available(now);
        bucket.reserve(all);
        (0..all).for_each(|_| bucket.record_sent(now));
        assert_eq!((bucket.available(now), bucket.time_to_next()), (0, SECOND / 4));
        assert_eq!(bucket.available(now + SECOND / 8), 0);
        assert_eq!(bucket.time_to_next(), SECOND / 8);
        assert_eq!(bucket.available(now + SECOND / 2), 2);
        bucket.reserve(1);
        bucket.give_back(1);
        assert_eq!(bucket.available(now + SECOND / 2), 2, "what is given back can be taken again");
        bucket.set_rate(1.0, now + SECOND / 2);
        assert_eq!(bucket.available(now + SECOND / 2), 1, "no more than it holds now");
    }

    #[test]
    fn a_bucket_does_not_refill_for_reserved_tokens() {
        let now = Instant::now();
        let mut bucket = TokenBucket::full(4.0, now);
        bucket.reserve(3);
        bucket.record_sent(now + SECOND);
        assert_eq!(bucket.available(now + SECOND), 1, "it refills from then on");
        assert_eq!(bucket.available(now + 2 * SECOND), 2);
        bucket.give_back(1);
        assert_eq!(bucket.available(now + 2 * SECOND), 3);
        bucket.set_rate(2.0, now + 2 * SECOND);
        assert_eq!(bucket.available(now + 3 * SECOND), 1, "one is reserved still");
        bucket.set_rate(0.5, now + 3 * SECOND);
        assert_eq!(bucket.available(now + 3 * SECOND), 0);
    }

    #[test]
    fn the_token_of_a_request_that_did_not_leave_is_free_again() {
        let now = Instant::now();
        let mut bucket = TokenBucket::full(2.0, now);
        bucket.reserve(2);
        bucket.record_sent(now);
        bucket.take_back_sent(now);
        assert_eq!(bucket.available(now), 1);
        bucket.take_back_sent(now);
        assert_eq!(bucket.available(now), 1, "one is reserved still");
    }
}
