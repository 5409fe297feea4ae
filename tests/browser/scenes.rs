//! Scenes that tests begin with: a loan with a history, and links to its page.

use serde_json::{Value, json};

use crate::browser::Look;
use crate::harness::{Api, Gate, Journey, Reply, attempts_of, event};
use crate::tab::Tab;

pub(crate) const ALL: [&str; 2] = ["history:read", "webhooks:resend"];

/// The URL of a portal link to a loan's page.
pub(crate) async fn link(api: &Api, loan: &str, scopes: &[&str]) -> String {
    api.portal_link(loan, json!({"scopes": scopes, "viewer": "jane@lender.example"})).await
}

/// The page of loan 727, opened by a link with every scope.
pub(crate) async fn open_page(j: &Journey, look: Look) -> Option<Tab> {
    Tab::open(look, &link(&j.api, "727", &ALL).await).await
}

/// Starts an attempt of loan 727 that is sending until the gate opens.
pub(crate) async fn sending_attempt(j: &Journey) -> Gate {
    j.subscribe("/hook", json!({"timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::ok().held(&gate)]);
    j.api.send_one(&event("727")).await;
    j.receiver.next_request().await;
    gate
}

/// A delivery of loan 727 that failed once and then arrived; its rows, the oldest first.
pub(crate) async fn retried_delivery(j: &Journey) -> Vec<Value> {
    j.subscribe("/hook", json!({"title": "Core banking: payment posted", "retry": {"delays": [1]}})).await;
    let json = [("Content-Type", "application/json")];
    j.receiver.replies(
        "/hook",
        [
            Reply::with(503, &[("Content-Type", "text/plain"), ("Retry-After", "1")], b"try again later"),
            Reply::with(200, &json, br#"{"received": true, "amount": 250.00}"#),
        ],
    );
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.ended_delivery(&trace).await;
    attempts_of(&delivery).clone()
}
