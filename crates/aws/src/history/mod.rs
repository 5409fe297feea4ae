//! The history: the rows of a loan, and a delivery with its attempts.
//!
//! The rows of a loan are one partition, sorted by ID and so by time: a page is one query with strong consistency. The rows
//! of a delivery are found by an index, see [`delivery_attempts`].

mod delivery_attempts;
mod row_completion;

use std::collections::{HashMap, HashSet};

use crate::engine::Aws;
use crate::items::item::{document, get_number, get_text};
use crate::items::key_schema::{self, DOC, EXPIRES, PK, RESENDS};
use crate::items::unreadable::UnreadableItems;
use crate::items::{delivery_item, row_item};
use delivery_attempts::advance_by_rows;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::{Delivery, DeliverySnapshot};
use loanhook_core::model::id::{AttemptId, LoanId, TenantId, TraceId};
use loanhook_core::ports::{AttemptRange, Attempts, HistoryRow, StoreResult};

impl Attempts for Aws {
    async fn rows(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<AttemptId>,
        before: Option<AttemptId>,
        limit: usize,
    ) -> StoreResult<Vec<Attempt>> {
        let range = (oldest.map(AttemptId::uuid), before.map(AttemptId::uuid));
        self.newest_first(&key_schema::loan_pk(tenant, loan), range, limit, row_item::read).await
    }

    async fn history_rows(&self, tenant: &TenantId, attempts: Vec<Attempt>) -> StoreResult<Vec<HistoryRow>> {
        let facts = self.facts_of(tenant, attempts.iter().map(|attempt| attempt.trace_id)).await?;
        let row = |attempt: Attempt| {
            let facts = facts.get(&attempt.trace_id).copied().unwrap_or_default();
            facts.of_row(attempt)
        };
        Ok(attempts.into_iter().map(row).collect())
    }

    async fn row(&self, tenant: &TenantId, loan: &LoanId, id: AttemptId) -> StoreResult<Option<HistoryRow>> {
        let Some(item) = self.get(key_schema::row(tenant, loan, id)).await? else { return Ok(None) };
        let attempt = row_item::read(&item)?;
        let facts = self.facts_of(tenant, [attempt.trace_id]).await?.into_values().next();
        Ok(Some(facts.unwrap_or_default().of_row(attempt)))
    }

    async fn delivery(&self, tenant: &TenantId, trace: TraceId) -> StoreResult<Option<Delivery>> {
        self.delivery_item(tenant, trace).await?.as_ref().map(delivery_item::read).transpose()
    }

    async fn delivery_with_attempts(
        &self,
        tenant: &TenantId,
        trace: TraceId,
        range: AttemptRange,
        limit: usize,
    ) -> StoreResult<Option<(Delivery, Vec<Attempt>)>> {
        let Some(item) = self.delivery_item(tenant, trace).await? else { return Ok(None) };
        let mut delivery = delivery_item::read(&item)?;
        let attempts = self.attempts_of(&item, &delivery, range, limit).await?;
        advance_by_rows(&mut delivery, &attempts);
        Ok(Some((delivery, attempts)))
    }
}

/// What a row says of its delivery.
#[derive(Debug, Clone, Copy, Default)]
struct DeliveryFacts {
    resends: u32,
    subscription_version: Option<u64>,
}

impl DeliveryFacts {
    fn of_row(self, attempt: Attempt) -> HistoryRow {
        let Self { resends, subscription_version } = self;
        HistoryRow { attempt, resends, subscription_version }
    }
}

impl Aws {
    /// What rows say of each of these deliveries; a delivery that is gone is left out.
    async fn facts_of(
        &self,
        tenant: &TenantId,
        traces: impl IntoIterator<Item = TraceId>,
    ) -> StoreResult<HashMap<TraceId, DeliveryFacts>> {
        let traces: HashSet<TraceId> = traces.into_iter().collect();
        let by_pk: HashMap<_, _> =
            traces.into_iter().map(|trace| (key_schema::trace_pk(tenant, trace), trace)).collect();
        let keys = by_pk.values().map(|trace| key_schema::delivery(tenant, *trace)).collect();
        let items = self.get_all(keys, Some(&[PK, RESENDS, DOC, EXPIRES])).await?;
        let mut left_out = UnreadableItems::default();
        let facts = items.iter().filter_map(|item| {
            let trace = by_pk.get(get_text(item, PK)?)?;
            let snapshot: Option<DeliverySnapshot> = left_out.readable(item, document(item));
            let subscription_version = snapshot.map(|snapshot| snapshot.subscription_version);
            let resends = get_number(item, RESENDS).unwrap_or(0);
            Some((*trace, DeliveryFacts { resends, subscription_version }))
        });
        Ok(facts.collect())
    }
}
