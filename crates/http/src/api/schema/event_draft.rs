//! Events as their senders give them: alone, or with others in a batch.

use serde::Deserialize;
use serde_json::value::RawValue;

use loanhook_core::model::event::EventInput;

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
    #[schema(pattern = "loanId", example = "727")]
    loan_id: String,
    /// `Test` where it is left out. A name of the catalogue or of a subscription of the tenant needs the scope
    /// `events:write` too.
    #[serde(default)]
    #[schema(pattern = "name")]
    event_name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    context: Option<Box<RawValue>>,
    /// When it is to have occurred.
    #[serde(default)]
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
}

/// The name of a sample event that has none. No event of the catalogue has it.
pub(in crate::api) const SAMPLE_NAME: &str = "Test";

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

impl From<TestEventDraft> for EventInput {
    fn from(draft: TestEventDraft) -> Self {
        Self {
            event_name: draft.event_name.unwrap_or_else(|| SAMPLE_NAME.into()),
            loan_id: draft.loan_id,
            context: context_or_empty(draft.context),
            occurred_at: draft.occurred_at,
        }
    }
}
