//! Flow settings of a subscription: how many of its requests may be under way, how fast they may follow each other, in which
//! order, and when failures hold it.

use crate::model::validation::ValidationErrors;

/// The most that `max_in_flight` can be.
const MAX_IN_FLIGHT: u32 = 1000;
/// The bounds of `max_per_second`.
const PER_SECOND: std::ops::RangeInclusive<f64> = 0.1..=10_000.0;
/// The bounds of `step_aside_after_seconds`: a minute to 30 days.
const STEP_ASIDE_SECONDS: std::ops::RangeInclusive<u32> = 60..=2_592_000;
/// The bounds of `hold_after_failures`.
const HOLD_AFTER_FAILURES: std::ops::RangeInclusive<u32> = 3..=1000;

/// The flow settings of a subscription. The default has no limit but the engine's, no order and no automatic hold.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FlowSettings {
    /// Requests under way at most, automatic attempts and resends together.
    pub max_in_flight: Option<u32>,
    /// Requests a second at most, automatic attempts and resends together.
    pub max_per_second: Option<f64>,
    pub order: DeliveryOrder,
    /// With [`DeliveryOrder::Loan`]: how long after its first failure a delivery keeps those behind it waiting. None is until
    /// its end.
    pub step_aside_after_seconds: Option<u32>,
    /// Failures in a row after which the subscription is held.
    pub hold_after_failures: Option<u32>,
}

/// Which deliveries wait for which others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeliveryOrder {
    #[default]
    None,
    /// The first attempt of a delivery waits until every earlier delivery of its loan has ended or steps aside.
    Loan,
}

impl FlowSettings {
    /// Whether nothing of it is set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it limits the requests under way or a second.
    pub const fn has_limit(&self) -> bool {
        self.max_in_flight.is_some() || self.max_per_second.is_some()
    }

    /// Adds what is wrong with it to `errors`, with pointers below `/flow`.
    pub fn check(&self, errors: &mut ValidationErrors) {
        if self.max_in_flight.is_some_and(|most| !(1..=MAX_IN_FLIGHT).contains(&most)) {
            errors.add("/flow/maxInFlight", format!("must be 1 to {MAX_IN_FLIGHT}"));
        }
        if self.max_per_second.is_some_and(|most| !PER_SECOND.contains(&most)) {
            errors.add("/flow/maxPerSecond", "must be 0.1 to 10000");
        }
        if self.step_aside_after_seconds.is_some_and(|seconds| !STEP_ASIDE_SECONDS.contains(&seconds)) {
            errors.add("/flow/stepAsideAfterSeconds", "must be 60 to 2592000 seconds (30 days)");
        }
        if self.hold_after_failures.is_some_and(|failures| !HOLD_AFTER_FAILURES.contains(&failures)) {
            errors.add("/flow/holdAfterFailures", "must be 3 to 1000");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_by_table() {
        let none = FlowSettings::default();
        let in_flight = |most| FlowSettings { max_in_flight: Some(most), ..none };
        let per_second = |most| FlowSettings { max_per_second: Some(most), ..none };
        let step_aside = |seconds| FlowSettings { step_aside_after_seconds: Some(seconds), ..none };
        let hold_after = |failures| FlowSettings { hold_after_failures: Some(failures), ..none };
        for (settings, pointer) in [
            (none, None),
            (in_flight(0), Some("/flow/maxInFlight")),
            (in_flight(1), None),
            (in_flight(1000), None),
            (in_flight(1001), Some("/flow/maxInFlight")),
            (per_second(0.09), Some("/flow/maxPerSecond")),
            (per_second(0.1), None),
            (per_second(10_000.0), None),
            (per_second(10_000.1), Some("/flow/maxPerSecond")),
            (per_second(f64::NAN), Some("/flow/maxPerSecond")),
            (FlowSettings { order: DeliveryOrder::Loan, ..none }, None),
            (step_aside(59), Some("/flow/stepAsideAfterSeconds")),
            (step_aside(60), None),
            (step_aside(2_592_000), None),
            (step_aside(2_592_001), Some("/flow/stepAsideAfterSeconds")),
            (hold_after(2), Some("/flow/holdAfterFailures")),
            (hold_after(3), None),
            (hold_after(1000), None),
            (hold_after(1001), Some("/flow/holdAfterFailures")),
        ] {
            let mut errors = ValidationErrors::default();
            settings.check(&mut errors);
            let pointers: Vec<_> = errors.0.iter().map(|error| error.pointer.as_str()).collect();
            assert_eq!(pointers, pointer.into_iter().collect::<Vec<_>>(), "{settings:?}");
        }
    }
}
