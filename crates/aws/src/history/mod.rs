//! The history: the rows of a loan, and a delivery with its attempts.
//!
//! The rows of a loan are one partition, sorted by ID and so by time: a page is one query with strong consistency. The rows
//! of a delivery are found by an index, see [`delivery_attempts`].

mod delivery_attempts;
mod row_completion;

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{get_number, get_text, text, unexpired};
use crate::items::key_schema::{self, EXPIRES, PK, RESENDS, SK};
use crate::items::unreadable::UnreadableItems;
use crate::items::{delivery_item, row_item};
use delivery_attempts::advance_by_rows;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
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
        // The range of the query includes both ends: the newest ID is the one just before `before`.
        let newest = before.map_or(Some(u128::MAX), |id| id.uuid().as_u128().checked_sub(1));
        let Some(newest) = newest.map(Uuid::from_u128) else { return Ok(Vec::new()) };
        let oldest = oldest.map_or(Uuid::nil(), AttemptId::uuid);
        if oldest > newest {
            return Ok(Vec::new());
        }
        self.query_rows(&key_schema::loan_pk(tenant, loan), oldest, newest, limit).await
    }

    async fn with_resend_counts(
        &self,
        tenant: &TenantId,
        attempts: Vec<Attempt>,
    ) -> StoreResult<Vec<HistoryRow>> {
        let resends = self.resends_of(tenant, attempts.iter().map(|attempt| attempt.trace_id)).await?;
        let row = |attempt: Attempt| {
            let resends = resends.get(&attempt.trace_id).copied().unwrap_or(0);
            HistoryRow { attempt, resends }
        };
        Ok(attempts.into_iter().map(row).collect())
    }

    async fn row(&self, tenant: &TenantId, loan: &LoanId, id: AttemptId) -> StoreResult<Option<HistoryRow>> {
        let Some(item) = self.get(key_schema::row(tenant, loan, id)).await? else { return Ok(None) };
        let attempt = row_item::read(&item)?;
        let resends = self.resends_of(tenant, [attempt.trace_id]).await?.into_values().next();
        Ok(Some(HistoryRow { attempt, resends: resends.unwrap_or(0) }))
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

impl Aws {
    /// The rows of a partition from the newest to the oldest of these IDs, as far as they have not expired: fewer than `limit`
    /// only where there are no more.
    async fn query_rows(
        &self,
        pk: &str,
        oldest: Uuid,
        newest: Uuid,
        limit: usize,
    ) -> StoreResult<Vec<Attempt>> {
        let (mut rows, mut left_out) = (Vec::new(), UnreadableItems::default());
        let mut from = None;
        loop {
            let left = i32::try_from(limit - rows.len()).unwrap_or(i32::MAX);
            let page = self
                .query_partition(pk)
                .scan_index_forward(false)
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :oldest AND :newest")
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":oldest", text(oldest.to_string()))
                .expression_attribute_values(":newest", text(newest.to_string()))
                .set_exclusive_start_key(from)
                .limit(left)
                .send()
                .await
                .map_err(store_error)?;
            let items = page.items.unwrap_or_default().into_iter().filter_map(unexpired);
            rows.extend(items.filter_map(|item| left_out.readable(&item, row_item::read(&item))));
            from = page.last_evaluated_key;
            if from.is_none() || rows.len() == limit {
                return Ok(rows);
            }
        }
    }

    /// How often each of these deliveries was resent; a delivery that is gone is left out.
    async fn resends_of(
        &self,
        tenant: &TenantId,
        traces: impl IntoIterator<Item = TraceId>,
    ) -> StoreResult<HashMap<TraceId, u32>> {
        let traces: HashSet<TraceId> = traces.into_iter().collect();
        let by_pk: HashMap<_, _> =
            traces.into_iter().map(|trace| (key_schema::trace_pk(tenant, trace), trace)).collect();
        let keys = by_pk.values().map(|trace| key_schema::delivery(tenant, *trace)).collect();
        let items = self.get_all(keys, Some(&[PK, RESENDS, EXPIRES])).await?;
        let resends = items.iter().filter_map(|item| {
            let trace = by_pk.get(get_text(item, PK)?)?;
            Some((*trace, get_number(item, RESENDS).unwrap_or(0)))
        });
        Ok(resends.collect())
    }
}
