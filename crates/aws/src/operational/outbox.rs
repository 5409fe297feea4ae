//! The outbox: operational events that are to be taken in, the oldest first. It is one partition of the table of reports.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{document, json};
use crate::items::key_schema::{DOC, ItemKey};
use crate::items::transaction::TransactionPart as _;
use crate::items::unreadable::UnreadableItems;
use loanhook_core::model::operational::OperationalEvent;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{OperationalEvents, StoreResult};

/// The partition of the outbox.
const OUTBOX_PK: &str = "O#";

fn key(event: &OperationalEvent) -> ItemKey {
    // Padded with zeros, so that times sort as text.
    let sk = format!("{:015}#{}", event.occurred_at.millis(), event.id.uuid());
    ItemKey { pk: OUTBOX_PK.into(), sk }
}

/// The write that puts an event, in place of the same one where it is there.
pub(super) fn put(table: &str, event: &OperationalEvent) -> StoreResult<TransactWriteItem> {
    let mut item = key(event).attributes();
    item.insert(DOC.into(), json(event)?);
    Put::builder().table_name(table).set_item(Some(item)).part()
}

impl OperationalEvents for Aws {
    async fn advance_operational_states(&self, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        self.advance_states(now).await
    }

    async fn outbox(&self, limit: usize) -> StoreResult<Vec<OperationalEvent>> {
        let query = self.query_reports(OUTBOX_PK).limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let (mut events, mut from) = (Vec::new(), None);
        let mut left_out = UnreadableItems::default();
        while events.len() < limit {
            let page = query.clone().set_exclusive_start_key(from).send().await.map_err(store_error)?;
            let items = page.items.unwrap_or_default();
            events.extend(items.iter().filter_map(|item| left_out.readable(item, document(item))));
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        events.truncate(limit);
        Ok(events)
    }

    async fn delete_from_outbox(&self, event: &OperationalEvent) -> StoreResult<()> {
        let delete = self.dynamodb().delete_item().table_name(&self.stack().reports);
        delete.set_key(Some(key(event).attributes())).send().await.map_err(store_error)?;
        Ok(())
    }
}
