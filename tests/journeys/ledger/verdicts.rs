//! Verdicts of every kind, and what became of the deliveries of an event.

use serde_json::{Value, json};

use super::{accepted, event_of, events, past_due, verdicts};
use crate::harness::{Journey, Reply, event, subscription, subscription_path, text};

/// The verdict of the subscription with this title.
fn verdict_of<'a>(event: &'a Value, title: &str) -> &'a Value {
    let verdicts = event["verdicts"].as_array().expect("verdicts");
    verdicts.iter().find(|verdict| verdict["title"] == title).expect(title)
}

#[tokio::test]
async fn an_event_has_the_verdict_of_every_subscription_that_asks_for_it() {
    let j = Journey::start().await;
    let trigger = |formula: &str, fire: &str| json!({"trigger": formula, "fire": fire});
    for (title, changes) in [
        ("All", json!({})),
        ("Very late", json!({"criteria": trigger("(> status-days-past-due 60)", "every-match")})),
        ("Late", json!({"criteria": trigger("(> status-days-past-due 30)", "on-change")})),
        ("Restricted", json!({"restriction": "(= loan-status \"Closed\")"})),
        ("Disabled", json!({"enabled": false})),
        ("Fails", json!({"criteria": trigger("(> no-such-variable 1)", "every-match")})),
        ("Others", json!({"criteria": {"events": ["Payment Reversed"]}})),
    ] {
        let mut changes = changes;
        changes["title"] = json!(title);
        j.subscribe("/hook", changes).await;
    }
    for late in ["delivered", "already_true"] {
        let id = accepted(&j.api, &past_due("727", 31)).await;
        let event = event_of(&j.api, &id).await;
        assert_eq!(
            verdicts(&event),
            [
                ("All", "delivered"),
                ("Disabled", "disabled"),
                ("Fails", "formula_error"),
                ("Late", late),
                ("Restricted", "restriction_false"),
                ("Very late", "trigger_false"),
            ]
        );
        for verdict in event["verdicts"].as_array().expect("verdicts") {
            let kind = text(&verdict["verdict"]);
            assert_eq!(verdict["version"], 1);
            assert_eq!(verdict["traceId"].is_string(), kind == "delivered", "{verdict}");
            assert_eq!(verdict["status"].is_string(), kind == "delivered", "{verdict}");
            assert_eq!(verdict["detail"].is_string(), kind == "formula_error", "{verdict}");
        }
        let trace = text(&verdict_of(&event, "All")["traceId"]);
        assert_eq!(j.api.delivery(trace).await["eventId"], id);
    }
    assert_eq!(events(&j.api, "727", "").await.len(), 2);
}

#[tokio::test]
async fn a_verdict_names_the_version_that_decided() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({"title": "Before", "enabled": false})).await;
    let first = accepted(&j.api, &event("727")).await;
    let after = subscription(&j.receiver.url("/hook"), json!({"title": "After"}));
    j.api.put(&subscription_path(&created), &after).await.expect_status(200);
    let second = accepted(&j.api, &event("727")).await;
    j.api.delete(&subscription_path(&created)).await.expect_status(204);
    let third = accepted(&j.api, &event("727")).await;

    let first = event_of(&j.api, &first).await;
    assert_eq!(verdicts(&first), [("Before", "disabled")]);
    let second = event_of(&j.api, &second).await;
    assert_eq!(verdicts(&second), [("After", "delivered")]);
    assert_eq!((&first["verdicts"][0]["version"], &second["verdicts"][0]["version"]), (&json!(1), &json!(2)));
    assert_eq!(event_of(&j.api, &third).await["verdicts"], json!([]));
}

#[tokio::test]
async fn a_verdict_shows_what_became_of_its_delivery() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"title": "Hook", "retry": {"delays": [3600]}})).await;
    let status = async |id: &str| text(&event_of(&j.api, id).await["verdicts"][0]["status"]).to_owned();

    let good = accepted(&j.api, &event("727")).await;
    let trace = event_of(&j.api, &good).await["verdicts"][0]["traceId"].clone();
    j.api.ended_delivery(text(&trace)).await;
    assert_eq!(status(&good).await, "succeeded");

    j.receiver.replies("/hook", [Reply::status(503)]);
    let bad = accepted(&j.api, &event("727")).await;
    let trace = event_of(&j.api, &bad).await["verdicts"][0]["traceId"].clone();
    j.api.delivery_after_attempts(text(&trace), 1).await;
    assert_eq!(status(&bad).await, "pending");
    j.api.post_without_body(&format!("/v1/webhooks/{}/cancel", text(&trace))).await.expect_status(200);
    assert_eq!(status(&bad).await, "canceled");
}
