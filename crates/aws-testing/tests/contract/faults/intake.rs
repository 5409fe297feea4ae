//! Intake where AWS refuses in the middle of an event: the call fails, and a repeat with the same idempotency key completes
//! it.

use std::collections::BTreeSet;

use loanhook_aws_testing::fault_proxy::{BROKEN, Fault, SLOW_DOWN, THROTTLED};
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults, worker};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, SECOND, START, Scene, delivery_of, subscription, tenant};
use loanhook_contract::submission;
use loanhook_core::intake::{IntakeError, Receipt, accept};
use loanhook_core::model::id::TraceId;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{StoreResult, Subscriptions};

use super::results;

const BODY: &str = r#"{"last-payment-amount": 250.00}"#;

/// Three subscriptions that match every event.
async fn three_subscriptions() -> StoreResult<Scene<FaultyAwsEngine>> {
    let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
    for i in 1..3 {
        let another = subscription(&tenant("acme"), "Another", &[300], START + i * MILLISECOND);
        assert!(scene.ports().create(another, 200).await?);
    }
    scene.engine.proxy.take_calls();
    Ok(scene)
}

fn traces(receipt: &Receipt) -> BTreeSet<String> {
    receipt.deliveries.iter().map(|promised| promised.trace_id.to_string()).collect()
}

/// The trace IDs of the deliveries that were put or should have been.
fn traces_of_puts(scene: &Scene<FaultyAwsEngine>) -> BTreeSet<String> {
    let calls = scene.engine.proxy.take_calls();
    let puts = calls.iter().filter(|call| call.name == "PutItem T");
    puts.filter_map(|call| Some(call.body["Item"]["pk"]["S"].as_str()?.rsplit('#').next()?.to_owned()))
        .collect()
}

/// An event with a key fails at a call, and its repeat does not: each delivery is stored, queued and sent once.
async fn assert_repeat_completes((name, nth): (&str, usize), fault: Fault) -> StoreResult<()> {
    let scene = three_subscriptions().await?;
    let send = |now| accept(scene.ports(), scene.tenant(), submission(BODY, Some("key")), now);
    scene.engine.proxy.fault_from(name, nth, fault);
    let refused = send(START).await;
    assert!(matches!(refused, Err(IntakeError::Store(_))), "{name}: {refused:?}");
    let begun = traces_of_puts(&scene);

    scene.engine.proxy.clear_faults();
    let receipt = send(START + SECOND).await.expect("accepted");
    let promised = traces(&receipt);
    assert_eq!(promised.len(), 3);
    assert!(promised.is_superset(&begun), "{name}: {begun:?} were begun, {promised:?} are promised");
    let again = send(START + 2 * SECOND).await.expect("accepted");
    assert_eq!((again.event_id, traces(&again)), (receipt.event_id, promised));

    let worker = worker(&scene, &[]);
    for message in scene.engine.drain().await {
        worker.handle(message, START + 3 * SECOND).await?;
    }
    let sent: BTreeSet<TraceId> = worker.sender.take_sent().iter().map(|sent| sent.trace_id).collect();
    assert_eq!(sent.len(), 3, "{name}");
    for trace in sent {
        let delivery = delivery_of(scene.ports(), scene.tenant(), trace).await?.expect("the delivery");
        assert_eq!(delivery.progress.status(), Status::Succeeded);
        assert_eq!(results(&scene.rows_of(&delivery).await?), [Some(Ok(200))]);
    }
    let rows = loanhook_core::ports::Attempts::rows(
        scene.ports(),
        scene.tenant(),
        &scene.accepted.snapshot.loan_id,
        None,
        None,
        10,
    );
    assert_eq!(rows.await?.len(), 3, "{name}: nothing twice, and nothing else");
    Ok(())
}

#[test]
fn a_repeat_completes_an_event_whose_idempotency_record_was_refused() {
    run_with_faults(assert_repeat_completes(("PutItem I", 1), BROKEN));
}

#[test]
fn a_repeat_completes_an_event_whose_payload_was_refused() {
    run_with_faults(assert_repeat_completes(("PutObject", 1), SLOW_DOWN));
}

#[test]
fn a_repeat_completes_an_event_that_the_ledger_refused() {
    run_with_faults(assert_repeat_completes(("PutItem V", 1), THROTTLED));
}

#[test]
fn a_repeat_completes_an_event_whose_first_delivery_was_refused() {
    run_with_faults(assert_repeat_completes(("PutItem T", 1), BROKEN));
}

#[test]
fn a_repeat_completes_an_event_whose_second_delivery_was_refused() {
    run_with_faults(assert_repeat_completes(("PutItem T", 2), THROTTLED));
}

#[test]
fn a_repeat_completes_an_event_whose_messages_were_refused() {
    run_with_faults(assert_repeat_completes(("SendMessageBatch", 1), BROKEN));
}

#[test]
fn a_repeat_completes_an_event_whose_connection_to_sqs_ended() {
    run_with_faults(assert_repeat_completes(("SendMessageBatch", 1), Fault::Drop));
}

#[test]
fn a_repeat_queues_the_message_that_was_refused() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let send = |now| accept(scene.ports(), scene.tenant(), submission(BODY, Some("key")), now);
        scene.engine.proxy.fault_from("SendMessage", 1, BROKEN);
        assert!(matches!(send(START).await, Err(IntakeError::Store(_))));
        assert_eq!(scene.engine.drain().await, []);

        scene.engine.proxy.clear_faults();
        let receipt = send(START + SECOND).await.expect("accepted");
        let messages = scene.engine.drain().await;
        assert_eq!(
            messages.iter().map(|message| message.trace_id).collect::<Vec<_>>(),
            [receipt.deliveries[0].trace_id]
        );
        Ok(())
    });
}

#[test]
fn an_event_without_a_key_that_is_refused_leaves_no_delivery_to_send() {
    run_with_faults(async {
        for (name, nth) in [("PutItem T", 2), ("SendMessageBatch", 1)] {
            let scene = three_subscriptions().await?;
            scene.engine.proxy.fault_from(name, nth, BROKEN);
            let refused = accept(scene.ports(), scene.tenant(), submission(BODY, None), START).await;
            assert!(matches!(refused, Err(IntakeError::Store(_))), "{name}: {refused:?}");
            scene.engine.proxy.clear_faults();
            let begun = traces_of_puts(&scene);
            assert!(!begun.is_empty(), "{name}");
            for trace in begun {
                let trace: TraceId = trace.parse().expect("a trace ID");
                let left = delivery_of(scene.ports(), scene.tenant(), trace).await?;
                assert!(left.is_none(), "{name}: the sweep would send it");
            }
        }
        Ok(())
    });
}
