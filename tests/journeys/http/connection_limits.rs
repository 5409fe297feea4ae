//! Limits of connections: what callers without a key, idle callers and unfinished requests cannot block.

use std::time::Duration;

use serde_json::json;

use crate::harness::raw_connection::{RawConnection, response_to};
use crate::harness::wait::pause;
use crate::harness::{Api, Journey, Launch, Server, attempts_of, event, eventually};

/// A process with this limit of file descriptors and of concurrent requests.
async fn with_descriptors(limit: u32, concurrency: u32) -> Option<Journey> {
    let shell_prefix = Some(format!("ulimit -n {limit}"));
    let arguments = vec!["--concurrency".to_owned(), concurrency.to_string()];
    Some(
        Journey::on_server(
            Server::own_process_with(Launch { shell_prefix, arguments, ..Launch::default() }).await?,
        )
        .await,
    )
}

/// The beginning of a sign-in.
const UNFINISHED_FORM: &str = "POST /sign-in HTTP/1.1\r\nhost: x\r\ncontent-length: 8000\r\n\r\nk";
const UNFINISHED_HEAD: &str = "GET /health HTTP/1.1\r\nhost: x\r\nx-";

#[tokio::test]
async fn unauthenticated_connections_do_not_block_callers_or_webhooks() {
    let Some(j) = with_descriptors(160, 16).await else { return };
    j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    let mut strangers = Vec::new();
    for number in 0..400 {
        let mut stranger = RawConnection::connect(&j.server).await;
        stranger.send(if number % 2 == 0 { UNFINISHED_FORM } else { UNFINISHED_HEAD }).await;
        strangers.push(stranger);
        if number % 50 == 0 {
            // Two new callers, and one that was connected before.
            Api::new(&j.server, None).get("/health").await.expect_status(200);
            Api::new(&j.server, Some(j.api.key())).get("/v1/keys").await.expect_status(200);
            let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
            assert_eq!(delivery["status"], "succeeded", "{delivery:#}");
        }
    }
    for stranger in &mut strangers {
        stranger.send("x").await;
    }
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    assert_eq!(attempts_of(&delivery).len(), 1, "{delivery:#}");
}

#[tokio::test]
async fn idle_connections_of_known_callers_do_not_block_new_callers() {
    let Some(j) = with_descriptors(160, 16).await else { return };
    let asked = format!("GET /v1/keys HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", j.api.key());
    let mut resting = Vec::new();
    for _ in 0..160 {
        let mut known = RawConnection::connect(&j.server).await;
        known.send(&asked).await;
        known.read_until("HTTP/1.1 200 ").await;
        resting.push(known);
    }
    let mut strangers = Vec::new();
    for _ in 0..20 {
        let mut new = RawConnection::connect(&j.server).await;
        for _ in 0..8 {
            let mut stranger = RawConnection::connect(&j.server).await;
            stranger.send(UNFINISHED_HEAD).await;
            strangers.push(stranger);
        }
        assert!(new.send(&asked).await);
        new.read_until("HTTP/1.1 200 ").await;
    }
}

#[tokio::test]
async fn too_few_file_descriptors_are_logged_and_deliveries_still_succeed() {
    let Some(j) = with_descriptors(80, 256).await else { return };
    assert!(j.server.output().contains("descriptors.too_few"), "{}", j.server.output());
    for path in ["/a", "/b", "/c", "/d"] {
        j.subscribe(path, json!({})).await;
    }
    let mut traces = Vec::new();
    for _ in 0..20 {
        traces.extend(j.api.send_event(&event("727")).await);
    }
    for trace in &traces {
        let delivery = j.api.ended_delivery(trace).await;
        assert_eq!(delivery["status"], "succeeded", "{delivery:#}");
    }
    assert_eq!(traces.len(), 80);
}

#[tokio::test]
async fn a_request_head_that_is_too_long_is_431() {
    let Some(j) = Journey::on_own_process().await else { return };
    let long = format!("GET /health HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "a".repeat(40_000));
    let many = format!("GET /health HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(200));
    let path = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(40_000));
    for (bytes, status) in [(&long, 431), (&many, 431), (&path, 431)] {
        let response = response_to(&j.server, bytes).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
        assert!(response.contains("application/problem+json"), "{response}");
    }
    let well =
        format!("GET /health HTTP/1.1\r\nhost: x\r\nx: {}\r\nconnection: close\r\n\r\n", "a".repeat(30_000));
    assert!(response_to(&j.server, well).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn bytes_that_are_not_http_are_400_and_the_response_before_them_is_complete() {
    let Some(j) = Journey::on_own_process().await else { return };
    for bytes in
        ["nonsense\r\n\r\n", "GET / HTTP/9.9\r\nhost: x\r\n\r\n", "\0\0\0\0\r\n\r\n", "G T / x\r\n\r\n"]
    {
        let response = response_to(&j.server, bytes).await;
        assert!(
            response.starts_with("HTTP/1.1 400 ") && response.contains("/problems/not-http"),
            "{bytes:?}: {response}"
        );
    }
    let response =
        response_to(&j.server, "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\nnonsense\r\n\r\n").await;
    assert!(
        response.starts_with("HTTP/1.1 200 ") && response.contains("\"openapi\""),
        "{}",
        &response[..200]
    );
    assert!(response.contains("HTTP/1.1 400 ") && response.ends_with('}'), "{response}");
}

#[tokio::test]
async fn a_slowly_sent_request_head_times_out() {
    let Some(j) = Journey::on_own_process().await else { return };
    let mut socket = RawConnection::connect(&j.server).await;
    socket.send(UNFINISHED_HEAD).await;
    // The deadline is 30 s: bytes are sent for twice as long, so that a slow machine has closed the connection by then.
    let mut sent = 0;
    while socket.send("a").await {
        pause(Duration::from_millis(100)).await;
        sent += 1;
        assert!(sent < 600, "it is still read");
    }
    assert!(sent > 100, "it was given up at once: {sent}");
}

#[tokio::test]
async fn a_sign_in_form_that_is_too_large_is_413_before_it_is_read() {
    let Some(j) = Journey::on_own_process().await else { return };
    let head = "POST /sign-in HTTP/1.1\r\nhost: x\r\norigin: http://x\r\ncontent-length: 8000000\r\n\r\nk";
    let mut socket = RawConnection::connect(&j.server).await;
    socket.send(head).await;
    socket.read_until("HTTP/1.1 413 ").await;
    let chunk = format!("2000\r\n{}\r\n", "k".repeat(0x2000));
    let chunked =
        "POST /sign-in HTTP/1.1\r\nhost: x\r\norigin: http://x\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut socket = RawConnection::connect(&j.server).await;
    socket.send(format!("{chunked}{chunk}{chunk}")).await;
    socket.read_until("HTTP/1.1 413 ").await;
}

#[tokio::test]
async fn a_body_is_not_read_before_the_key_is_checked() {
    let Some(j) = Journey::on_own_process().await else { return };
    for path in ["/v1/events", "/v1/events/batch", "/v1/subscriptions", "/v1/keys", "/v1/portal-links"] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n");
        let mut socket = RawConnection::connect(&j.server).await;
        socket.send(head).await;
        socket.read_until("HTTP/1.1 401 ").await;
    }
}

#[tokio::test]
async fn pipelined_requests_are_all_answered() {
    let Some(j) = Journey::on_own_process().await else { return };
    let one = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
    let last = "GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let response = response_to(&j.server, format!("{}{last}", one.repeat(99))).await;
    assert_eq!(response.matches("HTTP/1.1 200 ").count(), 100);
}

#[tokio::test]
async fn unfinished_bodies_of_one_tenant_do_not_block_another_tenant() {
    let Some(j) = Journey::on_own_process().await else { return };
    let other = j.other_tenant().await;
    const BATCH_LIMIT_BYTES: usize = 4 * 1024 * 1024;
    let head = format!(
        "POST /v1/events/batch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {BATCH_LIMIT_BYTES}\r\n\r\n",
        j.api.key()
    );
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut socket = RawConnection::connect(&j.server).await;
        socket.send(&head).await;
        slow.push(socket);
    }
    let refused = eventually("there is no room", async || {
        let answer = j.api.request("POST", "/v1/events").json(&event("727")).try_send().await.ok()?;
        (answer.status != 202).then_some(answer)
    })
    .await;
    assert!(!refused.header("retry-after").is_empty(), "{refused:?}");
    refused.expect_problem(503);
    other.send_event(&event("727")).await;
    drop(slow);
    j.api.send_event(&event("727")).await;
}
