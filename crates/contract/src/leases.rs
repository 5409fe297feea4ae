//! A sender that says nothing holds its attempt for a lease, and no longer.

use std::sync::Arc;

use loanhook_core::deliver::Deliver;
use loanhook_core::model::attempt::{Attempt, AttemptNumber, AttemptState};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, ResendClaimOutcome, Resends, StoreResult};
use uuid::Uuid;

use crate::engine::Engine;
use crate::scene::{LEASE, MILLISECOND, SECOND, START, Scene, attempt_message, ended, resend_message};
use crate::sender::Held;

const LEASE_ENDS: Timestamp = Timestamp::from_millis(START.millis() + LEASE.as_millis() as i64);

fn error(row: &Attempt) -> Option<ErrorKind> {
    row.completion().and_then(|completion| completion.error()).map(|error| error.kind)
}

pub(crate) async fn while_a_lease_is_valid_a_message_waits_for_its_end_and_changes_nothing<E: Engine>()
-> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let claim = scene.claim(START).await?;
    let deliver = scene.deliver(Some(LEASE));
    deliver.handle(scene.first.clone(), LEASE_ENDS.minus(MILLISECOND)).await?;
    assert_eq!(scene.engine.drain().await, [QueueMessage { due: LEASE_ENDS, ..scene.first.clone() }]);
    assert_eq!(scene.delivery().await?, claim.delivery);
    assert_eq!(scene.rows().await?, [claim.row]);
    assert_eq!(deliver.sender.numbers(), []);
    Ok(())
}

pub(crate) async fn past_its_lease_an_attempt_is_interrupted_and_the_next_is_due_at_once<E: Engine>()
-> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let claim = scene.claim(START).await?;
    let deliver = scene.deliver(Some(LEASE));
    deliver.handle(scene.first.clone(), LEASE_ENDS).await?;

    let rows = scene.rows().await?;
    let [row] = rows.as_slice() else { panic!("{} rows", rows.len()) };
    assert_eq!((row.id, error(row)), (claim.row.id, Some(ErrorKind::Interrupted)));
    assert_eq!(row.next_attempt_at, Some(LEASE_ENDS));
    let progress = scene.delivery().await?.progress;
    assert_eq!((progress.status(), progress.in_flight()), (Status::Pending, None));
    assert_eq!(progress.waiting().map(|next| (next.number, next.slot, next.due)), Some((2, 0, LEASE_ENDS)));
    assert_eq!(scene.engine.drain().await, [attempt_message(&scene.accepted, 2, LEASE_ENDS)]);
    assert_eq!(deliver.sender.numbers(), []);
    Ok(())
}

pub(crate) async fn a_sender_that_completes_after_its_lease_expired_changes_nothing<E: Engine>()
-> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let slow =
        Deliver { store: scene.ports().clone(), sender: Held::default(), lease: Some(LEASE), deadline: None };
    let slow = Arc::new(slow);
    let handled = tokio::spawn({
        let (slow, first) = (Arc::clone(&slow), scene.first.clone());
        async move { slow.handle(first, START).await }
    });
    slow.sender.taken.acquire().await.expect("open").forget();
    scene.deliver(Some(LEASE)).handle(scene.first.clone(), LEASE_ENDS).await?;
    let (delivery, rows) = (scene.delivery().await?, scene.rows().await?);
    assert_eq!(rows.iter().map(error).collect::<Vec<_>>(), [Some(ErrorKind::Interrupted)]);

    slow.sender.let_go.add_permits(1);
    handled.await.expect("handled")?;
    assert_eq!(scene.delivery().await?, delivery);
    assert_eq!(scene.rows().await?, rows);
    Ok(())
}

pub(crate) async fn of_concurrent_senders_that_find_an_expired_lease_one_interrupts<E: Engine>()
-> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    scene.claim(START).await?;
    let deliver = scene.deliver(Some(LEASE));
    let many = (0..16).map(|_| deliver.handle(scene.first.clone(), LEASE_ENDS));
    futures_util::future::try_join_all(many).await?;
    let Delivery { progress, history, .. } = scene.delivery().await?;
    assert_eq!(progress.waiting().map(|next| (next.number, next.slot)), Some((2, 0)));
    assert_eq!(history.interruptions, 1);
    assert_eq!(scene.rows().await?.len(), 1);
    Ok(())
}

pub(crate) async fn the_third_interruption_in_a_row_uses_up_a_slot<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let deliver = scene.deliver(Some(LEASE));
    let mut due = START;
    let mut places = Vec::new();
    while scene.delivery().await?.progress.status() == Status::Pending {
        let claim = scene.claim(due).await?;
        let claim = claim.delivery.progress.in_flight().expect("in flight");
        places.push((claim.number, claim.slot));
        let message = attempt_message(&scene.accepted, claim.number, due);
        deliver.handle(message, due + LEASE).await?;
        let next = scene.delivery().await?.progress.waiting();
        due = next.map_or(due, |next| next.due);
    }
    assert_eq!(places, [(1, 0), (2, 0), (3, 0), (4, 1), (5, 1), (6, 1)]);
    // Only the failure that the third one counts as waited for the schedule's delay.
    assert_eq!(due, START + 5 * LEASE + 300 * SECOND);
    let rows = scene.rows().await?;
    assert_eq!(rows.len(), places.len());
    assert!(rows.iter().all(|row| error(row) == Some(ErrorKind::Interrupted)));
    assert_eq!(scene.delivery().await?.progress.status(), Status::Failed);
    Ok(())
}

pub(crate) async fn without_a_lease_an_attempt_in_flight_is_left_alone<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let claim = scene.claim(START).await?;
    let deliver = scene.deliver(None);
    deliver.handle(scene.first.clone(), START + 1000 * LEASE).await?;
    assert_eq!(scene.delivery().await?, claim.delivery);
    assert_eq!(scene.rows().await?, [claim.row]);
    assert_eq!(scene.engine.drain().await, []);
    assert_eq!(deliver.sender.numbers(), []);
    Ok(())
}

pub(crate) async fn past_the_lease_a_complete_row_counts_as_it_stands<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let claim = scene.claim(START).await?;
    let row = ended(claim.row, Ok(200), START + SECOND);
    scene.engine.put_row(&row);
    scene.deliver(Some(LEASE)).handle(scene.first.clone(), LEASE_ENDS).await?;
    assert_eq!(scene.rows().await?, [row]);
    assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
    assert_eq!(scene.engine.drain().await, []);
    Ok(())
}

pub(crate) async fn a_claim_without_a_row_gets_one_as_interrupted<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let claim = scene.claim(START).await?;
    scene.engine.lose_row(&claim.row);
    scene.deliver(Some(LEASE)).handle(scene.first.clone(), LEASE_ENDS).await?;
    let rows = scene.rows().await?;
    let [row] = rows.as_slice() else { panic!("{} rows", rows.len()) };
    assert_eq!((row.id, row.number, row.sent_at), (claim.row.id, AttemptNumber::Auto(1), START));
    assert_eq!(error(row), Some(ErrorKind::Interrupted));
    assert_eq!(scene.engine.drain().await, [attempt_message(&scene.accepted, 2, LEASE_ENDS)]);
    Ok(())
}

pub(crate) async fn a_resend_in_flight_holds_its_lease_and_is_not_repeated_after_it<E: Engine>()
-> StoreResult<()> {
    let scene = Scene::<E>::new(&[]).await?;
    scene.attempt(Ok(500), START).await?;
    let (row, _) = scene.resend(None, START + SECOND).await?;
    let message = scene.engine.receive().await;
    let token = Uuid::new_v4();
    let taken = scene.ports().claim_resend(&message, &row.loan_id, row.id, token, START + 2 * SECOND).await?;
    assert!(matches!(taken, ResendClaimOutcome::Claimed(_)), "{taken:?}");

    let deliver = scene.deliver(Some(LEASE));
    deliver.handle(message.clone(), START + 3 * SECOND).await?;
    let ends = START + 2 * SECOND + LEASE;
    assert_eq!(scene.engine.drain().await, [resend_message(&row, ends)]);
    assert_eq!(scene.rows().await?[1].state, AttemptState::Sending { token });

    deliver.handle(message, ends).await?;
    assert_eq!(error(&scene.rows().await?[1]), Some(ErrorKind::Interrupted));
    assert_eq!(scene.engine.drain().await, []);
    assert_eq!(deliver.sender.numbers(), []);
    let late = ended(row, Ok(200), ends + SECOND);
    assert!(!scene.ports().complete_resend(token, late, None).await?);
    assert_eq!(scene.delivery().await?.progress.status(), Status::Failed);
    Ok(())
}
