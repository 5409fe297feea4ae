//! Responses whose head does not conform to RFC 9112: they are accepted, and their connection is closed.

use tokio::join;

use super::{
    client, post,
    scripted_receiver::{OK, Receiver},
    send, whole_response,
};
use crate::response::http_response::HttpResponse;

/// What is read of a response with these header lines before its `content-length`. Its connection is closed.
async fn read_with(lines: &str) -> HttpResponse {
    let receiver = Receiver::start().await;
    let client = client();
    let bytes = format!("HTTP/1.1 200 OK\r\n{lines}\r\ncontent-length: 2\r\n\r\nok");
    let (outcome, (_, peer)) =
        join!(send(&client, post(&receiver.url("/"), "{}")), receiver.respond(bytes.as_bytes()));
    peer.assert_closed().await;
    let response = whole_response(outcome);
    assert_eq!((response.status, &response.received.body[..]), (200, &b"ok"[..]), "{lines}");
    response
}

#[tokio::test]
async fn a_folded_header_and_white_space_before_a_colon_are_accepted() {
    for (lines, name, value) in [
        ("x-policy: default-src 'self';\r\n  img-src *", "x-policy", "default-src 'self';    img-src *"),
        ("x-a: 1\r\n\t2", "x-a", "1   2"),
        ("x-powered-by : PHP", "x-powered-by", "PHP"),
    ] {
        let response = read_with(lines).await;
        assert_eq!(response.received.headers_dropped, 0, "{lines}");
        let found = response.received.headers.iter().find(|(found, _)| found == name);
        let words = |text: &str| text.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>();
        assert_eq!(found.map(|(_, found)| words(found)), Some(words(value)), "{lines}");
    }
}

#[tokio::test]
async fn an_invalid_header_line_is_dropped_and_counted() {
    for (lines, dropped) in [
        ("Warning Undefined variable", 1),
        ("x y: 1", 1),
        ("x-größe: 1", 1),
        ("<br />\r\n<b>Warning</b>: Undefined variable\r\nx-good: 1", 2),
    ] {
        let response = read_with(lines).await;
        assert_eq!(response.received.headers_dropped, dropped, "{lines}");
        assert!(response.received.headers.contains(&("content-length".to_owned(), "2".to_owned())));
    }
}

/// What follows such a response is never taken for the response to another request.
#[tokio::test]
async fn a_dropped_header_line_about_the_length_closes_the_connection() {
    let receiver = Receiver::start().await;
    let client = client();
    let bytes =
        [b"HTTP/1.1 200 OK\r\ntransfer encoding: chunked\r\ncontent-length: 2\r\n\r\nok", OK].concat();
    let (outcome, (_, peer)) = join!(send(&client, post(&receiver.url("/"), "1")), receiver.respond(&bytes));
    let response = whole_response(outcome);
    assert_eq!((response.status, response.received.headers_dropped), (200, 1));
    peer.read_until_closed().await;
    let (outcome, (received, _)) = join!(send(&client, post(&receiver.url("/"), "2")), receiver.respond(OK));
    assert_eq!(whole_response(outcome).status, 200);
    assert_eq!(received.body, b"2");
}
