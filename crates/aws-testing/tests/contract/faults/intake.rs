//! A store that refuses in the middle of an event: the caller hears so, and a repeat with the same key
//! finishes the job.

use std::collections::BTreeSet;

use loanhook_core::intake::{IntakeError, Receipt, accept};
use loanhook_core::model::id::TraceId;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{StoreResult, Subscriptions};

use super::results;
use loanhook_aws_testing::FaultyAwsEngine;
use loanhook_aws_testing::fault_proxy::{BROKEN, Fault, SLOW_DOWN, THROTTLED};
use loanhook_aws_testing::{run_with_faults, worker};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, SECOND, START, Scene, delivery_of, subscription, tenant};
use loanhook_contract::submission;

const BODY: &str = r#"{"last-payment-amount": 250.00}"#;

/// Three subscriptions that match every event.
async fn three() -> StoreResult<Scene<FaultyAwsEngine>> {
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

/// The deliveries that were put, or tried to.
fn put(scene: &Scene<FaultyAwsEngine>) -> BTreeSet<String> {
    let calls = scene.engine.proxy.take_calls();
    let puts = calls.iter().filter(|call| call.name == "PutItem T");
    puts.filter_map(|call| Some(call.body["Item"]["pk"]["S"].as_str()?.rsplit('#').next()?.to_owned()))
        .collect()
}

/// An event under a key meets a fault at a call and everything after it; its repeat does not.
async fn repeated((name, nth): (&str, usize), fault: Fault) -> StoreResult<()> {
    let scene = three().await?;
    let send = |now| accept(scene.ports(), scene.tenant(), submission(BODY, Some("key")), now);
    scene.engine.proxy.fault_from(name, nth, fault);
    let refused = send(START).await;
    assert!(matches!(refused, Err(IntakeError::Store(_))), "{name}: {refused:?}");
    let begun = put(&scene);

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
fn dynamodb_refuses_the_record_of_the_key() {
    run_with_faults(repeated(("PutItem I", 1), BROKEN));
}

#[test]
fn s3_refuses_the_payload() {
    run_with_faults(repeated(("PutObject", 1), SLOW_DOWN));
}

#[test]
fn dynamodb_refuses_the_first_delivery() {
    run_with_faults(repeated(("PutItem T", 1), BROKEN));
}

#[test]
fn dynamodb_refuses_a_later_delivery() {
    run_with_faults(repeated(("PutItem T", 2), THROTTLED));
}

#[test]
fn sqs_refuses_the_messages() {
    run_with_faults(repeated(("SendMessageBatch", 1), BROKEN));
}

#[test]
fn the_deliveries_are_put_and_the_connection_to_sqs_is_lost() {
    run_with_faults(repeated(("SendMessageBatch", 1), Fault::Drop));
}

#[test]
fn a_message_that_was_lost_comes_with_the_repeat() {
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
