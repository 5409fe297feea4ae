//! Tenant isolation: what belongs to another tenant looks like what does not exist.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::request_bodies::PAYMENT;
use crate::harness::{Api, Journey, event, items_of, subscription, text};

#[tokio::test]
async fn what_belongs_to_another_tenant_is_the_same_404_as_what_does_not_exist() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let key = j
        .api
        .post("/v1/keys", &json!({"name": "ours", "scopes": ["history:read"]}))
        .await
        .expect_status(201)
        .json();
    let stranger = j.other_tenant().await;
    let event_id = text(&delivery["eventId"]);
    let (of_ours, of_nobody) = (
        [
            text(&created["id"]),
            text(&delivery["traceId"]),
            text(&delivery["attempts"][0]["id"]),
            text(&key["id"]),
            event_id,
        ],
        [
            &Uuid::new_v4().to_string(),
            &Uuid::new_v4().to_string(),
            &Uuid::now_v7().to_string(),
            &Uuid::now_v7().to_string(),
            &Uuid::now_v7().to_string(),
        ],
    );
    let replacement = subscription("https://example.com", json!({}));
    let calls = [
        ("GET", "/v1/subscriptions/{0}", Value::Null),
        ("PUT", "/v1/subscriptions/{0}", replacement),
        ("DELETE", "/v1/subscriptions/{0}", Value::Null),
        ("POST", "/v1/subscriptions/{0}/rotate-secret", Value::Null),
        ("POST", "/v1/subscriptions/{0}/test", json!({"loanId": "727"})),
        ("GET", "/v1/webhooks/{1}", Value::Null),
        ("POST", "/v1/webhooks/{1}/resend", Value::Null),
        ("POST", "/v1/webhooks/{1}/cancel", Value::Null),
        ("POST", "/v1/webhook/retry/{1}/1", Value::Null),
        ("POST", "/api/public/api/1/webhook/retry/{1}/1", Value::Null),
        ("GET", "/v1/loans/727/webhooks/{2}", Value::Null),
        ("GET", "/v1/loans/727/webhooks/{2}/source", Value::Null),
        ("GET", "/v1/loans/727/webhooks/{2}/response", Value::Null),
        ("DELETE", "/v1/keys/{3}", Value::Null),
        ("GET", "/v1/events/{4}", Value::Null),
        ("GET", "/v1/events/{4}/context", Value::Null),
        ("GET", "/v1/events/{4}/explain?subscriptionId={0}", Value::Null),
        ("GET", "/v1/events/{4}/explain?subscriptionId={0}&version=now", Value::Null),
    ];
    for (method, path, body) in &calls {
        let ask = async |ids: [&str; 5]| {
            let path = (0..5).fold((*path).to_owned(), |path, n| path.replace(&format!("{{{n}}}"), ids[n]));
            let asked = stranger.request(method, &path);
            let asked = if body.is_null() { asked } else { asked.json(body) };
            let problem = asked.send().await.expect_problem(404).to_string();
            (0..5).fold(problem, |problem, n| problem.replace(ids[n], "ID"))
        };
        assert_eq!(ask(of_ours).await, ask(of_nobody.map(String::as_str)).await, "{method} {path}");
    }
    let key_still_works = j.api.with_key(Some(text(&key["key"])));
    assert_eq!(key_still_works.delivery(text(&delivery["traceId"])).await, delivery, "nothing changed");
    assert_eq!(j.receiver.requests().len(), 1, "nothing was sent");
}

#[tokio::test]
async fn lists_show_only_the_tenant_of_the_key() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let stranger = j.other_tenant().await;

    assert_eq!(stranger.get("/v1/subscriptions").await.expect_status(200).json()["items"], json!([]));
    assert_eq!(
        stranger.get("/v1/keys").await.expect_status(200).json()["items"].as_array().map(Vec::len),
        Some(1)
    );
    let ours = [
        ("traceId", text(&delivery["traceId"])),
        ("subscriptionId", text(&created["id"])),
        ("outcome", "succeeded"),
    ];
    assert!(stranger.rows("727", "").await.is_empty());
    let events =
        async |api: &Api| items_of(&api.get("/v1/loans/727/events").await.expect_status(200).json()).len();
    assert_eq!((events(&stranger).await, events(&j.api).await), (0, 1));
    for (name, value) in ours {
        assert!(stranger.rows("727", &format!("?{name}={value}")).await.is_empty());
        assert_eq!(j.api.rows("727", &format!("?{name}={value}")).await.len(), 1);
    }
}

#[tokio::test]
async fn the_same_loan_id_in_two_tenants_is_two_loans() {
    let j = Journey::start().await;
    let stranger = j.other_tenant().await;
    j.subscribe("/ours", json!({})).await;
    stranger.subscribe(&subscription(&j.receiver.url("/theirs"), json!({}))).await;
    for (api, path) in [(&j.api, "/ours"), (&stranger, "/theirs")] {
        let trace = api.send_one(&event("727")).await;
        api.ended_delivery(&trace).await;
        let request = j.receiver.next_request().await;
        assert_eq!((request.path_and_query.as_str(), request.trace_id()), (path, trace.as_str()));
        let rows = api.rows("727", "").await;
        assert_eq!(rows.len(), 1);
        assert_eq!((&rows[0]["traceId"], &rows[0]["eventName"]), (&json!(trace), &json!(PAYMENT)));
    }
}

#[tokio::test]
async fn a_cursor_of_one_tenant_shows_nothing_to_another() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    for _ in 0..3 {
        j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    }
    let page = j.api.get("/v1/loans/727/webhooks?limit=1").await.expect_status(200).json();
    let events = j.api.get("/v1/loans/727/events?limit=1").await.expect_status(200).json();
    let stranger = j.other_tenant().await;
    for (list, page) in [("webhooks", page), ("events", events)] {
        let path = format!("/v1/loans/727/{list}?limit=1&cursor={}", text(&page["next"]));
        let answer = stranger.get(&path).await;
        assert!(answer.status == 422 || answer.json()["items"] == json!([]), "{answer:?}");
    }
}
