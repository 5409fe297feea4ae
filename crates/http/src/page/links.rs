//! Links to single things, from pages of all loans.

use super::page_request::{loan_events_path, loan_page_path};
use super::tenant_request::DELIVERIES_PATH;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{EventId, LoanId, SubscriptionId};

/// A loan's webhooks.
pub(super) fn loan(loan: &LoanId) -> String {
    loan_page_path(loan)
}

/// The attempts of a delivery, the newest open; before its first attempt, its event.
pub(super) fn delivery(delivery: &Delivery) -> String {
    let snapshot = &delivery.snapshot;
    match delivery.history.newest_attempt {
        Some(id) => {
            let page = loan_page_path(&snapshot.loan_id);
            format!("{page}?traceId={}&open={id}#a-{id}", snapshot.trace_id)
        }
        None => event(&snapshot.loan_id, snapshot.event_id),
    }
}

/// An attempt, open among those of its delivery.
pub(super) fn attempt(attempt: &Attempt) -> String {
    let (page, id) = (loan_page_path(&attempt.loan_id), attempt.id);
    format!("{page}?traceId={}&open={id}#a-{id}", attempt.trace_id)
}

/// An event of a loan, open.
pub(super) fn event(loan: &LoanId, id: EventId) -> String {
    format!("{}?open={id}#e-{id}", loan_events_path(loan))
}

/// The deliveries of a webhook.
pub(super) fn deliveries_of(id: SubscriptionId) -> String {
    format!("{DELIVERIES_PATH}?subscriptionId={id}")
}
