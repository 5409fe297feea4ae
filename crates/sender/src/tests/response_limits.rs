//! Answers that are larger than what is kept.

use std::fmt::Write as _;

use tokio::join;

use super::{
    answer, assert_failed, client, post,
    scripted_receiver::{OK, Receiver},
    send,
};
use crate::{HttpResponse, MAX_BODY_BYTES, MAX_HEADER_BYTES, client::MAX_HEADER_COUNT};
use loanhook_core::model::failure::{ErrorKind, Phase};

async fn answered(bytes: &[u8]) -> HttpResponse {
    let receiver = Receiver::start().await;
    let client = client();
    let (sent, _) = join!(send(&client, post(&receiver.url("/"), "{}")), receiver.answer(bytes));
    answer(sent)
}

#[tokio::test]
async fn a_body_of_one_mebibyte_is_kept_whole() {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {MAX_BODY_BYTES}\r\n\r\n");
    let received = answered(&[head.as_bytes(), &vec![b'x'; MAX_BODY_BYTES]].concat()).await;
    assert_eq!(received.body.len(), MAX_BODY_BYTES);
    assert!(!received.truncated);
}

#[tokio::test]
async fn a_longer_body_is_cut_and_its_status_still_counts() {
    let receiver = Receiver::start().await;
    let client = client();
    let (sent, ()) = join!(send(&client, post(&receiver.url("/"), "{}")), async {
        let mut peer = receiver.accept().await;
        peer.request().await.expect("a request");
        peer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 1048577\r\n\r\n").await;
        peer.write(&vec![b'x'; MAX_BODY_BYTES]).await;
        peer.write(b"y").await;
    });
    let received = answer(sent);
    assert_eq!(received.status, 201);
    assert!(received.truncated);
    assert_eq!(received.body, vec![b'x'; MAX_BODY_BYTES]);
}

#[tokio::test]
async fn a_body_without_end_is_not_read_to_its_end() {
    let receiver = Receiver::start().await;
    let client = client();
    let (sent, ()) = join!(send(&client, post(&receiver.url("/"), "{}")), async {
        let mut peer = receiver.accept().await;
        peer.request().await.expect("a request");
        peer.write(b"HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n").await;
        // This ends when the sender closes the connection, and only then.
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
        peer.write_forever(chunk.as_bytes()).await;
    });
    let received = answer(sent);
    assert_eq!(received.status, 500);
    assert!(received.truncated);
    assert_eq!(received.body.len(), MAX_BODY_BYTES);
    // The connection is not used again.
    let (sent, _) = join!(send(&client, post(&receiver.url("/"), "{}")), receiver.answer(OK));
    assert_eq!(answer(sent).status, 200);
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
async fn many_headers_do_not_break_an_answer() {
    for count in [101, MAX_HEADER_COUNT] {
        let received = answered(&with_headers(count)).await;
        assert_eq!(received.status, 200);
        assert_eq!(received.headers.len(), count);
        assert!(!received.headers_truncated);
        assert_eq!(&received.body[..], b"ok");
    }
}

#[tokio::test]
async fn big_headers_are_cut_and_do_not_break_an_answer() {
    let big = "x".repeat(300 * 1024);
    let received =
        answered(format!("HTTP/1.1 200 OK\r\nx-big: {big}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
    assert_eq!(received.status, 200);
    assert!(received.headers_truncated);
    let [(name, value)] = &received.headers[..] else { panic!("one header") };
    assert_eq!(name, "x-big");
    assert_eq!(name.len() + value.len(), MAX_HEADER_BYTES);
    assert!(big.starts_with(value));
}

#[tokio::test]
async fn more_headers_than_can_be_parsed_are_a_broken_answer() {
    let huge = format!("HTTP/1.1 200 OK\r\nx-big: {}\r\n\r\n", "x".repeat(500 * 1024)).into_bytes();
    for bytes in [with_headers(MAX_HEADER_COUNT + 1), huge] {
        let receiver = Receiver::start().await;
        let client = client();
        let (sent, ()) = join!(send(&client, post(&receiver.url("/"), "{}")), async {
            let mut peer = receiver.accept().await;
            peer.request().await.expect("a request");
            peer.write_forever(&bytes).await;
        });
        let detail = "the answer had more than 1024 headers, or more than 400 KiB of them";
        assert_failed(sent, Phase::Read, ErrorKind::Protocol, detail);
    }
}
