//! Tokens that the receiver refuses.

use super::*;

#[tokio::test]
async fn a_401_is_followed_by_one_new_token_and_one_request() {
    for (refused, sent, result) in [
        (vec!["the-token-1"], vec!["Bearer the-token-1", "Bearer the-token-2"], Ok(200)),
        // Never a loop.
        (
            vec!["the-token-1", "the-token-2", "the-token-3"],
            vec!["Bearer the-token-1", "Bearer the-token-2"],
            Ok(401),
        ),
    ] {
        let fake = Fake { refused, ..Fake::default() };
        let outcome = fake.sender().send(request(1)).await.expect("sent");
        assert_eq!(
            (outcome.result, fake.sent(), fake.forms()),
            (result, sent.into_iter().map(str::to_owned).collect(), 2)
        );
        // What came back has no token in it.
        assert_eq!(outcome.response.expect("an answer").body, "got Bearer ***");
    }
}

#[tokio::test]
async fn the_answer_of_a_receiver_stands_where_no_new_token_can_be_had() {
    let fake =
        Fake { refused: vec!["the-token-1"], statuses: Mutex::new([200, 500].into()), ..Fake::default() };
    let outcome = fake.sender().send(request(1)).await.expect("sent");
    assert_eq!((outcome.result, fake.sent().len(), fake.forms()), (Ok(401), 1, 2));
}

#[tokio::test]
async fn the_answer_of_a_receiver_stands_where_nothing_of_the_second_request_was_sent() {
    let failed = |kind, phase| {
        let result = Err(Failure::at(phase, kind, "it failed"));
        Ok(SendOutcome { elapsed: Duration::ZERO, source_ip: None, result, response: None })
    };
    for second in [
        Err(NotSent("no file descriptor is left".into())),
        failed(ErrorKind::Blocked, Phase::Prepare),
        failed(ErrorKind::Dns, Phase::Resolve),
        failed(ErrorKind::Connect, Phase::Connect),
        failed(ErrorKind::Tls, Phase::Tls),
    ] {
        let fake = Fake { refused: vec!["the-token-1"], second: Mutex::new(Some(second)), ..Fake::default() };
        let outcome = fake.sender().send(request(1)).await.expect("the receiver has seen a request");
        assert_eq!((outcome.result, fake.sent().len()), (Ok(401), 2));
        assert_eq!(outcome.response.expect("an answer").body, "got Bearer ***");
    }
}

#[tokio::test]
async fn a_second_request_that_the_receiver_can_have_seen_is_what_came_of_the_attempt() {
    let failure = Failure::at(Phase::Wait, ErrorKind::Timeout, "no answer");
    let result = Err(failure.clone());
    let second = Ok(SendOutcome { elapsed: Duration::ZERO, source_ip: None, result, response: None });
    let fake = Fake { refused: vec!["the-token-1"], second: Mutex::new(Some(second)), ..Fake::default() };
    let outcome = fake.sender().send(request(1)).await.expect("sent");
    assert_eq!(outcome.result, Err(failure));
    let fresh: Vec<_> =
        fake.sent.lock().expect("a lock").iter().map(|request| request.fresh_connection).collect();
    assert_eq!(fresh, [false, true], "the receiver may close the connection after its 401");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_comes_again_is_not_sent_again_and_asked_for_once() {
    let fake = Fake {
        refused: vec!["the-token-1"],
        repeats: true,
        form_takes: Duration::from_secs(1),
        request_takes: Duration::from_secs(1),
        ..Fake::default()
    };
    let sender = fake.sender();
    let outcomes = futures_util::future::join_all((0..10).map(|_| sender.send(request(1)))).await;
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().is_ok_and(|outcome| outcome.result == Ok(401))));
    assert_eq!((fake.forms(), fake.sent().len()), (2, 10));
}
