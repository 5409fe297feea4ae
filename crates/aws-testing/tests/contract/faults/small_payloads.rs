//! Small payloads, in a table of their own; in the other cases all payloads are in S3.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use loanhook_aws::Aws;
use loanhook_aws_testing::fault_proxy::{Fault, THROTTLED};
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{DAY, LEASE, SECOND, START, Scene, attempt_message, delivery_of};
use loanhook_contract::sender::Scripted;
use loanhook_contract::submission;
use loanhook_core::intake::{IntakeError, accept};
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{Payloads, StoreError, StoreResult};
use serde_json::{Value, json};

/// An engine on the same stack that stores small payloads in their table.
fn with_small_payloads(scene: &Scene<FaultyAwsEngine>) -> Aws {
    scene.engine.another(|stack| stack.small_payload = 1536)
}

/// The delivery of an event with this context, and its source payload.
async fn accepted(
    scene: &Scene<FaultyAwsEngine>,
    engine: &Aws,
    context: &str,
) -> StoreResult<(Delivery, PayloadKey)> {
    let receipt = accept(engine, scene.tenant(), submission(context, None), START).await.expect("accepted");
    let delivery = delivery_of(engine, scene.tenant(), receipt.deliveries[0].trace_id).await?;
    let delivery = delivery.expect("a delivery");
    let key = delivery.snapshot.request.payload.key.expect("a payload");
    Ok((delivery, key))
}

#[test]
fn a_payload_that_was_stored_in_the_other_place_is_found() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        let (all_in_bucket, small) = (scene.ports(), with_small_payloads(&scene));
        for (stored_by, read_by, order) in [
            (all_in_bucket, &small, ["GetItem payload", "GetObject"]),
            (&small, all_in_bucket, ["GetObject", "GetItem payload"]),
        ] {
            let context = format!(r#"{{"first": "{}"}}"#, order[0]);
            let (_, key) = accepted(&scene, stored_by, &context).await?;
            scene.engine.proxy.take_call_names();
            let bytes = read_by.payload(scene.tenant(), key).await?.expect("its bytes");
            assert_eq!(PayloadKey::of(&bytes), key);
            assert_eq!(scene.engine.proxy.take_call_names(), order);
        }
        Ok(())
    });
}

#[test]
fn a_payload_that_the_table_does_not_show_yet_is_found() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        let small = with_small_payloads(&scene);
        let (_, key) = accepted(&scene, &small, r#"{"just": "now"}"#).await?;
        // What a read with eventual consistency may say of an item that was put a moment ago.
        scene.engine.proxy.fault_nth("GetItem payload", 1, Fault::Respond(|_| json!({})));
        scene.engine.proxy.take_calls();
        let bytes = small.payload(scene.tenant(), key).await?.expect("its bytes");
        assert_eq!(PayloadKey::of(&bytes), key);
        let calls = scene.engine.proxy.take_calls();
        let calls: Vec<_> =
            calls.iter().map(|call| (call.name.as_str(), &call.body["ConsistentRead"])).collect();
        let expected = [
            ("GetItem payload", &json!(false)),
            ("GetObject", &Value::Null),
            ("GetItem payload", &json!(true)),
        ];
        assert_eq!(calls, expected);
        Ok(())
    });
}

#[test]
fn a_packed_payload_is_sent_as_it_was_rendered_and_is_an_error_while_it_is_damaged() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        let small = with_small_payloads(&scene);
        let note = "a partial payment, and ".repeat(200);
        let (delivery, key) = accepted(&scene, &small, &format!(r#"{{"note": "{note}"}}"#)).await?;
        let made = &scene.engine.direct.stack;
        let name = AttributeValue::S(format!("acme/{key}"));
        let get = made.dynamodb.get_item().table_name(made.payloads_table()).key("pk", name.clone());
        let item = get.send().await.expect("read").item.expect("an item");
        assert!(item["packed"].as_b().expect("bytes").as_ref().len() < 1024);

        let damage = made.dynamodb.update_item().table_name(made.payloads_table()).key("pk", name);
        let damage = damage.update_expression("SET packed = :packed").expression_attribute_values(
            ":packed",
            AttributeValue::B(b"\x01\0\0\0\x05hello".to_vec().into()),
        );
        damage.send().await.expect("updated");
        assert!(small.payload(scene.tenant(), key).await.is_err());
        let repair = made.dynamodb.put_item().table_name(made.payloads_table()).set_item(Some(item));
        repair.send().await.expect("put");

        let mut deliver = scene.deliver(Some(LEASE));
        deliver.store = small;
        deliver.handle(attempt_message(&delivery, 1, START), START).await?;
        let sent = deliver.sender.take_sent();
        let expected =
            format!(r#"{{"eventName":"Payment Posted to Account","context":{{"note": "{note}"}}}}"#);
        assert_eq!(sent.iter().map(|request| &request.body[..]).collect::<Vec<_>>(), [expected.as_bytes()]);
        Ok(())
    });
}

#[test]
fn a_small_payload_expires_a_day_after_its_delivery() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        let (delivery, key) = accepted(&scene, &with_small_payloads(&scene), "{}").await?;
        let made = &scene.engine.direct.stack;
        let expires = async |table: &str, keys: [(&str, String); 2]| {
            let keys = keys.into_iter().filter(|(_, value)| !value.is_empty());
            let keys = keys.map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).collect();
            let get = made.dynamodb.get_item().table_name(table).set_key(Some(keys)).send().await;
            let item = get.expect("read").item.expect("an item");
            let seconds = item["expires"].as_n().expect("a number").parse::<u64>();
            Duration::from_secs(seconds.expect("seconds"))
        };
        let of_delivery = [("pk", format!("T#acme#{}", delivery.snapshot.trace_id)), ("sk", "-".into())];
        let delivery = expires(&made.name, of_delivery).await;
        let of_payload = [("pk", format!("acme/{key}")), ("sk", String::new())];
        let payload = expires(&made.payloads_table(), of_payload).await;
        // The two are put one after the other.
        assert!(payload > delivery + DAY - 60 * SECOND && payload <= delivery + DAY);
        Ok(())
    });
}

#[test]
fn an_event_fails_whose_payload_the_table_refuses() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let small = with_small_payloads(&scene);
        let send = || accept(&small, scene.tenant(), submission(r#"{"again": 1}"#, Some("key")), START);
        scene.engine.proxy.fault_from("PutItem payload", 1, THROTTLED);
        assert!(matches!(send().await, Err(IntakeError::Store(StoreError::Busy))));

        scene.engine.proxy.clear_faults();
        let receipt = send().await.expect("accepted");
        let messages = scene.engine.drain().await;
        let queued: Vec<_> = messages.iter().map(|message| message.trace_id).collect();
        assert_eq!(queued, [receipt.deliveries[0].trace_id]);
        Ok(())
    });
}

#[test]
fn a_response_body_that_could_not_be_stored_is_stored_when_it_is_received_again() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let small = with_small_payloads(&scene);
        let mut deliver = scene.deliver(Some(LEASE));
        deliver.store = small.clone();
        deliver.sender = Scripted::always(200).saying("thank you");
        scene.engine.proxy.fault_from("PutItem payload", 1, THROTTLED);
        deliver.handle(scene.first.clone(), START).await?;
        assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
        let key = PayloadKey::of(b"thank you");
        assert_eq!(small.payload(scene.tenant(), key).await?, None);

        scene.engine.proxy.clear_faults();
        accept(&small, scene.tenant(), submission("{}", None), START).await.expect("accepted");
        deliver.handle(scene.engine.receive().await, START).await?;
        assert_eq!(small.payload(scene.tenant(), key).await?, Some(Bytes::from_static(b"thank you")));
        assert_eq!(deliver.sender.numbers(), [AttemptNumber::Auto(1); 2]);
        Ok(())
    });
}
