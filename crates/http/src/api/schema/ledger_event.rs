//! An event of the ledger as the API shows it: fields are null, never absent.

use serde::Serialize;

use super::enums_of_model;
use super::id::{EventId, LoanId, SubscriptionId, Timestamp, TraceId};
use super::values::Status;
use loanhook_core::ledger::EventWithStatuses;
use loanhook_core::model::ledger::{self, Decision};

enums_of_model! {
    /// What a subscription decided about an event.
    #[serde(rename_all = "snake_case")]
    VerdictKind from ledger::DecisionKind {
        Delivered,
        TriggerFalse,
        AlreadyTrue,
        RestrictionFalse,
        Disabled,
        FormulaError,
    }
}

/// An accepted event, with what each subscription decided about it.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerEvent)]
pub(in crate::api) struct LedgerEventView {
    event_id: EventId,
    /// Null of an operational event, which belongs to no loan.
    #[schema(required)]
    loan_id: Option<LoanId>,
    event_name: String,
    #[schema(required, format = DateTime)]
    occurred_at: Option<String>,
    accepted_at: Timestamp,
    /// A subscription's test sent it: no event of the loan.
    test: bool,
    context: ContextView,
    /// A subscription that is not among them asks for events of other names only.
    verdicts: Vec<VerdictView>,
}

/// The context of an event, as it came.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = EventContext)]
struct ContextView {
    bytes: u32,
    /// Where it can be downloaded.
    href: String,
}

/// What one subscription decided about an event.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Verdict)]
struct VerdictView {
    subscription_id: SubscriptionId,
    /// Its title then.
    title: String,
    /// Its version then.
    version: u64,
    verdict: VerdictKind,
    /// Of a formula error: what is wrong, a sentence that holds no value of the event.
    #[schema(required)]
    detail: Option<String>,
    /// The delivery, where there is one.
    #[schema(required)]
    trace_id: Option<TraceId>,
    /// What became of the delivery so far.
    #[schema(required)]
    status: Option<Status>,
}

impl LedgerEventView {
    pub(in crate::api) fn new(found: EventWithStatuses) -> Self {
        let EventWithStatuses { event, statuses } = found;
        let verdicts = event.verdicts.into_iter().map(|verdict| VerdictView {
            subscription_id: verdict.subscription_id.into(),
            title: verdict.title,
            version: verdict.version,
            verdict: verdict.decision.kind().into(),
            trace_id: verdict.decision.trace().map(Into::into),
            status: verdict.decision.trace().and_then(|trace| statuses.get(&trace)).map(|of| (*of).into()),
            detail: match verdict.decision {
                Decision::FormulaError(detail) => Some(detail),
                _ => None,
            },
        });
        Self {
            event_id: event.id.into(),
            loan_id: LoanId::shown(event.loan_id),
            event_name: event.name,
            occurred_at: event.occurred_at,
            accepted_at: event.accepted_at.into(),
            test: event.test,
            context: ContextView {
                bytes: event.context.bytes,
                href: format!("/v1/events/{}/context", event.id),
            },
            verdicts: verdicts.collect(),
        }
    }
}
