//! Releases of claims whose message cannot be queued.

use loanhook_aws_testing::fault_proxy::BROKEN;
use loanhook_aws_testing::{FaultyAwsEngine, HeldCall, run_with_faults};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, SECOND, START, Scene, ended, resend_message};
use loanhook_core::model::attempt::ResendTo;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    Attempts as _, Deliveries as _, DueWork, ReleaseOutcome, ResendClaimOutcome, Resends as _,
};
use loanhook_core::resend::{ResendError, ResendRequest, ResendTarget, resend};
use tokio::task::JoinHandle;
use uuid::Uuid;

#[test]
fn a_repeated_release_queues_the_message_that_the_first_one_could_not() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        let due = START + SECOND;
        scene.engine.proxy.fault_from("SendMessage", 1, BROKEN);
        let failed = scene.ports().release(&claim.delivery, claim.token, &claim.row, due).await;
        assert!(failed.is_err(), "{failed:?}");
        assert_eq!(scene.rows().await?, [], "the claim is released all the same");

        scene.engine.proxy.clear_faults();
        let again = scene.ports().release(&claim.delivery, claim.token, &claim.row, due).await?;
        assert_eq!(again, ReleaseOutcome::Superseded);
        let message = scene.engine.receive().await;
        assert_eq!((message.due, message.work), (due, DueWork::Attempt(1)));
        Ok(())
    });
}

#[test]
fn a_repeated_release_of_a_resend_queues_the_message_that_the_first_one_could_not() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        scene.attempt(Ok(500), START).await?;
        let (row, _) = scene.resend(None, START + SECOND).await?;
        assert_eq!(scene.engine.receive().await, resend_message(&row, row.sent_at));
        let (token, now) = (Uuid::new_v4(), START + 2 * SECOND);
        let message = resend_message(&row, row.sent_at);
        let claimed = scene.ports().claim_resend(&message, &row.loan_id, row.id, token, now).await?;
        let ResendClaimOutcome::Claimed(claimed) = claimed else { panic!("the resend was lost") };
        let due = now + SECOND;
        scene.engine.proxy.fault_from("SendMessage", 1, BROKEN);
        assert!(scene.ports().release_resend(token, claimed.1.clone(), due).await.is_err());

        scene.engine.proxy.clear_faults();
        assert!(scene.ports().release_resend(token, claimed.1, due).await?);
        assert_eq!(scene.engine.receive().await, resend_message(&row, due));
        let stored = scene.ports().row(scene.tenant(), &row.loan_id, row.id).await?.expect("the row");
        assert_eq!(stored.attempt.sent_at, due);
        Ok(())
    });
}

/// A resend of the newest attempt that has read it, and whose transaction is held.
async fn resend_before_its_transaction(
    scene: &Scene<FaultyAwsEngine>,
    now: Timestamp,
) -> (HeldCall, JoinHandle<Result<AttemptId, ResendError>>) {
    let held = scene.engine.proxy.hold("TransactWriteItems", 1);
    let (store, tenant) = (scene.ports().clone(), scene.tenant().clone());
    let (trace_id, requested_by) = (scene.trace(), "Servicing".to_owned());
    let request = ResendRequest {
        trace_id,
        attempt: ResendTarget::Newest,
        to: ResendTo::Original,
        requested_by,
        key: None,
    };
    let asked = tokio::spawn(async move { resend(&store, &tenant, request, now).await });
    held.arrived().await;
    (held, asked)
}

#[test]
fn a_resend_is_not_stored_whose_attempt_is_released_before_its_transaction() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        let (held, asked) = resend_before_its_transaction(&scene, START).await;

        let released = scene.ports().release(&claim.delivery, claim.token, &claim.row, START).await?;
        assert_eq!(released, ReleaseOutcome::Released);
        held.pass();
        let refused = asked.await.expect("the call ends");
        assert!(matches!(refused, Err(ResendError::NotAttempted)), "{refused:?}");
        assert_eq!(scene.rows().await?, []);
        assert_eq!(scene.delivery().await?.history.resends, 0);
        Ok(())
    });
}

#[test]
fn a_resend_is_stored_whose_attempt_is_completed_before_its_transaction() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        let (held, asked) = resend_before_its_transaction(&scene, START + MILLISECOND).await;

        let row = ended(claim.row.clone(), Ok(500), START + SECOND);
        assert!(scene.ports().complete(&claim.delivery, claim.token, row.clone(), None).await?);
        held.pass();
        let id = asked.await.expect("the call ends").expect("enqueued");
        let rows = scene.rows().await?;
        assert_eq!(
            rows.iter().map(|row| (row.id, row.resend_of)).collect::<Vec<_>>(),
            [(row.id, None), (id, Some(row.id)),]
        );
        Ok(())
    });
}
