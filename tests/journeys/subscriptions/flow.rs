//! Flow settings: their defaults and bounds, and what a PUT and a PATCH make of them.

use serde_json::{Value, json};

use crate::harness::{Journey, subscription, subscription_path};

/// What a subscription shows of which nothing is set.
fn nothing_set() -> Value {
    json!({
        "maxInFlight": null, "maxPerSecond": null, "order": "none",
        "stepAsideAfterSeconds": null, "holdAfterFailures": null
    })
}

#[tokio::test]
async fn without_flow_settings_nothing_is_limited() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    assert_eq!(created["flow"], nothing_set());
    for flow in [Value::Null, json!({}), json!({"order": "none", "maxInFlight": null}), nothing_set()] {
        let created = j.subscribe("/hook", json!({"flow": flow})).await;
        assert_eq!(created["flow"], nothing_set());
    }
}

#[tokio::test]
async fn flow_settings_are_read_as_they_were_set_and_changed_by_put_and_patch() {
    let j = Journey::start().await;
    let set = json!({
        "maxInFlight": 5, "maxPerSecond": 2.5, "order": "loan", "stepAsideAfterSeconds": 600, "holdAfterFailures": 10
    });
    let created = j.subscribe("/hook", json!({"flow": set})).await;
    let path = subscription_path(&created);
    assert_eq!((&created["flow"], &j.api.get(&path).await.json()["flow"]), (&set, &set));
    let mut expected = set;
    for (patch, changes) in [
        (json!({"title": "Renamed"}), vec![]),
        (json!({"flow": {"maxInFlight": 1000}}), vec![("maxInFlight", json!(1000))]),
        (
            json!({"flow": {"maxPerSecond": 10_000, "stepAsideAfterSeconds": null}}),
            vec![("maxPerSecond", json!(10_000)), ("stepAsideAfterSeconds", Value::Null)],
        ),
        (
            json!({"flow": {"maxPerSecond": 0.1, "order": null}}),
            vec![("maxPerSecond", json!(0.1)), ("order", json!("none"))],
        ),
    ] {
        for (name, value) in changes {
            expected[name] = value;
        }
        let patched = j.api.patch(&path, &patch).await.expect_status(200).json();
        assert_eq!(patched["flow"], expected, "{patch}");
    }
    let put = subscription(&j.receiver.url("/hook"), json!({}));
    let replaced = j.api.put(&path, &put).await.expect_status(200).json();
    assert_eq!(replaced["flow"], nothing_set(), "a PUT resets what it leaves out");
    j.api.patch(&path, &json!({"flow": {"holdAfterFailures": 3}})).await.expect_status(200);
    let reset = j.api.patch(&path, &json!({"flow": null})).await.expect_status(200).json();
    assert_eq!(reset["flow"], nothing_set());
}

#[tokio::test]
async fn a_flow_setting_beyond_its_bounds_is_422() {
    let j = Journey::start().await;
    for (flow, pointer) in [
        (json!({"maxInFlight": 0}), "/flow/maxInFlight"),
        (json!({"maxInFlight": 1001}), "/flow/maxInFlight"),
        (json!({"maxInFlight": 1.5}), "/flow/maxInFlight"),
        (json!({"maxPerSecond": 0}), "/flow/maxPerSecond"),
        (json!({"maxPerSecond": 0.05}), "/flow/maxPerSecond"),
        (json!({"maxPerSecond": 10_001}), "/flow/maxPerSecond"),
        (json!({"maxPerSecond": "5"}), "/flow/maxPerSecond"),
        (json!({"order": "event"}), "/flow/order"),
        (json!({"stepAsideAfterSeconds": 59}), "/flow/stepAsideAfterSeconds"),
        (json!({"stepAsideAfterSeconds": 2_592_001}), "/flow/stepAsideAfterSeconds"),
        (json!({"holdAfterFailures": 2}), "/flow/holdAfterFailures"),
        (json!({"holdAfterFailures": 1001}), "/flow/holdAfterFailures"),
        (json!({"maxAtOnce": 5}), "/flow/maxAtOnce"),
        (json!([5]), "/flow"),
    ] {
        let body = subscription(&j.receiver.url("/hook"), json!({"flow": flow}));
        let problem = j.api.post("/v1/subscriptions", &body).await.expect_problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{flow}: {problem}");
    }
    let path = subscription_path(&j.subscribe("/hook", json!({})).await);
    j.api.patch(&path, &json!({"flow": {"maxAtOnce": null}})).await.expect_errors_at(&["/flow/maxAtOnce"]);
}
