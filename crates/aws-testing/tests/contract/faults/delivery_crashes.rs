//! A delivery function that dies between two calls: the message it had comes again and heals everything.

use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Deliveries, StoreResult};

use super::{crash_worker_before, results, take_sent_messages};
use loanhook_aws_testing::FaultyAwsEngine;
use loanhook_aws_testing::fault_proxy::Fault;
use loanhook_aws_testing::{run_with_faults, worker};
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{LEASE, SECOND, START, Scene, attempt_message, ended};

const LEASE_ENDS: Timestamp = Timestamp::from_millis(START.millis() + LEASE.as_millis() as i64);
const INTERRUPTED: Result<u16, ErrorKind> = Err(ErrorKind::Interrupted);

/// The first attempt fails with 500 and its sender dies before a call; its message comes again within the
/// lease and after it; then the second attempt succeeds. The first ends as `first`, having been sent so
/// often; the second is due then, in this slot.
async fn heals(
    before: (&str, usize),
    first: Result<u16, ErrorKind>,
    sent: usize,
    (slot, due): (u32, Timestamp),
) -> StoreResult<()> {
    let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
    let doomed = worker(&scene, &[500]);
    crash_worker_before(&scene, before, &doomed, &scene.first, START).await;
    assert_eq!(doomed.sender.take_sent().len(), sent, "sent before {before:?}");

    // Under the lease nobody else touches it; where the flight is over, what is next is queued.
    let healer = worker(&scene, &[]);
    scene.engine.proxy.take_calls();
    healer.handle(scene.first.clone(), START + 2 * SECOND).await?;
    let in_flight = before.0 != "SendMessage";
    let sent_on = if in_flight {
        attempt_message(&scene.accepted, 1, LEASE_ENDS)
    } else {
        attempt_message(&scene.accepted, 2, due)
    };
    assert_eq!(take_sent_messages(&scene).as_slice(), std::slice::from_ref(&sent_on));

    // Past it, and however often.
    let again = if in_flight { sent_on } else { scene.first.clone() };
    for message in [&scene.first, &scene.first, &again] {
        healer.handle(message.clone(), LEASE_ENDS).await?;
    }
    assert_eq!(healer.sender.numbers(), []);
    let progress = scene.delivery().await?.progress;
    assert_eq!((progress.status(), &progress.in_flight()), (Status::Pending, &None));
    assert_eq!(progress.waiting().map(|next| (next.number, next.slot, next.due)), Some((2, slot, due)));
    let rows = scene.rows().await?;
    assert_eq!(results(&rows), [Some(first)]);
    assert_eq!(rows[0].next_attempt_at, Some(due));
    assert_eq!(scene.engine.drain().await, [attempt_message(&scene.accepted, 2, due)]);

    healer.handle(attempt_message(&scene.accepted, 2, due), due).await?;
    assert_eq!(healer.sender.numbers(), [AttemptNumber::Auto(2)]);
    let rows = scene.rows().await?;
    assert_eq!(results(&rows), [Some(first), Some(Ok(200))]);
    assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
    assert_eq!(scene.engine.drain().await, []);
    Ok(())
}

const AT_ONCE: (u32, Timestamp) = (0, LEASE_ENDS);
/// 300 s after the first attempt, which took one.
const ON_SCHEDULE: (u32, Timestamp) = (1, Timestamp::from_millis(START.millis() + 301_000));

#[test]
fn after_the_claim_and_before_the_row() {
    run_with_faults(heals(("PutItem L", 1), INTERRUPTED, 0, AT_ONCE));
}

#[test]
fn after_the_row_and_before_the_request() {
    run_with_faults(heals(("GetObject", 1), INTERRUPTED, 0, AT_ONCE));
}

#[test]
fn after_the_request_and_before_the_row_is_complete() {
    run_with_faults(heals(("UpdateItem L", 1), INTERRUPTED, 1, AT_ONCE));
}

#[test]
fn after_the_row_is_complete_and_before_the_delivery_moves_on() {
    run_with_faults(heals(("UpdateItem T", 2), Ok(500), 1, ON_SCHEDULE));
}

#[test]
fn after_the_delivery_moved_on_and_before_its_successor_is_queued() {
    run_with_faults(heals(("SendMessage", 1), Ok(500), 1, ON_SCHEDULE));
}

#[test]
fn a_success_whose_sender_died_before_it_told_the_delivery_stays_one() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let doomed = worker(&scene, &[200]);
        crash_worker_before(&scene, ("UpdateItem T", 2), &doomed, &scene.first, START).await;
        assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded, "a reader sees it already");

        let healer = worker(&scene, &[]);
        healer.handle(scene.first.clone(), LEASE_ENDS).await?;
        let progress = scene.delivery().await?.progress;
        assert_eq!(
            (progress.status(), progress.in_flight(), progress.waiting()),
            (Status::Succeeded, None, None)
        );
        assert_eq!(results(&scene.rows().await?), [Some(Ok(200))]);
        assert_eq!((healer.sender.numbers(), scene.engine.drain().await), (vec![], vec![]));
        Ok(())
    });
}

#[test]
fn the_healer_dies_too_before_each_of_its_calls() {
    run_with_faults(async {
        for before in ["UpdateItem L", "PutItem L", "UpdateItem T", "SendMessage"] {
            let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
            let doomed = worker(&scene, &[500]);
            crash_worker_before(&scene, ("PutItem L", 1), &doomed, &scene.first, START).await;
            // Its own first update of the delivery is the claim that it loses.
            let nth = if before == "UpdateItem T" { 2 } else { 1 };
            crash_worker_before(&scene, (before, nth), &doomed, &scene.first, LEASE_ENDS).await;

            doomed.handle(scene.first.clone(), LEASE_ENDS).await?;
            assert_eq!(
                scene.engine.drain().await,
                [attempt_message(&scene.accepted, 2, LEASE_ENDS)],
                "{before}"
            );
            let rows = scene.rows().await?;
            assert_eq!(results(&rows), [Some(INTERRUPTED)], "{before}");
            assert_eq!(doomed.sender.numbers(), []);
        }
        Ok(())
    });
}

/// What the healer is told of a row that its slow sender is about to put.
const NO_ROW_YET: Fault = Fault::Error(400, "ConditionalCheckFailedException");

#[test]
fn a_row_that_appears_while_it_is_given_up_is_interrupted() {
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
fn of_two_healers_the_one_that_lives_queues_what_is_next() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let doomed = worker(&scene, &[500]);
        let claim = scene.claim(START).await?;
        scene.engine.lose_row(&claim.row);
        crash_worker_before(&scene, ("SendMessage", 1), &doomed, &scene.first, LEASE_ENDS).await;

        // The other one had begun before: it saw the flight, and no row.
        scene.engine.proxy.fault_nth("UpdateItem L", 1, NO_ROW_YET);
        let row = ended(claim.row, INTERRUPTED, LEASE_ENDS);
        assert!(!scene.ports().complete(&claim.delivery, claim.token, row, None).await?);
        assert_eq!(scene.engine.drain().await, [attempt_message(&scene.accepted, 2, LEASE_ENDS)]);
        assert_eq!(scene.rows().await?.len(), 1);
        Ok(())
    });
}
