//! Log lines with IDs and names: attempts that ended, formulas that failed, and who changed what.
//!
//! No line holds a payload, a header value or a secret.

use std::fmt::Display;

use tracing::{info, warn};

use crate::model::attempt::Attempt;
use crate::model::formula_errors::SubscriptionFormulaError;
use crate::model::grant::Grant;
use crate::model::id::TenantId;
use crate::model::job::{Job, JobCounts};
use crate::model::key::Key;

/// Logs an attempt that is complete.
pub fn attempt(row: &Attempt) {
    let Some(completion) = row.completion() else { return };
    info!(
        tenant = row.tenant.as_str(),
        loan_id = row.loan_id.shown(),
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

/// Logs a formula that failed on an event.
pub fn formula_error(tenant: &TenantId, of: &SubscriptionFormulaError) {
    let error = &of.error;
    warn!(
        tenant = tenant.as_str(),
        loan_id = error.loan_id.shown(),
        subscription_id = %of.subscription,
        formula = error.formula.name(),
        detail = error.detail,
        line = error.line,
        column = error.column,
        "formula.failed"
    );
}

/// Logs a change that somebody made with a key, such as `key.created`: of the tenant, what has this ID.
pub fn change(what: &str, by: &Key, tenant: &TenantId, id: &dyn Display) {
    info!(
        tenant = tenant.as_str(),
        id = %id,
        by_key_id = %by.id,
        by_key_name = by.name,
        by_tenant = by.tenant.as_str(),
        "{what}"
    );
}

/// Logs a change that somebody made on a page, such as `subscription.held`.
pub fn change_on_page(what: &str, by: &Grant, id: &dyn Display) {
    info!(tenant = by.tenant.as_str(), id = %id, viewer = by.name, "{what}");
}

/// Logs a link to a loan's page that was made with a key, and for whom.
pub fn portal_link(by: &Key, link: &Grant) {
    info!(
        tenant = link.tenant.as_str(),
        loan_id = link.loan.as_ref().map(crate::model::id::LoanId::as_str),
        viewer = link.name,
        by_key_id = %by.id,
        by_key_name = by.name,
        "portal_link.created"
    );
}

/// Logs a sign-in with a key.
pub fn signed_in(key: &Key, address: &dyn Display) {
    info!(
        tenant = key.tenant.as_str(),
        key_id = %key.id,
        key_name = key.name,
        address = %address,
        "sign_in.succeeded"
    );
}

/// Logs a sign-in of a person at the OpenID provider; `subject` is its name for the person.
pub fn person_signed_in(session: &Grant, subject: &str, address: &dyn Display) {
    info!(
        tenant = session.tenant.as_str(),
        viewer = session.name,
        subject,
        address = %address,
        "sign_in.succeeded"
    );
}

/// Logs a resend that was accepted, and who asked for it.
pub fn resend(row: &Attempt) {
    info!(
        tenant = row.tenant.as_str(),
        loan_id = row.loan_id.shown(),
        trace_id = %row.trace_id,
        attempt_id = %row.id,
        requested_by = row.requested_by,
        address_version = row.address_version,
        "resend.accepted"
    );
}

/// Logs that keys that are not valid came from an address: the first one, and a minute later how many more.
pub fn wrong_keys(face: &str, address: &dyn Display, times: u64) {
    warn!(face, address = %address, times, "key.refused");
}

/// Logs how often something happened, such as `key.refused`, beside what was told by address or by name: in a minute
/// only so many are told apart.
pub fn others(what: &str, times: u64) {
    warn!(times, "{what}: from others, beyond those that are told by themselves in a minute");
}

/// Logs that somebody asked for something too often: the first time, and a minute later how many times more.
pub fn too_many(what: &str, tenant: &TenantId, name: &str, times: u64) {
    warn!(what, tenant = tenant.as_str(), name, times, "caller.limited");
}

/// Logs what happened to a recovery job, such as `job.ended`.
pub fn job(what: &str, job: &Job) {
    let JobCounts { total, succeeded, failed, skipped, superseded } = job.counts;
    info!(
        tenant = job.tenant.as_str(),
        job_id = %job.id,
        requested_by = job.requested_by,
        stopped = job.stopped.is_some(),
        total,
        succeeded,
        failed,
        skipped,
        superseded,
        "{what}"
    );
}
