//! Scenes that tests begin with: a loan with a history, and links to its page.

use serde_json::{Value, json};

use crate::browser::Look;
use crate::harness::{
    Api, Gate, Journey, Reply, attempts_of, event, event_named, eventually, items_of, text,
};
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

/// A page of all loans, by a sign-in with the key of the journey. None where there is no browser.
pub(crate) async fn sign_in(j: &Journey, look: Look, path: &str) -> Option<Tab> {
    let base = j.server.base_url().expect("it runs");
    let next = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", path).finish();
    let tab = Tab::open(look, &format!("{base}/sign-in?{next}")).await?;
    tab.one("#key").await.send_keys(j.api.key()).await.expect("the key is typed");
    tab.click("button.primary").await;
    tab.one("header.site").await;
    Some(tab)
}

/// A tenant with deliveries of each status in several loans, a webhook that fails, one that is held, and an event that no webhook
/// wants.
pub(crate) async fn busy_tenant(j: &Journey) {
    let only = |title: &str, event: &str, delays: Value| json!({"title": title, "criteria": {"events": [event]}, "retry": {"delays": delays}});
    j.subscribe("/bank", only("Core banking: payment posted", "Payment Posted", json!([]))).await;
    j.subscribe("/collections", only("Collections: autopay failed", "Autopay Failed", json!([3600]))).await;
    j.subscribe("/data", only("Data team: status changed", "Status Changed", json!([]))).await;
    j.receiver.always("/collections", Reply::status(503));
    for (number, event) in
        ["Payment Posted", "Payment Posted", "Status Changed", "Payment Posted"].into_iter().enumerate()
    {
        let trace = j.api.send_one(&event_named(event, &format!("72{number}"))).await;
        j.api.ended_delivery(&trace).await;
    }
    j.receiver.always("/data", Reply::status(404));
    let failed = j.api.send_one(&event_named("Status Changed", "731")).await;
    j.api.ended_delivery(&failed).await;
    let pending = j.api.send_one(&event_named("Autopay Failed", "732")).await;
    j.api.delivery_after_attempts(&pending, 1).await;
    let held = j.subscribe("/app", only("Borrower app: notices", "Notice Sent", json!([]))).await;
    let hold = format!("/v1/subscriptions/{}/hold", text(&held["id"]));
    j.api.post_without_body(&hold).await.expect_status(200);
    j.api.send_one(&event_named("Notice Sent", "733")).await;
    j.api.send_event(&event_named("Address Changed", "734")).await;
}

/// The same, once the overview has all of it: on AWS it is counted a minute later.
pub(crate) async fn counted_busy_tenant(j: &Journey) {
    busy_tenant(j).await;
    eventually("all events are counted", async || {
        let report = j.api.get("/v1/reports/deliveries").await.expect_status(200).json();
        let accepted = items_of(&report).iter().filter_map(|row| row["eventsAccepted"].as_u64());
        // In their order, so that what became of them is counted with the last one.
        (accepted.sum::<u64>() == 8).then_some(())
    })
    .await;
}
