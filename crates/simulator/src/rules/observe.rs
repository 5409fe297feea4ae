//! Changes of deliveries, looked at after every poll: each state of a schedule follows from the one before by an operation
//! that may do that.

use loanhook_core::model::progress::Progress;
use loanhook_memory::{Operation, State};

use super::Rule;
use crate::model::SeenDelivery;
use crate::world::Inner;

/// Looks at every delivery that changed since the last poll.
pub(crate) fn changes(inner: &mut Inner, state: &State) {
    let mut broken = None;
    for (key, delivery) in &state.deliveries {
        let now = delivery.progress;
        match inner.model.deliveries.get_mut(key) {
            Some(seen) if seen.progress == now => {}
            Some(seen) => {
                let before = std::mem::replace(&mut seen.progress, now);
                broken = broken.or(check(before, now, inner.current.operation).err());
            }
            None => {
                let seen = SeenDelivery {
                    snapshot: delivery.snapshot.clone(),
                    progress: now,
                    promised: false,
                    canceled: None,
                    requests: std::collections::BTreeMap::new(),
                };
                inner.model.deliveries.insert(key.clone(), seen);
            }
        }
    }
    if let Some((rule, detail)) = broken {
        inner.broken(rule, detail);
    }
}

/// Whether an operation may change a schedule so.
fn check(before: Progress, after: Progress, operation: Option<Operation>) -> Result<(), (Rule, String)> {
    use Progress::{Canceled, Canceling, Failed, Sending, Succeeded, Waiting};
    let broken = |rule| Err((rule, format!("{operation:?} makes {after:?} of {before:?}")));
    match (operation, before, after) {
        (Some(Operation::Claim), Waiting(next), Sending { claim, .. }) if claim.number == next.number => {
            Ok(())
        }
        (Some(Operation::Claim), Canceling(_) | Canceled, _) => broken(Rule::CanceledIsFinal),
        (Some(Operation::Claim), ..) => broken(Rule::OneAttemptPerNumber),

        (Some(Operation::Complete), Sending { claim, .. }, Waiting(next))
            if next.number == claim.number + 1 =>
        {
            Ok(())
        }
        (Some(Operation::Complete), Sending { .. }, Succeeded | Failed) => Ok(()),
        (Some(Operation::Complete), Canceling(_), Canceled) => Ok(()),
        (Some(Operation::Complete), Canceling(_) | Canceled, _) => broken(Rule::CanceledIsFinal),
        (Some(Operation::Complete), ..) => broken(Rule::OneAttemptPerNumber),

        (Some(Operation::Release), Sending { claim, .. }, Waiting(next))
            if (next.number, next.slot) == (claim.number, claim.slot) =>
        {
            Ok(())
        }
        (Some(Operation::Release), Canceling(_), Canceled) => Ok(()),

        (Some(Operation::Cancel), Waiting(_), Canceled) => Ok(()),
        (Some(Operation::Cancel), Sending { claim, .. }, Canceling(still)) if claim == still => Ok(()),

        // A resend that succeeds delivers what was exhausted.
        (Some(Operation::CompleteResend | Operation::ClaimResend), Failed, Succeeded) => Ok(()),
        (
            Some(
                Operation::EnqueueResend
                | Operation::ClaimResend
                | Operation::CompleteResend
                | Operation::ReleaseResend,
            ),
            ..,
        ) => broken(Rule::IndependentResend),
        _ => broken(Rule::ScheduleTimes),
    }
}
