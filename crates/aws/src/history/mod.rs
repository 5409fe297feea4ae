//! The rows of a loan's history, and of a delivery.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use uuid::Uuid;

use super::call_errors::store_error;
use super::delivery_attempts::as_of_one_moment;
use super::item::{Item, get_number, missing_attribute, text, unexpired};
use super::key_schema::{self, EXPIRES, ItemKey, PK, RESENDS, SK};
use super::unreadable::UnreadableItems;
use super::{Aws, back_off, delivery_item, item, row_item};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{AttemptId, LoanId, TenantId, TraceId};
use loanhook_core::ports::{AttemptRange, Attempts, HistoryRow, StoreError, StoreResult};

/// The most items DynamoDB gives at once by their keys.
const ITEMS_PER_READ: usize = 100;
const MAX_TRIES: u32 = 6;

impl Attempts for Aws {
    async fn rows(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<AttemptId>,
        before: Option<AttemptId>,
        limit: usize,
    ) -> StoreResult<Vec<Attempt>> {
        // Both ends are in the range: the newest is the ID before `before`.
        let newest = match before.map(|id| id.uuid().as_u128().checked_sub(1)) {
            None => Uuid::max(),
            Some(Some(id)) => Uuid::from_u128(id),
            Some(None) => return Ok(Vec::new()),
        };
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
        span: AttemptRange,
        limit: usize,
    ) -> StoreResult<Option<(Delivery, Vec<Attempt>)>> {
        let Some(item) = self.delivery_item(tenant, trace).await? else { return Ok(None) };
        let mut delivery = delivery_item::read(&item)?;
        let mut attempts = self.attempts_of(&item, &delivery, span, limit).await?;
        as_of_one_moment(&mut delivery, &mut attempts, span);
        Ok(Some((delivery, attempts)))
    }
}

impl Aws {
    /// Rows of a partition, the newest first, none of which is over: fewer than `limit` only at the end.
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
                .dynamodb()
                .query()
                .table_name(self.table())
                .consistent_read(true)
                .scan_index_forward(false)
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :oldest AND :newest")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":pk", text(pk))
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

    /// How often each of these deliveries was resent.
    async fn resends_of(
        &self,
        tenant: &TenantId,
        traces: impl IntoIterator<Item = TraceId>,
    ) -> StoreResult<HashMap<TraceId, u32>> {
        let traces: HashSet<TraceId> = traces.into_iter().collect();
        let by_pk: HashMap<_, _> =
            traces.into_iter().map(|trace| (key_schema::trace_pk(tenant, trace), trace)).collect();
        let places = by_pk.values().map(|trace| key_schema::delivery(tenant, *trace)).collect();
        let items = self.get_all(places, Some(&[PK, RESENDS, EXPIRES])).await?;
        let resends = items.iter().filter_map(|item| {
            let trace = by_pk.get(item::get_text(item, PK)?)?;
            Some((*trace, get_number(item, RESENDS).unwrap_or(0)))
        });
        Ok(resends.collect())
    }

    /// The items at these places, as they are now, those that there are; in no order.
    pub(super) async fn get_all(
        &self,
        places: Vec<ItemKey>,
        only: Option<&[&str]>,
    ) -> StoreResult<Vec<Item>> {
        let mut items = Vec::with_capacity(places.len());
        for places in places.chunks(ITEMS_PER_READ) {
            let mut request = KeysAndAttributes::builder().consistent_read(true);
            for place in places {
                request = request.keys(place.clone().key());
            }
            for (i, name) in only.unwrap_or_default().iter().enumerate() {
                request = request.expression_attribute_names(format!("#a{i}"), *name);
            }
            if let Some(only) = only {
                let names: Vec<_> = (0..only.len()).map(|i| format!("#a{i}")).collect();
                request = request.projection_expression(names.join(", "));
            }
            let request = request.build().map_err(|error| StoreError::Failed(error.to_string().into()))?;
            self.get_batch(request, &mut items).await?;
        }
        Ok(items)
    }

    /// What one call leaves is asked for again.
    async fn get_batch(&self, request: KeysAndAttributes, items: &mut Vec<Item>) -> StoreResult<()> {
        let mut left = Some(request);
        for tries in 0..MAX_TRIES {
            let Some(request) = left.take() else { return Ok(()) };
            let call = self.dynamodb().batch_get_item().request_items(self.table(), request);
            let got = call.send().await.map_err(store_error)?;
            let found = got.responses.ok_or_else(|| missing_attribute("responses"))?.remove(self.table());
            items.extend(found.unwrap_or_default().into_iter().filter_map(unexpired));
            left = got.unprocessed_keys.and_then(|mut keys| keys.remove(self.table()));
            if left.is_some() {
                back_off(tries).await;
            }
        }
        if left.is_some() { Err(StoreError::Busy) } else { Ok(()) }
    }
}
