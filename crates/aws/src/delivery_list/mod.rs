//! Deliveries across loans: all of a tenant by the events that they came with, and those that failed by an index of
//! their own.
//!
//! A delivery that succeeds at first writes nothing for these lists. An index lags behind its table by milliseconds: what was
//! accepted a moment ago may not be listed yet.

mod accepted;
mod failed;
mod shards;

use std::collections::HashMap;

use crate::engine::Aws;
use crate::items::item::get_text;
use crate::items::key_schema::{self, PK, SK};
use crate::items::unreadable::UnreadableItems;
use crate::items::{delivery_item, row_item};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::ports::{DeliveryList, DeliveryPart, DeliverySet, DeliverySpan, StoreResult};

impl DeliveryList for Aws {
    async fn deliveries(
        &self,
        tenant: &TenantId,
        set: DeliverySet,
        span: DeliverySpan,
        limit: usize,
    ) -> StoreResult<DeliveryPart> {
        match set {
            DeliverySet::All => self.accepted(tenant, &span, limit).await,
            DeliverySet::Failed => self.that_failed(tenant, &span, limit).await,
        }
    }

    async fn deliveries_of_traces(
        &self,
        tenant: &TenantId,
        traces: &[TraceId],
    ) -> StoreResult<Vec<Delivery>> {
        let keys = traces.iter().map(|trace| key_schema::delivery(tenant, *trace)).collect();
        let mut left_out = UnreadableItems::default();
        let mut by_pk: HashMap<String, Delivery> = HashMap::new();
        for item in self.get_all_eventually(keys).await? {
            if let (Some(pk), Some(delivery)) =
                (get_text(&item, PK), left_out.readable(&item, delivery_item::read(&item)))
            {
                by_pk.insert(pk.to_owned(), delivery);
            }
        }
        Ok(traces.iter().filter_map(|trace| by_pk.remove(&key_schema::trace_pk(tenant, *trace))).collect())
    }

    async fn newest_attempts(
        &self,
        tenant: &TenantId,
        deliveries: &[Delivery],
    ) -> StoreResult<Vec<Option<Attempt>>> {
        let key = |delivery: &Delivery| {
            let newest = delivery.history.newest_attempt?;
            Some(key_schema::row(tenant, &delivery.snapshot.loan_id, newest))
        };
        let items = self.get_all_eventually(deliveries.iter().filter_map(key).collect()).await?;
        let mut left_out = UnreadableItems::default();
        let mut by_sk: HashMap<String, Attempt> = HashMap::new();
        for item in items {
            if let (Some(sk), Some(row)) =
                (get_text(&item, SK), left_out.readable(&item, row_item::read(&item)))
            {
                by_sk.insert(sk.to_owned(), row);
            }
        }
        Ok(deliveries.iter().map(|delivery| by_sk.remove(&key(delivery)?.sk)).collect())
    }
}
