//! What a throttle says to others than whoever hands out messages by it.

use super::{InFlight, Now, Throttle};
use crate::model::flow::{DeliveryOrder, SubscriptionFlow};
use crate::model::time::Timestamp;

impl Throttle {
    /// Whether automatic attempts that are due wait for it and not for their receiver.
    pub fn holds_back(&self, has_due: bool) -> bool {
        self.hold.is_some() || has_due && (self.settings.has_limit() || self.paced_end.is_some())
    }

    /// The setting of the automatic hold, where the ends of attempts are to be recorded: it is set, or there is a hold.
    pub fn recorded_by(&self) -> Option<Option<u32>> {
        let setting = self.settings.hold_after_failures;
        (setting.is_some() || self.hold.is_some()).then_some(setting)
    }

    /// Whether deliveries of a loan wait for earlier ones.
    pub fn keeps_order(&self) -> bool {
        self.settings.order == DeliveryOrder::Loan
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        let holds_nothing = self.hold.is_none() && self.paced_end.is_none() && self.uncommitted == 0;
        self.settings.is_default() && holds_nothing
    }

    /// Whether a limit lets no request begin at this moment.
    pub fn is_at_limit(&self, in_flight: InFlight, now: Now) -> bool {
        let most = self.settings.max_in_flight;
        most.is_some_and(|most| in_flight.all >= most as usize)
            || self.bucket.as_ref().is_some_and(|bucket| bucket.is_empty(now.instant))
    }

    /// What readers are told, with whether a limit holds its requests back; none where there is nothing to tell.
    pub fn flow(&self, is_limited: bool, now: Timestamp) -> Option<SubscriptionFlow> {
        let held_since = self.hold.as_ref().map(|hold| hold.since);
        let ending = self.paced_end.as_ref().map(|end| end.hold).filter(|hold| hold.is_paced(now));
        let flow = SubscriptionFlow {
            hold: self.hold.clone(),
            waits_since: held_since.or(ending.map(|hold| hold.since)),
            is_limited,
            is_ordered: self.keeps_order(),
        };
        (flow != SubscriptionFlow::default()).then_some(flow)
    }

    /// Whether it keeps a limit of requests a second.
    pub fn has_rate(&self) -> bool {
        self.bucket.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::model::flow::FlowSettings;
    use crate::model::flow::throttle::SentBefore;
    use crate::model::id::TenantId;

    const TIME: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    #[test]
    fn a_limit_is_reached_while_it_lets_nothing_begin_by_table() {
        let none = FlowSettings::default();
        let under_way = FlowSettings { max_in_flight: Some(2), ..none };
        let a_second = FlowSettings { max_per_second: Some(2.0), ..none };
        for (settings, in_flight, sent, millis, expected) in [
            (none, 9, 9, 0, false),
            (under_way, 1, 1, 0, false),
            (under_way, 2, 2, 0, true),
            (a_second, 9, 1, 0, false),
            (a_second, 0, 2, 0, true),
            (a_second, 0, 2, 499, true),
            (a_second, 0, 2, 500, false),
        ] {
            let begin = Instant::now();
            let mut throttle = Throttle::new(TenantId::try_from("acme".to_owned()).expect("a tenant"));
            throttle.set_settings(settings, SentBefore::Nothing, begin);
            let reservation = throttle.reserve(true, sent, TIME);
            (0..sent).for_each(|_| throttle.record_sent(reservation, begin));
            let now = Now { time: TIME, instant: begin + Duration::from_millis(millis) };
            let in_flight = InFlight { automatic: 0, all: in_flight };
            assert_eq!(throttle.is_at_limit(in_flight, now), expected, "{settings:?} after {millis} ms");
        }
    }
}
