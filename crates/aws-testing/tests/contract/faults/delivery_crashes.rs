//! A delivery function that dies between two calls: SQS delivers its message again, and its next handler completes the rest.

use loanhook_aws_testing::fault_proxy::Fault;
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults, worker};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{LEASE, SECOND, START, Scene, attempt_message, ended};
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Deliveries, DeliveryList, DeliverySet, DeliverySpan, StoreResult};

use super::{crash_worker_before, results, take_sent_messages};

const LEASE_ENDS: Timestamp = Timestamp::from_millis(START.millis() + LEASE.as_millis() as i64);
const INTERRUPTED: Result<u16, ErrorKind> = Err(ErrorKind::Interrupted);

/// The first attempt gets 500 and its worker dies before a call; its message is delivered again within the lease and after
/// it; then the second attempt succeeds. The first attempt ends as `first`, having been sent `sent` times; the second one
/// has this slot and due time.
async fn assert_recovery(
    before: (&str, usize),
    first: Result<u16, ErrorKind>,
    sent: usize,
    (slot, due): (u32, Timestamp),
) -> StoreResult<()> {
    let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
    let dying = worker(&scene, &[500]);
    crash_worker_before(&scene, before, &dying, &scene.first, START).await;
    assert_eq!(dying.sender.take_sent().len(), sent, "sent before {before:?}");

    // Under the lease nothing is claimed; where the claim has ended, the next attempt is queued.
    let recovering = worker(&scene, &[]);
    scene.engine.proxy.take_calls();
    recovering.handle(scene.first.clone(), START + 2 * SECOND).await?;
    let in_flight = before.0 != "SendMessage";
    let queued = if in_flight {
        attempt_message(&scene.accepted, 1, LEASE_ENDS)
    } else {
        attempt_message(&scene.accepted, 2, due)
    };
    assert_eq!(take_sent_messages(&scene).as_slice(), std::slice::from_ref(&queued));

    // After the lease, several times.
    let again = if in_flight { queued } else { scene.first.clone() };
    for message in [&scene.first, &scene.first, &again] {
        recovering.handle(message.clone(), LEASE_ENDS).await?;
    }
    assert_eq!(recovering.sender.numbers(), []);
    let progress = scene.delivery().await?.progress;
    assert_eq!((progress.status(), &progress.in_flight()), (Status::Pending, &None));
    assert_eq!(progress.waiting().map(|next| (next.number, next.slot, next.due)), Some((2, slot, due)));
    let rows = scene.rows().await?;
    assert_eq!(results(&rows), [Some(first)]);
    assert_eq!(rows[0].next_attempt_at, Some(due));
    assert_eq!(scene.engine.drain().await, [attempt_message(&scene.accepted, 2, due)]);

    recovering.handle(attempt_message(&scene.accepted, 2, due), due).await?;
    assert_eq!(recovering.sender.numbers(), [AttemptNumber::Auto(2)]);
    let rows = scene.rows().await?;
    assert_eq!(results(&rows), [Some(first), Some(Ok(200))]);
    assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
    assert_eq!(scene.engine.drain().await, []);
    Ok(())
}

const DUE_AT_ONCE: (u32, Timestamp) = (0, LEASE_ENDS);
/// 300 s after the first attempt, which took 1 s.
const DUE_BY_SCHEDULE: (u32, Timestamp) = (1, Timestamp::from_millis(START.millis() + 301_000));

#[test]
fn a_crash_after_the_claim_and_before_the_row_interrupts_the_attempt() {
    run_with_faults(assert_recovery(("PutItem L", 1), INTERRUPTED, 0, DUE_AT_ONCE));
}

#[test]
fn a_crash_after_the_row_and_before_the_request_interrupts_the_attempt() {
    run_with_faults(assert_recovery(("GetObject", 1), INTERRUPTED, 0, DUE_AT_ONCE));
}

#[test]
fn a_crash_after_the_request_and_before_the_row_is_complete_interrupts_the_attempt() {
    run_with_faults(assert_recovery(("UpdateItem L", 1), INTERRUPTED, 1, DUE_AT_ONCE));
}

#[test]
fn a_crash_after_the_row_is_complete_and_before_the_delivery_advances_keeps_the_result() {
    run_with_faults(assert_recovery(("UpdateItem T", 2), Ok(500), 1, DUE_BY_SCHEDULE));
}

#[test]
fn a_crash_after_the_delivery_advanced_and_before_the_next_message_keeps_the_result() {
    run_with_faults(assert_recovery(("SendMessage", 1), Ok(500), 1, DUE_BY_SCHEDULE));
}

#[test]
fn a_last_failure_that_another_worker_completes_is_in_the_index_of_deliveries_that_failed() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        let dying = worker(&scene, &[500]);
        crash_worker_before(&scene, ("UpdateItem T", 2), &dying, &scene.first, START).await;
        let that_failed = async || {
            let span = DeliverySpan::default();
            let part = scene.ports().deliveries(scene.tenant(), DeliverySet::Failed, span, 10).await?;
            let traces = part.deliveries.iter().map(|delivery| delivery.snapshot.trace_id);
            StoreResult::Ok(traces.collect::<Vec<_>>())
        };
        assert_eq!(that_failed().await?, []);
        worker(&scene, &[]).handle(scene.first.clone(), LEASE_ENDS).await?;
        assert_eq!(scene.delivery().await?.progress.status(), Status::Failed);
        assert_eq!(that_failed().await?, [scene.trace()]);
        Ok(())
    });
}

#[test]
fn a_success_stays_one_where_its_worker_died_before_the_delivery_advanced() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let dying = worker(&scene, &[200]);
        crash_worker_before(&scene, ("UpdateItem T", 2), &dying, &scene.first, START).await;
        assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded, "a reader sees it before");

        let recovering = worker(&scene, &[]);
        recovering.handle(scene.first.clone(), LEASE_ENDS).await?;
        let progress = scene.delivery().await?.progress;
        assert_eq!(
            (progress.status(), progress.in_flight(), progress.waiting()),
            (Status::Succeeded, None, None)
        );
        assert_eq!(results(&scene.rows().await?), [Some(Ok(200))]);
        assert_eq!((recovering.sender.numbers(), scene.engine.drain().await), (vec![], vec![]));
        Ok(())
    });
}

#[test]
fn recovery_completes_where_the_recovering_worker_dies_before_each_of_its_calls() {
    run_with_faults(async {
        for before in ["UpdateItem L", "PutItem L", "UpdateItem T", "SendMessage"] {
            let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
            let dying = worker(&scene, &[500]);
            crash_worker_before(&scene, ("PutItem L", 1), &dying, &scene.first, START).await;
            // The first update of the delivery is the claim, which is refused.
            let nth = if before == "UpdateItem T" { 2 } else { 1 };
            crash_worker_before(&scene, (before, nth), &dying, &scene.first, LEASE_ENDS).await;

            dying.handle(scene.first.clone(), LEASE_ENDS).await?;
            assert_eq!(
                scene.engine.drain().await,
                [attempt_message(&scene.accepted, 2, LEASE_ENDS)],
                "{before}"
            );
            let rows = scene.rows().await?;
            assert_eq!(results(&rows), [Some(INTERRUPTED)], "{before}");
            assert_eq!(dying.sender.numbers(), []);
        }
        Ok(())
    });
}

/// The response to the update of a row that its slow sender is about to put.
const NO_ROW_YET: Fault = Fault::Error(400, "ConditionalCheckFailedException");

#[test]
fn a_row_that_is_put_during_recovery_is_interrupted() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        scene.engine.proxy.fault_nth("UpdateItem L", 1, NO_ROW_YET);
        worker(&scene, &[]).handle(scene.first.clone(), LEASE_ENDS).await?;

        assert_eq!(results(&scene.rows().await?), [Some(INTERRUPTED)]);
        assert_eq!(scene.engine.drain().await, [attempt_message(&scene.accepted, 2, LEASE_ENDS)]);
        let late = ended(claim.row, Ok(200), LEASE_ENDS);
        assert!(!scene.ports().complete(&claim.delivery, claim.token, late, None).await?);
        Ok(())
    });
}

#[test]
fn of_two_recovering_workers_the_one_that_lives_queues_the_next_attempt() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let dying = worker(&scene, &[500]);
        let claim = scene.claim(START).await?;
        scene.engine.lose_row(&claim.row);
        crash_worker_before(&scene, ("SendMessage", 1), &dying, &scene.first, LEASE_ENDS).await;

        // The other one read before: it saw the claim, and no row.
        scene.engine.proxy.fault_nth("UpdateItem L", 1, NO_ROW_YET);
        let row = ended(claim.row, INTERRUPTED, LEASE_ENDS);
        assert!(!scene.ports().complete(&claim.delivery, claim.token, row, None).await?);
        assert_eq!(scene.engine.drain().await, [attempt_message(&scene.accepted, 2, LEASE_ENDS)]);
        assert_eq!(scene.rows().await?.len(), 1);
        Ok(())
    });
}
