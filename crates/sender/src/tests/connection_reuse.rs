//! The reuse of connections, and that no request is sent twice.

use std::thread;

use http::HeaderValue;
use tokio::{join, sync::oneshot};

use super::{
    assert_failed, client, post,
    scripted_receiver::{OK, Receiver},
    send, whole_response,
};
use loanhook_core::model::failure::{ErrorKind, Phase};

#[tokio::test]
async fn an_idle_connection_is_reused() {
    let receiver = Receiver::start().await;
    let client = client();
    let url = receiver.url("/");
    let (outcome, (_, mut peer)) = join!(send(&client, post(&url, "1")), receiver.respond(OK));
    assert_eq!(whole_response(outcome).status, 200);
    for body in ["2", "3"] {
        let (outcome, received) = join!(send(&client, post(&url, body)), async {
            let received = peer.read_request().await.expect("a request on the same connection");
            peer.write(OK).await;
            received
        });
        assert_eq!(whole_response(outcome).status, 200);
        assert_eq!(received.body, body.as_bytes());
    }
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn an_idle_connection_that_the_receiver_closed_is_replaced() {
    let receiver = Receiver::start().await;
    let client = client();
    for body in ["1", "2", "3"] {
        let (outcome, (received, peer)) =
            join!(send(&client, post(&receiver.url("/"), body)), receiver.respond(OK));
        assert_eq!(whole_response(outcome).status, 200);
        assert_eq!(received.body, body.as_bytes());
        peer.close().await;
    }
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn a_request_lost_on_a_reused_connection_is_interrupted_and_not_sent_again() {
    let receiver = Receiver::start().await;
    let client = client();
    let url = receiver.url("/");
    for reset in [false, true] {
        let (outcome, (_, mut peer)) = join!(send(&client, post(&url, "1")), receiver.respond(OK));
        assert_eq!(whole_response(outcome).status, 200);
        let (outcome, ()) = join!(send(&client, post(&url, "2")), async {
            assert_eq!(peer.read_request().await.expect("a request").body, b"2");
            if reset { peer.reset() } else { drop(peer) }
        });
        let detail = format!(
            "the connection to 127.0.0.1:{}, kept from an earlier request, ended before an answer began; whether the \
             receiver has seen this request is unknown",
            receiver.port()
        );
        assert_failed(outcome, Phase::Wait, ErrorKind::Interrupted, &detail);
    }
    receiver.assert_no_other_connection().await;
}

/// A receiver on a thread of its own, so that client and receiver run in parallel. It closes the connection after every
/// third response, without having announced that. Returns the numbers of the requests that it has seen.
fn start_closing_receiver(
    port: oneshot::Sender<u16>,
    stop: oneshot::Receiver<()>,
) -> thread::JoinHandle<Vec<usize>> {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async move {
            let receiver = Receiver::start().await;
            port.send(receiver.port()).expect("a sender");
            let mut seen = Vec::new();
            let serving = async {
                loop {
                    let mut peer = receiver.accept().await;
                    while let Some(received) = peer.read_request().await {
                        let number = received.header(NUMBER).expect("a number");
                        seen.push(number.parse().expect("a number"));
                        peer.write(OK).await;
                        if seen.len() % 3 == 0 {
                            break;
                        }
                    }
                }
            };
            tokio::select! {
                () = serving => {}
                stopped = stop => stopped.expect("a sender"),
            }
            seen
        })
    })
}

const NUMBER: &str = "loanhook-attempt-id";

/// Each request may meet the end of its connection. No request may arrive twice, and none that got a response may be
/// missing.
#[tokio::test]
async fn no_request_is_sent_twice_in_a_race_with_a_closing_receiver() {
    let (port, known) = oneshot::channel();
    let (stop, stopped) = oneshot::channel();
    let receiver = start_closing_receiver(port, stopped);
    let url = format!("http://127.0.0.1:{}/", known.await.expect("a port"));
    let client = client();
    let mut with_response = Vec::new();
    for number in 0..500_usize {
        let mut request = post(&url, "{}");
        request.headers.insert(NUMBER, HeaderValue::from(number));
        match send(&client, request).await.result {
            Ok(_) => with_response.push(number),
            Err(failure) => assert_eq!(failure.kind, ErrorKind::Interrupted, "{failure}"),
        }
    }
    stop.send(()).expect("a receiver");
    let seen = receiver.join().expect("what was seen");
    assert!(seen.is_sorted_by(|before, after| before < after), "a request came twice");
    assert!(with_response.iter().all(|number| seen.contains(number)));
    assert!(with_response.len() > 250, "only {} got a response", with_response.len());
}

#[tokio::test]
async fn connection_close_is_followed_by_a_new_connection() {
    let receiver = Receiver::start().await;
    let client = client();
    let closing = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    for _ in 0..2 {
        let (outcome, (_, peer)) =
            join!(send(&client, post(&receiver.url("/"), "{}")), receiver.respond(closing));
        assert_eq!(whole_response(outcome).status, 200);
        peer.assert_closed().await;
    }
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn a_503_is_a_response_and_is_not_retried() {
    let receiver = Receiver::start().await;
    let client = client();
    let busy = b"HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n";
    let (outcome, (_, peer)) = join!(send(&client, post(&receiver.url("/"), "{}")), receiver.respond(busy));
    assert_eq!(whole_response(outcome).status, 503);
    peer.close().await;
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn a_call_that_is_dropped_closes_its_connection() {
    let receiver = Receiver::start().await;
    let client = client();
    let mut sending = Box::pin(send(&client, post(&receiver.url("/"), "{}")));
    let mut peer = tokio::select! {
        outcome = &mut sending => panic!("{:?}", outcome.result),
        peer = async {
            let mut peer = receiver.accept().await;
            peer.read_request().await.expect("a request");
            peer
        } => peer,
    };
    drop(sending);
    assert_eq!(peer.read_request().await, None);
    receiver.assert_no_other_connection().await;
}
