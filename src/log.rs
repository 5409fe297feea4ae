//! The one line that an attempt leaves in the log: its IDs and what came of it, never what was sent. And the one
//! that a formula leaves that failed.

use tracing::{info, warn};

use crate::model::attempt::Attempt;
use crate::model::id::TenantId;
use crate::model::trouble::TroubleOf;

/// Logs an attempt that is complete.
pub fn attempt(row: &Attempt) {
    let Some(completion) = row.completion() else { return };
    info!(
        tenant = row.tenant.as_str(),
        loan_id = row.loan_id.as_str(),
        trace_id = %row.trace_id,
        attempt_id = %row.id,
        attempt = %row.number,
        subscription_id = %row.subscription_id,
        response_code = completion.result.as_ref().ok(),
        error = completion.error().map(|error| error.kind.as_str()),
        response_time_ms = completion.response_time_ms,
        "{}", if completion.succeeded() { "attempt.succeeded" } else { "attempt.failed" }
    );
}

/// What is wrong with JSON that was stored, without a word of what it holds: an error of serde's may quote it.
pub fn json_fault(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Io | Category::Syntax => "it is not JSON",
        Category::Eof => "its JSON ends early",
        Category::Data => "its JSON has another shape",
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

/// Logs a formula that failed on an event.
pub fn trouble(tenant: &TenantId, of: &TroubleOf) {
    let trouble = &of.trouble;
    warn!(
        tenant = tenant.as_str(),
        loan_id = trouble.loan_id.as_str(),
        subscription_id = %of.subscription,
        formula = trouble.formula.name(),
        detail = trouble.detail,
        line = trouble.line,
        column = trouble.column,
        "formula.failed"
    );
}
