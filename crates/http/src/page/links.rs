//! Links to single things, from pages of all loans. What belongs to no loan (an operational event) has no page, and so no link.

use super::page_request::{loan_event_path, loan_page_path};
use super::tenant_request::{DELIVERIES_PATH, WEBHOOKS_PATH};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{AttemptId, EventId, LoanId, SubscriptionId, TraceId};
use loanhook_core::model::job::JobItem;

/// A loan's webhooks.
pub(super) fn loan(loan: &LoanId) -> Option<String> {
    loan.shown().map(|_| loan_page_path(loan))
}

/// The attempts of a delivery, the newest open; before its first attempt, its event.
pub(super) fn delivery(delivery: &Delivery) -> Option<String> {
    let snapshot = &delivery.snapshot;
    match delivery.history.newest_attempt {
        Some(id) => open_attempt(&snapshot.loan_id, snapshot.trace_id, id),
        None => event(&snapshot.loan_id, snapshot.event_id),
    }
}

/// An attempt, open among those of its delivery.
pub(super) fn attempt(attempt: &Attempt) -> Option<String> {
    open_attempt(&attempt.loan_id, attempt.trace_id, attempt.id)
}

/// The attempts of a delivery on the list of a job, that of the job open.
pub(super) fn item(item: &JobItem) -> Option<String> {
    match item.state.attempt() {
        Some(id) => open_attempt(&item.loan, item.trace, id),
        None => Some(format!("{}?traceId={}", loan(&item.loan)?, item.trace)),
    }
}

fn open_attempt(loan: &LoanId, trace: TraceId, id: AttemptId) -> Option<String> {
    Some(format!("{}?traceId={trace}&open={id}#a-{id}", self::loan(loan)?))
}

/// An event of a loan, open.
pub(super) fn event(loan: &LoanId, id: EventId) -> Option<String> {
    loan.shown().map(|_| loan_event_path(loan, id))
}

/// The deliveries of a webhook.
pub(super) fn deliveries_of(id: SubscriptionId) -> String {
    format!("{DELIVERIES_PATH}?subscriptionId={id}")
}

/// The page of a webhook.
pub(super) fn webhook(id: SubscriptionId) -> String {
    format!("{WEBHOOKS_PATH}/{id}")
}

/// The form of a webhook.
pub(super) fn edit(id: SubscriptionId) -> String {
    format!("{}/edit", webhook(id))
}

/// Its versions.
pub(super) fn versions(id: SubscriptionId) -> String {
    format!("{}/versions", webhook(id))
}
