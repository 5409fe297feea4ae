//! What a receiver sees of a request.

use std::{env, process::Stdio};

use http::{HeaderValue, Method, header::AUTHORIZATION};
use tokio::{join, process::Command};

use super::{
    LOOPBACK, answer, client, post,
    receiver::{OK, Receiver},
    send,
};

#[tokio::test]
async fn the_request_is_sent_as_it_is() {
    let receiver = Receiver::start().await;
    let body = "{\"amount\": 250.00, \"borrower\": \"Zoë\"}";
    let mut outgoing = post(&receiver.url("/hooks/loans?a=b%20c&d=%5B#fragment"), body);
    outgoing.headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
    outgoing.headers.append("x-tag", HeaderValue::from_static("one"));
    outgoing.headers.append("x-tag", HeaderValue::from_static("two"));

    let client = client();
    let (sent, (request, _)) = join!(send(&client, outgoing), receiver.answer(OK));
    assert_eq!(request.line, "POST /hooks/loans?a=b%20c&d=%5B HTTP/1.1");
    assert_eq!(request.body, body.as_bytes());
    let mut headers = request.headers;
    headers.sort();
    let host = format!("127.0.0.1:{}", receiver.port());
    let length = body.len().to_string();
    let expected = [
        ("accept", "*/*"),
        ("authorization", "Bearer x"),
        ("content-length", &length),
        ("host", &host),
        ("x-tag", "one"),
        ("x-tag", "two"),
    ];
    assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));

    assert_eq!(sent.source_ip, Some(LOOPBACK));
    let received = answer(sent);
    assert_eq!(received.status, 200);
    assert_eq!(received.headers, [("content-length".to_owned(), "2".to_owned())]);
    assert_eq!(&received.body[..], b"ok");
    assert!(!received.truncated && !received.headers_truncated);
}

#[tokio::test]
async fn a_request_without_a_body_says_so_where_a_body_is_expected() {
    let receiver = Receiver::start().await;
    for (method, length) in [
        (Method::GET, None),
        (Method::DELETE, None),
        (Method::POST, Some("0")),
        (Method::PUT, Some("0")),
        (Method::PATCH, Some("0")),
    ] {
        let client = client();
        let mut outgoing = post(&receiver.url("/"), "");
        outgoing.method = method.clone();
        let mut without = outgoing.clone();
        without.body = None;
        for outgoing in [outgoing, without] {
            let (sent, (request, peer)) = join!(send(&client, outgoing), receiver.answer(OK));
            assert_eq!(answer(sent).status, 200);
            assert_eq!(request.line, format!("{method} / HTTP/1.1"));
            assert_eq!(request.header("content-length"), length, "{method}");
            assert_eq!(request.header("transfer-encoding"), None);
            peer.close().await;
        }
    }
}

/// Linux answers on all of 127.0.0.0/8, and connects from 127.0.0.1.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_source_is_our_end_of_the_connection() {
    let other = "127.0.0.2".parse().expect("an address");
    let receiver = Receiver::start_at(other).await;
    let client = client();
    let url = format!("http://127.0.0.2:{}/", receiver.port());
    let (sent, _) = join!(send(&client, post(&url, "{}")), receiver.answer(OK));
    assert_eq!(sent.source_ip, Some(LOOPBACK));
    assert_eq!(answer(sent).status, 200);
}

#[tokio::test]
async fn the_framing_of_a_request_cannot_be_forged() {
    let receiver = Receiver::start().await;
    let mut outgoing = post(&receiver.url("/"), "{}");
    for (name, value) in [("content-length", "9"), ("transfer-encoding", "chunked"), ("host", "x")] {
        outgoing.headers.insert(name, HeaderValue::from_static(value));
    }
    let client = client();
    let (sent, (request, _)) = join!(send(&client, outgoing), receiver.answer(OK));
    assert_eq!(answer(sent).status, 200);
    assert_eq!(request.header("content-length"), Some("2"));
    assert_eq!(request.header("transfer-encoding"), None);
    assert_ne!(request.header("host"), Some("x"));
    assert_eq!(request.body, b"{}");
}

#[tokio::test]
async fn a_get_may_have_a_body() {
    let receiver = Receiver::start().await;
    let mut outgoing = post(&receiver.url("/"), "{}");
    outgoing.method = Method::GET;
    let client = client();
    let (sent, (request, _)) = join!(send(&client, outgoing), receiver.answer(OK));
    assert_eq!(answer(sent).status, 200);
    assert_eq!(request.body, b"{}");
}

#[tokio::test]
async fn an_international_name_and_odd_characters_are_sent_as_the_url_standard_has_them() {
    let receiver = Receiver::start().await;
    let url = format!("HTTP://Bücher.example:{}/a/../b c|d\"{{}}^`\\e?q=[ë]'<>#f", receiver.port());
    let client = client();
    let (sent, (request, _)) = join!(send(&client, post(&url, "{}")), receiver.answer(OK));
    assert_eq!(answer(sent).status, 200);
    let parsed = url::Url::parse(&url).expect("a URL");
    let target = &parsed[url::Position::BeforePath..url::Position::AfterQuery];
    assert_eq!(request.line, format!("POST {target} HTTP/1.1"));
    let host = format!("xn--bcher-kva.example:{}", receiver.port());
    assert_eq!(request.header("host"), Some(host.as_str()));
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    for status in [301, 302, 303, 307, 308] {
        let location = other.url("/elsewhere");
        let redirect = format!("HTTP/1.1 {status} Gone\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let client = client();
        let outgoing = post(&receiver.url("/"), "{}");
        let (sent, _) = join!(send(&client, outgoing), receiver.answer(redirect.as_bytes()));
        let received = answer(sent);
        assert_eq!(received.status, status);
        assert!(received.headers.contains(&("location".to_owned(), location)));
    }
    other.assert_no_other_connection().await;
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn a_body_is_kept_as_it_came_compressed_or_not() {
    let receiver = Receiver::start().await;
    let gzip = b"\x1f\x8b\x08\x00not really";
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", gzip.len());
    let bytes = [head.as_bytes(), gzip].concat();
    let client = client();
    let (sent, (request, _)) = join!(send(&client, post(&receiver.url("/"), "{}")), receiver.answer(&bytes));
    assert_eq!(request.header("accept-encoding"), None);
    assert_eq!(&answer(sent).body[..], gzip);
}

#[tokio::test]
async fn interim_answers_are_passed_over() {
    let receiver = Receiver::start().await;
    let bytes = [b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", OK].concat();
    let client = client();
    let (sent, _) = join!(send(&client, post(&receiver.url("/"), "{}")), receiver.answer(&bytes));
    let received = answer(sent);
    assert_eq!(received.status, 200);
    assert_eq!(&received.body[..], b"ok");
}

const TARGET: &str = "LOANHOOK_TEST_TARGET";

/// Changing one's own environment is not safe in a process with threads, so a child's is set.
#[tokio::test]
async fn no_proxy_is_taken_from_the_environment() {
    let (receiver, proxy) = (Receiver::start().await, Receiver::start().await);
    let mut child = Command::new(env::current_exe().expect("this test"));
    child
        .args(["--exact", "tests::requests::sends_to_the_target"])
        .env(TARGET, receiver.url("/"))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .stdout(Stdio::null())
        .kill_on_drop(true);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, proxy.url(""));
    }
    let (status, (request, _)) = join!(child.status(), receiver.answer(OK));
    assert!(status.expect("a status").success());
    assert_eq!(request.line, "POST / HTTP/1.1");
    proxy.assert_no_other_connection().await;
}

/// What the child runs; of itself, this is nothing.
#[tokio::test]
async fn sends_to_the_target() {
    let Ok(target) = env::var(TARGET) else { return };
    let sent = send(&client(), post(&target, "{}")).await;
    assert_eq!(answer(sent).status, 200);
}
