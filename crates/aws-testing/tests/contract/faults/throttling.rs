//! Throttling: calls are retried for a short time, then the caller gets an error.

use loanhook_aws_testing::fault_proxy::{BROKEN, CONFLICT, Fault, SLOW_DOWN, THROTTLED};
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults, worker};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, START, Scene, subscription, tenant};
use loanhook_contract::submission;
use loanhook_core::intake::{IntakeError, accept};
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::Subscriptions;
use loanhook_core::ports::{Attempts, Payloads, Queue, StoreError};
use serde_json::{Value, json};

#[test]
fn a_few_throttled_calls_are_retried() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        // The third try passes each time: of the claim, its row, the payload, the row's and the delivery's completion.
        let refusals = [
            ("UpdateItem T", 1, THROTTLED),
            ("UpdateItem T", 2, CONFLICT),
            ("PutItem L", 1, BROKEN),
            ("GetObject", 1, SLOW_DOWN),
            ("UpdateItem L", 1, THROTTLED),
        ];
        for (name, nth, fault) in refusals {
            scene.engine.proxy.fault_nth(name, nth, fault.clone());
            scene.engine.proxy.fault_nth(name, 1, fault);
        }
        let worker = worker(&scene, &[]);
        worker.handle(scene.first.clone(), START).await?;
        assert_eq!(worker.sender.numbers(), [AttemptNumber::Auto(1)]);
        assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
        Ok(())
    });
}

#[test]
fn calls_that_stay_throttled_are_an_error_that_says_busy() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        for (name, fault) in
            [("UpdateItem T", THROTTLED), ("SendMessage", THROTTLED), ("GetObject", SLOW_DOWN)]
        {
            scene.engine.proxy.fault_from(name, 1, fault);
        }
        scene.engine.proxy.take_calls();
        let handled = worker(&scene, &[]).handle(scene.first.clone(), START).await;
        assert!(matches!(handled, Err(StoreError::Busy)), "{handled:?}");
        let sent = scene.ports().enqueue(scene.first.clone()).await;
        assert!(matches!(sent, Err(StoreError::Busy)), "{sent:?}");
        let read = scene.ports().payload(scene.tenant(), PayloadKey::of(b"x")).await;
        assert!(matches!(read, Err(StoreError::Busy)), "{read:?}");
        // The SDK tried each of the three calls four times, and nothing else was called.
        assert_eq!(scene.engine.proxy.take_call_names().len(), 12);
        Ok(())
    });
}

#[test]
fn an_error_contains_nothing_of_the_data_it_is_about() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        scene.engine.proxy.fault_from("UpdateItem T", 1, BROKEN);
        let handled = worker(&scene, &[]).handle(scene.first.clone(), START).await;
        let Err(StoreError::Failed(words)) = handled else { panic!("{handled:?}") };
        assert!(words.contains("the case says so"), "{words}");

        // A response that cannot be read, with the secret of a header in it.
        scene.engine.proxy.clear_faults();
        let unreadable = |_: &Value| json!({ "Item": { "doc": { "S": ["Bearer secret"] } } });
        scene.engine.proxy.fault_from("GetItem T", 1, Fault::Respond(unreadable));
        let read = scene.ports().delivery(scene.tenant(), scene.trace()).await;
        let Err(StoreError::Failed(words)) = read else { panic!("{read:?}") };
        assert!(!words.contains("secret"), "{words}");
        Ok(())
    });
}

/// The response of DynamoDB when it has read no key of a batch.
fn nothing_read(call: &Value) -> Value {
    json!({ "Responses": {}, "UnprocessedKeys": call["RequestItems"] })
}

#[test]
fn keys_that_a_batch_read_left_are_read_again() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        worker(&scene, &[500]).handle(scene.first.clone(), START).await?;
        scene.resend(None, START).await?;
        let snapshot = &scene.accepted.snapshot;
        let attempts = scene.ports().rows(scene.tenant(), &snapshot.loan_id, None, None, 10).await?;
        let read = || scene.ports().history_rows(scene.tenant(), attempts.clone());

        scene.engine.proxy.fault_nth("BatchGetItem T", 1, Fault::Respond(nothing_read));
        let rows = read().await?;
        assert_eq!(rows.iter().map(|row| row.resends).collect::<Vec<_>>(), [1, 1]);

        scene.engine.proxy.fault_from("BatchGetItem T", 1, Fault::Respond(nothing_read));
        let busy = read().await;
        assert!(matches!(busy, Err(StoreError::Busy)), "{busy:?}");
        Ok(())
    });
}

fn entry<'a>(entries: &'a Value, name: &str) -> Vec<&'a str> {
    entries.as_array().into_iter().flatten().filter_map(|entry| entry[name].as_str()).collect()
}

/// The response of SQS when it has taken every other message of a batch.
fn half_taken(call: &Value) -> Value {
    let ids = entry(&call["Entries"], "Id");
    let taken =
        ids.iter().step_by(2).map(|id| json!({ "Id": id, "MessageId": "m", "MD5OfMessageBody": "-" }));
    let refused = ids.iter().skip(1).step_by(2);
    let refused = refused.map(|id| json!({ "Id": id, "Code": "InternalError", "SenderFault": false }));
    json!({ "Successful": taken.collect::<Vec<_>>(), "Failed": refused.collect::<Vec<_>>() })
}

/// The response of SQS when it has taken no message, and never will.
fn all_invalid(call: &Value) -> Value {
    let ids = entry(&call["Entries"], "Id");
    let refused =
        ids.iter().map(|id| json!({ "Id": id, "Code": "InvalidMessageContents", "SenderFault": true }));
    json!({ "Successful": [], "Failed": refused.collect::<Vec<_>>() })
}

#[test]
fn messages_that_a_batch_left_are_sent_again() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        for i in 1..4 {
            let another = subscription(&tenant("acme"), "Another", &[], START + i * MILLISECOND);
            assert!(scene.ports().create(another, 200).await?);
        }
        scene.engine.proxy.take_calls();
        scene.engine.proxy.fault_nth("SendMessageBatch", 1, Fault::Respond(half_taken));
        let send = || accept(scene.ports(), scene.tenant(), submission("{}", None), START);
        send().await.expect("accepted");
        let calls = scene.engine.proxy.take_calls();
        let batches: Vec<_> = calls.iter().filter(|call| call.name == "SendMessageBatch").collect();
        let [first, second] = batches.as_slice() else { panic!("{} batches", batches.len()) };
        let bodies = entry(&first.body["Entries"], "MessageBody");
        assert_eq!(entry(&second.body["Entries"], "MessageBody"), [bodies[1], bodies[3]]);
        assert_eq!(scene.engine.drain().await.len(), 2);
        Ok(())
    });
}

/// The response of SQS when it has taken no message of a batch.
fn none_taken(call: &Value) -> Value {
    let ids = entry(&call["Entries"], "Id");
    let refused = ids.iter().map(|id| json!({ "Id": id, "Code": "InternalError", "SenderFault": false }));
    json!({ "Successful": [], "Failed": refused.collect::<Vec<_>>() })
}

#[test]
fn an_event_fails_whose_messages_are_never_taken() {
    run_with_faults(async {
        for (answer, busy) in [(none_taken as fn(&Value) -> Value, true), (all_invalid, false)] {
            let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
            let another = subscription(&tenant("acme"), "Another", &[], START + MILLISECOND);
            assert!(scene.ports().create(another, 200).await?);
            scene.engine.proxy.fault_from("SendMessageBatch", 1, Fault::Respond(answer));
            let failed = accept(scene.ports(), scene.tenant(), submission("{}", None), START).await;
            match failed {
                Err(IntakeError::Store(StoreError::Busy)) => assert!(busy),
                Err(IntakeError::Store(StoreError::Failed(_))) => assert!(!busy),
                other => panic!("{other:?}"),
            }
        }
        Ok(())
    });
}
