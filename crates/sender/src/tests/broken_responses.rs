//! Responses that are not HTTP, or that do not arrive whole.

use tokio::join;

use super::{
    LOOPBACK, SHORT_TIMEOUT, assert_failed, client, failure, post, scripted_receiver::Receiver, send,
    whole_response,
};
use crate::http_outcome::HttpOutcome;
use loanhook_core::model::failure::{ErrorKind, Failure, Phase};

const HTTP_2: &str = "speaks HTTP/2 only, and webhooks are sent as HTTP/1.1; let it take HTTP/1.1 too";

/// The outcome of a request to a receiver that responds with these bytes and closes the connection.
async fn outcome_of(bytes: &[u8]) -> HttpOutcome {
    let receiver = Receiver::start().await;
    let client = client();
    let (outcome, ()) = join!(send(&client, post(&receiver.url("/"), "{}")), async {
        let (_, peer) = receiver.respond(bytes).await;
        drop(peer);
    });
    receiver.assert_no_other_connection().await;
    outcome
}

fn partial(outcome: &HttpOutcome) -> (u16, &[u8]) {
    let partial = outcome.partial_response.as_ref().expect("a partial response");
    (partial.status, &partial.received.body)
}

#[tokio::test]
async fn a_body_that_stops_is_a_timeout_with_a_partial_response() {
    for (length, of) in [("content-length: 100", "4 of 100 bytes"), ("transfer-encoding: chunked", "4 bytes")]
    {
        let receiver = Receiver::start().await;
        let client = client();
        let mut request = post(&receiver.url("/"), "{}");
        request.timeout = SHORT_TIMEOUT;
        let body = if of == "4 bytes" { "4\r\nloan\r\n" } else { "loan" };
        let bytes = format!("HTTP/1.1 200 OK\r\n{length}\r\nx-id: 7\r\n\r\n{body}");
        let (outcome, _peer) = join!(send(&client, request), receiver.respond(bytes.as_bytes()));
        assert_eq!(partial(&outcome), (200, &b"loan"[..]));
        assert_eq!(outcome.source_ip, Some(LOOPBACK));
        let headers = &outcome.partial_response.as_ref().expect("a partial response").received.headers;
        assert!(headers.contains(&("x-id".to_owned(), "7".to_owned())));
        let detail = format!(
            "the answer was not complete within 200 ms: it stopped after {of} (its status was 200); the receiver has seen the request"
        );
        assert_failed(outcome, Phase::Read, ErrorKind::Timeout, &detail);
    }
}

#[tokio::test]
async fn a_connection_closed_before_the_response_is_a_protocol_failure() {
    let outcome = outcome_of(b"").await;
    assert!(outcome.partial_response.is_none());
    let detail = "the receiver closed the connection before an answer came; it may have seen the request";
    assert_failed(outcome, Phase::Wait, ErrorKind::Protocol, detail);
    let outcome = outcome_of(b"HTTP/1.1 200 OK\r\ncontent-le").await;
    let detail = "the receiver closed the connection before an answer came; it has seen the request, and broke off \
                  within the answer's head";
    assert_failed(outcome, Phase::Read, ErrorKind::Protocol, detail);
}

#[tokio::test]
async fn a_response_that_is_not_http_is_a_protocol_failure() {
    for (bytes, reason) in [
        (&b"SSH-2.0-OpenSSH_9.6\r\n\r\n"[..], "it does not begin with HTTP/1.0 or HTTP/1.1"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "its status is not a number of three digits"),
        (b"HTTP/1.1 200 OK\r\nb\0d: x\r\n\r\n", "its headers cannot be read"),
    ] {
        let outcome = outcome_of(bytes).await;
        let detail = format!("the answer was not HTTP: {reason}; the receiver may have seen the request");
        assert_failed(outcome, Phase::Read, ErrorKind::Protocol, &detail);
    }
}

#[tokio::test]
async fn a_response_in_tls_or_http_2_is_recognised() {
    for (bytes, what) in [
        (&b"\x15\x03\x01\x00\x02\x02\x46 a TLS alert"[..], "answered in TLS; use https://"),
        (b"\0\0\x12\x04\0\0\0\0\0 settings", HTTP_2),
        (b"\0\0\x08\x07\0\0\0\0\0 goaway", HTTP_2),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HTTP_2),
    ] {
        let failure = failure(outcome_of(bytes).await);
        assert_eq!((failure.kind, failure.phase), (ErrorKind::Protocol, Some(Phase::Read)));
        assert!(failure.detail.ends_with(what), "{failure}");
    }
}

#[tokio::test]
async fn a_response_that_breaks_off_is_a_protocol_failure_with_a_partial_response() {
    let outcome = outcome_of(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0123456789").await;
    assert_eq!(partial(&outcome), (200, &b"0123456789"[..]));
    assert_eq!(outcome.source_ip, Some(LOOPBACK));
    let detail =
        "the answer broke off after 10 of 100 bytes (its status was 200); the receiver has seen the request";
    assert_failed(outcome, Phase::Read, ErrorKind::Protocol, detail);

    let outcome =
        outcome_of(b"HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n4\r\nloan\r\n9\r\nhal").await;
    let (status, body) = partial(&outcome);
    assert_eq!(status, 503);
    assert!(b"loanhal".starts_with(body));
    let Failure { kind, detail, .. } = failure(outcome);
    assert_eq!(kind, ErrorKind::Protocol);
    assert!(detail.starts_with("the answer broke off after "), "{detail}");
}

#[tokio::test]
async fn a_response_that_is_reset_is_a_protocol_failure() {
    let receiver = Receiver::start().await;
    let client = client();
    let (outcome, ()) = join!(send(&client, post(&receiver.url("/"), "{}")), async {
        receiver.respond(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0123456789").await.1.reset();
    });
    // A reset may overtake what was sent before it.
    let failure = failure(outcome);
    assert_eq!(failure.kind, ErrorKind::Protocol);
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn a_response_with_malformed_chunks_is_a_protocol_failure() {
    let outcome =
        outcome_of(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nloan\r\nzz\r\n").await;
    assert_eq!(partial(&outcome), (200, &b"loan"[..]));
    let detail = "the answer's chunks are malformed after 4 bytes (its status was 200); the receiver has seen the request";
    assert_failed(outcome, Phase::Read, ErrorKind::Protocol, detail);
}

#[tokio::test]
async fn a_response_that_ends_with_its_connection_is_complete() {
    let response = whole_response(outcome_of(b"HTTP/1.0 200 OK\r\n\r\nthanks").await);
    assert_eq!((response.status, &response.received.body[..]), (200, &b"thanks"[..]));
}
