//! Order of the deliveries of a loan: at the claim of a first attempt every earlier one has ended, or is stuck for as long as its
//! subscription says. A second statement of the rule, which shares nothing with the engine's.

use std::time::Duration;

use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::DeliveryOrder;
use loanhook_core::model::progress::{Claim, Status};
use loanhook_core::model::time::Timestamp;
use loanhook_memory::State;

use super::Rule;

/// Looks at a delivery whose first attempt was just claimed.
pub(crate) fn check(state: &State, claimed: &Delivery, claim: &Claim) -> Result<(), (Rule, String)> {
    let (of, Some(sequence)) = (&claimed.snapshot, claimed.snapshot.sequence) else { return Ok(()) };
    let subscription = state
        .every_subscription()
        .find(|subscription| subscription.tenant == of.tenant && subscription.id == of.subscription_id);
    let flow = subscription.map(|subscription| subscription.settings.flow).unwrap_or_default();
    if claim.number != 1 || flow.order != DeliveryOrder::Loan {
        return Ok(());
    }
    for earlier in state.deliveries.values() {
        let other = &earlier.snapshot;
        let of_same = (&other.tenant, other.subscription_id, &other.loan_id)
            == (&of.tenant, of.subscription_id, &of.loan_id);
        let is_earlier = other.sequence.is_some_and(|earlier| earlier < sequence);
        if !of_same || !is_earlier || has_ended(earlier) {
            continue;
        }
        let allowed = flow.step_aside_after_seconds.map(|seconds| Duration::from_secs(seconds.into()));
        let steps_aside = failed_first(state, earlier).zip(allowed).map(|(failed, after)| failed + after);
        if steps_aside.is_none_or(|time| claim.since < time) {
            let detail = format!("number {sequence} is claimed before {:?} has ended", other.sequence);
            return Err((Rule::OrderIsKept, detail));
        }
    }
    Ok(())
}

fn has_ended(delivery: &Delivery) -> bool {
    delivery.progress.status() != Status::Pending && delivery.progress.in_flight().is_none()
}

/// When the first attempt of a delivery that has not ended failed.
fn failed_first(state: &State, delivery: &Delivery) -> Option<Timestamp> {
    let of = &delivery.snapshot;
    let mut rows = state.rows_of(&of.tenant).filter(|row| row.trace_id == of.trace_id);
    let first = rows.find(|row| row.number == AttemptNumber::Auto(1))?;
    first.completion().map(|completion| completion.ended_at)
}
