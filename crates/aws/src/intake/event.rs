//! An event of the ledger as intake stores it, with the payload of which its context is a part.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::builders::PutBuilder;

use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::{event_item, key_schema};
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{NewLedgerEvent, StoreResult};

impl Aws {
    /// The event, if the operator has the ledger keep it.
    pub(super) fn kept_event(&self, event: Option<NewLedgerEvent>) -> Option<NewLedgerEvent> {
        event.filter(|new| self.stack().event_ledger.keeps(&new.event))
    }

    /// Puts an event after its payload, which is left out where it is among `stored`. An event that is there already stays as
    /// it is.
    pub(super) async fn put_event(
        &self,
        new: &NewLedgerEvent,
        stored: &mut HashSet<PayloadKey>,
    ) -> StoreResult<()> {
        self.put_event_payload(new, stored).await?;
        // Refused, it is there.
        self.put(self.put_of_event(&new.event)?).await.map(drop)
    }

    /// Puts the payload of an event, unless it is among `stored`.
    pub(super) async fn put_event_payload(
        &self,
        NewLedgerEvent { event, envelope }: &NewLedgerEvent,
        stored: &mut HashSet<PayloadKey>,
    ) -> StoreResult<()> {
        let key = event.context.payload;
        if stored.insert(key) {
            self.put_payload(&event.tenant, key, envelope.clone()).await?;
        }
        Ok(())
    }

    /// The put of an event where there is none of its ID.
    pub(super) fn put_of_event(&self, event: &LedgerEvent) -> StoreResult<PutBuilder> {
        let item = event_item::new(event, Timestamp::now() + self.stack().retention)?;
        Ok(self.put_if_absent(item))
    }

    /// Deletes an event that is not accepted.
    pub(super) async fn delete_event(&self, event: &LedgerEvent) -> StoreResult<()> {
        let key = key_schema::event(&event.tenant, &event.loan_id, event.id);
        let delete = self.dynamodb().delete_item().table_name(self.table());
        delete.set_key(Some(key.attributes())).send().await.map(drop).map_err(store_error)
    }
}
