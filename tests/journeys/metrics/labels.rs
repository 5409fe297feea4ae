//! Labels: bounded, and nothing of a loan.

use serde_json::json;

use super::Metrics;
use crate::harness::{event_named, items_of};

/// How many subscriptions have series of their own.
const MAX_SUBSCRIPTIONS: usize = 200;
const TENANTS: usize = 2;
const PER_TENANT: usize = 120;

#[tokio::test]
async fn the_series_of_many_subscriptions_are_bounded_and_count_everything() {
    let Some(j) = super::journey().await else { return };
    let tenants = [j.api.clone(), j.other_tenant().await];
    let loan = "loan-with-a-name-of-its-own";
    for api in &tenants {
        for _ in 0..PER_TENANT {
            let url = j.receiver.url("/hook?token=secret");
            api.subscribe(&crate::harness::subscription(&url, json!({}))).await;
        }
        for trace in api.send_event(&event_named("Posted", loan)).await {
            api.ended_delivery(&trace).await;
        }
    }
    let metrics = Metrics::read(&j).await;
    let all = (TENANTS * PER_TENANT) as u64;
    for name in
        ["loanhook_attempts_total", "loanhook_deliveries_accepted_total", "loanhook_response_seconds_count"]
    {
        assert_eq!(metrics.sum(name, &[]), all, "{name}");
        let others = metrics.sum(name, &[("tenant", "other"), ("subscription", "other")]);
        assert_eq!(others, all - MAX_SUBSCRIPTIONS as u64, "{name}");
    }
    assert!(metrics.samples().count() < 6_000, "{} series", metrics.samples().count());

    let rows = items_of(&j.api.get("/v1/webhooks?limit=200").await.expect_status(200).json()).clone();
    let traces: Vec<_> = rows.iter().map(|row| row["traceId"].as_str().expect("a trace")).collect();
    for value in metrics.samples().flat_map(|sample| sample.labels.values()) {
        assert!(!value.contains(loan) && !value.contains("http") && !value.contains('/'), "{value}");
        assert!(!value.contains("secret") && !traces.contains(&value.as_str()), "{value}");
    }
}
