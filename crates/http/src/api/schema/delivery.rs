//! A delivery with its attempts, as the API shows it: fields are null, never absent.

use serde::Serialize;

use super::attempt::AttemptView;
use super::id::{EventId, LoanId, SubscriptionId, Timestamp, TraceId};
use super::values::Status;
use crate::api::request::caller::Caller;
use crate::api::request::query::cursor;
use loanhook_core::history::DeliveryAttempts;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::ports::HistoryRow;

/// A delivery, and its attempts from the oldest, page by page.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Delivery)]
pub(in crate::api) struct DeliveryView {
    trace_id: TraceId,
    loan_id: LoanId,
    subscription_id: SubscriptionId,
    event_id: EventId,
    event_title: String,
    event_name: String,
    #[schema(required, format = DateTime)]
    occurred_at: Option<String>,
    /// A subscription's test sent it: no event of the loan.
    test: bool,
    accepted_at: Timestamp,
    status: Status,
    /// What is due now; null while an attempt is under way, and at the end.
    #[schema(required)]
    next_attempt_at: Option<Timestamp>,
    attempts: Vec<AttemptView>,
    /// The cursor of the attempts that follow; null where there are none.
    #[schema(required)]
    next: Option<String>,
}

impl DeliveryView {
    pub(in crate::api) fn new(found: DeliveryAttempts, to: &Caller) -> Self {
        let DeliveryAttempts { delivery, attempts, more } = found;
        let next = attempts.last().filter(|_| more).map(|last| cursor(last.id.uuid()));
        let rows: Vec<_> = attempts.into_iter().map(|attempt| HistoryRow::new(attempt, &delivery)).collect();
        let Delivery { snapshot, progress, history: _ } = delivery;
        Self {
            trace_id: snapshot.trace_id.into(),
            loan_id: snapshot.loan_id.into(),
            subscription_id: snapshot.subscription_id.into(),
            event_id: snapshot.event_id.into(),
            event_title: snapshot.event_title,
            event_name: snapshot.event_name,
            occurred_at: snapshot.occurred_at,
            test: snapshot.test,
            accepted_at: snapshot.accepted_at.into(),
            status: progress.status().into(),
            next_attempt_at: progress.next_due().map(Into::into),
            attempts: rows.into_iter().map(|row| AttemptView::of(row, to)).collect(),
            next,
        }
    }
}
