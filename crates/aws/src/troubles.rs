//! Formulas that failed, counted for each subscription.

use super::Aws;
use super::failure::failed;
use super::item::{Item, document, json, number, parse_number};
use super::table::{self, COUNT, DOC};
use super::unreadable::readable;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::trouble::{TroubleOf, Troubles};
use loanhook_core::ports::Stored;

impl Aws {
    pub(super) async fn note_trouble(&self, tenant: &TenantId, of: &TroubleOf) -> Stored<()> {
        self.dynamodb()
            .update_item()
            .table_name(self.table())
            .set_key(Some(table::troubles(tenant, of.subscription).key()))
            .update_expression("ADD #count :one SET #doc = :doc")
            .expression_attribute_names("#count", COUNT)
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":doc", json(&of.trouble)?)
            .send()
            .await
            .map(|_| ())
            .map_err(failed)
    }

    pub(super) async fn read_troubles(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> Stored<Option<Troubles>> {
        let Some(item) = self.get(table::troubles(tenant, id)).await? else { return Ok(None) };
        let troubles =
            |item: &Item| Ok(Troubles { count: parse_number(item, COUNT)?, last: document(item)? });
        Ok(readable(&[item], troubles).pop())
    }
}
