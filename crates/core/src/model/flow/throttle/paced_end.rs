//! Paced end of a hold: what waited leaves slowly at first, at most twice as fast each second.
//!
//! Seconds are counted from the moment at which memory hears of the end of the hold, by the clock that is never set. In each
//! of them so many automatic attempts may begin as [`most_in_second_after_hold`] says.

use std::time::{Duration, Instant};

use super::allowance::Now;
use super::reservation::PacedSecond;
use crate::model::flow::{EndedHold, most_in_second_after_hold};

#[derive(Debug)]
pub(super) struct PacedEnd {
    pub(super) hold: EndedHold,
    begin: Instant,
    /// How long before `begin` it began.
    passed: Duration,
    /// The second that `begun` counts in.
    second: u64,
    /// The attempts that began in it, with those that are reserved.
    begun: u64,
}

impl PacedEnd {
    /// Of a hold that ended just now.
    pub(super) fn new(hold: EndedHold, begin: Instant) -> Self {
        Self { hold, begin, passed: Duration::ZERO, second: 0, begun: 0 }
    }

    /// Of a hold that ended before this process started, which does not know how many began in this second: it counts as
    /// used up. None where the pace is not bounded any more.
    pub(super) fn resumed(hold: EndedHold, now: Now) -> Option<Self> {
        let (begin, passed) = (now.instant, now.time.since(hold.at));
        let second = passed.as_secs();
        let begun = most_in_second_after_hold(second)?;
        Some(Self { hold, begin, passed, second, begun })
    }

    /// How many attempts may begin now; none is no bound any more.
    pub(super) fn available(&mut self, now: Instant) -> Option<usize> {
        let second = self.elapsed(now).as_secs();
        if second != self.second {
            (self.second, self.begun) = (second, 0);
        }
        let left = most_in_second_after_hold(second)?.saturating_sub(self.begun);
        Some(usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// How long until the second after this one begins.
    pub(super) fn time_to_next_second(&self, now: Instant) -> Duration {
        Duration::from_secs(self.second + 1).saturating_sub(self.elapsed(now))
    }

    /// Attempts are to begin in this second.
    pub(super) fn reserve(&mut self, count: usize) -> PacedSecond {
        self.begun = self.begun.saturating_add(count as u64);
        PacedSecond { begin: self.begin, second: self.second }
    }

    /// Attempts that were reserved in a second do not begin after all. False where that is another second than this one: there they
    /// count as begun.
    pub(super) fn give_back(&mut self, reserved: PacedSecond, count: usize) -> bool {
        let is_this_second = reserved == PacedSecond { begin: self.begin, second: self.second };
        if is_this_second {
            self.begun = self.begun.saturating_sub(count as u64);
        }
        is_this_second
    }

    /// Whether the first second is over, which is bounded whether anything waits or not.
    pub(super) fn is_past_first_second(&self, now: Instant) -> bool {
        self.elapsed(now).as_secs() > 0
    }

    fn elapsed(&self, now: Instant) -> Duration {
        self.passed + now.saturating_duration_since(self.begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    const SECOND: Duration = Duration::from_secs(1);
    const END: Timestamp = Timestamp::from_millis(1_795_428_000_000);
    const HOLD: EndedHold = EndedHold { since: END, at: END };

    #[test]
    fn each_second_lets_twice_as_many_begin() {
        let start = Instant::now();
        let mut end = PacedEnd::new(HOLD, start);
        for (millis, begin, left) in
            [(0, 3, 1), (999, 1, 0), (1000, 0, 8), (1999, 8, 0), (2000, 0, 16), (5000, 0, 128)]
        {
            let now = start + Duration::from_millis(millis);
            end.available(now);
            end.reserve(begin);
            assert_eq!(end.available(now), Some(left), "after {millis} ms");
        }
        assert_eq!(end.time_to_next_second(start + 5 * SECOND), SECOND);
        assert_eq!(end.available(start + 20 * SECOND), None);
    }

    #[test]
    fn attempts_that_do_not_begin_leave_room_in_their_second_alone() {
        let begin = Instant::now();
        let mut end = PacedEnd::new(HOLD, begin);
        let first = end.reserve(4);
        assert!(end.give_back(first, 3));
        assert_eq!(end.available(begin), Some(3));
        end.reserve(3);
        assert_eq!(end.available(begin + SECOND), Some(8));
        let second = end.reserve(6);
        assert!(!end.give_back(first, 1));
        assert!(end.give_back(second, 2));
        assert_eq!(end.available(begin + SECOND), Some(4));
        assert!(!PacedEnd::new(HOLD, begin + SECOND).give_back(first, 1), "of another hold");
    }

    #[test]
    fn after_a_start_it_goes_on_with_the_next_second() {
        let begin = Instant::now();
        let started = |after| Now { time: END + after, instant: begin };
        let mut end = PacedEnd::resumed(HOLD, started(SECOND)).expect("it is bounded");
        assert_eq!((end.available(begin), end.time_to_next_second(begin)), (Some(0), SECOND));
        assert_eq!(end.available(begin + SECOND), Some(16));
        assert!(PacedEnd::resumed(HOLD, started(3600 * SECOND)).is_none());
    }
}
