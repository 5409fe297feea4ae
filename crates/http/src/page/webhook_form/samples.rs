//! Sample variables of events: what a webhook is tried on, and sent as a test, where there is no event.

use serde_json::{Map, Value, json};

use loanhook_core::model::catalogue;
use loanhook_core::model::subscription::Criteria;

/// The name of a sample: the first that the criteria ask for, or the first of the catalogue.
pub(in crate::page) fn name(criteria: &Criteria) -> String {
    let named = match criteria {
        Criteria::Events(names) => names.iter().find(|name| *name != "*").cloned(),
        Criteria::Trigger { .. } | Criteria::Operational(_) => None,
    };
    let first = || catalogue::TYPES.first().map(|of| of.event_name.clone());
    named.or_else(first).unwrap_or_else(|| "Test".to_owned())
}

/// The variables that the catalogue has of an event, with sample values; those of its first event for a name that it does not have.
pub(in crate::page) fn context(name: &str) -> String {
    let named = catalogue::TYPES.iter().find(|of| of.event_name == name).or(catalogue::TYPES.first());
    let variables = named.into_iter().flat_map(|of| &of.variables);
    let context: Map<_, _> = variables.map(|name| (name.clone(), value(name))).collect();
    serde_json::to_string_pretty(&context).unwrap_or_else(|_| "{}".to_owned())
}

/// Whether these variables are those of a sample as it was filled in: nobody typed them.
pub(super) fn is_filled_in(typed: &str) -> bool {
    let typed = typed.replace('\r', "");
    catalogue::TYPES.iter().any(|of| context(&of.event_name) == typed)
}

fn value(name: &str) -> Value {
    let has = |part: &str| name.split('-').any(|word| word == part);
    match name {
        "payments" | "unfulfilled-promises" => json!([]),
        "status-stoplight" => json!(false),
        "loan-status" | "loan-status-previous" => json!("Open"),
        _ if has("id") => json!("727"),
        _ if has("date") => json!("2026-11-23"),
        _ if has("time") => json!("2026-11-23T10:00:00Z"),
        _ if has("due") && has("days") => json!(13),
        _ if has("age") => json!(180),
        _ if has("amount") || has("balance") || has("payoff") || has("perdiem") => json!(250.5),
        _ if has("email") => json!("jane@example.com"),
        _ => json!("sample"),
    }
}
