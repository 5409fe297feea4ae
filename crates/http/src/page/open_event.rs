//! The open event of a page: why each subscription decided as it did, and the event's context.

use std::collections::BTreeMap;

use super::error_page::ErrorPage;
use super::preview::Preview;
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::ledger::{DecisionKind, LedgerEvent, Verdict};
use loanhook_core::ports::{Payloads, Subscriptions};
use loanhook_core::stored_event::{self, ExplainError, ExplainedVerdict, ExplainedVersion};

/// How many verdicts are explained: each evaluates up to two formulas. Those that did not fire come first.
const MAX_EXPLAINED_VERDICTS: usize = 30;

/// What an open event shows beside its verdicts.
pub(super) struct OpenEvent {
    pub(super) explained: BTreeMap<SubscriptionId, ExplainedVerdict>,
    /// Verdicts are left without an explanation, as there are so many.
    pub(super) is_cut: bool,
    pub(super) context: Preview,
}

pub(super) async fn read<S: Payloads + Subscriptions>(
    store: &S,
    stored: &LedgerEvent,
) -> Result<OpenEvent, ErrorPage> {
    let nothing = OpenEvent { explained: BTreeMap::new(), is_cut: false, context: Preview::NotKept };
    let Some(event) = stored_event::event(store, stored).await? else { return Ok(nothing) };
    let mut to_explain: Vec<&Verdict> = stored.verdicts.iter().collect();
    to_explain.sort_by_key(|verdict| verdict.decision.kind() == DecisionKind::Delivered);
    let mut explained = BTreeMap::new();
    for verdict in to_explain.iter().take(MAX_EXPLAINED_VERDICTS) {
        let id = verdict.subscription_id;
        match stored_event::explain(store, (stored, &event), id, ExplainedVersion::Then).await {
            Ok(found) => {
                explained.insert(id, found);
            }
            Err(ExplainError::Store(failure)) => return Err(failure.into()),
            // Its version is not kept any more.
            Err(ExplainError::UnknownSubscription | ExplainError::NoVerdict) => {}
        }
        // An evaluation may take milliseconds.
        tokio::task::yield_now().await;
    }
    Ok(OpenEvent {
        explained,
        is_cut: stored.verdicts.len() > MAX_EXPLAINED_VERDICTS,
        context: Preview::of(event.context.get().as_bytes()),
    })
}
