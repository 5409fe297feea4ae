//! Subscriptions to operational events, and their deliveries, which have no loan.

use serde_json::json;

use super::run_as_caller;
use crate::harness::{Journey, subscription, text};

#[tokio::test]
async fn a_subscription_to_operational_events_is_made_shown_and_tested_without_a_loan() {
    let j = Journey::start().await;
    let criteria = json!({"operational": ["subscription.failing", "job.finished"]});
    let body = subscription(&j.receiver.url("/ops"), json!({"title": "Pager", "criteria": criteria}));
    let create = ["subscriptions", "create", "-", "--json"];
    let created = run_as_caller(&j, &create, &body.to_string()).await.json();
    let id = text(&created["id"]);
    let shown = run_as_caller(&j, &["subscriptions", "get", id], "").await.expect_success();
    assert!(shown.contains("of loanhook itself: subscription.failing, job.finished"), "{shown}");
    let types = run_as_caller(&j, &["event-types"], "").await.expect_success();
    assert!(types.contains("certificate.expiring") && types.contains("days-left"), "{types}");

    let sent = run_as_caller(&j, &["subscriptions", "test", id], "").await.expect_success();
    let trace = sent.trim();
    j.api.ended_delivery(trace).await;
    assert_eq!(j.receiver.next_request().await.json()["eventName"], "subscription.failing");
    let details = run_as_caller(&j, &["trace", trace], "").await.expect_success();
    assert!(details.contains("subscription.failing") && !details.contains("Loan "), "{details}");
    let list = run_as_caller(&j, &["deliveries"], "").await.expect_success();
    assert!(list.contains(trace) && !list.contains("operational"), "{list}");
    let resent = run_as_caller(&j, &["resend", trace, "--wait"], "").await.expect_success();
    assert!(resent.contains("200"), "{resent}");
}
