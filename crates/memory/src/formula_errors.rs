//! Formula errors, counted for each subscription.

use loanhook_core::model::formula_errors::{FormulaErrors, SubscriptionFormulaError};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::ports::{FormulaErrorLog, StoreResult};

use super::Memory;
use super::step::{Operation, StepKind};

impl FormulaErrorLog for Memory {
    async fn record_formula_errors(
        &self,
        tenant: &TenantId,
        errors: Vec<SubscriptionFormulaError>,
    ) -> StoreResult<()> {
        self.once(Operation::FormulaErrors, StepKind::Settings, |state| {
            for SubscriptionFormulaError { subscription, error } in errors {
                let of = (tenant.clone(), subscription);
                let count = state.formula_errors.get(&of).map_or(0, |kept| kept.count) + 1;
                state.formula_errors.insert(of, FormulaErrors { count, last: error });
            }
            Ok(())
        })
        .await
    }

    async fn formula_errors(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> StoreResult<Option<FormulaErrors>> {
        self.once(Operation::FormulaErrors, StepKind::Read, |state| {
            Ok(state.formula_errors.get(&(tenant.clone(), id)).cloned())
        })
        .await
    }
}
