//! Schedule of a delivery, computed anew from its rows: a second statement of the rules, which shares nothing with the first.

use std::ops::RangeInclusive;
use std::time::Duration;

use loanhook_core::model::attempt::{Attempt, Completion};
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::retry::RetryPolicy;
use loanhook_core::model::time::Timestamp;

/// The longest that a receiver can have a retry wait.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// What follows an attempt.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Follows {
    /// Nothing: it succeeded.
    Success,
    /// Nothing: the schedule has run out, or the failure would only be repeated.
    Failure,
    /// Another attempt, due within this time.
    Attempt(RangeInclusive<Timestamp>),
}

/// The schedule so far.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    slot: u32,
    /// How many attempts in a row were interrupted.
    interrupted: u32,
}

impl Schedule {
    /// What follows an attempt that is complete.
    pub(crate) fn ends(&mut self, policy: &RetryPolicy, completion: &Completion) -> Follows {
        let kind = match &completion.result {
            Ok(200..=299) => return Follows::Success,
            Ok(_) => None,
            Err(failure) => Some(failure.kind),
        };
        match kind {
            Some(ErrorKind::Blocked | ErrorKind::Template) => return Follows::Failure,
            Some(ErrorKind::Interrupted) if self.interrupted < 2 => {
                self.interrupted += 1;
                return Follows::Attempt(completion.ended_at..=completion.ended_at);
            }
            _ => self.interrupted = 0,
        }
        let Some(range) = delay(policy, self.slot) else { return Follows::Failure };
        self.slot += 1;
        let asked = retry_after(completion).min(MAX_RETRY_AFTER);
        let due = |delay: Duration| completion.ended_at + delay.max(asked);
        Follows::Attempt(due(*range.start())..=due(*range.end()))
    }
}

/// The shortest and the longest delay of a slot.
fn delay(policy: &RetryPolicy, slot: u32) -> Option<RangeInclusive<Duration>> {
    let exactly = |seconds: u32| {
        let delay = Duration::from_secs(seconds.into());
        delay..=delay
    };
    match policy {
        RetryPolicy::Delays { delays } => delays.get(slot as usize).map(|seconds| exactly(*seconds)),
        RetryPolicy::Interval { interval, max_retries } => (slot < *max_retries).then(|| exactly(*interval)),
        RetryPolicy::Exponential { exponential } => {
            let mut seconds = f64::from(exponential.base);
            for _ in 0..slot {
                seconds *= exponential.factor;
            }
            let longest = seconds.min(f64::from(exponential.cap)).ceil();
            let shortest = (longest * (1.0 - exponential.jitter)).max(1.0);
            let range = Duration::from_secs_f64(shortest)..=Duration::from_secs_f64(longest);
            (slot < exponential.max_retries).then_some(range)
        }
    }
}

/// What a 429 or 503 asks for, in whole seconds.
fn retry_after(completion: &Completion) -> Duration {
    let (Ok(429 | 503), Some(response)) = (&completion.result, &completion.response) else {
        return Duration::ZERO;
    };
    let header = response.headers.iter().find(|(name, _)| name == "retry-after");
    Duration::from_secs(header.and_then(|(_, seconds)| seconds.parse().ok()).unwrap_or(0))
}

/// The completion of a row that ended.
pub(crate) fn completion(row: &Attempt) -> Result<&Completion, String> {
    row.completion().ok_or_else(|| format!("attempt {} is {:?} at the end", row.number, row.outcome()))
}
