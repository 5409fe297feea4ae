//! Port of formula errors: counted for each subscription.

use std::future::Future;

use super::StoreResult;
use crate::model::formula_errors::{FormulaErrors, SubscriptionFormulaError};
use crate::model::id::{SubscriptionId, TenantId};

pub trait FormulaErrorLog {
    /// Counts formulas that failed on an event, and keeps the last of each subscription.
    fn record_formula_errors(
        &self,
        tenant: &TenantId,
        errors: Vec<SubscriptionFormulaError>,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// The failures of a subscription's formulas; none if there were none.
    fn formula_errors(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> impl Future<Output = StoreResult<Option<FormulaErrors>>> + Send;
}
