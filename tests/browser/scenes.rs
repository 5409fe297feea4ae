//! A loan with a history, and the links to its page.

use serde_json::{Value, json};

use crate::browser::Look;
use crate::harness::{Api, Gate, Journey, Reply, event, text};
use crate::tab::Tab;

pub(crate) const ALL: [&str; 2] = ["history:read", "webhooks:resend"];

/// A link to a loan's page, as an address.
pub(crate) async fn link(api: &Api, loan: &str, scopes: &[&str]) -> String {
    let body = json!({"loanId": loan, "scopes": scopes, "viewer": "jane@lender.example"});
    text(&api.post("/v1/portal-links", &body).await.is(201).json()["url"]).to_owned()
}

/// A journey and the page of its loan 727, opened by a link that allows everything.
pub(crate) async fn opened(j: &Journey, look: Look) -> Option<Tab> {
    Tab::open(look, &link(&j.api, "727", &ALL).await).await
}

/// A webhook of loan 727 is being sent, until the gate opens.
pub(crate) async fn under_way(j: &Journey) -> Gate {
    j.subscribe("/hook", json!({"timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::ok().held(&gate)]);
    j.api.send_one(&event("727")).await;
    j.receiver.next().await;
    gate
}

/// A delivery of loan 727 that failed once and then arrived; its rows, the oldest first.
pub(crate) async fn retried(j: &Journey) -> Vec<Value> {
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
    let delivery = j.api.settled(&trace).await;
    delivery["attempts"].as_array().expect("rows").clone()
}
