//! The requests that a receiver sees.

use std::{env, process::Stdio};

use http::{HeaderValue, Method, header::AUTHORIZATION};
use tokio::{join, process::Command};

use super::{
    LOOPBACK, client, post,
    scripted_receiver::{OK, Receiver},
    send, whole_response,
};

#[tokio::test]
async fn a_request_is_sent_unchanged() {
    let receiver = Receiver::start().await;
    let body = "{\"amount\": 250.00, \"borrower\": \"Zoë\"}";
    let mut request = post(&receiver.url("/hooks/loans?a=b%20c&d=%5B#fragment"), body);
    request.headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
    request.headers.append("x-tag", HeaderValue::from_static("one"));
    request.headers.append("x-tag", HeaderValue::from_static("two"));

    let client = client();
    let (outcome, (received, _)) = join!(send(&client, request), receiver.respond(OK));
    assert_eq!(received.line, "POST /hooks/loans?a=b%20c&d=%5B HTTP/1.1");
    assert_eq!(received.body, body.as_bytes());
    let mut headers = received.headers;
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

    assert_eq!(outcome.source_ip, Some(LOOPBACK));
    let response = whole_response(outcome);
    assert_eq!(response.status, 200);
    assert_eq!(response.received.headers, [("content-length".to_owned(), "2".to_owned())]);
    assert_eq!(&response.received.body[..], b"ok");
    assert!(!response.received.truncated && !response.received.headers_truncated);
}

#[tokio::test]
async fn a_request_without_a_body_has_content_length_0_where_its_method_expects_a_body() {
    let receiver = Receiver::start().await;
    for (method, length) in [
        (Method::GET, None),
        (Method::DELETE, None),
        (Method::POST, Some("0")),
        (Method::PUT, Some("0")),
        (Method::PATCH, Some("0")),
    ] {
        let client = client();
        let mut request = post(&receiver.url("/"), "");
        request.method = method.clone();
        let (outcome, (received, peer)) = join!(send(&client, request), receiver.respond(OK));
        assert_eq!(whole_response(outcome).status, 200);
        assert_eq!(received.line, format!("{method} / HTTP/1.1"));
        assert_eq!(received.header("content-length"), length, "{method}");
        assert_eq!(received.header("transfer-encoding"), None);
        peer.close().await;
    }
}

/// Linux accepts connections on all of 127.0.0.0/8, and connects from 127.0.0.1.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_source_ip_is_our_end_of_the_connection() {
    let other = "127.0.0.2".parse().expect("an address");
    let receiver = Receiver::start_at(other, 0).await;
    let client = client();
    let url = format!("http://127.0.0.2:{}/", receiver.port());
    let (outcome, _) = join!(send(&client, post(&url, "{}")), receiver.respond(OK));
    assert_eq!(outcome.source_ip, Some(LOOPBACK));
    assert_eq!(whole_response(outcome).status, 200);
}

#[tokio::test]
async fn host_and_framing_headers_cannot_be_set() {
    let receiver = Receiver::start().await;
    let mut request = post(&receiver.url("/"), "{}");
    for (name, value) in [("content-length", "9"), ("transfer-encoding", "chunked"), ("host", "x")] {
        request.headers.insert(name, HeaderValue::from_static(value));
    }
    let client = client();
    let (outcome, (received, _)) = join!(send(&client, request), receiver.respond(OK));
    assert_eq!(whole_response(outcome).status, 200);
    assert_eq!(received.header("content-length"), Some("2"));
    assert_eq!(received.header("transfer-encoding"), None);
    assert_ne!(received.header("host"), Some("x"));
    assert_eq!(received.body, b"{}");
}

#[tokio::test]
async fn a_get_may_have_a_body() {
    let receiver = Receiver::start().await;
    let mut request = post(&receiver.url("/"), "{}");
    request.method = Method::GET;
    let client = client();
    let (outcome, (received, _)) = join!(send(&client, request), receiver.respond(OK));
    assert_eq!(whole_response(outcome).status, 200);
    assert_eq!(received.body, b"{}");
}

#[tokio::test]
async fn an_international_name_and_special_characters_are_sent_as_the_url_standard_says() {
    let receiver = Receiver::start().await;
    let url = format!("HTTP://Bücher.example:{}/a/../b c|d\"{{}}^`\\e?q=[ë]'<>#f", receiver.port());
    let client = client();
    let (outcome, (received, _)) = join!(send(&client, post(&url, "{}")), receiver.respond(OK));
    assert_eq!(whole_response(outcome).status, 200);
    let parsed = url::Url::parse(&url).expect("a URL");
    let target = &parsed[url::Position::BeforePath..url::Position::AfterQuery];
    assert_eq!(received.line, format!("POST {target} HTTP/1.1"));
    let host = format!("xn--bcher-kva.example:{}", receiver.port());
    assert_eq!(received.header("host"), Some(host.as_str()));
}

#[tokio::test]
async fn a_redirect_is_a_response_and_is_not_followed() {
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    for status in [301, 302, 303, 307, 308] {
        let location = other.url("/elsewhere");
        let redirect = format!("HTTP/1.1 {status} Gone\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let client = client();
        let request = post(&receiver.url("/"), "{}");
        let (outcome, _) = join!(send(&client, request), receiver.respond(redirect.as_bytes()));
        let response = whole_response(outcome);
        assert_eq!(response.status, status);
        assert!(response.received.headers.contains(&("location".to_owned(), location)));
    }
    other.assert_no_other_connection().await;
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn a_compressed_body_is_kept_as_it_came() {
    let receiver = Receiver::start().await;
    let gzip = b"\x1f\x8b\x08\x00not really";
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", gzip.len());
    let bytes = [head.as_bytes(), gzip].concat();
    let client = client();
    let (outcome, (received, _)) =
        join!(send(&client, post(&receiver.url("/"), "{}")), receiver.respond(&bytes));
    assert_eq!(received.header("accept-encoding"), None);
    assert_eq!(&whole_response(outcome).received.body[..], gzip);
}

#[tokio::test]
async fn interim_responses_are_skipped() {
    let receiver = Receiver::start().await;
    let bytes = [b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", OK].concat();
    let client = client();
    let (outcome, _) = join!(send(&client, post(&receiver.url("/"), "{}")), receiver.respond(&bytes));
    let response = whole_response(outcome);
    assert_eq!(response.status, 200);
    assert_eq!(&response.received.body[..], b"ok");
}

const TARGET: &str = "LOANHOOK_TEST_TARGET";

/// Changing the environment of a process with threads is not safe, so a child process gets one.
#[tokio::test]
async fn no_proxy_of_the_environment_is_used() {
    let (receiver, proxy) = (Receiver::start().await, Receiver::start().await);
    let mut child = Command::new(env::current_exe().expect("this test"));
    child
        .args(["--exact", "tests::sent_requests::sends_to_the_target"])
        .env(TARGET, receiver.url("/"))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .stdout(Stdio::null())
        .kill_on_drop(true);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, proxy.url(""));
    }
    let (status, (received, _)) = join!(child.status(), receiver.respond(OK));
    assert!(status.expect("a status").success());
    assert_eq!(received.line, "POST / HTTP/1.1");
    proxy.assert_no_other_connection().await;
}

/// What the child process runs. Without the variable it does nothing.
#[tokio::test]
async fn sends_to_the_target() {
    let Ok(target) = env::var(TARGET) else { return };
    let outcome = send(&client(), post(&target, "{}")).await;
    assert_eq!(whole_response(outcome).status, 200);
}
