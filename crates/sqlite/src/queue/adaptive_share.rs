//! Adaptive share: how many requests of one subscription may be in flight at once, by how its receiver answers.
//!
//! It follows TCP's congestion control (RFC 5681). It begins at a given share and grows by one with each prompt answer
//! (slow start). A poor answer halves it; from there it grows by one with as many prompt answers as it has places
//! (congestion avoidance). It grows only while at least half of it is used. Above it stand the limits of
//! `fair_shares`, which depend on what others have in flight.

use std::time::Duration;

/// A receiver answers promptly that takes this long at most.
pub(super) const PROMPT_ANSWER: Duration = Duration::from_millis(100);
/// An answer is slow that takes longer.
pub(super) const SLOW_ANSWER: Duration = Duration::from_secs(1);
/// The smallest share, for a receiver that only fails or hangs. A quarter of it is one resend.
const MIN_SHARE: usize = 4;

/// What an answer says about its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A success, within [`PROMPT_ANSWER`].
    Prompt,
    /// A success, within [`SLOW_ANSWER`].
    Moderate,
    /// A failure, or a slow success.
    Poor,
}

impl Answer {
    pub(crate) fn new(succeeded: bool, elapsed: Duration) -> Self {
        match succeeded {
            true if elapsed <= PROMPT_ANSWER => Self::Prompt,
            true if elapsed <= SLOW_ANSWER => Self::Moderate,
            _ => Self::Poor,
        }
    }
}

/// The share of one subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AdaptiveShare {
    size: usize,
    /// From this size on, one prompt answer is not enough to grow by one.
    slow_start_end: usize,
    /// Prompt answers that are counted towards the next growth, from `slow_start_end` on.
    counted_answers: usize,
    /// Answers still to come to requests that were in flight when the share shrank: none of them shrinks it again.
    answers_of_before: usize,
}

impl AdaptiveShare {
    pub(super) fn new(initial: usize) -> Self {
        Self { size: initial, slow_start_end: usize::MAX, counted_answers: 0, answers_of_before: 0 }
    }

    /// How many requests may be in flight.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Follows an answer. `in_flight` counts the requests of the subscription, this one among them; the share never
    /// exceeds `most`.
    pub(super) fn record(&mut self, answer: Answer, in_flight: usize, most: usize) {
        let of_before = self.answers_of_before > 0;
        self.answers_of_before = self.answers_of_before.saturating_sub(1);
        match answer {
            Answer::Poor if !of_before => {
                self.size = (self.size / 2).max(MIN_SHARE.min(self.size));
                (self.slow_start_end, self.counted_answers) = (self.size, 0);
                self.answers_of_before = in_flight.saturating_sub(1);
            }
            Answer::Prompt if 2 * in_flight >= self.size && self.size < most => {
                self.counted_answers += 1;
                if self.size < self.slow_start_end || self.counted_answers >= self.size {
                    (self.size, self.counted_answers) = (self.size + 1, 0);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Answer::{Moderate, Poor, Prompt};
    use super::*;

    const MOST: usize = 64;

    /// A share of 16 after these answers, so many of each, while it is fully used.
    fn size_after(answers: &[(Answer, usize)]) -> usize {
        let mut share = AdaptiveShare::new(16);
        for (answer, count) in answers {
            for _ in 0..*count {
                share.record(*answer, share.size(), MOST);
            }
        }
        share.size()
    }

    #[test]
    fn a_share_follows_the_answers() {
        for (answers, size) in [
            (&[][..], 16),
            (&[(Prompt, 1)], 17),
            (&[(Prompt, 16)], 32),
            (&[(Prompt, 500)], MOST),
            (&[(Moderate, 500)], 16),
            (&[(Prompt, 16), (Moderate, 500)], 32),
            (&[(Poor, 1)], 8),
            (&[(Poor, 16)], 8),
            (&[(Poor, 17)], 4),
            (&[(Poor, 500)], 4),
            (&[(Prompt, 500), (Poor, 1)], 32),
            (&[(Prompt, 500), (Poor, 64)], 32),
            (&[(Prompt, 500), (Poor, 65)], 16),
            (&[(Prompt, 500), (Poor, 500)], 4),
            (&[(Poor, 1), (Prompt, 7)], 8),
            (&[(Poor, 1), (Prompt, 8)], 9),
            (&[(Poor, 1), (Prompt, 8 + 8)], 9),
            (&[(Poor, 1), (Prompt, 8 + 9)], 10),
            (&[(Poor, 1), (Moderate, 500)], 8),
            (&[(Poor, 500), (Prompt, 4 + 5 + 6 + 7)], 8),
        ] {
            assert_eq!(size_after(answers), size, "{answers:?}");
        }
    }

    #[test]
    fn a_share_grows_only_while_half_of_it_is_used() {
        let mut share = AdaptiveShare::new(16);
        (0..500).for_each(|_| share.record(Prompt, 7, MOST));
        assert_eq!(share.size(), 16);
        (0..500).for_each(|_| share.record(Prompt, 8, MOST));
        assert_eq!(share.size(), 17);
    }

    #[test]
    fn an_answer_is_judged_by_its_result_and_its_time() {
        for (succeeded, millis, answer) in [
            (true, 0, Prompt),
            (true, 100, Prompt),
            (true, 101, Moderate),
            (true, 1000, Moderate),
            (true, 1001, Poor),
            (false, 0, Poor),
        ] {
            assert_eq!(Answer::new(succeeded, Duration::from_millis(millis)), answer, "{succeeded} {millis}");
        }
    }
}
