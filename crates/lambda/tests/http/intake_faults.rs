//! The response of intake where AWS refuses in the middle of an event, and the response to a repeat with the same key.

use loanhook_aws_testing::fault_proxy::{BROKEN, SLOW_DOWN, THROTTLED};
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults};
use loanhook_contract::scene::{MILLISECOND, START, Scene, subscription, tenant};
use loanhook_core::ports::Subscriptions;

use super::client::HttpClient;

#[test]
fn an_event_that_cannot_be_stored_gets_503_and_its_repeat_202() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        // Several deliveries, so that their messages are one batch.
        for i in 1..3 {
            let another = subscription(&tenant("acme"), "Another", &[300], START + i * MILLISECOND);
            assert!(scene.ports().create(another, 200).await?);
        }
        let http = HttpClient::with_new_key(scene.ports(), scene.tenant()).await?;
        for (name, fault) in
            [("PutObject", SLOW_DOWN), ("PutItem T", THROTTLED), ("SendMessageBatch", BROKEN)]
        {
            let key = format!("key for {name}");
            let send = || http.post_event(&key);
            scene.engine.proxy.fault_from(name, 1, fault);
            let (status, problem) = send().await;
            assert_eq!(status, 503, "{name}: {problem}");
            assert_eq!(problem["status"], 503);

            scene.engine.proxy.clear_faults();
            let (status, receipt) = send().await;
            assert_eq!((status, receipt["deliveries"].as_array().map(Vec::len)), (202, Some(3)), "{receipt}");
            assert_eq!(send().await, (202, receipt));
        }
        Ok(())
    });
}

/// A webhook's header may have placeholders, so an event is not matched without the data key.
#[test]
fn without_kms_an_event_gets_503_and_its_repeat_202() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        HttpClient::with_new_key(scene.ports(), scene.tenant()).await?;
        for fault in [BROKEN, THROTTLED] {
            scene.engine.proxy.fault_from("Decrypt", 1, fault);
            let cold = scene.engine.another(|_| ());
            let http = HttpClient::with_existing_key(&cold);
            let (status, problem) = http.post_event("a key").await;
            assert_eq!(status, 503, "{problem}");
            assert!(
                !problem.to_string().contains("KMS") && !problem.to_string().contains("Bearer"),
                "{problem}"
            );
            scene.engine.proxy.clear_faults();
            let (status, receipt) = http.post_event("a key").await;
            assert_eq!((status, receipt["deliveries"].as_array().map(Vec::len)), (202, Some(1)), "{receipt}");
        }
        Ok(())
    });
}
