//! The catalogue of event types: the events that LoanPro documents for its webhooks, with the variables that its
//! articles show. Other names are accepted all the same.

use std::sync::LazyLock;

use serde::Deserialize;

use super::event_names::EventNames;

/// A list of `{"eventName", "variables"}`.
pub const JSON: &str = include_str!("../reference/event-types.json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventType {
    event_name: String,
}

/// The names of its events.
pub(super) static NAMES: LazyLock<EventNames> = LazyLock::new(|| {
    let types: Vec<EventType> = serde_json::from_str(JSON).unwrap_or_default();
    EventNames::of(types.iter().map(|event| event.event_name.as_str()))
});
