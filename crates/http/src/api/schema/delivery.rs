//! Deliveries as the API shows them: one with its attempts, and those of a list. Fields are null, never absent.

use serde::Serialize;

use super::attempt::AttemptView;
use super::id::{EventId, LoanId, SubscriptionId, Timestamp, TraceId};
use super::values::Status;
use super::waiting::Waiting;
use crate::api::request::query::cursor;
use loanhook_core::delivery_list::ListedDelivery;
use loanhook_core::history::DeliveryAttempts;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow;
use loanhook_core::ports::HistoryRow;

/// What a delivery says of itself.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct DeliverySummary {
    trace_id: TraceId,
    /// Null of an operational event, which belongs to no loan.
    #[schema(required)]
    loan_id: Option<LoanId>,
    subscription_id: SubscriptionId,
    event_id: EventId,
    event_title: String,
    event_name: String,
    #[schema(required, format = DateTime)]
    occurred_at: Option<String>,
    /// A subscription's test sent it: no event of the loan.
    test: bool,
    accepted_at: Timestamp,
    /// Its number among the deliveries of its loan and webhook, as the header `loanhook-sequence` has it; null where the webhook
    /// kept no order when it was accepted.
    #[schema(required)]
    sequence: Option<u64>,
    status: Status,
    /// Why it waits although its attempt is due; null where it does not.
    #[schema(required)]
    waiting: Option<Waiting>,
    /// What is due now; null while an attempt is under way, and at the end.
    #[schema(required)]
    next_attempt_at: Option<Timestamp>,
}

/// A delivery, and its attempts from the oldest, page by page.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Delivery)]
pub(in crate::api) struct DeliveryView {
    #[serde(flatten)]
    summary: DeliverySummary,
    attempts: Vec<AttemptView>,
    /// The cursor of the attempts that follow; null where there are none.
    #[schema(required)]
    next: Option<String>,
}

/// A delivery, and the newest of its attempts.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ListedDelivery)]
pub(in crate::api) struct ListedDeliveryView {
    #[serde(flatten)]
    summary: DeliverySummary,
    /// Null before the first attempt.
    #[schema(required)]
    newest_attempt: Option<AttemptView>,
}

impl DeliverySummary {
    fn new(delivery: Delivery, waiting: Option<flow::Waiting>) -> Self {
        let Delivery { snapshot, progress, .. } = delivery;
        Self {
            trace_id: snapshot.trace_id.into(),
            loan_id: LoanId::shown(snapshot.loan_id),
            subscription_id: snapshot.subscription_id.into(),
            event_id: snapshot.event_id.into(),
            event_title: snapshot.event_title,
            event_name: snapshot.event_name,
            occurred_at: snapshot.occurred_at,
            test: snapshot.test,
            accepted_at: snapshot.accepted_at.into(),
            sequence: snapshot.sequence,
            status: progress.status().into(),
            waiting: waiting.map(Into::into),
            next_attempt_at: progress.next_due().map(Into::into),
        }
    }
}

impl DeliveryView {
    pub(in crate::api) fn new(found: DeliveryAttempts, waiting: Option<flow::Waiting>) -> Self {
        let DeliveryAttempts { delivery, attempts, more } = found;
        let next = attempts.last().filter(|_| more).map(|last| cursor(last.id.uuid()));
        let rows = attempts.into_iter().map(|attempt| HistoryRow::new(attempt, &delivery));
        let attempts = rows.map(AttemptView::of).collect();
        Self { summary: DeliverySummary::new(delivery, waiting), attempts, next }
    }
}

impl ListedDeliveryView {
    pub(in crate::api) fn new(listed: ListedDelivery) -> Self {
        let ListedDelivery { delivery, newest_attempt, waiting } = listed;
        let row = newest_attempt.map(|attempt| HistoryRow::new(attempt, &delivery));
        let newest_attempt = row.map(AttemptView::of);
        Self { summary: DeliverySummary::new(delivery, waiting), newest_attempt }
    }
}
