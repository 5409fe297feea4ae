//! Where a credential is stored: with its subscription alone.

use loanhook_aws_testing::{AwsEngine, TestStack};
use loanhook_contract::scene::{LEASE, SECOND, START, Scene, attempt_message, resend_message};

/// The version and the length that stand before a packed stream.
const PACKED_HEADER_BYTES: usize = 5;
/// The header value of the subscription of a scene.
const CREDENTIAL: &str = "Bearer x";

/// The keys of the items of all tables that hold a text in any attribute, but for those of settings.
async fn items_with(stack: &TestStack, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for table in [stack.name.clone(), stack.payloads_table(), stack.resources().reports] {
        let scan = stack.dynamodb.scan().table_name(&table).consistent_read(true);
        for item in scan.send().await.expect("a scan").items.unwrap_or_default() {
            let pk = item["pk"].as_s().expect("a key").clone();
            let holds = item.values().any(|value| match (value.as_s(), value.as_b()) {
                (Ok(string), _) => string.contains(text),
                (_, Ok(bytes)) => {
                    unpacked(bytes.as_ref()).windows(text.len()).any(|part| part == text.as_bytes())
                }
                _ => format!("{value:?}").contains(text),
            });
            if holds && !pk.starts_with("S#") {
                found.push(pk);
            }
        }
    }
    found
}

/// What packed bytes are made of (`loanhook_aws`'s `items::packed`); other bytes as they are.
fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let stream = bytes.get(PACKED_HEADER_BYTES..).unwrap_or_default();
    miniz_oxide::inflate::decompress_to_vec_zlib(stream).unwrap_or_else(|_| bytes.to_vec())
}

/// Whether an object of the bucket holds a text.
async fn objects_hold(stack: &TestStack, text: &str) -> bool {
    let listed = stack.s3.list_objects_v2().bucket(&stack.name).send().await.expect("a list");
    for object in listed.contents.unwrap_or_default() {
        let key = object.key.expect("a key");
        let got = stack.s3.get_object().bucket(&stack.name).key(key).send().await.expect("an object");
        let bytes = got.body.collect().await.expect("bytes").to_vec();
        if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
            return true;
        }
    }
    false
}

#[test]
fn a_credential_is_stored_with_its_subscription_alone() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let scene = Scene::<AwsEngine>::new(&[300, 300]).await?;
        let stack = &scene.engine.stack;
        let deliver = scene.deliver(Some(LEASE));
        deliver.handle(scene.first.clone(), START).await?;
        // The message of the next attempt, as it stands in the queue of retries.
        let receive = stack.sqs.receive_message().queue_url(&stack.slow_queue_url).wait_time_seconds(10);
        let received = receive.send().await.expect("messages").messages.unwrap_or_default();
        let bodies: Vec<_> = received.into_iter().filter_map(|message| message.body).collect();
        assert!(!bodies.is_empty() && bodies.iter().all(|body| !body.contains(CREDENTIAL)), "{bodies:?}");
        let second = START + 400 * SECOND;
        deliver.handle(attempt_message(&scene.accepted, 2, second), second).await?;
        let (row, _) = scene.resend(None, second + 10 * SECOND).await?;
        deliver.handle(resend_message(&row, second + 10 * SECOND), second + 10 * SECOND).await?;

        let sent = deliver.sender.take_sent();
        assert_eq!(sent.len(), 3);
        assert!(sent.iter().all(|request| request.headers["Authorization"] == CREDENTIAL));
        assert_eq!(items_with(stack, CREDENTIAL).await, Vec::<String>::new());
        assert!(!objects_hold(stack, CREDENTIAL).await);
        // The scan finds what is there.
        let trace = scene.trace().to_string();
        assert!(items_with(stack, &trace).await.len() > 1);
        Ok(())
    });
}
