//! Responses that are larger than what is kept.

use std::fmt::Write as _;

use tokio::join;

use super::{
    assert_failed, client, post,
    scripted_receiver::{OK, Receiver},
    send, whole_response,
};
use crate::response::{
    http_response::HttpResponse,
    response_reader::{MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_HEADER_COUNT},
};
use loanhook_core::model::failure::{ErrorKind, Phase};

async fn response_of(bytes: &[u8]) -> HttpResponse {
    let receiver = Receiver::start().await;
    let client = client();
    let (outcome, _) = join!(send(&client, post(&receiver.url("/"), "{}")), receiver.respond(bytes));
    whole_response(outcome)
}

#[tokio::test]
async fn a_body_of_one_mebibyte_is_kept_whole() {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {MAX_BODY_BYTES}\r\n\r\n");
    let response = response_of(&[head.as_bytes(), &vec![b'x'; MAX_BODY_BYTES]].concat()).await;
    assert_eq!(response.received.body.len(), MAX_BODY_BYTES);
    assert!(!response.received.truncated);
}

#[tokio::test]
async fn a_longer_body_is_truncated_and_its_status_still_counts() {
    let receiver = Receiver::start().await;
    let client = client();
    let (outcome, ()) = join!(send(&client, post(&receiver.url("/"), "{}")), async {
        let mut peer = receiver.accept().await;
        peer.read_request().await.expect("a request");
        peer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 1048577\r\n\r\n").await;
        peer.write(&vec![b'x'; MAX_BODY_BYTES]).await;
        peer.write(b"y").await;
    });
    let response = whole_response(outcome);
    assert_eq!(response.status, 201);
    assert!(response.received.truncated);
    assert_eq!(response.received.body, vec![b'x'; MAX_BODY_BYTES]);
}

#[tokio::test]
async fn an_endless_body_is_not_read_beyond_the_limit() {
    let receiver = Receiver::start().await;
    let client = client();
    let (outcome, ()) = join!(send(&client, post(&receiver.url("/"), "{}")), async {
        let mut peer = receiver.accept().await;
        peer.read_request().await.expect("a request");
        peer.write(b"HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n").await;
        // This ends when the client closes the connection, and only then.
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
        peer.write_until_closed(chunk.as_bytes()).await;
    });
    let response = whole_response(outcome);
    assert_eq!(response.status, 500);
    assert!(response.received.truncated);
    assert_eq!(response.received.body.len(), MAX_BODY_BYTES);
    // That connection is not used again.
    let (outcome, _) = join!(send(&client, post(&receiver.url("/"), "{}")), receiver.respond(OK));
    assert_eq!(whole_response(outcome).status, 200);
}

fn with_headers(count: usize) -> Vec<u8> {
    let mut head = "HTTP/1.1 200 OK\r\n".to_owned();
    for at in 1..count {
        write!(head, "x-{at}: {at}\r\n").expect("written");
    }
    head.push_str("content-length: 2\r\n\r\nok");
    head.into_bytes()
}

#[tokio::test]
async fn many_headers_are_accepted() {
    for count in [101, MAX_HEADER_COUNT] {
        let response = response_of(&with_headers(count)).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.received.headers.len(), count);
        assert!(!response.received.headers_truncated);
        assert_eq!(&response.received.body[..], b"ok");
    }
}

#[tokio::test]
async fn large_headers_are_truncated_and_accepted() {
    let big = "x".repeat(300 * 1024);
    let response =
        response_of(format!("HTTP/1.1 200 OK\r\nx-big: {big}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
    assert_eq!(response.status, 200);
    assert!(response.received.headers_truncated);
    let [(name, value)] = &response.received.headers[..] else { panic!("one header") };
    assert_eq!(name, "x-big");
    assert_eq!(name.len() + value.len(), MAX_HEADER_BYTES);
    assert!(big.starts_with(value));
}

#[tokio::test]
async fn more_headers_than_the_parser_accepts_are_a_protocol_failure() {
    let huge = format!("HTTP/1.1 200 OK\r\nx-big: {}\r\n\r\n", "x".repeat(500 * 1024)).into_bytes();
    for bytes in [with_headers(MAX_HEADER_COUNT + 1), huge] {
        let receiver = Receiver::start().await;
        let client = client();
        let (outcome, ()) = join!(send(&client, post(&receiver.url("/"), "{}")), async {
            let mut peer = receiver.accept().await;
            peer.read_request().await.expect("a request");
            peer.write_until_closed(&bytes).await;
        });
        let detail = "the answer had more than 1024 headers, or more than 400 KiB of them";
        assert_failed(outcome, Phase::Read, ErrorKind::Protocol, detail);
    }
}
