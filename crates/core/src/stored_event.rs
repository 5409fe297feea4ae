//! Event of the ledger, looked at again: its context as it came, and why a subscription decided as it did.
//!
//! The API and the page use it. Only a part of a payload holds the context, and that may be gone before the event is.

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::explain::{self, Explanation};
use crate::model::event::{Event, EventInput};
use crate::model::event_evaluation::EventEvaluation;
use crate::model::id::SubscriptionId;
use crate::model::ledger::{DecisionKind, LedgerEvent};
use crate::model::subscription::{MatchResult, Subscription};
use crate::ports::{Payloads, StoreError, StoreResult, Subscriptions};

/// The bytes of an event's context; none where they are not kept any more.
///
/// # Errors
///
/// When the store fails, or the payload is shorter than the event says.
pub async fn context<S: Payloads>(store: &S, event: &LedgerEvent) -> StoreResult<Option<Bytes>> {
    let stored = event.context;
    let Some(payload) = store.payload(&event.tenant, stored.payload).await? else { return Ok(None) };
    let from = stored.offset as usize;
    let range = from..from.saturating_add(stored.bytes as usize);
    if payload.len() < range.end {
        return Err(unreadable("is shorter than its event says"));
    }
    Ok(Some(payload.slice(range)))
}

/// The event as it came in; none where its context is not kept any more.
///
/// # Errors
///
/// When the store fails, or what it keeps is no event.
pub async fn event<S: Payloads>(store: &S, stored: &LedgerEvent) -> StoreResult<Option<Event>> {
    let Some(bytes) = context(store, stored).await? else { return Ok(None) };
    let text = String::from_utf8(bytes.into()).map_err(|_| unreadable("is not UTF-8"))?;
    let context = RawValue::from_string(text).map_err(|_| unreadable("is not JSON"))?;
    if stored.loan_id.is_operational() {
        return Ok(Some(Event::operational(stored.name.clone(), context, stored.occurred_at.clone())));
    }
    let input = EventInput {
        event_name: stored.name.clone(),
        loan_id: stored.loan_id.to_string(),
        context,
        occurred_at: stored.occurred_at.clone(),
    };
    input.check().map(Some).map_err(|_| unreadable("is none of an event"))
}

fn unreadable(what: &str) -> StoreError {
    StoreError::Failed(format!("the stored context {what}").into())
}

/// Which version of a subscription is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainedVersion {
    /// The one that decided about the event.
    Then,
    /// The one that it has now.
    Now,
}

/// Why a subscription decided about an event as it did, or how it would decide now.
#[derive(Debug)]
pub struct ExplainedVerdict {
    /// The title of that version.
    pub title: String,
    pub version: u64,
    /// What it decided. Of another version than the one that decided: what it would decide, if its trigger was not true at
    /// the event before. None where it asks for events of other names.
    pub verdict: Option<DecisionKind>,
    pub explanation: Explanation,
}

#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    #[error("there is no such subscription")]
    UnknownSubscription,
    #[error("the subscription decided nothing about the event")]
    NoVerdict,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Explains a subscription for an event of the ledger, which came in as `event`.
///
/// # Errors
///
/// Where there is no such version, or the store fails.
pub async fn explain<S: Subscriptions>(
    store: &S,
    (stored, event): (&LedgerEvent, &Event),
    id: SubscriptionId,
    version: ExplainedVersion,
) -> Result<ExplainedVerdict, ExplainError> {
    let decided = stored.verdicts.iter().find(|verdict| verdict.subscription_id == id);
    let found = match (version, decided) {
        (ExplainedVersion::Then, Some(verdict)) => {
            store.subscription_version(&stored.tenant, id, verdict.version).await?
        }
        (ExplainedVersion::Now, _) | (_, None) => store.subscription(&stored.tenant, id).await?,
    };
    let subscription = found.ok_or(ExplainError::UnknownSubscription)?;
    if version == ExplainedVersion::Then && decided.is_none() {
        return Err(ExplainError::NoVerdict);
    }
    let evaluation = EventEvaluation::new(event, stored.accepted_at);
    let same_version = decided.filter(|verdict| verdict.version == subscription.version);
    Ok(ExplainedVerdict {
        title: subscription.settings.title.clone(),
        version: subscription.version,
        verdict: match same_version {
            Some(verdict) => Some(verdict.decision.kind()),
            None => would_decide(&subscription, &evaluation),
        },
        explanation: explain::explain(&subscription.settings, &evaluation),
    })
}

/// What a subscription decides about an event, if its trigger was not true before.
pub(crate) fn would_decide(
    subscription: &Subscription,
    evaluation: &EventEvaluation<'_>,
) -> Option<DecisionKind> {
    match subscription.evaluate(evaluation) {
        MatchResult::OtherName => None,
        MatchResult::NoMatch(decision) => Some(decision.kind()),
        MatchResult::Match => Some(DecisionKind::Delivered),
        MatchResult::Watched { watch, .. } if !watch.holds => Some(DecisionKind::TriggerFalse),
        MatchResult::Watched { allowed: false, .. } => Some(DecisionKind::RestrictionFalse),
        MatchResult::Watched { .. } => Some(DecisionKind::Delivered),
        MatchResult::FormulaError(_) => Some(DecisionKind::FormulaError),
    }
}
