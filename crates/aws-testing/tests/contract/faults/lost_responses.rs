//! Calls that were done and whose responses were lost: the SDK repeats them, and then their conditions are false, though
//! nobody else wrote anything.

use loanhook_aws_testing::{Fault::LoseResponse, FaultyAwsEngine, run_with_faults, worker};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{DAY, LEASE, SECOND, START, Scene, attempt_message, ended, resend_message};
use loanhook_contract::submission;
use loanhook_core::intake::accept;
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::IdempotencyKey;
use loanhook_core::ports::{CancelOutcome, Deliveries, EnqueueOutcome, ResendClaimOutcome, Resends};
use uuid::Uuid;

use super::results;

#[test]
fn intake_goes_on_after_a_lost_response_of_each_call() {
    run_with_faults(async {
        for name in ["PutItem I", "PutObject", "PutItem V", "PutItem T", "SendMessage"] {
            let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
            scene.engine.proxy.take_calls();
            scene.engine.proxy.fault_nth(name, 1, LoseResponse);
            let event = submission("{}", Some("key"));
            let receipt = accept(scene.ports(), scene.tenant(), event, START).await.expect("accepted");
            let names = scene.engine.proxy.take_call_names();
            let count = |name| names.iter().filter(|called| *called == name).count();
            // Of the settings only the tenant's version is read, not a version of a subscription as for a known key.
            assert_eq!((count(name), count("GetItem S")), (2, 1), "{names:?}");

            let messages = scene.engine.drain().await;
            let queued: Vec<_> = messages.iter().map(|message| message.trace_id).collect();
            assert_eq!(queued, [receipt.deliveries[0].trace_id], "{name}");
            let worker = worker(&scene, &[]);
            worker.handle(messages[0].clone(), START).await?;
            assert_eq!(worker.sender.numbers(), [AttemptNumber::Auto(1)], "{name}");
        }
        Ok(())
    });
}

#[test]
fn an_attempt_goes_on_after_a_lost_response_of_each_call() {
    run_with_faults(async {
        let calls = [
            ("UpdateItem T", 1),
            ("PutItem L", 1),
            ("UpdateItem L", 1),
            ("UpdateItem T", 2),
            ("SendMessage", 1),
        ];
        for (name, nth) in calls {
            let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
            let worker = worker(&scene, &[500]);
            scene.engine.proxy.fault_nth(name, nth, LoseResponse);
            worker.handle(scene.first.clone(), START).await?;

            assert_eq!(worker.sender.numbers(), [AttemptNumber::Auto(1)], "{name} {nth}");
            assert_eq!(results(&scene.rows().await?), [Some(Ok(500))]);
            let due = START + 301 * SECOND;
            assert_eq!(
                scene.delivery().await?.progress.waiting().map(|next| (next.number, next.due)),
                Some((2, due))
            );
            assert_eq!(
                scene.engine.drain().await,
                [attempt_message(&scene.accepted, 2, due)],
                "{name} {nth}"
            );
        }
        Ok(())
    });
}

#[test]
fn a_completion_whose_response_was_lost_is_not_taken_for_anothers() {
    run_with_faults(async {
        for (name, status) in
            [("UpdateItem L", 500), ("UpdateItem T", 500), ("UpdateItem L", 200), ("UpdateItem T", 200)]
        {
            let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
            let claim = scene.claim(START).await?;
            scene.engine.proxy.fault_nth(name, 1, LoseResponse);
            let row = ended(claim.row, Ok(status), START + SECOND);
            assert!(
                scene.ports().complete(&claim.delivery, claim.token, row, None).await?,
                "{name} {status}"
            );
            let ends = if status == 200 { Status::Succeeded } else { Status::Pending };
            assert_eq!(scene.delivery().await?.progress.status(), ends);
        }
        Ok(())
    });
}

#[test]
fn a_row_that_recovery_puts_is_put_once_where_the_response_was_lost() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        scene.engine.lose_row(&claim.row);
        scene.engine.proxy.fault_nth("PutItem L", 1, LoseResponse);
        worker(&scene, &[]).handle(scene.first.clone(), START + LEASE).await?;
        assert_eq!(scene.rows().await?.len(), 1);
        assert_eq!(scene.engine.drain().await, [attempt_message(&scene.accepted, 2, START + LEASE)]);
        Ok(())
    });
}

#[test]
fn a_cancel_whose_response_was_lost_is_done() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        scene.engine.proxy.fault_nth("UpdateItem T", 1, LoseResponse);
        let canceled = scene.ports().cancel(scene.tenant(), scene.trace()).await?;
        assert!(matches!(canceled, CancelOutcome::Canceled), "{canceled:?}");
        let again = scene.ports().cancel(scene.tenant(), scene.trace()).await?;
        assert!(matches!(again, CancelOutcome::NotPending), "{again:?}");
        Ok(())
    });
}

#[test]
fn a_resend_goes_on_after_a_lost_response_of_each_call() {
    run_with_faults(async {
        for key in [None, Some(IdempotencyKey { key: "a".into(), until: START + DAY })] {
            let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
            scene.attempt(Ok(500), START).await?;
            scene.engine.proxy.fault_nth("TransactWriteItems", 1, LoseResponse);
            let (row, outcome) = scene.resend(key, START + SECOND).await?;
            assert_eq!(outcome, EnqueueOutcome::Enqueued);
            assert_eq!(scene.delivery().await?.history.resends, 1);
            let message = resend_message(&row, START + SECOND);
            assert_eq!(scene.engine.drain().await.as_slice(), std::slice::from_ref(&message));

            let token = Uuid::new_v4();
            scene.engine.proxy.fault_nth("UpdateItem L", 1, LoseResponse);
            let claimed =
                scene.ports().claim_resend(&message, &row.loan_id, row.id, token, START + SECOND).await?;
            let ResendClaimOutcome::Claimed(claimed) = claimed else { panic!("not claimed") };

            for name in ["UpdateItem L", "UpdateItem T"] {
                scene.engine.proxy.fault_nth(name, 1, LoseResponse);
            }
            let end = ended(claimed.1, Ok(200), START + 2 * SECOND);
            assert!(scene.ports().complete_resend(token, end.clone(), None).await?);
            assert_eq!(scene.rows().await?[1], end);
            assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
        }
        Ok(())
    });
}
