//! Paced end of a hold: what waited leaves slowly at first, at most twice as fast each second.
//!
//! Seconds are counted from the end of the hold. In each of them so many automatic attempts may begin as
//! [`most_in_second_after_hold`] says.

use std::time::Duration;

use loanhook_core::model::flow::{EndedHold, most_in_second_after_hold};
use loanhook_core::model::time::Timestamp;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct PacedEnd {
    pub(super) hold: EndedHold,
    /// The second that `begun` counts in.
    second: u64,
    /// The attempts that began in it.
    begun: u64,
}

impl PacedEnd {
    /// Of a hold that ended just now.
    pub(super) fn new(hold: EndedHold) -> Self {
        Self { hold, second: 0, begun: 0 }
    }

    /// Of a hold that ended before this process started, which does not know how many began in this second: it counts as
    /// used up. None where the pace is not bounded any more.
    pub(super) fn resumed(hold: EndedHold, now: Timestamp) -> Option<Self> {
        let second = seconds_since(hold, now);
        most_in_second_after_hold(second).map(|most| Self { hold, second, begun: most })
    }

    /// How many attempts may begin now; none is no bound any more.
    pub(super) fn available(&mut self, now: Timestamp) -> Option<usize> {
        let second = seconds_since(self.hold, now);
        if second != self.second {
            (self.second, self.begun) = (second, 0);
        }
        let left = most_in_second_after_hold(second)?.saturating_sub(self.begun);
        Some(usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// When the second after this one begins.
    pub(super) fn next_second(&self) -> Timestamp {
        let seconds = u32::try_from(self.second + 1).unwrap_or(u32::MAX);
        self.hold.at + seconds * SECOND
    }

    /// Attempts begin. None is taken back: whether that would still be in the same second is not known.
    pub(super) fn begin(&mut self, count: usize) {
        self.begun = self.begun.saturating_add(count as u64);
    }

    /// Whether the first second is over, which is bounded whether anything waits or not.
    pub(super) fn is_past_first_second(&self, now: Timestamp) -> bool {
        seconds_since(self.hold, now) > 0
    }
}

fn seconds_since(hold: EndedHold, now: Timestamp) -> u64 {
    now.since(hold.at).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: Timestamp = Timestamp::from_millis(1_795_428_000_000);
    const HOLD: EndedHold = EndedHold { since: END, at: END };

    #[test]
    fn each_second_lets_twice_as_many_begin() {
        let mut end = PacedEnd::new(HOLD);
        for (millis, begin, left) in
            [(0, 3, 1), (999, 1, 0), (1000, 0, 8), (1999, 8, 0), (2000, 0, 16), (5000, 0, 128)]
        {
            let now = END.plus_millis(millis);
            end.available(now);
            end.begin(begin);
            assert_eq!(end.available(now), Some(left), "after {millis} ms");
        }
        assert_eq!(end.next_second(), END + 6 * SECOND);
        assert_eq!(end.available(END + 20 * SECOND), None);
    }

    #[test]
    fn after_a_start_it_goes_on_with_the_next_second() {
        let mut end = PacedEnd::resumed(HOLD, END + SECOND).expect("it is bounded");
        assert_eq!((end.available(END + SECOND), end.next_second()), (Some(0), END + 2 * SECOND));
        assert_eq!(end.available(END + 2 * SECOND), Some(16));
        assert!(PacedEnd::resumed(HOLD, END + 3600 * SECOND).is_none());
    }
}
