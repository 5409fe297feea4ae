//! Outcomes of an attempt: 2xx is success and anything else a failure, with a row that says what happened.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::harness::rows::{assert_failed_in_phase, assert_failed_with, assert_well_formed};
use crate::harness::{Gate, Journey, Reply, attempts_of, event, scaled_seconds, subscription, text};

/// The row of a delivery to `url`, which must have exactly one attempt.
async fn only_attempt_at(j: &Journey, url: &str) -> Value {
    j.api.subscribe(&subscription(url, json!({"timeoutSeconds": scaled_seconds(2)}))).await;
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    assert_eq!(attempts_of(&delivery).len(), 1);
    let row = delivery["attempts"][0].clone();
    assert_well_formed(&row);
    assert_eq!(delivery["status"], if row["outcome"] == "succeeded" { "succeeded" } else { "failed" });
    row
}

async fn row_after(reply: Reply) -> (Journey, Value) {
    let j = Journey::start().await;
    j.receiver.replies("/hook", [reply]);
    let row = only_attempt_at(&j, &j.receiver.url("/hook")).await;
    assert_eq!(j.receiver.requests().len(), 1, "one request for one row");
    (j, row)
}

#[tokio::test]
async fn any_status_but_2xx_is_a_failure_with_a_response_code() {
    for status in [300, 304, 400, 401, 404, 410, 418, 429, 500, 503, 599] {
        let (_, row) = row_after(Reply::status(status)).await;
        assert_eq!(row["outcome"], "failed", "{status}");
        assert_eq!(row["responseCode"], status);
        assert!(row["error"].is_null());
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let j = Journey::start().await;
        let elsewhere = j.receiver.url("/elsewhere");
        j.receiver.replies("/hook", [Reply::with(status, &[("Location", &elsewhere)], b"moved")]);
        let row = only_attempt_at(&j, &j.receiver.url("/hook")).await;
        assert_eq!((&row["outcome"], &row["responseCode"]), (&json!("failed"), &json!(status)));
        let seen: Vec<_> = j.receiver.requests().into_iter().map(|request| request.path_and_query).collect();
        assert_eq!(seen, ["/hook"]);
    }
}

#[tokio::test]
async fn no_response_in_time_is_a_timeout_in_phase_wait() {
    let gate = Gate::closed();
    let (_j, row) = row_after(Reply::ok().held(&gate)).await;
    assert_failed_in_phase(&row, "wait", "timeout");
}

#[tokio::test]
async fn an_unfinished_response_is_a_timeout_in_phase_read() {
    let gate = Gate::closed();
    let (_j, row) = row_after(Reply::stall_in_body(&gate)).await;
    assert_failed_in_phase(&row, "read", "timeout");
}

#[tokio::test]
async fn a_connection_reset_is_a_connect_or_protocol_error() {
    let (_j, row) = row_after(Reply::reset()).await;
    assert_eq!(row["outcome"], "failed");
    let kind = text(&row["error"]["kind"]);
    assert!(["connect", "protocol"].contains(&kind), "{row:#}");
    assert_failed_with(&row, kind);
}

#[tokio::test]
async fn a_response_that_is_not_http_is_a_protocol_error() {
    let (_j, row) = row_after(Reply::garbage()).await;
    assert_failed_with(&row, "protocol");
}

#[tokio::test]
async fn a_connection_closed_before_the_end_of_the_response_is_a_protocol_error() {
    let (_j, row) = row_after(Reply::close_early()).await;
    assert_failed_with(&row, "protocol");
    let (_j, row) = row_after(Reply::hang_up()).await;
    assert_failed_with(&row, "protocol");
}

#[tokio::test]
async fn a_refused_connection_is_a_connect_error() {
    let j = Journey::start().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("its address").port();
    drop(free);
    let row = only_attempt_at(&j, &format!("http://127.0.0.1:{port}/")).await;
    assert_failed_in_phase(&row, "connect", "connect");
    assert!(row["sourceIp"].is_null(), "no connection, no address: {row:#}");
}

#[tokio::test]
async fn a_host_that_does_not_resolve_is_a_dns_error() {
    let j = Journey::start().await;
    let row = only_attempt_at(&j, "https://no-such-host.invalid/hook").await;
    assert_failed_in_phase(&row, "resolve", "dns");
}

#[tokio::test]
async fn a_receiver_without_tls_is_a_tls_error() {
    let j = Journey::start().await;
    let row = only_attempt_at(&j, &format!("https://127.0.0.1:{}/hook", j.receiver.port())).await;
    assert_failed_in_phase(&row, "tls", "tls");
    assert!(j.receiver.requests().is_empty());
}

#[tokio::test]
async fn an_untrusted_certificate_is_a_tls_error_and_no_request_is_sent() {
    let j = Journey::start().await;
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = own.signing_key.serialize_der().try_into().expect("its key");
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![own.cert.into()], key);
    let tls = TlsAcceptor::from(Arc::new(config.expect("a server")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}/hook", listener.local_addr().expect("its address"));
    let handshake = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("a connection");
        tls.accept(socket).await.map(|_| ())
    });
    let row = only_attempt_at(&j, &url).await;
    assert_failed_in_phase(&row, "tls", "tls");
    assert!(handshake.await.expect("it was tried").is_err(), "the certificate was refused");
}

#[tokio::test]
async fn every_kind_of_failure_is_retried_on_the_same_schedule() {
    let gate = Gate::closed();
    let faults = [
        Reply::status(404),
        Reply::reset(),
        Reply::garbage(),
        Reply::close_early(),
        Reply::stall_in_body(&gate),
    ];
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1, 1, 1, 1, 1]}, "timeoutSeconds": scaled_seconds(1)}))
        .await;
    j.receiver.replies("/hook", faults);

    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;

    assert_eq!(delivery["status"], "succeeded");
    let rows = attempts_of(&delivery);
    let numbers: Vec<_> = rows.iter().map(|row| row["attemptNumber"].as_u64().expect("a number")).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_200_with_an_unreadable_header_line_is_a_success_and_the_line_is_counted_as_dropped() {
    let sloppy = b"HTTP/1.1 200 OK\r\nWarning Undefined variable\r\nx-a : 1\r\ncontent-length: 2\r\n\r\nok";
    let (j, row) = row_after(Reply::raw(sloppy)).await;
    assert_eq!((&row["outcome"], &row["response"]["headersDropped"]), (&json!("succeeded"), &json!(1)));
    let whole =
        j.api.get(&format!("/v1/loans/727/webhooks/{}", text(&row["id"]))).await.expect_status(200).json();
    let headers = whole["response"]["headers"].as_array().expect("headers");
    assert!(headers.contains(&json!({"name": "x-a", "value": "1"})), "{whole:#}");
    let (_j, row) = row_after(Reply::ok()).await;
    assert_eq!(row["response"]["headersDropped"], 0);
}

#[tokio::test]
async fn a_response_of_1_mib_is_kept_whole() {
    let body = vec![b'x'; 1 << 20];
    let (j, row) = row_after(Reply::with(200, &[], &body)).await;
    assert_eq!(row["response"]["bytes"], 1 << 20);
    assert_eq!(row["response"]["truncated"], false);
    assert_eq!(j.api.get(text(&row["response"]["href"])).await.expect_status(200).body, body);
}

#[tokio::test]
async fn a_response_over_1_mib_is_cut_and_marked() {
    for status in [200, 500] {
        let body = vec![b'x'; (1 << 20) + 1];
        let (j, row) = row_after(Reply::with(status, &[], &body)).await;
        assert_eq!(row["responseCode"], status, "how it is kept is not how it is judged");
        assert_eq!(row["response"]["bytes"], 1 << 20);
        assert_eq!(row["response"]["truncated"], true);
        assert_eq!(j.api.get(text(&row["response"]["href"])).await.expect_status(200).body, body[..1 << 20]);
    }
}

#[tokio::test]
async fn a_response_without_a_body_has_0_bytes() {
    let (j, row) = row_after(Reply::status(204)).await;
    assert_eq!(row["response"]["bytes"], 0);
    assert_eq!(row["response"]["truncated"], false);
    assert!(j.api.get(text(&row["response"]["href"])).await.expect_status(200).body.is_empty());
}
