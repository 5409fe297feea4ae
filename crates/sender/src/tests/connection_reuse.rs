//! Connections are reused, and no request is ever sent twice.

use std::thread;

use http::HeaderValue;
use tokio::{join, sync::oneshot};

use super::{
    answer, assert_failed, client, post,
    scripted_receiver::{OK, Receiver},
    send,
};
use loanhook_core::model::failure::{ErrorKind, Phase};

#[tokio::test]
async fn a_warm_connection_is_reused() {
    let receiver = Receiver::start().await;
    let client = client();
    let url = receiver.url("/");
    let (sent, (_, mut peer)) = join!(send(&client, post(&url, "1")), receiver.answer(OK));
    assert_eq!(answer(sent).status, 200);
    for body in ["2", "3"] {
        let (sent, request) = join!(send(&client, post(&url, body)), async {
            let request = peer.request().await.expect("a request on the same connection");
            peer.write(OK).await;
            request
        });
        assert_eq!(answer(sent).status, 200);
        assert_eq!(request.body, body.as_bytes());
    }
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn a_connection_that_the_receiver_closed_when_idle_is_replaced() {
    let receiver = Receiver::start().await;
    let client = client();
    for body in ["1", "2", "3"] {
        let (sent, (request, peer)) =
            join!(send(&client, post(&receiver.url("/"), body)), receiver.answer(OK));
        assert_eq!(answer(sent).status, 200);
        assert_eq!(request.body, body.as_bytes());
        peer.close().await;
    }
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn a_request_that_a_warm_connection_swallowed_is_not_sent_again() {
    let receiver = Receiver::start().await;
    let client = client();
    let url = receiver.url("/");
    for reset in [false, true] {
        let (sent, (_, mut peer)) = join!(send(&client, post(&url, "1")), receiver.answer(OK));
        assert_eq!(answer(sent).status, 200);
        let (sent, ()) = join!(send(&client, post(&url, "2")), async {
            assert_eq!(peer.request().await.expect("a request").body, b"2");
            if reset { peer.reset() } else { drop(peer) }
        });
        let detail = format!(
            "the connection to 127.0.0.1:{}, kept from an earlier request, ended before an answer began; whether the \
             receiver has seen this request is unknown",
            receiver.port()
        );
        assert_failed(sent, Phase::Wait, ErrorKind::Interrupted, &detail);
    }
    receiver.assert_no_other_connection().await;
}

/// A receiver on a thread of its own, so that the two really race: it closes every other connection right after an
/// answer, without having said so. Returns what it has seen once the sender has gone away.
fn hasty_receiver(port: oneshot::Sender<u16>, stop: oneshot::Receiver<()>) -> thread::JoinHandle<Vec<usize>> {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async move {
            let receiver = Receiver::start().await;
            port.send(receiver.port()).expect("a sender");
            let mut seen = Vec::new();
            let serving = async {
                loop {
                    let mut peer = receiver.accept().await;
                    while let Some(request) = peer.request().await {
                        let number = request.header(NUMBER).expect("a number");
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

/// Each request races the end of the connection. Whichever wins, no request may come twice, and none that was
/// answered may be missing.
#[tokio::test]
async fn a_race_with_a_closing_receiver_sends_nothing_twice() {
    let (port, known) = oneshot::channel();
    let (stop, stopped) = oneshot::channel();
    let receiver = hasty_receiver(port, stopped);
    let url = format!("http://127.0.0.1:{}/", known.await.expect("a port"));
    let client = client();
    let mut answered = Vec::new();
    for number in 0..500_usize {
        let mut outgoing = post(&url, "{}");
        outgoing.headers.insert(NUMBER, HeaderValue::from(number));
        match send(&client, outgoing).await.result {
            Ok(_) => answered.push(number),
            Err(failure) => assert_eq!(failure.kind, ErrorKind::Interrupted, "{failure}"),
        }
    }
    stop.send(()).expect("a receiver");
    let seen = receiver.join().expect("what was seen");
    assert!(seen.is_sorted_by(|before, after| before < after), "a request came twice");
    assert!(answered.iter().all(|number| seen.contains(number)));
    assert!(answered.len() > 250, "only {} were answered", answered.len());
}

#[tokio::test]
async fn a_receiver_that_says_close_gets_a_new_connection_each_time() {
    let receiver = Receiver::start().await;
    let client = client();
    let closing = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    for _ in 0..2 {
        let (sent, (_, peer)) =
            join!(send(&client, post(&receiver.url("/"), "{}")), receiver.answer(closing));
        assert_eq!(answer(sent).status, 200);
        peer.until_closed().await;
    }
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_not_retried() {
    let receiver = Receiver::start().await;
    let client = client();
    let busy = b"HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n";
    let (sent, (_, peer)) = join!(send(&client, post(&receiver.url("/"), "{}")), receiver.answer(busy));
    assert_eq!(answer(sent).status, 503);
    peer.close().await;
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn a_call_that_is_dropped_closes_its_connection() {
    let receiver = Receiver::start().await;
    let client = client();
    let mut sending = Box::pin(send(&client, post(&receiver.url("/"), "{}")));
    let mut peer = tokio::select! {
        sent = &mut sending => panic!("{:?}", sent.result),
        peer = async {
            let mut peer = receiver.accept().await;
            peer.request().await.expect("a request");
            peer
        } => peer,
    };
    drop(sending);
    assert_eq!(peer.request().await, None);
    receiver.assert_no_other_connection().await;
}
