//! Ledger event of an intake: the event with the verdicts of all subscriptions that asked for it.

use crate::model::event::Event;
use crate::model::event_evaluation::EventEvaluation;
use crate::model::id::{EventId, LoanId, SubscriptionId, TenantId};
use crate::model::ledger::{Decision, DecisionKind, LedgerEvent, Verdict};
use crate::model::subscription::{MatchResult, Subscription};
use crate::model::time::Timestamp;
use crate::ports::{IdempotencyRecord, Ledger, NewLedgerEvent, StoreError, StoreResult, Subscriptions};

/// What a repeated call fails with where a subscription that its record names cannot be found.
pub(super) const VERSION_GONE: &str = "a subscription's version is gone";
/// The detail of a formula error that cannot be made again.
const FORMULA_FAILED: &str = "a formula failed";

/// An event that was accepted then, with these verdicts.
pub(super) fn new_ledger_event(
    event: &Event,
    tenant: &TenantId,
    accepted: (EventId, Timestamp),
    verdicts: Vec<Verdict>,
) -> NewLedgerEvent {
    let envelope = event.ledger_payload();
    NewLedgerEvent { event: LedgerEvent::new(event, tenant, accepted, verdicts), envelope }
}

/// The verdicts of a first call beside those of its deliveries, by its record; none where it stored its event: then nothing of
/// the ledger is left to do.
pub(super) async fn lost_verdicts<S: Ledger + Subscriptions>(
    store: &S,
    (tenant, loan): (&TenantId, &LoanId),
    known: &IdempotencyRecord,
    evaluation: &EventEvaluation<'_>,
) -> StoreResult<Option<Vec<Verdict>>> {
    if store.has_event(tenant, loan, known.event_id).await? {
        return Ok(None);
    }
    let mut verdicts = Vec::with_capacity(known.unmatched.len());
    for &(id, version, kind) in &known.unmatched {
        let decided = store.subscription_version(tenant, id, version).await?;
        let decided = decided.ok_or_else(|| StoreError::Failed(VERSION_GONE.into()))?;
        verdicts.push(recorded(&decided, (id, version, kind), evaluation));
    }
    Ok(Some(verdicts))
}

/// The verdict that a record holds, of a subscription that fires nothing.
fn recorded(
    subscription: &Subscription,
    (subscription_id, version, kind): (SubscriptionId, u64, DecisionKind),
    evaluation: &EventEvaluation<'_>,
) -> Verdict {
    let decision = match kind {
        DecisionKind::TriggerFalse => Decision::TriggerFalse,
        DecisionKind::AlreadyTrue => Decision::AlreadyTrue,
        DecisionKind::RestrictionFalse => Decision::RestrictionFalse,
        DecisionKind::Disabled => Decision::Disabled,
        // The same formula fails alike on the same event.
        DecisionKind::FormulaError | DecisionKind::Delivered => match subscription.evaluate(evaluation) {
            MatchResult::FormulaError(error) => Decision::formula_error(&error.detail),
            _ => Decision::FormulaError(FORMULA_FAILED.into()),
        },
    };
    Verdict { subscription_id, title: subscription.settings.title.clone(), version, decision }
}
