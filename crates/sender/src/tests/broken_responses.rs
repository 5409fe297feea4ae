//! Answers that are none, or that do not come whole.

use tokio::join;

use super::{
    LOOPBACK, SHORT, answer, assert_failed, client, failure, post, scripted_receiver::Receiver, send,
};
use crate::HttpOutcome;
use loanhook_core::model::failure::{ErrorKind, Failure, Phase};

const HTTP_2: &str = "speaks HTTP/2 only, and webhooks are sent as HTTP/1.1; let it take HTTP/1.1 too";

/// Sends one request to a receiver that answers with these bytes and closes the connection.
async fn answered(bytes: &[u8]) -> HttpOutcome {
    let receiver = Receiver::start().await;
    let client = client();
    let (sent, ()) = join!(send(&client, post(&receiver.url("/"), "{}")), async {
        let (_, peer) = receiver.answer(bytes).await;
        drop(peer);
    });
    receiver.assert_no_other_connection().await;
    sent
}

fn partial(sent: &HttpOutcome) -> (u16, &[u8]) {
    let partial = sent.partial_response.as_ref().expect("a part of the answer");
    (partial.status, &partial.body)
}

#[tokio::test]
async fn a_receiver_that_stops_within_the_body() {
    for (length, of) in [("content-length: 100", "4 of 100 bytes"), ("transfer-encoding: chunked", "4 bytes")]
    {
        let receiver = Receiver::start().await;
        let client = client();
        let mut outgoing = post(&receiver.url("/"), "{}");
        outgoing.timeout = SHORT;
        let body = if of == "4 bytes" { "4\r\nloan\r\n" } else { "loan" };
        let bytes = format!("HTTP/1.1 200 OK\r\n{length}\r\nx-id: 7\r\n\r\n{body}");
        let (sent, _peer) = join!(send(&client, outgoing), receiver.answer(bytes.as_bytes()));
        assert_eq!(partial(&sent), (200, &b"loan"[..]));
        assert_eq!(sent.source_ip, Some(LOOPBACK));
        let headers = &sent.partial_response.as_ref().expect("a part").headers;
        assert!(headers.contains(&("x-id".to_owned(), "7".to_owned())));
        let detail = format!(
            "the answer was not complete within 200 ms: it stopped after {of} (its status was 200); the receiver has seen the request"
        );
        assert_failed(sent, Phase::Read, ErrorKind::Timeout, &detail);
    }
}

#[tokio::test]
async fn a_receiver_that_closes_before_it_answers() {
    let sent = answered(b"").await;
    assert_eq!(sent.partial_response, None);
    let detail = "the receiver closed the connection before an answer came; it may have seen the request";
    assert_failed(sent, Phase::Wait, ErrorKind::Protocol, detail);
    let sent = answered(b"HTTP/1.1 200 OK\r\ncontent-le").await;
    let detail = "the receiver closed the connection before an answer came; it has seen the request, and broke off \
                  within the answer's head";
    assert_failed(sent, Phase::Read, ErrorKind::Protocol, detail);
}

#[tokio::test]
async fn an_answer_that_is_not_http() {
    for (bytes, reason) in [
        (&b"SSH-2.0-OpenSSH_9.6\r\n\r\n"[..], "it does not begin with HTTP/1.0 or HTTP/1.1"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "its status is not a number of three digits"),
        (b"HTTP/1.1 200 OK\r\nb\0d: x\r\n\r\n", "its headers cannot be read"),
    ] {
        let sent = answered(bytes).await;
        let detail = format!("the answer was not HTTP: {reason}; the receiver may have seen the request");
        assert_failed(sent, Phase::Read, ErrorKind::Protocol, &detail);
    }
}

#[tokio::test]
async fn an_answer_in_another_protocol_is_told_by_its_name() {
    for (bytes, what) in [
        (&b"\x15\x03\x01\x00\x02\x02\x46 a TLS alert"[..], "answered in TLS; use https://"),
        (b"\0\0\x12\x04\0\0\0\0\0 settings", HTTP_2),
        (b"\0\0\x08\x07\0\0\0\0\0 goaway", HTTP_2),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HTTP_2),
    ] {
        let failure = failure(answered(bytes).await);
        assert_eq!((failure.kind, failure.phase), (ErrorKind::Protocol, Some(Phase::Read)));
        assert!(failure.detail.ends_with(what), "{failure}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off() {
    let sent = answered(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0123456789").await;
    assert_eq!(partial(&sent), (200, &b"0123456789"[..]));
    assert_eq!(sent.source_ip, Some(LOOPBACK));
    let detail =
        "the answer broke off after 10 of 100 bytes (its status was 200); the receiver has seen the request";
    assert_failed(sent, Phase::Read, ErrorKind::Protocol, detail);

    let sent =
        answered(b"HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n4\r\nloan\r\n9\r\nhal").await;
    let (status, body) = partial(&sent);
    assert_eq!(status, 503);
    assert!(b"loanhal".starts_with(body));
    let Failure { kind, detail, .. } = failure(sent);
    assert_eq!(kind, ErrorKind::Protocol);
    assert!(detail.starts_with("the answer broke off after "), "{detail}");
}

#[tokio::test]
async fn an_answer_that_is_reset() {
    let receiver = Receiver::start().await;
    let client = client();
    let (sent, ()) = join!(send(&client, post(&receiver.url("/"), "{}")), async {
        receiver.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0123456789").await.1.reset();
    });
    // A reset may overtake what was sent before it.
    let failure = failure(sent);
    assert_eq!(failure.kind, ErrorKind::Protocol);
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn an_answer_with_malformed_chunks() {
    let sent = answered(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nloan\r\nzz\r\n").await;
    assert_eq!(partial(&sent), (200, &b"loan"[..]));
    let detail = "the answer's chunks are malformed after 4 bytes (its status was 200); the receiver has seen the request";
    assert_failed(sent, Phase::Read, ErrorKind::Protocol, detail);
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_is_whole() {
    let received = answer(answered(b"HTTP/1.0 200 OK\r\n\r\nthanks").await);
    assert_eq!((received.status, &received.body[..]), (200, &b"thanks"[..]));
}
