//! Client certificates that end soon.

use std::time::SystemTime;

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{observer, told, with_window};
use crate::harness::certificates::Authority;
use crate::harness::server::new_folder;
use crate::harness::{Journey, subscription_path};

/// TLS settings with a certificate that ends in about so many days: at the begin of that day.
fn tls(authority: &Authority, name: &str, days: i64) -> Value {
    let end = DateTime::<Utc>::from(SystemTime::now()) + TimeDelta::days(days);
    let (certificate, key) = authority.client_until(name, (end.year(), end.month(), end.day()));
    json!({"clientCertificate": certificate, "clientKey": key})
}

async fn subscribe(j: &Journey, title: &str, tls: Value) -> Value {
    let request = json!({"url": "https://core.example.com/hook", "tls": tls});
    j.subscribe("/unused", json!({"title": title, "criteria": {"events": ["None"]}, "request": request}))
        .await
}

fn days(events: &[Value]) -> Vec<(Value, u64)> {
    let left = |event: &Value| event["daysLeft"].as_u64().expect("a number");
    events.iter().map(|event| (event["title"].clone(), left(event))).collect()
}

#[tokio::test]
async fn the_nearest_notice_is_given_once_over_restarts_and_again_for_another_certificate() {
    let folder = new_folder();
    let Some(j) = with_window(&folder, 600).await else { return };
    let authority = Authority::new("ours");
    subscribe(&j, "Far", tls(&authority, "far", 90)).await;
    let soon = subscribe(&j, "Soon", tls(&authority, "soon", 20)).await;
    let pager = observer(&j, &["certificate.expiring"]).await;
    let events = told(&j, &pager).await;
    assert_eq!(days(&events), [("Soon".into(), 20)], "{events:#?}");
    assert_eq!((&events[0]["subscriptionId"], &events[0]["subject"]), (&soon["id"], &json!("CN=soon")));
    let shown = j.api.get(&subscription_path(&soon)).await.expect_status(200).json();
    assert_eq!(events[0]["expiresAt"], shown["request"]["tls"]["expiresAt"]);

    j.server.kill();
    j.server.restart().await;
    assert_eq!(told(&j, &pager).await, events, "once");
    // One that ends tomorrow has three notices behind it, and is told of once.
    let next = json!({"request": {"tls": tls(&authority, "tomorrow", 1)}});
    j.api.patch(&subscription_path(&soon), &next).await.expect_status(200);
    let events = told(&j, &pager).await;
    assert_eq!(days(&events), [("Soon".into(), 20), ("Soon".into(), 1)], "{events:#?}");
}
