//! Trigger state of a loan: which triggers of the kind `on-change` are true, so that each fires on its rising edge only.
//!
//! Only those that were true are kept: one that was false and one that was never evaluated are alike, as either fires when it is
//! true. A trigger is known by its subscription and by the version of that since which its criteria are what they are, so a
//! changed trigger counts as never evaluated; a reading by older criteria changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::id::{SubscriptionId, TraceId};
use super::subscription::Subscription;
use super::time::Timestamp;

/// How long after a rising edge its delivery's message may still have to be sent by another event of the loan: the
/// one who stored the delivery, and died, was not answered, and is asked again.
const RECENT: Duration = Duration::from_secs(15 * 60);
/// A tenant has no more than 200 subscriptions: what is kept beyond this is of some that are gone.
const MAX_TRIGGERS: usize = 256;

/// The triggers of one loan that were true when they were last looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TriggerState(pub BTreeMap<SubscriptionId, TrueTrigger>);

/// A trigger that was true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrueTrigger {
    /// The version of the subscription since which it has this trigger.
    pub since: u64,
    /// The delivery of its last rising edge, and when that was.
    pub fired: Option<(TraceId, Timestamp)>,
}

/// What a trigger is at an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriggerReading {
    pub subscription: SubscriptionId,
    /// The version of the subscription since which it has this trigger.
    pub since: u64,
    pub holds: bool,
}

impl TriggerState {
    /// Takes in what a trigger is now. True on a rising edge: it holds now, and did not before. `fires` is the
    /// delivery that comes of it then, if one does.
    pub fn update(&mut self, watch: TriggerReading, fires: Option<TraceId>, now: Timestamp) -> bool {
        let TriggerReading { subscription, since, holds } = watch;
        if self.0.get(&subscription).is_some_and(|held| held.since > since) {
            return false;
        }
        if !holds {
            self.0.remove(&subscription);
            return false;
        }
        let rises = self.0.get(&subscription).is_none_or(|held| held.since != since);
        if rises {
            self.0.insert(subscription, TrueTrigger { since, fired: fires.map(|trace| (trace, now)) });
        }
        rises
    }

    /// Whether there are more triggers than there can be: some were deleted.
    pub fn has_deleted_triggers(&self) -> bool {
        self.0.len() > MAX_TRIGGERS
    }

    /// Keeps what is remembered of these.
    pub fn keep(&mut self, subscriptions: &[Arc<Subscription>]) {
        self.0.retain(|id, _| subscriptions.iter().any(|subscription| subscription.id == *id));
    }

    /// The delivery of a trigger that had its rising edge a short while ago and is true since.
    pub fn fired_recently(&self, subscription: SubscriptionId, now: Timestamp) -> Option<TraceId> {
        let (trace, at) = self.0.get(&subscription)?.fired?;
        (now.since(at) < RECENT).then_some(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::EventId;

    const START: Timestamp = Timestamp::from_millis(0);

    #[test]
    fn a_trigger_rises_when_it_is_true_and_was_not() {
        let subscription = SubscriptionId::at(Timestamp::from_millis(0));
        let mut state = TriggerState::default();
        let steps = [
            (1, false, false),
            (1, true, true),
            (1, true, false),
            (1, false, false),
            (1, true, true),
            // A changed trigger is another.
            (2, true, true),
            (2, true, false),
            (3, false, false),
            (3, true, true),
            // What was judged by an older one changes nothing.
            (2, true, false),
            (2, false, false),
            (3, true, false),
        ];
        for (step, (since, holds, rises)) in steps.into_iter().enumerate() {
            let watch = TriggerReading { subscription, since, holds };
            assert_eq!(state.update(watch, None, START), rises, "step {step}");
        }
        let other = SubscriptionId::at(Timestamp::from_millis(1));
        assert!(state.update(TriggerReading { subscription: other, since: 1, holds: true }, None, START));
    }

    #[test]
    fn a_delivery_of_a_rising_edge_is_recent_for_a_while() {
        let mut state = TriggerState::default();
        let subscription = SubscriptionId::at(START);
        let trace = TraceId::of(EventId::at(START), subscription);
        state.update(TriggerReading { subscription, since: 7, holds: true }, Some(trace), START);
        assert_eq!(state.fired_recently(subscription, START + RECENT / 2), Some(trace));
        assert_eq!(state.fired_recently(subscription, START + RECENT), None);
    }
}
