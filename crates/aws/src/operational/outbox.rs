//! The outbox: operational events that are to be taken in, the oldest first. It is one partition of the table of reports.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};

use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{document, json};
use crate::items::key_schema::{DOC, ItemKey};
use crate::items::transaction::TransactionPart as _;
use crate::items::unreadable::UnreadableItems;
use loanhook_core::model::operational::OperationalEvent;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{OperationalEvents, OutboxPage, OutboxPosition, StatesAdvanced, StoreResult};

/// The partition of the outbox.
const OUTBOX_PK: &str = "O#";

fn key(event: &OperationalEvent) -> ItemKey {
    // Padded with zeros, so that times sort as text.
    let sk = format!("{:015}#{}", event.occurred_at.millis(), event.id.uuid());
    ItemKey { pk: OUTBOX_PK.into(), sk }
}

/// The write that puts an event. One that waits there stays as it is: it may be taken in in part already, and its facts must stay
/// those of its deliveries.
pub(super) fn put(table: &str, event: &OperationalEvent) -> StoreResult<TransactWriteItem> {
    Update::builder()
        .table_name(table)
        .set_key(Some(key(event).attributes()))
        .update_expression("SET #doc = if_not_exists(#doc, :doc)")
        .expression_attribute_names("#doc", DOC)
        .expression_attribute_values(":doc", json(event)?)
        .part()
}

impl OperationalEvents for Aws {
    async fn advance_operational_states(&self, now: Timestamp) -> StoreResult<StatesAdvanced> {
        self.advance_states(now).await
    }

    async fn outbox(&self, limit: usize, after: Option<&OutboxPosition>) -> StoreResult<OutboxPage> {
        let query = self.query_reports(OUTBOX_PK).limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let after = after.map(|OutboxPosition(sk)| ItemKey { pk: OUTBOX_PK.into(), sk: sk.clone() });
        let mut from = after.map(ItemKey::attributes);
        let mut events: Vec<OperationalEvent> = Vec::new();
        let mut left_out = UnreadableItems::default();
        loop {
            let page = query.clone().set_exclusive_start_key(from).send().await.map_err(store_error)?;
            let items = page.items.unwrap_or_default();
            events.extend(items.iter().filter_map(|item| left_out.readable(item, document(item))));
            from = page.last_evaluated_key;
            if from.is_none() || events.len() >= limit {
                break;
            }
        }
        let is_last = from.is_none() && events.len() <= limit;
        events.truncate(limit);
        let next = events.last().filter(|_| !is_last).map(|last| OutboxPosition(key(last).sk));
        Ok(OutboxPage { events, next })
    }

    async fn delete_from_outbox(&self, event: &OperationalEvent) -> StoreResult<()> {
        let delete = self.dynamodb().delete_item().table_name(&self.stack().reports);
        delete.set_key(Some(key(event).attributes())).send().await.map_err(store_error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loanhook_core::model::id::{SubscriptionId, TenantId};
    use loanhook_core::model::operational::{OperationalKind, Subject};

    #[test]
    fn an_event_that_waits_is_not_written_over() {
        let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
        let id = SubscriptionId::from_uuid(uuid::Uuid::from_u128(1));
        let subject = Subject::as_then(&[], (&tenant, id), "Core");
        let event = OperationalKind::SubscriptionHeld.sample(&subject, Timestamp::from_millis(0));
        let write = put("reports", &event).expect("a write");
        assert_eq!(write.put(), None, "a put replaces the item");
        let update = write.update().expect("an update");
        assert_eq!(update.update_expression(), "SET #doc = if_not_exists(#doc, :doc)");
        assert_eq!(*update.key(), key(&event).attributes());
    }
}
