//! Valid bodies of subscriptions and events, for a test to change.

use serde_json::{Value, json};

pub(crate) const PAYMENT: &str = "Payment Posted to Account";

/// A subscription to every event, without retries. `changes` replace its fields, those of `request` one by one.
#[expect(clippy::needless_pass_by_value, reason = "`json!` makes a value")]
pub(crate) fn subscription(url: &str, changes: Value) -> Value {
    let mut body = json!({
        "title": "Core banking: payment posted",
        "criteria": {"events": ["*"]},
        "request": {"url": url},
        "retry": {"delays": []},
    });
    for (field, value) in changes.as_object().expect("changes are an object") {
        match (field.as_str(), value.as_object()) {
            ("request", Some(request)) => {
                request.iter().for_each(|(name, value)| body["request"][name] = value.clone())
            }
            _ => body[field] = value.clone(),
        }
    }
    body
}

/// A payment on a loan.
pub(crate) fn event(loan: &str) -> Value {
    json!({"eventName": PAYMENT, "loanId": loan, "context": {"loan-display-id": loan, "status-days-past-due": 13}})
}

/// An event with this name and an empty context.
pub(crate) fn event_named(name: &str, loan: &str) -> Value {
    json!({"eventName": name, "loanId": loan, "context": {}})
}
