//! Failures of formulas at an event, as intake records them.

use std::time::Duration;

use tokio::time::timeout;
use tracing::warn;

use crate::log;
use crate::model::formula_errors::SubscriptionFormulaError;
use crate::model::id::TenantId;
use crate::ports::FormulaErrorLog;

/// How long an answer waits for failures of formulas to be kept.
const FORMULA_ERROR_TIMEOUT: Duration = Duration::from_millis(500);

/// Records formulas that failed: in the log, and for the author of the subscription. That this is not kept
/// fails no event, and holds none up for long. It is not left for later: a function may be frozen as soon as
/// it has answered.
pub(super) async fn record_formula_errors<S: FormulaErrorLog>(
    store: &S,
    tenant: &TenantId,
    formula_errors: Vec<SubscriptionFormulaError>,
) {
    if formula_errors.is_empty() {
        return;
    }
    for of in &formula_errors {
        log::formula_error(tenant, of);
    }
    match timeout(FORMULA_ERROR_TIMEOUT, store.record_formula_errors(tenant, formula_errors)).await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => warn!(%failure, "formula.failure_not_kept"),
        Err(_) => warn!(failure = "it took too long", "formula.failure_not_kept"),
    }
}
