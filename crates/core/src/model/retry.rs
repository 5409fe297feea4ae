//! Retry policy: the delay (back-off) after each failed attempt, in three forms. What follows an interrupted attempt is decided
//! in [`Delivery::complete`](super::delivery::Delivery::complete).

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::id::TraceId;
use super::validation::ValidationErrors;

const MAX_DELAY: u32 = 7 * 24 * 3600;
const MAX_RETRIES: u32 = 24;
const MAX_SPAN: u64 = 30 * 24 * 3600;
/// `Retry-After` can make a retry this much later than the failure, and no more.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A retry policy in one of its three forms. Delays are in seconds.
#[derive(Debug, Clone, PartialEq)]
pub enum RetryPolicy {
    Delays { delays: Vec<u32> },
    Interval { interval: u32, max_retries: u32 },
    Exponential { exponential: Exponential },
}

/// `base`, then `factor` times as long each time, up to `cap`.
#[derive(Debug, Clone, PartialEq)]
pub struct Exponential {
    pub base: u32,
    pub factor: f64,
    pub cap: u32,
    pub max_retries: u32,
    /// A delay is shortened by up to this share of it.
    pub jitter: f64,
}

/// A retry policy as its author gave it, before any rule was checked: `delays`, `interval` with `max_retries`, or
/// `exponential`, and nothing else. Delays are in seconds.
#[derive(Debug, Clone, Default)]
pub struct RetryInput {
    pub delays: Option<Vec<u32>>,
    pub interval: Option<u32>,
    pub max_retries: Option<u32>,
    pub exponential: Option<Exponential>,
}

impl Default for RetryPolicy {
    /// 5 min, 30 min, 2 h, 5 h, 10 h, 10 h.
    fn default() -> Self {
        Self::Delays { delays: vec![300, 1800, 7200, 18_000, 36_000, 36_000] }
    }
}

impl RetryInput {
    /// The policy. What is wrong with it is added to `errors`, with pointers below `/retry`.
    pub fn check(self, errors: &mut ValidationErrors) -> RetryPolicy {
        let policy = match (self.delays, self.interval, self.max_retries, self.exponential) {
            (Some(delays), None, None, None) => RetryPolicy::Delays { delays },
            (None, Some(interval), Some(max_retries), None) => {
                RetryPolicy::Interval { interval, max_retries }
            }
            (None, None, None, Some(exponential)) => RetryPolicy::Exponential { exponential },
            _ => {
                errors.add(
                    "/retry",
                    "must be {\"delays\": […]}, {\"interval\", \"maxRetries\"} or {\"exponential\": {…}}, and have members of \
                     one form only; a PATCH to another form sets the members of the form before it to null",
                );
                return RetryPolicy::default();
            }
        };
        policy.check(errors);
        policy
    }
}

impl RetryPolicy {
    fn check(&self, errors: &mut ValidationErrors) {
        let before = errors.0.len();
        let mut seconds = |pointer: String, value: u32| {
            if !(1..=MAX_DELAY).contains(&value) {
                errors.add(pointer, format!("must be 1 to {MAX_DELAY} seconds (7 days)"));
            }
        };
        match self {
            Self::Delays { delays } => {
                delays
                    .iter()
                    .enumerate()
                    .for_each(|(i, delay)| seconds(format!("/retry/delays/{i}"), *delay));
            }
            Self::Interval { interval, .. } => seconds("/retry/interval".into(), *interval),
            Self::Exponential { exponential } => {
                seconds("/retry/exponential/base".into(), exponential.base);
                seconds("/retry/exponential/cap".into(), exponential.cap);
                if exponential.cap < exponential.base {
                    errors.add("/retry/exponential/cap", "must not be less than base");
                }
                if !(1.0..=10.0).contains(&exponential.factor) {
                    errors.add("/retry/exponential/factor", "must be 1 to 10");
                }
                if !(0.0..=1.0).contains(&exponential.jitter) {
                    errors.add("/retry/exponential/jitter", "must be 0 to 1");
                }
            }
        }
        if self.retries() > MAX_RETRIES {
            let pointer = match self {
                Self::Delays { .. } => "/retry/delays",
                Self::Interval { .. } => "/retry/maxRetries",
                Self::Exponential { .. } => "/retry/exponential/maxRetries",
            };
            errors.add(pointer, format!("must be at most {MAX_RETRIES} retries"));
        } else if errors.0.len() == before && self.span() > MAX_SPAN {
            errors.add("/retry", format!("must span at most 30 days, spans {} seconds", self.span()));
        }
    }

    fn retries(&self) -> u32 {
        match self {
            Self::Delays { delays } => u32::try_from(delays.len()).unwrap_or(u32::MAX),
            Self::Interval { max_retries, .. } => *max_retries,
            Self::Exponential { exponential } => exponential.max_retries,
        }
    }

    /// The longest that the delays can add up to, in seconds.
    fn span(&self) -> u64 {
        (0..self.retries()).filter_map(|slot| self.longest(slot)).map(|delay| delay.as_secs()).sum()
    }

    /// The delay of a slot before jitter.
    fn longest(&self, slot: u32) -> Option<Duration> {
        if slot >= self.retries() {
            return None;
        }
        let seconds = match self {
            Self::Delays { delays } => f64::from(*delays.get(slot as usize)?),
            Self::Interval { interval, .. } => f64::from(*interval),
            Self::Exponential { exponential: Exponential { base, factor, cap, .. } } => {
                (f64::from(*base) * factor.powf(f64::from(slot))).min(f64::from(*cap))
            }
        };
        Some(Duration::from_secs_f64(seconds.ceil()))
    }

    /// How long after the end of a failed attempt in this slot the next is due, none if the schedule
    /// has run out. `retry_after` is what the receiver asked for: it can only make it later.
    pub fn delay(&self, slot: u32, trace: TraceId, retry_after: Option<Duration>) -> Option<Duration> {
        let longest = self.longest(slot)?;
        let shortened = match self {
            Self::Exponential { exponential } if exponential.jitter > 0.0 => {
                let share = exponential.jitter * unit(trace, slot);
                longest.mul_f64(1.0 - share).max(Duration::from_secs(1))
            }
            _ => longest,
        };
        Some(shortened.max(retry_after.unwrap_or_default().min(MAX_RETRY_AFTER)))
    }
}

/// A number in 0..1 that looks random and is always the same for the same slot of the same delivery.
fn unit(trace: TraceId, slot: u32) -> f64 {
    let hash =
        Sha256::new().chain_update(trace.uuid().as_bytes()).chain_update(slot.to_be_bytes()).finalize();
    let bits = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
