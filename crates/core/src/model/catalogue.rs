//! The catalogue of event types: the events that LoanPro documents for its webhooks, with the variables that its
//! articles show. Other names are accepted all the same.

use std::sync::LazyLock;

use serde::Deserialize;

use super::event_names::EventNames;

/// A list of `{"eventName", "variables"}`.
const JSON: &str = include_str!("../../reference/event-types.json");

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventType {
    pub event_name: String,
    /// The variables of its context.
    pub variables: Vec<String>,
}

/// The event types.
pub static TYPES: LazyLock<Vec<EventType>> = LazyLock::new(|| serde_json::from_str(JSON).unwrap_or_default());

/// The names of its events.
pub(super) static NAMES: LazyLock<EventNames> =
    LazyLock::new(|| EventNames::of(TYPES.iter().map(|event| event.event_name.as_str())));
