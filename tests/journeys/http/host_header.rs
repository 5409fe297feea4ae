//! The `Host` header: required, only once, valid, and the host of portal links.

use serde_json::Value;

use crate::harness::raw_connection::response_to;
use crate::harness::{Journey, text};

/// The response to a request with these `Host` lines: its status and its JSON.
async fn raw_request(j: &Journey, line: &str, hosts: &[&str], body: &str) -> (u16, Value) {
    let hosts: String = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
    let (key, length) = (j.api.key(), body.len());
    let head = format!(
        "{line}\r\n{hosts}authorization: Bearer {key}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    let response = response_to(&j.server, format!("{head}{body}")).await;
    let (head, body) = response.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).expect("JSON"))
}

const LINK: &str = r#"{"loanId": "727", "scopes": ["history:read"]}"#;

#[tokio::test]
async fn a_missing_repeated_or_invalid_host_header_is_400() {
    let Some(j) = Journey::on_own_process().await else { return };
    for hosts in
        [&[][..], &["a.example", "evil.example"], &["a.example/evil"], &["a b"], &["u@a.example"], &[""]]
    {
        for line in ["GET /health HTTP/1.1", "GET /sign-in HTTP/1.1", "GET /none HTTP/1.1"] {
            let (status, problem) = raw_request(&j, line, hosts, "").await;
            assert_eq!((status, &problem["status"]), (400, &400.into()), "{line} with {hosts:?}: {problem}");
        }
        let (status, problem) = raw_request(&j, "POST /v1/portal-links HTTP/1.1", hosts, LINK).await;
        assert_eq!(status, 400, "{hosts:?}: {problem}");
    }
    let (status, _) = raw_request(&j, "GET /health HTTP/1.1", &["a.example:8080"], "").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_portal_link_has_the_host_of_the_request_target_or_else_of_the_host_header() {
    let Some(j) = Journey::on_own_process().await else { return };
    for (line, hosts, start) in [
        ("POST /v1/portal-links HTTP/1.1", &["hooks.example:81"][..], "http://hooks.example:81/portal"),
        (
            "POST http://right.example/v1/portal-links HTTP/1.1",
            &["wrong.example"],
            "http://right.example/portal",
        ),
        ("POST /v1/portal-links HTTP/1.0", &["hooks.example"], "http://hooks.example/portal"),
    ] {
        let (status, created) = raw_request(&j, line, hosts, LINK).await;
        assert_eq!(status, 201, "{line}: {created}");
        assert!(text(&created["url"]).starts_with(start), "{line}: {created}");
    }
}

#[tokio::test]
async fn an_http_1_0_request_without_a_host_is_served_but_gets_no_portal_link() {
    let Some(j) = Journey::on_own_process().await else { return };
    assert_eq!(raw_request(&j, "GET /health HTTP/1.0", &[], "").await.0, 200);
    assert_eq!(raw_request(&j, "POST /v1/portal-links HTTP/1.0", &[], LINK).await.0, 400);
}
