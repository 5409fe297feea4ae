//! Answers whose head is not of today's grammar, and that count all the same.

use tokio::join;

use super::{
    answer, client, post,
    scripted_receiver::{OK, Receiver},
    send,
};
use crate::HttpResponse;

/// What is read of an answer with these header lines before its `content-length`; its connection is closed.
async fn read(lines: &str) -> HttpResponse {
    let receiver = Receiver::start().await;
    let client = client();
    let bytes = format!("HTTP/1.1 200 OK\r\n{lines}\r\ncontent-length: 2\r\n\r\nok");
    let (sent, (_, peer)) =
        join!(send(&client, post(&receiver.url("/"), "{}")), receiver.answer(bytes.as_bytes()));
    peer.until_closed().await;
    let received = answer(sent);
    assert_eq!((received.status, &received.body[..]), (200, &b"ok"[..]), "{lines}");
    received
}

#[tokio::test]
async fn a_folded_header_is_one_and_blanks_before_a_colon_are_none() {
    for (lines, name, value) in [
        ("x-policy: default-src 'self';\r\n  img-src *", "x-policy", "default-src 'self';    img-src *"),
        ("x-a: 1\r\n\t2", "x-a", "1   2"),
        ("x-powered-by : PHP", "x-powered-by", "PHP"),
    ] {
        let received = read(lines).await;
        assert_eq!(received.headers_dropped, 0, "{lines}");
        let found = received.headers.iter().find(|(found, _)| found == name);
        let words = |text: &str| text.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>();
        assert_eq!(found.map(|(_, found)| words(found)), Some(words(value)), "{lines}");
    }
}

#[tokio::test]
async fn a_line_that_cannot_be_read_is_left_out_and_counted() {
    for (lines, dropped) in [
        ("Warning Undefined variable", 1),
        ("x y: 1", 1),
        ("x-größe: 1", 1),
        ("<br />\r\n<b>Warning</b>: Undefined variable\r\nx-good: 1", 2),
    ] {
        let received = read(lines).await;
        assert_eq!(received.headers_dropped, dropped, "{lines}");
        assert!(received.headers.contains(&("content-length".to_owned(), "2".to_owned())));
    }
}

/// What follows such an answer is never taken for the answer to another request.
#[tokio::test]
async fn a_line_about_the_answers_length_that_cannot_be_read_ends_the_connection() {
    let receiver = Receiver::start().await;
    let client = client();
    let bytes =
        [b"HTTP/1.1 200 OK\r\ntransfer encoding: chunked\r\ncontent-length: 2\r\n\r\nok", OK].concat();
    let (sent, (_, peer)) = join!(send(&client, post(&receiver.url("/"), "1")), receiver.answer(&bytes));
    let received = answer(sent);
    assert_eq!((received.status, received.headers_dropped), (200, 1));
    peer.until_end().await;
    let (sent, (request, _)) = join!(send(&client, post(&receiver.url("/"), "2")), receiver.answer(OK));
    assert_eq!(answer(sent).status, 200);
    assert_eq!(request.body, b"2");
}
