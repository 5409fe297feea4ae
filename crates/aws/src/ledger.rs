//! The ledger: the events of a loan, one event of any loan, and what became of their deliveries.
//!
//! The events of a loan are one partition, sorted by ID and so by time: a page is one query with strong consistency. One event
//! is found by the index of what was accepted, at the day and the shard that its ID says. That index lags behind its table,
//! by milliseconds as a rule: an event whose ID says that it was accepted a moment ago is looked for again, for about a
//! second at most. Whoever knows the loan of an event reads the table.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{get_text, parse, text};
use crate::items::key_schema::{self, ACCEPTED_DAY, BY_ACCEPTANCE, EXPIRES, ItemKey, PK, SK, STATUS};
use crate::items::unreadable::UnreadableItems;
use crate::items::{delivery_item, event_item};
use crate::sdk::back_off::back_off;
use loanhook_core::model::id::{EventId, LoanId, TenantId, TraceId};
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Ledger, StoreResult};

/// How long after its acceptance the index may not show an event. Longer lags are failures of AWS.
const MAX_INDEX_LAG: Duration = Duration::from_secs(10);
/// How often an event is looked for again that the index may not show yet.
const MORE_LOOKS: u32 = 4;

impl Ledger for Aws {
    async fn events(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<EventId>,
        before: Option<EventId>,
        limit: usize,
    ) -> StoreResult<Vec<LedgerEvent>> {
        let range = (oldest.map(EventId::uuid), before.map(EventId::uuid));
        self.newest_first(&key_schema::events_pk(tenant, loan), range, limit, event_item::read).await
    }

    async fn event(&self, tenant: &TenantId, id: EventId) -> StoreResult<Option<LedgerEvent>> {
        for look in 0.. {
            if let Some(key) = self.event_key(tenant, id).await? {
                return self.get(key).await?.as_ref().map(event_item::read).transpose();
            }
            if look == MORE_LOOKS || !may_be_hidden(id, Timestamp::now()) {
                break;
            }
            back_off(look).await;
        }
        Ok(None)
    }

    async fn has_event(&self, tenant: &TenantId, loan: &LoanId, id: EventId) -> StoreResult<bool> {
        Ok(self.get(key_schema::event(tenant, loan, id)).await?.is_some())
    }

    async fn delivery_statuses(
        &self,
        tenant: &TenantId,
        traces: &[TraceId],
    ) -> StoreResult<Vec<Option<Status>>> {
        // A batch read refuses a key that it names twice.
        let each: HashSet<TraceId> = traces.iter().copied().collect();
        let keys = each.into_iter().map(|trace| key_schema::delivery(tenant, trace)).collect();
        let items = self.get_all(keys, Some(&[PK, STATUS, EXPIRES])).await?;
        let mut left_out = UnreadableItems::default();
        let status_by_pk: HashMap<_, _> = items
            .iter()
            .filter_map(|item| {
                let status = left_out.readable(item, delivery_item::read_status(item))?;
                Some((get_text(item, PK)?, status))
            })
            .collect();
        let status = |trace: &TraceId| status_by_pk.get(&*key_schema::trace_pk(tenant, *trace)).copied();
        Ok(traces.iter().map(status).collect())
    }
}

/// Whether an event of this ID was accepted so lately that the index may not show it. Clocks differ, so it may be later than
/// now.
fn may_be_hidden(id: EventId, now: Timestamp) -> bool {
    now.since(id.time()).max(id.time().since(now)) <= MAX_INDEX_LAG
}

impl Aws {
    /// The key of an event, whichever loan it is of, as far as the index shows it.
    async fn event_key(&self, tenant: &TenantId, id: EventId) -> StoreResult<Option<ItemKey>> {
        let query = self
            .dynamodb()
            .query()
            .table_name(self.table())
            .index_name(BY_ACCEPTANCE)
            .key_condition_expression("#day = :day AND #sk = :id")
            .expression_attribute_names("#day", ACCEPTED_DAY)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":day", text(key_schema::acceptance_pk(tenant, id)))
            .expression_attribute_values(":id", text(id.to_string()));
        let found = query.send().await.map_err(store_error)?.items.unwrap_or_default();
        let key = |item| Ok(ItemKey { pk: parse(item, PK)?, sk: parse(item, SK)? });
        found.first().map(key).transpose()
    }
}
