//! The host of a request: one, a valid one, and nothing made up in its place.

use serde_json::Value;

use crate::harness::raw_connection::answer_to;
use crate::harness::{Journey, text};

/// What is heard of a request with these lines of `Host`.
async fn asked(j: &Journey, line: &str, hosts: &[&str], body: &str) -> (u16, Value) {
    let hosts: String = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
    let (key, length) = (j.api.key(), body.len());
    let head = format!(
        "{line}\r\n{hosts}authorization: Bearer {key}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    let heard = answer_to(&j.target, format!("{head}{body}")).await;
    let (head, body) = heard.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).expect("JSON"))
}

const LINK: &str = r#"{"loanId": "727", "scopes": ["history:read"]}"#;

#[tokio::test]
async fn a_request_without_a_host_with_several_or_with_no_valid_one_is_400() {
    let Some(j) = Journey::alone().await else { return };
    for hosts in
        [&[][..], &["a.example", "evil.example"], &["a.example/evil"], &["a b"], &["u@a.example"], &[""]]
    {
        for line in ["GET /health HTTP/1.1", "GET /login HTTP/1.1", "GET /none HTTP/1.1"] {
            let (status, problem) = asked(&j, line, hosts, "").await;
            assert_eq!((status, &problem["status"]), (400, &400.into()), "{line} with {hosts:?}: {problem}");
        }
        let (status, problem) = asked(&j, "POST /v1/portal-links HTTP/1.1", hosts, LINK).await;
        assert_eq!(status, 400, "{hosts:?}: {problem}");
    }
    let (status, _) = asked(&j, "GET /health HTTP/1.1", &["a.example:8080"], "").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_link_leads_to_the_host_of_the_request_that_of_its_target_first() {
    let Some(j) = Journey::alone().await else { return };
    for (line, hosts, start) in [
        ("POST /v1/portal-links HTTP/1.1", &["hooks.example:81"][..], "http://hooks.example:81/portal"),
        (
            "POST http://right.example/v1/portal-links HTTP/1.1",
            &["wrong.example"],
            "http://right.example/portal",
        ),
        ("POST /v1/portal-links HTTP/1.0", &["hooks.example"], "http://hooks.example/portal"),
    ] {
        let (status, made) = asked(&j, line, hosts, LINK).await;
        assert_eq!(status, 201, "{line}: {made}");
        assert!(text(&made["url"]).starts_with(start), "{line}: {made}");
    }
}

#[tokio::test]
async fn an_old_client_that_names_no_host_is_answered_but_gets_no_link() {
    let Some(j) = Journey::alone().await else { return };
    assert_eq!(asked(&j, "GET /health HTTP/1.0", &[], "").await.0, 200);
    assert_eq!(asked(&j, "POST /v1/portal-links HTTP/1.0", &[], LINK).await.0, 400);
}
