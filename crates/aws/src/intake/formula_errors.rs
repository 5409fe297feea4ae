//! Formula errors: for each subscription, how many there were and the last one.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{Item, document, json, number, parse_number};
use crate::items::key_schema::{self, COUNT, DOC};
use crate::items::unreadable::readable;
use crate::sdk::MAX_CONCURRENT_CALLS;
use loanhook_core::model::formula_errors::{FormulaErrors, SubscriptionFormulaError};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::ports::{FormulaErrorLog, StoreResult};

impl FormulaErrorLog for Aws {
    async fn record_formula_errors(
        &self,
        tenant: &TenantId,
        formula_errors: Vec<SubscriptionFormulaError>,
    ) -> StoreResult<()> {
        let updates: Vec<_> =
            formula_errors.iter().map(|error| self.record_formula_error(tenant, error)).collect();
        let updates = stream::iter(updates).buffer_unordered(MAX_CONCURRENT_CALLS);
        updates.try_collect::<Vec<()>>().await.map(|_| ())
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

impl Aws {
    async fn record_formula_error(
        &self,
        tenant: &TenantId,
        SubscriptionFormulaError { subscription, error }: &SubscriptionFormulaError,
    ) -> StoreResult<()> {
        self.update(key_schema::formula_errors(tenant, *subscription))
            .update_expression("ADD #count :one SET #doc = :doc")
            .expression_attribute_names("#count", COUNT)
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":doc", json(error)?)
            .send()
            .await
            .map(|_| ())
            .map_err(store_error)
    }
}
