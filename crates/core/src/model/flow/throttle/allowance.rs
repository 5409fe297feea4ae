//! Allowance: what a throttle says of a queue now, and what it says it from.

use std::time::{Duration, Instant};

use crate::model::time::Timestamp;

/// What may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// So many requests, at least one.
    Requests(usize),
    /// None before then.
    NotBefore(Timestamp),
    /// None until another ends, or the hold does.
    None,
}

/// The requests of a subscription that are in flight.
#[derive(Debug, Clone, Copy)]
pub struct InFlight {
    pub automatic: usize,
    /// With resends.
    pub all: usize,
}

/// The moment by both clocks: due times go by the one, rates by the other.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub time: Timestamp,
    pub instant: Instant,
}

impl Now {
    /// None before so much time has passed.
    pub(super) fn not_before(self, wait: Duration) -> Allowance {
        // A millisecond more, as timestamps count in whole ones.
        Allowance::NotBefore(self.time + wait + Duration::from_millis(1))
    }

    /// The moment by the clocks of this machine.
    pub fn read() -> Self {
        Self { time: Timestamp::now(), instant: Instant::now() }
    }
}
