//! Flow state of a subscription: the failures in a row that its receiver gave, and the hold that came of them or of an
//! operator's word.
//!
//! An engine keeps the state of a subscription that has `hold_after_failures` or is held, and changes it in the step that
//! completes an attempt, or that holds or releases by hand. What an attempt says of its receiver:
//!
//! | attempt | says |
//! | --- | --- |
//! | success, automatic or manual | the receiver is back: the run of failures ends, and with it an automatic hold |
//! | failure, automatic or manual | one more in the run; if it was the probe of a hold, the next probe is later |
//! | interrupted, or without a rendering | nothing |

use std::time::Duration;

use crate::model::attempt::Attempt;
use crate::model::attempt_result::AttemptResult;
use crate::model::failure::ErrorKind;
use crate::model::id::TraceId;
use crate::model::time::Timestamp;

/// How long after the beginning of an automatic hold its first probe leaves.
const FIRST_PROBE_DELAY: Duration = Duration::from_secs(30);
/// The longest time between two probes.
const MAX_PROBE_DELAY: Duration = Duration::from_secs(600);
/// How many automatic attempts may begin in the first second after a hold; twice as many in each second that follows.
const FIRST_SECOND_AFTER_HOLD: u64 = 4;
/// The seconds after a hold in which the pace is bounded: beyond it is more than any engine sends.
const PACED_SECONDS: u64 = 20;

/// The state of one subscription. The default is that of one whose last attempt succeeded and that is not held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowState {
    pub failures: FailureRun,
    pub hold: Option<Hold>,
    /// The hold before this moment that ended last.
    pub ended: Option<EndedHold>,
}

/// Failures in a row, without a success between them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailureRun {
    pub count: u32,
    /// The delivery that failed first.
    pub first: Option<TraceId>,
    /// Whether another delivery failed too.
    pub of_several: bool,
}

/// A hold: automatic attempts of the subscription wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub by: HeldBy,
    pub since: Timestamp,
}

/// Whose hold it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldBy {
    /// Failures: one delivery at a time goes on as a probe, and the first success ends the hold.
    Failures(Probe),
    /// An operator, by the name of the key: it ends by hand only, and nothing goes on until then.
    Operator(String),
}

/// The next probe of an automatic hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    pub due: Timestamp,
    /// The time that it waits since the failure before.
    pub delay: Duration,
}

/// A hold that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedHold {
    pub since: Timestamp,
    pub at: Timestamp,
}

impl Probe {
    fn after(failure: Timestamp, delay: Duration) -> Self {
        let delay = delay.min(MAX_PROBE_DELAY);
        Self { due: failure + delay, delay }
    }

    /// The probe after this one, if this one fails then.
    #[must_use]
    pub fn next(&self, failure: Timestamp) -> Self {
        Self::after(failure, 2 * self.delay)
    }
}

impl FlowState {
    /// Takes in the end of an attempt. `hold_after` is the subscription's setting now. An attempt that is not complete says
    /// nothing.
    pub fn record_end(&mut self, row: &Attempt, hold_after: Option<u32>) {
        let Some(completion) = row.completion() else { return };
        let unrendered = completion.error().is_some_and(|error| error.kind == ErrorKind::Template);
        match AttemptResult::of(completion) {
            AttemptResult::Interrupted => {}
            AttemptResult::Succeeded => {
                self.failures = FailureRun::default();
                if self.hold.as_ref().is_some_and(Hold::is_automatic) {
                    self.end_hold(completion.ended_at);
                }
            }
            _ if unrendered => {}
            AttemptResult::Failed { .. } | AttemptResult::PermanentFailure => {
                self.record_failure(row, completion.ended_at, hold_after);
            }
        }
    }

    fn record_failure(&mut self, row: &Attempt, ended_at: Timestamp, hold_after: Option<u32>) {
        match &mut self.hold {
            Some(Hold { by: HeldBy::Failures(probe), .. }) => {
                // What began before it was due was in flight already when the hold began, or the probe before.
                if !row.is_manual() && row.sent_at >= probe.due {
                    *probe = probe.next(ended_at);
                }
            }
            Some(Hold { by: HeldBy::Operator(_), .. }) => {}
            None => {
                let Some(limit) = hold_after else {
                    self.failures = FailureRun::default();
                    return;
                };
                self.failures.add(row.trace_id);
                if self.failures.count >= limit && self.failures.of_several {
                    let probe = Probe::after(ended_at, FIRST_PROBE_DELAY);
                    self.hold = Some(Hold { by: HeldBy::Failures(probe), since: ended_at });
                }
            }
        }
    }

    /// Holds the subscription by an operator's word. A hold by hand stays as it is; an automatic one becomes the operator's.
    pub fn hold(&mut self, by: &str, now: Timestamp) {
        let by = HeldBy::Operator(by.to_owned());
        match &mut self.hold {
            Some(hold) if hold.is_automatic() => hold.by = by,
            Some(_) => {}
            None => self.hold = Some(Hold { by, since: now }),
        }
    }

    /// Ends a hold by an operator's word, and with it the run of failures.
    pub fn release(&mut self, now: Timestamp) {
        if self.hold.is_some() {
            self.failures = FailureRun::default();
            self.end_hold(now);
        }
    }

    /// Since when deliveries wait for a hold: while it lasts, and at its paced end.
    pub fn waits_since(&self, now: Timestamp) -> Option<Timestamp> {
        let ending = self.ended.filter(|ended| ended.is_paced(now)).map(|ended| ended.since);
        self.hold.as_ref().map(|hold| hold.since).or(ending)
    }

    /// The automatic hold was taken out of the settings: it counts anew where it comes back.
    pub fn forget_failures(&mut self) {
        self.failures = FailureRun::default();
    }

    fn end_hold(&mut self, now: Timestamp) {
        self.ended = self.hold.take().map(|hold| EndedHold { since: hold.since, at: now });
    }
}

impl EndedHold {
    /// Whether what waited still leaves slowly.
    pub fn is_paced(&self, now: Timestamp) -> bool {
        most_in_second_after_hold(now.since(self.at).as_secs()).is_some()
    }
}

impl FailureRun {
    fn add(&mut self, trace: TraceId) {
        let first = *self.first.get_or_insert(trace);
        self.count = self.count.saturating_add(1);
        self.of_several |= first != trace;
    }
}

impl Hold {
    /// Whether failures hold the subscription, and not an operator.
    pub const fn is_automatic(&self) -> bool {
        self.probe().is_some()
    }

    /// The next probe; none of a hold by hand.
    pub const fn probe(&self) -> Option<&Probe> {
        match &self.by {
            HeldBy::Failures(probe) => Some(probe),
            HeldBy::Operator(_) => None,
        }
    }

    /// Whose hold it is, as the API says it.
    pub fn by(&self) -> &str {
        match &self.by {
            HeldBy::Failures(_) => "failures",
            HeldBy::Operator(name) => name,
        }
    }
}

/// How many automatic attempts may begin within the second that begins so many whole seconds after the end of a hold; none
/// where there is no bound any more.
pub const fn most_in_second_after_hold(seconds: u64) -> Option<u64> {
    if seconds < PACED_SECONDS { Some(FIRST_SECOND_AFTER_HOLD << seconds) } else { None }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
