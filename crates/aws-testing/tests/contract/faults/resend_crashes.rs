//! Resends whose caller or worker dies between two calls.

use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults, worker};
use loanhook_contract::engine::Engine;
use loanhook_contract::failed_once;
use loanhook_contract::scene::{LEASE, MILLISECOND, SECOND, START, Scene, resend_message};
use loanhook_core::history;
use loanhook_core::model::attempt::{AttemptNumber, MAX_RESEND_WAIT, Outcome, ResendTo};
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{StoreResult, Subscriptions};
use loanhook_core::resend::{ResendRequest, ResendTarget, resend};

use super::{crash_before, crash_worker_before, result};

fn request(scene: &Scene<FaultyAwsEngine>, key: Option<&str>) -> ResendRequest {
    let (requested_by, key) = ("Servicing".to_owned(), key.map(str::to_owned));
    let (attempt, to) = (ResendTarget::Newest, ResendTo::Original);
    ResendRequest { trace_id: scene.trace(), attempt, to, requested_by, key }
}

/// An exhausted delivery with a resend whose caller died before the queue message.
async fn resend_without_message(key: Option<&str>) -> StoreResult<Scene<FaultyAwsEngine>> {
    let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
    scene.attempt(Ok(500), START).await?;
    let (store, tenant, request) = (scene.ports().clone(), scene.tenant().clone(), request(&scene, key));
    let call = async move { resend(&store, &tenant, request, START + SECOND).await };
    crash_before(&scene.engine, ("SendMessage", 1), call).await;
    assert_eq!(scene.engine.drain().await, []);
    Ok(scene)
}

#[test]
fn a_repeat_with_the_key_queues_the_message_of_a_resend_whose_caller_died() {
    run_with_faults(async {
        let scene = resend_without_message(Some("a")).await?;
        let row = scene.rows().await?.pop().expect("its row");
        assert_eq!((row.number, row.outcome()), (AttemptNumber::Manual, Outcome::Queued));
        let now = START + 2 * SECOND;
        let id =
            resend(scene.ports(), scene.tenant(), request(&scene, Some("a")), now).await.expect("enqueued");
        assert_eq!((id, scene.delivery().await?.history.resends), (row.id, 1));
        let messages = scene.engine.drain().await;
        assert_eq!(messages, [resend_message(&row, START + SECOND)]);

        let worker = worker(&scene, &[]);
        worker.handle(messages[0].clone(), now).await?;
        assert_eq!(worker.sender.numbers(), [AttemptNumber::Manual]);
        assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
        Ok(())
    });
}

#[test]
fn a_repeat_queues_the_message_of_a_resend_to_an_address_that_its_webhook_has_no_more() {
    run_with_faults(async {
        let scene = failed_once::<FaultyAwsEngine>().await?;
        let request = || ResendRequest { to: ResendTo::Current, ..request(&scene, Some("a")) };
        let (store, tenant, first) = (scene.ports().clone(), scene.tenant().clone(), request());
        let call = async move { resend(&store, &tenant, first, START + SECOND).await };
        crash_before(&scene.engine, ("SendMessage", 1), call).await;
        let row = scene.rows().await?.pop().expect("its row");
        scene.ports().delete(scene.tenant(), scene.subscription.id, None).await?;

        let now = START + 2 * SECOND;
        let id = resend(scene.ports(), scene.tenant(), request(), now).await.expect("enqueued");
        assert_eq!((id, row.outcome()), (row.id, Outcome::Queued));
        assert_eq!(scene.engine.drain().await, [resend_message(&row, START + SECOND)]);
        assert_eq!(scene.delivery().await?.history.resends, 1);
        Ok(())
    });
}

#[test]
fn a_resend_without_message_reads_interrupted_after_15_minutes() {
    run_with_faults(async {
        let scene = resend_without_message(None).await?;
        let row = scene.rows().await?.pop().expect("its row");
        let over = START + SECOND + MAX_RESEND_WAIT;
        let read = |now| history::row(scene.ports(), scene.tenant(), &row.loan_id, row.id, now);
        let waiting = read(over.minus(MILLISECOND)).await?.expect("the row").attempt;
        assert_eq!(waiting.outcome(), Outcome::Queued);
        let late = read(over).await?.expect("the row").attempt;
        assert_eq!(result(&late), Some(Err(ErrorKind::Interrupted)));
        Ok(())
    });
}

/// An exhausted delivery with a resend whose worker died before a call, and the message of the resend.
async fn resend_whose_worker_died(
    before: (&str, usize),
) -> StoreResult<(Scene<FaultyAwsEngine>, loanhook_core::ports::QueueMessage)> {
    let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
    scene.attempt(Ok(500), START).await?;
    let (row, _) = scene.resend(None, START + SECOND).await?;
    let messages = scene.engine.drain().await;
    assert_eq!(messages, [resend_message(&row, START + SECOND)]);
    crash_worker_before(&scene, before, &worker(&scene, &[]), &messages[0], START + SECOND).await;
    Ok((scene, messages[0].clone()))
}

#[test]
fn a_resend_whose_worker_died_before_the_claim_is_sent() {
    run_with_faults(async {
        let (scene, message) = resend_whose_worker_died(("UpdateItem L", 1)).await?;
        let worker = worker(&scene, &[]);
        worker.handle(message, START + 2 * SECOND).await?;
        assert_eq!(worker.sender.numbers(), [AttemptNumber::Manual]);
        assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
        Ok(())
    });
}

#[test]
fn a_claimed_resend_whose_worker_died_is_interrupted_after_its_lease_and_not_repeated() {
    run_with_faults(async {
        for before in [("GetObject", 1), ("UpdateItem L", 2)] {
            let (scene, message) = resend_whose_worker_died(before).await?;
            let worker = worker(&scene, &[]);
            for now in [START + 2 * SECOND, START + SECOND + LEASE, START + 2 * LEASE] {
                worker.handle(message.clone(), now).await?;
            }
            assert_eq!(worker.sender.numbers(), []);
            assert_eq!(result(&scene.rows().await?[1]), Some(Err(ErrorKind::Interrupted)), "{before:?}");
            assert_eq!(scene.delivery().await?.progress.status(), Status::Failed);
        }
        Ok(())
    });
}

#[test]
fn the_success_of_a_resend_is_recorded_on_its_delivery_though_its_worker_died_before() {
    run_with_faults(async {
        let (scene, message) = resend_whose_worker_died(("UpdateItem T", 1)).await?;
        assert_eq!(scene.delivery().await?.progress.status(), Status::Failed);
        let worker = worker(&scene, &[]);
        worker.handle(message, START + 2 * SECOND).await?;
        assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
        assert_eq!(worker.sender.numbers(), []);
        assert_eq!(result(&scene.rows().await?[1]), Some(Ok(200)));
        Ok(())
    });
}
