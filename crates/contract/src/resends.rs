//! Resends: asked for once, sent once, and nothing of the schedule's.

use futures_util::future::try_join_all;
use loanhook_core::model::attempt::{
    Attempt, AttemptNumber, AttemptState, MAX_RESEND_WAIT, Outcome, ResendTo,
};
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::payload::Payload;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    Attempts, Deliveries, EarlierResend, EnqueueOutcome, IdempotencyKey, ResendClaimOutcome, Resends,
    StoreResult,
};
use uuid::Uuid;

use crate::engine::Engine;
use crate::scene::{DAY, LEASE, MILLISECOND, SECOND, START, Scene, attempt_message, ended, resend_message};
use crate::sender::Scripted;

fn key() -> Option<IdempotencyKey> {
    Some(IdempotencyKey { key: "a".into(), until: START + DAY })
}

/// One failed attempt; it has retries if there are delays.
pub(crate) async fn failed<E: Engine>(delays: &[u32]) -> StoreResult<Scene<E>> {
    let scene = Scene::<E>::new(delays).await?;
    scene.attempt(Ok(500), START).await?;
    Ok(scene)
}

async fn take<E: Engine>(
    scene: &Scene<E>,
    row: &Attempt,
    token: Uuid,
    now: Timestamp,
) -> StoreResult<ResendClaimOutcome> {
    scene.ports().claim_resend(&resend_message(row, row.sent_at), &row.loan_id, row.id, token, now).await
}

/// A resend that is queued, taken and ended so.
async fn resent<E: Engine>(scene: &Scene<E>, status: u16, now: Timestamp) -> StoreResult<Attempt> {
    let (row, queued) = scene.resend(None, now).await?;
    assert_eq!(queued, EnqueueOutcome::Enqueued);
    let token = Uuid::new_v4();
    let ResendClaimOutcome::Claimed(won) = take(scene, &row, token, now).await? else {
        panic!("the resend was lost")
    };
    let end = ended(won.1, Ok(status), now + SECOND);
    assert!(scene.ports().complete_resend(token, end.clone(), None).await?);
    Ok(end)
}

async fn row<E: Engine>(scene: &Scene<E>, id: AttemptId) -> StoreResult<Attempt> {
    let row = scene.ports().row(scene.tenant(), &scene.accepted.snapshot.loan_id, id).await?;
    Ok(row.expect("the row").attempt)
}

pub(crate) async fn a_resend_is_readable_as_queued_and_counted_at_once<E: Engine>() -> StoreResult<()> {
    let scene = failed::<E>(&[]).await?;
    for count in 1..=2 {
        let now = START + count * SECOND;
        let newest = scene.delivery().await?.history.newest_attempt;
        let (asked, queued) = scene.resend(None, now).await?;
        assert_eq!((queued, asked.state.clone()), (EnqueueOutcome::Enqueued, AttemptState::Queued));
        assert_eq!((asked.number, asked.resend_of), (AttemptNumber::Manual, newest));
        assert_eq!(row(&scene, asked.id).await?, asked);
        assert_eq!(scene.engine.receive().await, resend_message(&asked, now));

        let delivery = scene.delivery().await?;
        assert_eq!(delivery.history.newest_attempt, Some(asked.id));
        assert_eq!(delivery.history.resends, count);
        let rows = scene.ports().rows(scene.tenant(), &asked.loan_id, None, None, 10).await?;
        let rows = scene.ports().history_rows(scene.tenant(), rows).await?;
        assert!(rows.iter().all(|row| row.resends == count));
    }
    assert_eq!(scene.rows().await?.len(), 3);
    Ok(())
}

pub(crate) async fn with_one_idempotency_key_a_resend_is_queued_once<E: Engine>() -> StoreResult<()> {
    let scene = failed::<E>(&[]).await?;
    let asked = try_join_all((1..=16).map(|second| scene.resend(key(), START + second * SECOND))).await?;
    let new: Vec<_> = asked.iter().filter(|(_, queued)| *queued == EnqueueOutcome::Enqueued).collect();
    let [(winner, _)] = new.as_slice() else { panic!("{} are new", new.len()) };
    let known = EnqueueOutcome::Duplicate(EarlierResend {
        trace_id: scene.trace(),
        attempt: winner.id,
        to: Some(ResendTo::Original),
    });
    assert!(asked.iter().all(|(row, queued)| row.id == winner.id || *queued == known), "{asked:?}");

    let rows = scene.rows().await?;
    assert_eq!(rows.iter().filter(|row| row.is_manual()).collect::<Vec<_>>(), [winner]);
    assert_eq!(scene.delivery().await?.history.resends, 1);
    assert_eq!(scene.engine.drain().await, [resend_message(winner, winner.sent_at)]);
    Ok(())
}

pub(crate) async fn of_concurrent_claims_of_a_resend_one_succeeds<E: Engine>() -> StoreResult<()> {
    let scene = failed::<E>(&[]).await?;
    let (asked, _) = scene.resend(None, START + SECOND).await?;
    let now = START + 2 * SECOND;
    let takes = (1..=16).map(|token| take(&scene, &asked, Uuid::from_u128(token), now));
    let (mut won, mut lost) = (Vec::new(), Vec::new());
    for taken in try_join_all(takes).await? {
        match taken {
            ResendClaimOutcome::Claimed(taken) => won.push(*taken),
            ResendClaimOutcome::NotClaimed(row) => lost.push(row.map(|row| *row)),
        }
    }
    let [(delivery, taken)] = won.as_slice() else { panic!("{} won", won.len()) };
    assert_eq!(delivery.snapshot, scene.accepted.snapshot);
    assert!(matches!(taken.state, AttemptState::Sending { .. }));
    assert_eq!((taken.id, taken.sent_at), (asked.id, now));
    assert!(lost.iter().all(|row| row.as_ref() == Some(taken)), "{lost:?}");
    assert_eq!(row(&scene, asked.id).await?, *taken);
    Ok(())
}

pub(crate) async fn an_unknown_resend_cannot_be_claimed<E: Engine>() -> StoreResult<()> {
    let scene = failed::<E>(&[]).await?;
    let of = AttemptId::at(START);
    let unknown = scene.accepted.resend_row(AttemptId::at(START), of, "Servicing".into(), START);
    let taken = take(&scene, &unknown, Uuid::new_v4(), START).await?;
    assert!(matches!(taken, ResendClaimOutcome::NotClaimed(None)), "{taken:?}");
    assert_eq!(scene.rows().await?.len(), 1);
    Ok(())
}

pub(crate) async fn a_resend_that_waited_too_long_is_interrupted_not_sent<E: Engine>() -> StoreResult<()> {
    let scene = failed::<E>(&[]).await?;
    let (in_time, _) = scene.resend(None, START + SECOND).await?;
    let (too_late, _) = scene.resend(None, START + SECOND).await?;
    let over = START + SECOND + MAX_RESEND_WAIT;
    let taken = take(&scene, &in_time, Uuid::new_v4(), over.minus(MILLISECOND)).await?;
    assert!(matches!(taken, ResendClaimOutcome::Claimed(_)), "{taken:?}");

    let taken = take(&scene, &too_late, Uuid::new_v4(), over).await?;
    let ResendClaimOutcome::NotClaimed(Some(told)) = taken else { panic!("{taken:?}") };
    let error = told.completion().and_then(|completion| completion.error()).map(|error| error.kind);
    assert_eq!(error, Some(ErrorKind::Interrupted));
    assert_eq!(row(&scene, too_late.id).await?, *told);

    let deliver = scene.deliver(Some(LEASE));
    deliver.handle(resend_message(&too_late, over), over).await?;
    assert_eq!(deliver.sender.numbers(), []);
    assert_eq!(row(&scene, too_late.id).await?, *told);
    Ok(())
}

pub(crate) async fn only_its_fencing_token_completes_a_resend_and_once<E: Engine>() -> StoreResult<()> {
    let scene = failed::<E>(&[]).await?;
    let (asked, _) = scene.resend(None, START + SECOND).await?;
    let token = Uuid::new_v4();
    let settle = |token, status, seconds| {
        let end = ended(asked.clone(), Ok(status), START + seconds * SECOND);
        scene.ports().complete_resend(token, end, None)
    };
    assert!(!settle(token, 200, 2).await?);
    assert_eq!(row(&scene, asked.id).await?, asked);

    let ResendClaimOutcome::Claimed(_) = take(&scene, &asked, token, START + SECOND).await? else {
        panic!("lost")
    };
    assert!(!settle(Uuid::new_v4(), 200, 2).await?);
    assert_eq!(row(&scene, asked.id).await?.outcome(), Outcome::Sending);
    assert!(settle(token, 500, 3).await?);
    let settled = row(&scene, asked.id).await?;
    assert_eq!(settled.outcome(), Outcome::Failed);
    assert!(!settle(token, 200, 4).await?);
    assert_eq!(row(&scene, asked.id).await?, settled);
    assert_eq!(scene.delivery().await?.progress.status(), Status::Failed);
    Ok(())
}

pub(crate) async fn a_resend_does_not_change_the_schedule<E: Engine>() -> StoreResult<()> {
    for status in [200, 500] {
        let scene = Scene::<E>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        resent(&scene, status, START + MILLISECOND).await?;
        assert_eq!(scene.delivery().await?.progress.in_flight(), claim.delivery.progress.in_flight());
        let row = ended(claim.row, Ok(500), START + SECOND);
        assert!(scene.ports().complete(&claim.delivery, claim.token, row, None).await?);

        let before = scene.delivery().await?.progress;
        resent(&scene, status, START + 2 * SECOND).await?;
        let after = scene.delivery().await?.progress;
        assert_eq!((after, after.status()), (before, Status::Pending));
        assert_eq!(scene.engine.drain().await, [attempt_message(&scene.accepted, 2, START + 301 * SECOND)]);
        // Its own schedule ends as if there had been no resend, but for what the receiver has.
        scene.attempt(Ok(500), START + 301 * SECOND).await?;
        let end = scene.delivery().await?.progress.status();
        assert_eq!(end, if status == 200 { Status::Succeeded } else { Status::Failed });
    }
    Ok(())
}

pub(crate) async fn a_successful_resend_makes_an_exhausted_delivery_succeeded<E: Engine>() -> StoreResult<()>
{
    let scene = failed::<E>(&[]).await?;
    assert_eq!(scene.delivery().await?.progress.status(), Status::Failed);
    let end = resent(&scene, 204, START + 2 * SECOND).await?;
    assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
    assert_eq!(row(&scene, end.id).await?, end);
    Ok(())
}

pub(crate) async fn a_resend_that_fails_leaves_the_delivery_as_it_was<E: Engine>() -> StoreResult<()> {
    let scene = failed::<E>(&[]).await?;
    resent(&scene, 500, START + 2 * SECOND).await?;
    assert_eq!(scene.delivery().await?.progress.status(), Status::Failed);
    resent(&scene, 200, START + 4 * SECOND).await?;
    resent(&scene, 500, START + 6 * SECOND).await?;
    assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
    Ok(())
}

pub(crate) async fn a_resend_sends_the_frozen_bytes_once<E: Engine>() -> StoreResult<()> {
    let scene = failed::<E>(&[]).await?;
    let (asked, _) = scene.resend(None, START + 2 * SECOND).await?;
    let message = scene.engine.receive().await;
    let mut deliver = scene.deliver(Some(LEASE));
    deliver.sender = Scripted::always(200);
    try_join_all((0..8).map(|_| deliver.handle(message.clone(), message.due))).await?;
    deliver.handle(message.clone(), message.due + LEASE).await?;

    let sent = deliver.sender.take_sent();
    let [request] = sent.as_slice() else { panic!("{} are sent", sent.len()) };
    assert_eq!((request.number, request.attempt_id), (AttemptNumber::Manual, asked.id));
    assert_eq!(Payload::of(&request.body), scene.accepted.snapshot.request.payload);
    let row = row(&scene, asked.id).await?;
    assert_eq!((row.outcome(), row.next_attempt_at), (Outcome::Succeeded, None));
    assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
    Ok(())
}
