//! Simulated time: a clock of an engine that a case sets.

use std::sync::atomic::{AtomicI64, Ordering};

use loanhook_aws::Clock;
use loanhook_core::model::time::Timestamp;

/// The time of one case.
#[derive(Clone, Copy)]
pub(crate) struct SimulatedTime {
    pub(crate) millis: &'static AtomicI64,
    pub(crate) clock: Clock,
}

impl SimulatedTime {
    pub(crate) fn now(self) -> Timestamp {
        (self.clock)()
    }

    pub(crate) fn set(self, now: Timestamp) {
        self.millis.store(now.millis(), Ordering::SeqCst);
    }

    pub(crate) const fn clock(self) -> Clock {
        self.clock
    }
}

/// A time of its own for each place that names it, since a clock is a function.
macro_rules! simulated_time {
    ($start:expr) => {{
        static MILLIS: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(0);
        fn clock() -> loanhook_core::model::time::Timestamp {
            loanhook_core::model::time::Timestamp::from_millis(
                MILLIS.load(std::sync::atomic::Ordering::SeqCst),
            )
        }
        let time = $crate::faults::simulated_time::SimulatedTime { millis: &MILLIS, clock };
        time.set($start);
        time
    }};
}
pub(crate) use simulated_time;
