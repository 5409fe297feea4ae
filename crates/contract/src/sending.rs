//! Messages handled: what is sent, and what is not sent twice.

use std::time::Instant;

use futures_util::future::try_join_all;
use loanhook_core::model::attempt::{Attempt, AttemptNumber, Outcome, ResendTo};
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::payload::Payload;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{DeleteOutcome, DueWork, Payloads, QueueMessage, StoreResult, Subscriptions};
use loanhook_core::resend::{ResendError, ResendRequest, ResendTarget, resend};

use crate::engine::Engine;
use crate::scene::{LEASE, SECOND, START, Scene, accept, attempt_message, delivery_of, secret};
use crate::sender::Scripted;

fn numbers(rows: &[Attempt]) -> Vec<AttemptNumber> {
    rows.iter().map(|row| row.number).collect()
}

const FIRST_THREE: [AttemptNumber; 3] =
    [AttemptNumber::Auto(1), AttemptNumber::Auto(2), AttemptNumber::Auto(3)];

pub(crate) async fn a_delivery_fails_is_retried_and_succeeds_with_the_same_bytes<E: Engine>()
-> StoreResult<()> {
    let scene = Scene::<E>::new(&[300, 1800, 7200]).await?;
    let mut deliver = scene.deliver(Some(LEASE));
    deliver.sender = Scripted::always(200).script(&[503, 404]);
    deliver.handle(scene.first.clone(), START).await?;
    let mut times = vec![START];
    for delay in [300, 1800] {
        let message = scene.engine.receive().await;
        // A request takes a second here; the clock of a retry starts when it ended.
        assert_eq!(message.due, times[times.len() - 1] + SECOND + delay * SECOND);
        times.push(message.due);
        deliver.handle(message.clone(), message.due).await?;
    }
    assert_eq!(scene.engine.drain().await, []);
    assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);

    let rows = scene.rows().await?;
    assert_eq!(numbers(&rows), FIRST_THREE);
    let outcomes: Vec<_> = rows.iter().map(Attempt::outcome).collect();
    assert_eq!(outcomes, [Outcome::Failed, Outcome::Failed, Outcome::Succeeded]);
    assert_eq!(rows.iter().map(|row| row.sent_at).collect::<Vec<_>>(), times);
    let snapshot = &scene.accepted.snapshot;
    let sent = deliver.sender.take_sent();
    assert_eq!(sent.len(), rows.len());
    for (request, row) in sent.iter().zip(&rows) {
        assert_eq!(Payload::of(&request.body), snapshot.request.payload);
        assert_eq!(
            (&request.url, &request.headers),
            (&snapshot.request.url, &scene.subscription.settings.request.headers)
        );
        assert_eq!(request.content_type, snapshot.request.content_type);
        assert_eq!((request.trace_id, request.attempt_id), (scene.trace(), row.id));
        assert_eq!((request.number, request.sent_at), (row.number, row.sent_at));
    }
    Ok(())
}

pub(crate) async fn one_message_handled_many_times_sends_each_number_once<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300, 1800]).await?;
    let deliver = scene.deliver(Some(LEASE));
    let mut messages = vec![scene.first.clone()];
    let mut seen = Vec::new();
    while let Some(message) = messages.pop() {
        let now = message.due.max(START);
        try_join_all((0..8).map(|_| deliver.handle(message.clone(), now))).await?;
        seen.push(message);
        messages.extend(scene.engine.drain().await);
    }
    assert_eq!(deliver.sender.numbers(), FIRST_THREE);

    let (delivery, rows) = (scene.delivery().await?, scene.rows().await?);
    assert_eq!((delivery.progress.status(), numbers(&rows)), (Status::Failed, FIRST_THREE.to_vec()));
    for message in seen {
        deliver.handle(message, START + 7200 * SECOND).await?;
    }
    assert_eq!(deliver.sender.numbers(), FIRST_THREE);
    assert_eq!(scene.delivery().await?, delivery);
    assert_eq!(scene.rows().await?, rows);
    assert_eq!(scene.engine.drain().await, []);
    Ok(())
}

pub(crate) async fn an_old_message_enqueues_its_lost_successor<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let deliver = scene.deliver(Some(LEASE));
    deliver.handle(scene.first.clone(), START).await?;
    let lost = scene.engine.receive().await;
    let delivery = scene.delivery().await?;

    deliver.handle(scene.first.clone(), START + 2 * SECOND).await?;
    assert_eq!(scene.engine.receive().await, lost);
    assert_eq!(lost.work, DueWork::Attempt(2));
    assert_eq!(scene.delivery().await?, delivery);
    assert_eq!(deliver.sender.numbers(), [AttemptNumber::Auto(1)]);
    Ok(())
}

pub(crate) async fn a_message_that_is_not_due_is_enqueued_again_and_changes_nothing<E: Engine>()
-> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let deliver = scene.deliver(Some(LEASE));
    let early = QueueMessage { due: START + SECOND, ..scene.first.clone() };
    deliver.handle(early.clone(), START).await?;
    assert_eq!(scene.engine.receive().await, early);
    assert_eq!(scene.delivery().await?, scene.accepted);
    assert_eq!(scene.rows().await?, []);
    assert_eq!(deliver.sender.numbers(), []);
    Ok(())
}

pub(crate) async fn a_missing_payload_is_told_in_the_row_and_the_schedule_continues<E: Engine>()
-> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let key = scene.accepted.snapshot.request.payload.key.expect("a payload");
    scene.engine.lose_payload(scene.tenant(), key);
    assert_eq!(scene.ports().payload(scene.tenant(), key).await?, None);

    let deliver = scene.deliver(Some(LEASE));
    let mut places = Vec::new();
    while let Some(next) = scene.delivery().await?.progress.waiting() {
        places.push((next.number, next.slot));
        deliver.handle(attempt_message(&scene.accepted, next.number, next.due), next.due).await?;
    }
    // As with any interruption, the third in a row counts as a failure.
    assert_eq!(places, [(1, 0), (2, 0), (3, 0), (4, 1), (5, 1), (6, 1)]);
    let rows = scene.rows().await?;
    assert_eq!(rows.len(), places.len());
    for row in &rows {
        let error = row.completion().and_then(|completion| completion.error()).expect("an error");
        assert_eq!(error.kind, ErrorKind::Interrupted);
        assert!(error.detail.contains("nothing was sent"), "{}", error.detail);
    }
    assert_eq!(scene.delivery().await?.progress.status(), Status::Failed);
    assert_eq!(deliver.sender.numbers(), []);
    Ok(())
}

pub(crate) async fn a_request_that_cannot_end_before_the_deadline_is_not_sent_and_is_due_again<E: Engine>()
-> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let mut deliver = scene.deliver(Some(LEASE));
    // A request may take 15 seconds here, and what comes of it must be recorded.
    deliver.deadline = Some(Instant::now() + 15 * SECOND);
    deliver.handle(scene.first.clone(), START).await?;
    assert_eq!(deliver.sender.numbers(), []);
    assert_eq!(scene.rows().await?, [], "it is no attempt");

    deliver.deadline = Some(Instant::now() + 600 * SECOND);
    let again = scene.engine.receive().await;
    deliver.handle(again.clone(), again.due).await?;
    assert_eq!(deliver.sender.numbers(), [AttemptNumber::Auto(1)]);
    Ok(())
}

pub(crate) async fn a_change_of_the_subscription_changes_only_the_credentials_of_its_deliveries<E: Engine>()
-> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let old = scene.subscription.secrets.current().clone();
    let mut edited = scene.subscription.clone();
    edited.version = 2;
    edited.settings.request.url = "https://elsewhere.example.com/".into();
    edited.settings.request.headers.clear();
    edited.settings.retry = loanhook_core::model::retry::RetryPolicy::Delays { delays: vec![] };
    edited.secrets.rotate(secret(), START);
    let new = edited.secrets.current().clone();
    scene.ports().replace(edited.clone()).await?;

    let deliver = scene.deliver(Some(LEASE));
    deliver.handle(scene.first.clone(), START).await?;
    assert_eq!(scene.ports().delete(scene.tenant(), edited.id, None).await?, DeleteOutcome::Deleted);
    let retry = scene.engine.receive().await;
    deliver.handle(retry.clone(), retry.due).await?;

    let sent = deliver.sender.take_sent();
    assert_eq!(sent.len(), 2);
    for sent in sent {
        // The new URL is of another host: the headers are those that were given for the host of this one.
        let own = &scene.subscription.settings.request;
        assert_eq!((&sent.url, &sent.headers), (&own.url, &own.headers));
        assert_eq!(sent.secrets, [new.clone(), old.clone()]);
    }
    assert_eq!(retry.due, START + 301 * SECOND);
    Ok(())
}

pub(crate) async fn a_template_that_does_not_render_gives_a_row_without_a_request_that_cannot_be_resent<
    E: Engine,
>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let mut next = scene.subscription.clone();
    next.version = 2;
    next.settings.request.payload = Some("{\"a\": [[v('missing')]]}".into());
    scene.ports().replace(next.clone()).await?;
    let delivery = accept(&scene.engine, &next, "727", START).await?;
    let deliver = scene.deliver(None);
    deliver.handle(attempt_message(&delivery, 1, START), START).await?;
    assert!(deliver.sender.take_sent().is_empty());

    let rows = scene.rows_of(&delivery).await?;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    let completion = row.completion().expect("a complete row");
    let error = completion.error().expect("an error");
    assert_eq!((row.number, error.kind), (AttemptNumber::Auto(1), ErrorKind::Template));
    assert!(error.detail.contains("`missing`"), "{}", error.detail);
    assert_eq!((row.next_attempt_at, completion.response_time_ms, row.source.bytes), (None, None, 0));
    let (tenant, trace) = (scene.tenant(), delivery.snapshot.trace_id);
    let stored = delivery_of(scene.ports(), tenant, trace).await?.expect("the delivery");
    assert_eq!((stored.progress.status(), stored.progress.waiting()), (Status::Failed, None));
    let request = ResendRequest {
        trace_id: trace,
        attempt: ResendTarget::Newest,
        to: ResendTo::Original,
        requested_by: "Servicing".into(),
        key: None,
    };
    let resent = resend(scene.ports(), tenant, request, START + SECOND).await;
    assert!(matches!(resent, Err(ResendError::NothingToSend)), "{resent:?}");
    Ok(())
}
