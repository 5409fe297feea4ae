//! Events accepted: each promise kept once, whatever is repeated or was left undone.

use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};
use loanhook_core::intake::{self, IntakeError, Receipt, Submission};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::event::Event;
use loanhook_core::model::event_evaluation::EventEvaluation;
use loanhook_core::model::id::{EventId, TraceId};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    AcceptOutcome, EnqueueOutcome, IdempotencyKey, IdempotencyRecord, Intake, Payloads, StoreResult,
    Subscriptions,
};

use crate::engine::Engine;
use crate::scene::{
    DAY, MILLISECOND, SECOND, START, Scene, attempt_message, delivery_of, event, subscription, tenant,
    unwatched,
};
use crate::triggers::queued;

const BODY: &str = r#"{"last-payment-amount": 250.00}"#;

/// An event of loan 727 whose bytes are its context.
pub fn submission(body: &str, key: Option<&str>) -> Submission {
    Submission { event: event("727", body), key: key.map(str::to_owned) }
}

fn idempotency(key: &str) -> IdempotencyKey {
    IdempotencyKey { key: key.into(), until: START + DAY }
}

fn remembered(body: &str, matched: &[&Subscription]) -> IdempotencyRecord {
    IdempotencyRecord {
        digest: event("727", body).digest(),
        event_id: EventId::at(START),
        accepted_at: START,
        matched: matched.iter().map(|subscription| (subscription.id, subscription.version)).collect(),
        unmatched: vec![],
    }
}

fn render(subscription: &Subscription, event: &Event, id: EventId) -> (Delivery, Bytes) {
    let (delivery, bytes) = Delivery::render(subscription, &EventEvaluation::new(event, START), id);
    (delivery, bytes)
}

fn traces(receipt: &Receipt) -> Vec<TraceId> {
    receipt.deliveries.iter().map(|promised| promised.trace_id).collect()
}

/// An engine where the tenant `acme` has two subscriptions.
async fn two<E: Engine>() -> StoreResult<(E, [Subscription; 2])> {
    let engine = E::fresh().await;
    let acme = tenant("acme");
    let both = [("Core banking", 0), ("Collections", 1)]
        .map(|(title, millis)| subscription(&acme, title, &[300], START + millis * MILLISECOND));
    for subscription in &both {
        assert!(engine.ports().create(subscription.clone(), 2).await?);
    }
    Ok((engine, both))
}

pub(crate) async fn an_accepted_delivery_is_stored_with_its_payload_and_message<E: Engine>() -> StoreResult<()>
{
    let scene = Scene::<E>::new(&[300]).await?;
    assert_eq!(scene.delivery().await?, scene.accepted);
    assert_eq!(scene.first, attempt_message(&scene.accepted, 1, START));
    let snapshot = &scene.accepted.snapshot.request.payload;
    let bytes = scene.ports().payload(scene.tenant(), snapshot.key.expect("a payload")).await?;
    let sent = format!(r#"{{"eventName":"Payment Posted to Account","context":{BODY}}}"#);
    assert_eq!(bytes, Some(Bytes::from(sent)));
    assert_eq!(scene.rows().await?, []);
    assert_eq!(scene.engine.drain().await, []);
    Ok(())
}

pub(crate) async fn a_delivery_that_is_stored_already_stays_as_it_is<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let again = || vec![(scene.accepted.clone(), Bytes::from_static(b"{}"))];
    scene.attempt(Ok(500), START).await?;
    let failed = scene.delivery().await?;
    scene
        .ports()
        .accept(unwatched(scene.tenant(), None, again(), START + SECOND), Default::default())
        .await?;
    assert_eq!(scene.delivery().await?, failed);

    scene.attempt(Ok(200), START + 301 * SECOND).await?;
    let succeeded = scene.delivery().await?;
    scene
        .ports()
        .accept(unwatched(scene.tenant(), None, again(), START + 302 * SECOND), Default::default())
        .await?;
    assert_eq!(scene.delivery().await?, succeeded);
    assert_eq!(scene.rows().await?.len(), 2);
    Ok(())
}

pub(crate) async fn of_concurrent_calls_with_one_idempotency_key_one_is_stored<E: Engine>() -> StoreResult<()>
{
    let (engine, [subscription, _]) = two::<E>().await?;
    let calls: Vec<_> = (0..16_u32)
        .map(|i| {
            // Half of them with another body.
            let body = format!(r#"{{"n": {}}}"#, i % 2);
            let remembered = remembered(&body, &[&subscription]);
            (render(&subscription, &event("727", &body), remembered.event_id), remembered)
        })
        .collect();
    let accepts = calls.iter().map(|(delivery, remembered)| {
        let record = Some((idempotency("a"), remembered.clone()));
        engine.ports().accept(
            unwatched(&subscription.tenant, record, vec![delivery.clone()], START),
            Default::default(),
        )
    });
    let accepted = try_join_all(accepts).await?;

    let stored: Vec<_> = calls
        .iter()
        .zip(&accepted)
        .filter(|(_, answer)| matches!(answer, AcceptOutcome::Stored { .. }))
        .collect();
    let [(((winner, _), record), _)] = stored.as_slice() else { panic!("{} are stored", stored.len()) };
    for (((delivery, _), _), answer) in calls.iter().zip(&accepted) {
        let there = delivery_of(engine.ports(), &subscription.tenant, delivery.snapshot.trace_id).await?;
        match answer {
            AcceptOutcome::Stored { .. } => assert_eq!(there.as_ref(), Some(winner)),
            AcceptOutcome::Duplicate(known) => assert_eq!((known, there), (record, None)),
        }
    }
    assert_eq!(queued(&engine).await, [winner.snapshot.trace_id]);
    Ok(())
}

pub(crate) async fn concurrent_events_with_one_idempotency_key_are_one_event<E: Engine>() -> StoreResult<()> {
    let (engine, both) = two::<E>().await?;
    let calls =
        (0..16).map(|_| intake::accept(engine.ports(), &both[0].tenant, submission(BODY, Some("a")), START));
    let receipts = try_join_all(calls).await.expect("accepted");
    let mut promised = traces(&receipts[0]);
    assert_eq!(promised.len(), both.len());
    for receipt in &receipts {
        assert_eq!((receipt.event_id, traces(receipt)), (receipts[0].event_id, promised.clone()));
    }
    promised.sort_unstable();
    assert_eq!(queued(&engine).await, promised);
    Ok(())
}

pub(crate) async fn another_body_under_an_idempotency_key_is_refused_and_stores_nothing<E: Engine>()
-> StoreResult<()> {
    let (engine, both) = two::<E>().await?;
    let bodies: Vec<_> = (0..8).map(|n| format!(r#"{{"n": {n}}}"#)).collect();
    let calls = bodies
        .iter()
        .map(|body| intake::accept(engine.ports(), &both[0].tenant, submission(body, Some("a")), START));
    let (accepted, refused): (Vec<_>, Vec<_>) = join_all(calls).await.into_iter().partition(Result::is_ok);
    let [Ok(receipt)] = accepted.as_slice() else { panic!("{} are accepted", accepted.len()) };
    assert!(refused.iter().all(|refused| matches!(refused, Err(IntakeError::KeyReused))), "{refused:?}");
    let mut promised = traces(receipt);
    promised.sort_unstable();
    assert_eq!(queued(&engine).await, promised);
    Ok(())
}

pub(crate) async fn a_repeated_call_completes_an_intake_that_crashed_after_the_record<E: Engine>()
-> StoreResult<()> {
    finishes::<E>(0).await
}

pub(crate) async fn a_repeated_call_completes_an_intake_that_crashed_between_deliveries<E: Engine>()
-> StoreResult<()> {
    finishes::<E>(1).await
}

/// The first call, which matched one subscription in its second version, got as far as its record and so
/// many deliveries. Then that one was edited again, the other deleted, and a third made.
async fn finishes<E: Engine>(stored: usize) -> StoreResult<()> {
    let (engine, mut both) = two::<E>().await?;
    let ports = engine.ports();
    let acme = &tenant("acme");
    both[0].version = 2;
    both[0].settings.title = "Core banking, edited".into();
    ports.replace(both[0].clone()).await?;
    let record = remembered(BODY, &[&both[0], &both[1]]);
    let expected: Vec<_> =
        both.iter().map(|subscription| render(subscription, &event("727", BODY), record.event_id)).collect();
    ports
        .accept(unwatched(acme, Some((idempotency("a"), record.clone())), vec![], START), Default::default())
        .await?;
    ports.accept(unwatched(acme, None, expected[..stored].to_vec(), START), Default::default()).await?;

    let mut edited = both[0].clone();
    edited.version = 3;
    edited.settings.title = "Core banking, edited again".into();
    edited.settings.request.url = "https://elsewhere.example.com/".into();
    ports.replace(edited).await?;
    assert!(ports.delete(acme, both[1].id).await?);
    assert!(ports.create(subscription(acme, "New", &[300], START + SECOND), 3).await?);

    for _ in 0..2 {
        let receipt = intake::accept(ports, acme, submission(BODY, Some("a")), START + 2 * SECOND).await;
        let receipt = receipt.expect("accepted");
        assert_eq!(receipt.event_id, record.event_id);
        let told: Vec<_> =
            receipt.deliveries.iter().map(|told| (told.trace_id, &*told.event_title)).collect();
        let recorded = expected
            .iter()
            .map(|(delivery, _)| (delivery.snapshot.trace_id, &*delivery.snapshot.event_title));
        assert_eq!(told, recorded.collect::<Vec<_>>());
    }
    let mut promised = Vec::new();
    for (delivery, _) in expected {
        let trace = delivery.snapshot.trace_id;
        assert_eq!(delivery_of(ports, acme, trace).await?, Some(delivery));
        promised.push(trace);
    }
    promised.sort_unstable();
    assert_eq!(queued(&engine).await, promised);
    Ok(())
}

pub(crate) async fn an_idempotency_key_expires_after_a_day<E: Engine>() -> StoreResult<()> {
    let (engine, both) = two::<E>().await?;
    let at = |now: Timestamp, body| {
        intake::accept(engine.ports(), &both[0].tenant, submission(body, Some("a")), now)
    };
    let first = at(START, BODY).await.expect("accepted");
    let last = at(START + DAY.saturating_sub(MILLISECOND), BODY).await.expect("accepted");
    assert_eq!((last.event_id, traces(&last)), (first.event_id, traces(&first)));
    let next = at(START + DAY, r#"{"another": "body"}"#).await.expect("accepted");
    assert!(traces(&next).iter().all(|trace| !traces(&first).contains(trace)));
    let mut promised = [traces(&first), traces(&next)].concat();
    promised.sort_unstable();
    assert_eq!(queued(&engine).await, promised);
    Ok(())
}

pub(crate) async fn an_idempotency_key_of_an_event_is_another_than_that_of_a_resend<E: Engine>()
-> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    scene.attempt(Ok(500), START).await?;
    let (_, queued) = scene.resend(Some(idempotency("a")), START + SECOND).await?;
    assert_eq!(queued, EnqueueOutcome::Enqueued);
    let record = Some((idempotency("a"), remembered(BODY, &[])));
    let accepted = scene
        .ports()
        .accept(unwatched(scene.tenant(), record, vec![], START + SECOND), Default::default())
        .await?;
    assert!(matches!(accepted, AcceptOutcome::Stored { .. }), "{accepted:?}");
    let (_, queued) = scene.resend(Some(idempotency("a")), START + SECOND).await?;
    assert!(matches!(queued, EnqueueOutcome::Duplicate(..)), "{queued:?}");
    Ok(())
}
