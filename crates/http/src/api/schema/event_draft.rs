//! Events as their senders give them: alone, or with others in a batch.

use serde::Deserialize;
use serde_json::value::RawValue;

use loanhook_core::model::event::{Event, EventInput};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::validation::ValidationErrors;
use loanhook_core::operational;

/// One change to a loan.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Event)]
pub(in crate::api) struct EventDraft {
    #[schema(pattern = "name", example = "Payment Posted to Account")]
    event_name: String,
    #[schema(pattern = "loanId", example = "727")]
    loan_id: String,
    /// The loan's variables, at most 32 deep. Names must be Unicode: one with a lone surrogate is refused.
    #[schema(value_type = Object, example = json!({"loan-display-id": "727", "last-payment-amount": 250.00}))]
    context: Box<RawValue>,
    #[serde(default)]
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
}

/// An event with the key that may stand beside it in a batch.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = KeyedEvent)]
pub(in crate::api) struct KeyedEventDraft {
    #[schema(pattern = "name", example = "Payment Posted to Account")]
    event_name: String,
    #[schema(pattern = "loanId", example = "727")]
    loan_id: String,
    #[schema(value_type = Object)]
    context: Box<RawValue>,
    #[serde(default)]
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 255)]
    pub(in crate::api) idempotency_key: Option<String>,
}

/// A sample event.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = TestEvent)]
pub(in crate::api) struct TestEventDraft {
    /// Left out where the subscription is for operational events, which belong to no loan; else it must be there.
    #[serde(default)]
    #[schema(pattern = "loanId", example = "727")]
    loan_id: Option<String>,
    /// `Test` where it is left out. A name of the catalogue or of a subscription of the tenant needs the scope
    /// `events:write` too. Where the subscription is for operational events: the name of one, by default the first that it asks for.
    #[serde(default)]
    #[schema(pattern = "name")]
    event_name: Option<String>,
    /// Left out where the subscription is for operational events: a sample has its own.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    context: Option<Box<RawValue>>,
    /// When it is to have occurred. Left out where the subscription is for operational events: a sample occurs now.
    #[serde(default)]
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
}

impl TestEventDraft {
    /// The sample event for a subscription.
    pub(in crate::api) fn check(
        self,
        subscription: &Subscription,
        now: Timestamp,
    ) -> Result<Event, ValidationErrors> {
        let Self { loan_id, event_name, context, occurred_at } = self;
        if !subscription.is_operational() {
            let input = EventInput {
                event_name: event_name.unwrap_or_else(|| SAMPLE_NAME.into()),
                loan_id: loan_id.ok_or_else(|| ValidationErrors::one("/loanId", "must be there"))?,
                context: context_or_empty(context),
                occurred_at,
            };
            return input.check();
        }
        let mut errors = ValidationErrors::default();
        for (pointer, given) in [
            ("/loanId", loan_id.is_some()),
            ("/context", context.is_some()),
            ("/occurredAt", occurred_at.is_some()),
        ] {
            if given {
                errors.add(
                    pointer,
                    "must be left out: the subscription is for operational events, which belong to no loan",
                );
            }
        }
        errors.ok_or_errors(())?;
        operational::sample(subscription, event_name.as_deref(), now)
    }
}

/// The name of a sample event that has none. No event of the catalogue has it.
pub(crate) const SAMPLE_NAME: &str = "Test";

/// The context, or an empty one where none is given.
pub(in crate::api) fn context_or_empty(given: Option<Box<RawValue>>) -> Box<RawValue> {
    given.unwrap_or_else(|| RawValue::from_string("{}".into()).unwrap_or_default())
}

impl From<EventDraft> for EventInput {
    fn from(draft: EventDraft) -> Self {
        let EventDraft { event_name, loan_id, context, occurred_at } = draft;
        Self { event_name, loan_id, context, occurred_at }
    }
}

impl From<KeyedEventDraft> for EventInput {
    fn from(draft: KeyedEventDraft) -> Self {
        let KeyedEventDraft { event_name, loan_id, context, occurred_at, idempotency_key: _ } = draft;
        Self { event_name, loan_id, context, occurred_at }
    }
}
