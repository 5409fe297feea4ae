//! The address guard: no request goes to an address that is not public, unless the operator allows its network.

use serde_json::{Value, json};

use crate::harness::rows::assert_failed_with;
use crate::harness::{Journey, Launch, Server, attempts_of, event, subscription, text};

/// The deliveries of one event to all of these URLs, on a process that allows `networks`.
async fn deliveries(networks: &[&str], urls: &[String]) -> Option<(Journey, Vec<Value>)> {
    let networks = networks.iter().map(|&network| network.to_owned()).collect();
    let j = Journey::on_server(
        Server::own_process_with(Launch { allowed_networks: networks, ..Launch::default() }).await?,
    )
    .await;
    for url in urls {
        let retried = json!({"title": url, "retry": {"delays": [1, 1]}, "timeoutSeconds": 5});
        j.api.subscribe(&subscription(url, retried)).await;
    }
    let mut settled = Vec::new();
    for trace in j.api.send_event(&event("727")).await {
        settled.push(j.api.ended_delivery(&trace).await);
    }
    assert_eq!(settled.len(), urls.len());
    Some((j, settled))
}

#[track_caller]
fn all_blocked(deliveries: &[Value]) {
    for delivery in deliveries {
        assert_eq!(delivery["status"], "failed", "{delivery:#}");
        assert_eq!(attempts_of(delivery).len(), 1, "no retries: {delivery:#}");
        let row = &delivery["attempts"][0];
        assert_failed_with(row, "blocked");
        let phase = &row["error"]["phase"];
        assert!(phase == "prepare" || phase == "resolve", "{row:#}");
        let detail = text(&row["error"]["detail"]);
        assert!(!detail.contains("loopback") && !detail.contains("127.0.0.1"), "no inside address: {detail}");
        assert!(row["nextAttemptAt"].is_null());
    }
}

#[tokio::test]
async fn loopback_addresses_are_blocked_in_every_notation() {
    let receiver = crate::harness::Receiver::start().await;
    let port = receiver.port();
    let hosts = [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "2130706433",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "127.1",
        "127.0.0.1.",
        "127.8.9.10",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:ffff:7f00:1]",
        "0.0.0.0",
        "[::]",
    ];
    let urls: Vec<_> = hosts
        .iter()
        .flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}:{port}/hook")))
        .collect();
    let Some((_j, deliveries)) = deliveries(&[], &urls).await else { return };
    all_blocked(&deliveries);
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn addresses_that_are_not_public_are_blocked() {
    let hosts = [
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "192.0.2.1",
        "240.0.0.1",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::a00:1]",
        "[2002:a00:1::]",
    ];
    let urls: Vec<_> = hosts.iter().map(|host| format!("https://{host}/hook")).collect();
    let Some((_j, deliveries)) = deliveries(&[], &urls).await else { return };
    all_blocked(&deliveries);
}

#[tokio::test]
async fn http_is_blocked_outside_allowed_networks() {
    let receiver = crate::harness::Receiver::start().await;
    let blocked = [
        receiver.url("/hook"),
        "http://93.184.216.34/hook".to_owned(),
        "http://[2606:4700::1111]/hook".to_owned(),
    ];
    let Some((_j, refused)) = deliveries(&["10.0.0.0/8", "127.0.0.2/32"], &blocked).await else { return };
    all_blocked(&refused);
    assert!(receiver.requests().is_empty());
    let Some((_j, allowed)) = deliveries(&["10.0.0.0/8", "127.0.0.0/24"], &[receiver.url("/hook")]).await
    else {
        return;
    };
    assert_eq!(allowed[0]["status"], "succeeded");
}

#[tokio::test]
async fn an_allowed_network_is_reached_in_every_notation() {
    let j = Journey::start().await;
    for host in ["127.0.0.1", "2130706433", "0177.0.0.1", "127.1"] {
        let url = format!("http://{host}:{}/hook", j.receiver.port());
        j.api.subscribe(&subscription(&url, json!({"title": host}))).await;
    }
    for trace in j.api.send_event(&event("727")).await {
        let delivery = j.api.ended_delivery(&trace).await;
        assert_eq!(delivery["status"], "succeeded", "{delivery:#}");
    }
}

#[tokio::test]
async fn a_redirect_to_a_blocked_address_is_not_followed() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let metadata = [("Location", "http://169.254.169.254/latest/meta-data/")];
    j.receiver.replies("/hook", [crate::harness::Reply::with(302, &metadata, b"")]);
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    assert_eq!(delivery["attempts"][0]["responseCode"], 302);
    assert_eq!(delivery["status"], "failed");
}

#[tokio::test]
async fn a_blocked_delivery_can_be_resent_and_is_blocked_again() {
    let Some((j, deliveries)) = deliveries(&[], &["http://127.0.0.1:9/".to_owned()]).await else { return };
    let trace = text(&deliveries[0]["traceId"]);
    j.api.resend(trace).await;
    let delivery = j.api.delivery_after_attempts(trace, 2).await;
    assert_eq!(delivery["attempts"][1]["attemptNumber"], "manual");
    assert_failed_with(&delivery["attempts"][1], "blocked");
    assert_eq!(delivery["status"], "failed");
}
