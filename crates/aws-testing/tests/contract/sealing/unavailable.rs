//! KMS that does not answer, or refuses: nothing is lost, and what needs no secret goes on.

use loanhook_aws::Aws;
use loanhook_aws_testing::fault_proxy::{BROKEN, THROTTLED};
use loanhook_aws_testing::{Fault, FaultyAwsEngine, run_with_faults, worker};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{LEASE, SECOND, START, Scene, attempt_message};
use loanhook_contract::sender::Scripted;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{Attempts as _, StoreError, Subscriptions as _};

use super::with_token;
use crate::settings::acme;

/// A cold instance of the delivery function.
fn cold_deliver(engine: Aws) -> Deliver<Aws, Scripted> {
    Deliver { store: engine, sender: Scripted::always(200), lease: Some(LEASE), deadline: None }
}

#[test]
fn without_kms_no_request_leaves_and_none_is_lost() {
    run_with_faults(async {
        for fault in [BROKEN, THROTTLED, Fault::Drop, Fault::Error(400, "AccessDeniedException")] {
            let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
            let engine = &scene.engine;
            engine.proxy.fault_from("Decrypt", 1, fault);
            let deliver = cold_deliver(engine.another(|_| ()));
            let handled = deliver.handle(scene.first.clone(), START).await;
            assert!(deliver.sender.take_sent().is_empty());
            assert_eq!(scene.delivery().await?.progress.status(), Status::Pending, "{handled:?}");
            engine.proxy.clear_faults();

            // The message comes again, to this or another instance.
            let later = START + 2 * LEASE;
            let deliver = cold_deliver(engine.another(|_| ()));
            for message in engine.drain().await.into_iter().chain([scene.first.clone()]) {
                deliver.handle(message, later).await?;
            }
            let next = scene.delivery().await?.progress.waiting();
            if let Some(next) = next {
                deliver
                    .handle(attempt_message(&scene.accepted, next.number, next.due), later + SECOND)
                    .await?;
            }
            assert_eq!(deliver.sender.numbers(), [AttemptNumber::Auto(1)]);
            assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
        }
        Ok(())
    });
}

#[test]
fn without_kms_settings_cannot_be_read_or_stored_and_history_can() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        worker(&scene, &[]).handle(scene.first.clone(), START).await?;
        let engine = &scene.engine;
        for call in ["Decrypt", "GenerateDataKey"] {
            engine.proxy.fault_from(call, 1, BROKEN);
        }
        let cold = engine.another(|_| ());
        let failed = cold.subscriptions(&acme()).await.expect_err("no list without the key");
        assert!(failed.to_string().contains("KMS"), "{failed}");
        assert!(!failed.to_string().contains("Bearer"), "{failed}");
        let stored = cold.create(with_token("Second", "Bearer second", 1), 10).await;
        assert!(matches!(stored, Err(StoreError::Failed(_))), "{stored:?}");
        assert!(cold.delivery(scene.tenant(), scene.trace()).await?.is_some());
        engine.proxy.clear_faults();
        assert_eq!(cold.subscriptions(&acme()).await?.len(), 1);
        // Who knows the key already needs KMS no more.
        engine.proxy.fault_from("Decrypt", 1, BROKEN);
        assert!(cold.create(with_token("Second", "Bearer second", 1), 10).await?);
        Ok(())
    });
}
