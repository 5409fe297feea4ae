//! What readers are told of deliveries that wait for earlier ones.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::ready;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::FIRST_ATTEMPT;
use super::turn::Before;
use crate::engine::Aws;
use crate::items::key_schema::OrderedLoan;
use crate::queue::Receiver;
use crate::sdk::MAX_CONCURRENT_CALLS;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreResult, Subscriptions as _};

/// How many loans of which something waits are read each minute for metrics. Of each other one delivery is counted.
const MAX_LOANS_FOR_METRICS: usize = 1000;

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

    /// How many deliveries wait for an earlier one of their loan, of all loans together.
    pub(crate) async fn count_behind_others(&self, now: Timestamp) -> StoreResult<u64> {
        let loans = self.loans_to_look_at("", now).await?;
        let unread = loans.len().saturating_sub(MAX_LOANS_FOR_METRICS) as u64;
        let counts: Vec<_> = loans
            .iter()
            .take(MAX_LOANS_FOR_METRICS)
            .map(|loan| self.count_behind_of_loan(loan, now))
            .collect();
        let counts = stream::iter(counts).buffer_unordered(MAX_CONCURRENT_CALLS);
        counts.try_fold(unread, |sum, count| ready(Ok(sum + count))).await
    }

    async fn count_behind_of_loan(&self, loan: &OrderedLoan, now: Timestamp) -> StoreResult<u64> {
        let open = self.open_deliveries_eventually(loan).await?;
        let first = open.iter().position(|open| open.failed.is_none()).unwrap_or(open.len());
        let (before, rest) = open.split_at(first);
        let unfailed = rest.iter().filter(|open| open.failed.is_none()).count() as u64;
        if unfailed == 0 {
            return Ok(0);
        }
        let before = before.iter().filter_map(|open| open.failed);
        let before = before.fold(Before::Nothing, Before::and_failed);
        let of = Receiver { tenant: loan.tenant.clone(), subscription_id: loan.subscription };
        let flow = self.read_flow(&of).await?.settings;
        Ok(unfailed - u64::from(before.turn(flow).has_come(now)))
    }
}
