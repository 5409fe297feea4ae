//! `GET /v1/event-types` and `GET /v1/egress`: what any key may read.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Journey, event, items_of, text};

#[tokio::test]
async fn event_types_list_variables_and_other_event_names_are_accepted_too() {
    let j = Journey::start().await;
    let catalogue = j.api.get("/v1/event-types").await.expect_status(200).json();
    let items = items_of(&catalogue);
    let payment = items
        .iter()
        .find(|item| item["eventName"] == "Payment Posted to Account")
        .expect("the most common event");
    let variables: Vec<_> = payment["variables"].as_array().expect("variables").iter().map(text).collect();
    assert!(variables.contains(&"status-days-past-due"), "{variables:?}");
    assert!(items.iter().all(|item| {
        item["variables"].as_array().is_some_and(|variables| variables.iter().all(Value::is_string))
    }));
    let names: BTreeSet<_> = items.iter().map(|item| text(&item["eventName"])).collect();
    assert_eq!(names.len(), items.len(), "each once");
    assert!(!names.contains("This lender's own"));
    j.api.send_event(&crate::harness::event_named("This lender's own", "727")).await;
}

#[tokio::test]
async fn egress_lists_the_addresses_that_requests_come_from() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let egress = j.api.get("/v1/egress").await.expect_status(200).json();
    assert!(egress["static"].is_boolean(), "{egress}");
    let addresses = egress["addresses"].as_array().expect("addresses");
    assert!(addresses.contains(&delivery["attempts"][0]["sourceIp"]), "{egress}");
    assert!(addresses.iter().all(|address| text(address).parse::<std::net::IpAddr>().is_ok()), "{egress}");
}

#[tokio::test]
async fn event_types_are_those_of_the_reference_file() {
    let j = Journey::start().await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/core/reference/event-types.json");
    let catalogue: Value =
        serde_json::from_slice(&std::fs::read(path).expect("the catalogue")).expect("it is JSON");
    assert!(catalogue.as_array().is_some_and(|types| types.len() > 5));
    assert_eq!(j.api.get("/v1/event-types").await.expect_status(200).json()["items"], catalogue);
}

#[tokio::test]
async fn event_types_and_egress_need_a_key_of_any_scope() {
    let j = Journey::start().await;
    let mut callers = Vec::new();
    for scope in crate::harness::journey::ALL_SCOPES {
        callers.push(j.api.with_new_key(scope, &[scope]).await);
    }
    let operator = json!({"name": "operator", "scopes": ["operator"], "tenant": j.tenant});
    let created = j.operator().post("/v1/keys", &operator).await.expect_status(201).json();
    callers.push(j.api.with_key(Some(text(&created["key"]))));
    for path in ["/v1/event-types", "/v1/egress"] {
        for caller in &callers {
            caller.get(path).await.expect_status(200);
        }
        j.api.with_key(None).get(path).await.expect_problem(401);
    }
}
