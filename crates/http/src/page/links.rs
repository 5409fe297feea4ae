//! Links to single things, from pages of all loans. What belongs to no loan (an operational event) has no page, and so no link.

use super::page_request::{loan_events_path, loan_page_path};
use super::tenant_request::DELIVERIES_PATH;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{EventId, LoanId, SubscriptionId};

/// A loan's webhooks.
pub(super) fn loan(loan: &LoanId) -> Option<String> {
    loan.shown().map(|_| loan_page_path(loan))
}

/// The attempts of a delivery, the newest open; before its first attempt, its event.
pub(super) fn delivery(delivery: &Delivery) -> Option<String> {
    let snapshot = &delivery.snapshot;
    match delivery.history.newest_attempt {
        Some(id) => {
            let page = self::loan(&snapshot.loan_id)?;
            Some(format!("{page}?traceId={}&open={id}#a-{id}", snapshot.trace_id))
        }
        None => event(&snapshot.loan_id, snapshot.event_id),
    }
}

/// An attempt, open among those of its delivery.
pub(super) fn attempt(attempt: &Attempt) -> Option<String> {
    let (page, id) = (self::loan(&attempt.loan_id)?, attempt.id);
    Some(format!("{page}?traceId={}&open={id}#a-{id}", attempt.trace_id))
}

/// An event of a loan, open.
pub(super) fn event(loan: &LoanId, id: EventId) -> Option<String> {
    loan.shown().map(|_| format!("{}?open={id}#e-{id}", loan_events_path(loan)))
}

/// The deliveries of a webhook.
pub(super) fn deliveries_of(id: SubscriptionId) -> String {
    format!("{DELIVERIES_PATH}?subscriptionId={id}")
}
