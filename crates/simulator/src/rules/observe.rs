//! Changes of deliveries and of the flow of subscriptions, looked at after every poll: each state of a schedule follows from the one before by an operation
//! that may do that.

use loanhook_core::model::progress::Progress;
use loanhook_memory::{Operation, State};

use super::{Rule, flow, order};
use crate::fault_injector::{changes_flow, is_read};
use crate::model::SeenDelivery;
use crate::trace::progress;
use crate::world::Inner;

/// Looks at every delivery, every setting and every hold that changed since the last poll.
pub(crate) fn changes(inner: &mut Inner, state: &State) {
    // Only an operation that changes something can have changed a delivery.
    let Some(operation) = inner.current.operation.filter(|operation| !is_read(*operation)) else { return };
    if changes_flow(operation) {
        flow::changes(inner, state);
    }
    let mut broken = None;
    for (key, delivery) in &state.deliveries {
        let now = delivery.progress;
        match inner.model.deliveries.get_mut(key) {
            Some(seen) if seen.progress == now => {
                // What a trigger fires has its number when that is decided, before anybody heard of it.
                if !seen.promised && seen.snapshot.sequence.is_none() {
                    seen.snapshot.sequence = delivery.snapshot.sequence;
                }
            }
            Some(seen) => {
                let before = std::mem::replace(&mut seen.progress, now);
                let in_order = |()| match (before, now) {
                    (Progress::Waiting(_), Progress::Sending { claim, .. }) => {
                        order::check(state, delivery, &claim)
                    }
                    _ => Ok(()),
                };
                let checked = check(before, now, operation).and_then(in_order);
                let name = inner.trace.delivery(key.1);
                broken = broken.or(checked.err().map(|(rule, detail)| (rule, format!("{name}: {detail}"))));
            }
            None => {
                inner.model.deliveries.insert(key.clone(), SeenDelivery::new(delivery));
            }
        }
    }
    if let Some((rule, detail)) = broken {
        inner.broken(rule, detail);
    }
}

/// Whether an operation may change a schedule so.
fn check(before: Progress, after: Progress, operation: Operation) -> Result<(), (Rule, String)> {
    use Progress::{Canceled, Canceling, Failed, Sending, Succeeded, Waiting};
    let broken = |rule| {
        Err((rule, format!("{operation:?} makes \"{}\" of \"{}\"", progress(&after), progress(&before))))
    };
    match (operation, before, after) {
        (Operation::Claim, Waiting(next), Sending { claim, .. }) if claim.number == next.number => Ok(()),
        (Operation::Claim, Canceling(_) | Canceled, _) => broken(Rule::CanceledIsFinal),
        (Operation::Claim, ..) => broken(Rule::OneAttemptPerNumber),

        (Operation::Complete, Sending { claim, .. }, Waiting(next)) if next.number == claim.number + 1 => {
            Ok(())
        }
        (Operation::Complete, Sending { .. }, Succeeded | Failed) => Ok(()),
        (Operation::Complete, Canceling(_), Canceled) => Ok(()),
        (Operation::Complete, Canceling(_) | Canceled, _) => broken(Rule::CanceledIsFinal),
        (Operation::Complete, ..) => broken(Rule::OneAttemptPerNumber),

        (Operation::Release, Sending { claim, .. }, Waiting(next))
            if (next.number, next.slot) == (claim.number, claim.slot) =>
        {
            Ok(())
        }
        (Operation::Release, Canceling(_), Canceled) => Ok(()),

        (Operation::Cancel, Waiting(_), Canceled) => Ok(()),
        (Operation::Cancel, Sending { claim, .. }, Canceling(still)) if claim == still => Ok(()),

        // A resend that succeeds delivers what was exhausted.
        (Operation::CompleteResend | Operation::ClaimResend, Failed, Succeeded) => Ok(()),
        (
            Operation::EnqueueResend
            | Operation::ClaimResend
            | Operation::CompleteResend
            | Operation::ReleaseResend,
            ..,
        ) => broken(Rule::IndependentResend),
        _ => broken(Rule::ScheduleTimes),
    }
}
