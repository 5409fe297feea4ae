//! What readers are told of deliveries that wait for earlier ones.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::FIRST_ATTEMPT;
use crate::engine::Aws;
use crate::items::key_schema::OrderedLoan;
use crate::sdk::MAX_CONCURRENT_CALLS;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreResult, Subscriptions as _};

/// Deliveries of a loan, by their numbers.
type ByNumber = BTreeMap<u64, TraceId>;

impl Aws {
    /// Those of these deliveries that wait for an earlier one of their loan: one read for each loan, as what comes behind one that was
    /// never attempted waits too.
    pub(crate) async fn behind_others(
        &self,
        tenant: &TenantId,
        deliveries: &[Delivery],
        now: Timestamp,
    ) -> StoreResult<BTreeSet<TraceId>> {
        let mut of_loans: HashMap<OrderedLoan, ByNumber> = HashMap::new();
        for Delivery { snapshot, progress, .. } in deliveries {
            let waits = progress.waiting().is_some_and(|next| next.number == FIRST_ATTEMPT);
            if let Some(sequence) = snapshot.sequence.filter(|_| waits) {
                of_loans.entry(OrderedLoan::of(snapshot)).or_default().insert(sequence, snapshot.trace_id);
            }
        }
        if of_loans.is_empty() {
            return Ok(BTreeSet::new());
        }
        let subscriptions = self.subscriptions(tenant).await?;
        let flow_of = |loan: &OrderedLoan| {
            let subscription = subscriptions.iter().find(|subscription| subscription.id == loan.subscription);
            subscription.map(|subscription| subscription.settings.flow).unwrap_or_default()
        };
        let reads: Vec<_> =
            of_loans.iter().map(|(loan, of)| self.behind_of_loan(loan, of, flow_of(loan), now)).collect();
        let behind = stream::iter(reads).buffer_unordered(MAX_CONCURRENT_CALLS);
        behind.try_concat().await.map(BTreeSet::from_iter)
    }

    async fn behind_of_loan(
        &self,
        loan: &OrderedLoan,
        unattempted: &ByNumber,
        flow: FlowSettings,
        now: Timestamp,
    ) -> StoreResult<Vec<TraceId>> {
        let Some((first, _)) = unattempted.first_key_value() else { return Ok(Vec::new()) };
        let first_waits = !self.open_before(loan, *first).await?.turn(flow).has_come(now);
        let skipped = if first_waits { 0 } else { 1 };
        Ok(unattempted.values().skip(skipped).copied().collect())
    }
}
