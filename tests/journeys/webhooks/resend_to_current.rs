//! Resends to the URL that the subscription has now: `{"to": "current"}`.

use serde_json::{Value, json};

use crate::harness::rows::assert_failed_with;
use crate::harness::{
    ApiResponse, Journey, Received, Receiver, Reply, attempt_numbers, attempts_of, event, scaled_seconds,
    subscription_path, text,
};

async fn resend(j: &Journey, trace: &str, to: &str) -> ApiResponse {
    j.api.post(&format!("/v1/webhooks/{trace}/resend"), &json!({ "to": to })).await
}

/// What is the same wherever a delivery is sent: method, body, and the header that is made of the event.
fn frozen(request: &Received) -> (&str, &[u8], Option<&str>) {
    (&request.method, &request.body, request.header("x-loan"))
}

/// A delivery to `/old` that failed, by a subscription with these changes; the subscription, and the trace ID.
async fn failed_at_old(j: &Journey, changes: Value) -> (Value, String) {
    let created = j.subscribe("/old", changes).await;
    j.receiver.replies("/old", [Reply::status(500)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.delivery_after_attempts(&trace, 1).await;
    (created, trace)
}

#[tokio::test]
async fn it_arrives_at_the_new_url_and_the_schedule_goes_on_to_the_old() {
    let j = Journey::start().await;
    let headers = json!({"X-Loan": "loan [[v('loan-id')]]"});
    let changes = json!({"retry": {"delays": [scaled_seconds(4)]}, "request": {"headers": headers}});
    let (created, trace) = failed_at_old(&j, changes).await;
    let url = j.receiver.url("/new/[[v('loan-display-id')]]?past-due=[[v('status-days-past-due')]]");
    let moved =
        json!({"request": {"url": url, "method": "PUT", "payload": "{}", "headers": {"X-Loan": "another"}}});
    j.api.patch(&subscription_path(&created), &moved).await.expect_status(200);

    let asked = resend(&j, &trace, "current").await.expect_status(202).json();
    let delivery = j.api.delivery_after_attempts(&trace, 2).await;
    assert_eq!(delivery["status"], "pending");
    let (first, manual) = (&attempts_of(&delivery)[0], &attempts_of(&delivery)[1]);
    assert_eq!((&manual["id"], &manual["resendOf"]), (&asked["id"], &first["id"]));
    assert_eq!((&manual["method"], &manual["outcome"]), (&json!("POST"), &json!("succeeded")));
    assert_eq!((&first["subscriptionVersion"], &manual["subscriptionVersion"]), (&json!(1), &json!(2)));
    let row =
        j.api.get(&format!("/v1/loans/727/webhooks/{}", text(&asked["id"]))).await.expect_status(200).json();
    assert_eq!(row["destination"], j.receiver.url("/new/727?past-due=13"));

    let after = j.api.ended_delivery(&trace).await;
    assert_eq!(attempt_numbers(&after), [json!(1), json!("manual"), json!(2)]);
    assert_eq!(attempts_of(&after)[2]["destination"], j.receiver.url("/old"));
    // LoanPro's shape goes to the original URL.
    let retry = format!("/v1/webhook/retry/{trace}/manual");
    j.api.post(&retry, &json!({"to": "current"})).await.expect_status(202);
    j.api.delivery_after_attempts(&trace, 4).await;
    let seen = j.receiver.requests_of(&trace);
    let paths: Vec<_> = seen.iter().map(|request| request.path_and_query.as_str()).collect();
    assert_eq!(paths, ["/old", "/new/727?past-due=13", "/old", "/old"]);
    assert!(seen.iter().all(|request| frozen(request) == frozen(&seen[0])), "{seen:#?}");
    assert_eq!(seen[0].header("x-loan"), Some("loan 727"));
}

#[tokio::test]
async fn another_host_gets_its_own_credentials_and_no_others() {
    let j = Journey::start().await;
    let (created, trace) =
        failed_at_old(&j, json!({"request": {"headers": {"Authorization": "Bearer old"}}})).await;
    let other = Receiver::start().await;
    let moved = json!({"request": {"url": other.url("/new"), "headers": {"Authorization": "Bearer new"}}});
    j.api.patch(&subscription_path(&created), &moved).await.expect_status(200);

    for to in ["current", "original"] {
        resend(&j, &trace, to).await.expect_status(202);
    }
    j.api.delivery_after_attempts(&trace, 3).await;
    let there = other.requests();
    let [request] = there.as_slice() else { panic!("{there:#?}") };
    assert_eq!(request.header("authorization"), Some("Bearer new"));
    let here = j.receiver.requests();
    assert_eq!(here.len(), 2);
    assert!(here.iter().all(|request| request.header("authorization") == Some("Bearer old")), "{here:#?}");
    assert!(request.header("webhook-signature").is_some_and(|signature| signature.starts_with("v1,")));
}

#[tokio::test]
async fn without_a_current_url_it_is_409_and_the_original_can_still_be_resent() {
    let j = Journey::start().await;
    let (created, trace) = failed_at_old(&j, json!({})).await;
    let path = subscription_path(&created);
    let moved = json!({"request": {"url": j.receiver.url("/[[v('missing')]]")}});
    j.api.patch(&path, &moved).await.expect_status(200);
    let refused = resend(&j, &trace, "current").await.expect_problem(409);
    assert!(text(&refused["detail"]).contains("`missing`"), "{refused}");
    assert!(text(&refused["type"]).ends_with("url-not-rendered"), "{refused}");

    j.api.delete(&path).await.expect_status(204);
    let refused = resend(&j, &trace, "current").await.expect_problem(409);
    assert!(text(&refused["detail"]).contains("deleted"), "{refused}");
    assert!(text(&refused["type"]).ends_with("subscription-deleted"), "{refused}");
    assert_eq!(j.api.delivery(&trace).await["attempts"][0]["resends"], 0);

    resend(&j, &trace, "original").await.expect_status(202);
    j.api.delivery_after_attempts(&trace, 2).await;
    assert_eq!(j.receiver.requests_of(&trace)[1].path_and_query, "/old");
    let unknown = "/v1/webhooks/00000000-0000-4000-8000-000000000000/resend";
    j.api.post(unknown, &json!({"to": "current"})).await.expect_problem(404);
}

#[tokio::test]
async fn an_idempotency_key_stands_for_one_url() {
    let j = Journey::start().await;
    let (created, trace) = failed_at_old(&j, json!({})).await;
    let moved = json!({"request": {"url": j.receiver.url("/new")}});
    j.api.patch(&subscription_path(&created), &moved).await.expect_status(200);
    let path = format!("/v1/webhooks/{trace}/resend");
    let ask = async |key: &str, body: Value| {
        j.api.request("POST", &path).header("idempotency-key", key).json(&body).send().await
    };
    let current = ask("a", json!({"to": "current"})).await.expect_status(202).json();
    let original = ask("b", json!({})).await.expect_status(202).json();
    let check = async || {
        assert_eq!(ask("a", json!({"to": "current"})).await.expect_status(202).json(), current);
        assert_eq!(ask("b", json!({"to": "original"})).await.expect_status(202).json(), original);
        for (key, to) in [("a", "original"), ("b", "current")] {
            let refused = ask(key, json!({ "to": to })).await.expect_problem(409);
            assert!(text(&refused["type"]).ends_with("idempotency-key-reused"), "{refused}");
        }
    };
    check().await;
    j.api.delete(&subscription_path(&created)).await.expect_status(204);
    check().await;
    j.api.delivery_after_attempts(&trace, 3).await;
    let mut paths: Vec<_> =
        j.receiver.requests_of(&trace)[1..].iter().map(|request| request.path_and_query.clone()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/new", "/old"]);
}

#[tokio::test]
async fn the_body_is_optional_and_nothing_but_to() {
    let j = Journey::start().await;
    let (_, trace) = failed_at_old(&j, json!({})).await;
    let path = format!("/v1/webhooks/{trace}/resend");
    for (body, pointer) in [
        (json!({"to": "elsewhere"}), "/to"),
        (json!({"to": null}), "/to"),
        (json!({"to": 1}), "/to"),
        (json!({"url": "https://core.example.com/"}), "/url"),
        (json!(["current"]), ""),
        (json!(null), ""),
    ] {
        let problem = j.api.post(&path, &body).await.expect_problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
    }
    j.api.request("POST", &path).body("{\"to\"".to_owned()).send().await.expect_problem(400);
    let reader = j.api.with_new_key("reader", &["history:read"]).await;
    reader.post(&path, &json!({"to": "current"})).await.expect_problem(403);
    assert_eq!(j.api.delivery(&trace).await["attempts"][0]["resends"], 0);

    j.api.post(&path, &json!({})).await.expect_status(202);
    j.api.post_without_body(&path).await.expect_status(202);
    j.api.delivery_after_attempts(&trace, 3).await;
}

#[tokio::test]
async fn a_new_url_is_guarded_as_any_other() {
    let j = Journey::start().await;
    let (created, trace) = failed_at_old(&j, json!({})).await;
    let moved = json!({"request": {"url": "http://169.254.169.254/latest"}});
    j.api.patch(&subscription_path(&created), &moved).await.expect_status(200);
    resend(&j, &trace, "current").await.expect_status(202);
    let delivery = j.api.delivery_after_attempts(&trace, 2).await;
    let row = &attempts_of(&delivery)[1];
    assert_failed_with(row, "blocked");
    assert_eq!(row["destination"], "http://169.254.169.254/latest");
}
