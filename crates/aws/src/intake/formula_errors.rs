//! Formulas that failed, counted for each subscription.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::Aws;
use super::call_errors::store_error;
use super::intake::CONCURRENT_CALLS;
use super::item::{Item, document, json, number, parse_number};
use super::key_schema::{self, COUNT, DOC};
use super::unreadable::readable;
use loanhook_core::model::formula_errors::{FormulaErrors, SubscriptionFormulaError};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::ports::{FormulaErrorLog, StoreResult};

impl Aws {
    async fn record_formula_error(
        &self,
        tenant: &TenantId,
        of: &SubscriptionFormulaError,
    ) -> StoreResult<()> {
        self.dynamodb()
            .update_item()
            .table_name(self.table())
            .set_key(Some(key_schema::formula_errors(tenant, of.subscription).key()))
            .update_expression("ADD #count :one SET #doc = :doc")
            .expression_attribute_names("#count", COUNT)
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":doc", json(&of.error)?)
            .send()
            .await
            .map(|_| ())
            .map_err(store_error)
    }
}

impl FormulaErrorLog for Aws {
    async fn record_formula_errors(
        &self,
        tenant: &TenantId,
        formula_errors: Vec<SubscriptionFormulaError>,
    ) -> StoreResult<()> {
        let notes: Vec<_> = formula_errors.iter().map(|of| self.record_formula_error(tenant, of)).collect();
        stream::iter(notes).buffer_unordered(CONCURRENT_CALLS).try_collect::<Vec<()>>().await.map(|_| ())
    }

    async fn formula_errors(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> StoreResult<Option<FormulaErrors>> {
        let Some(item) = self.get(key_schema::formula_errors(tenant, id)).await? else { return Ok(None) };
        let formula_errors =
            |item: &Item| Ok(FormulaErrors { count: parse_number(item, COUNT)?, last: document(item)? });
        Ok(readable(&[item], formula_errors).pop())
    }
}
