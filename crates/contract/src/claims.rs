//! Claims and what ends them: one sender an attempt, one row, one end.

use futures_util::future::try_join_all;
use loanhook_core::model::attempt::{AttemptNumber, AttemptState};
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::{AttemptId, EventId, TraceId};
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{ClaimOutcome, Deliveries, QueueMessage, StoreResult};
use uuid::Uuid;

use crate::engine::Engine;
use crate::scene::{MILLISECOND, SECOND, START, Scene, delivery_of, ended};

pub(crate) async fn of_concurrent_claims_of_one_number_one_succeeds<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let tokens = (1..=16).map(Uuid::from_u128);
    let claims = try_join_all(tokens.map(|token| scene.ports().claim(&scene.first, 1, token, START))).await?;

    let (mut won, mut lost) = (Vec::new(), Vec::new());
    for begun in claims {
        match begun {
            ClaimOutcome::Claimed(claim) => won.push(*claim),
            ClaimOutcome::NotClaimed(delivery) => lost.push(delivery.map(|delivery| *delivery)),
        }
    }
    let [(delivery, row)] = won.as_slice() else { panic!("{} claims won", won.len()) };
    assert!(lost.iter().all(|lost| lost.as_ref() == Some(delivery)), "{lost:?}");

    let claim = delivery.progress.in_flight().expect("in flight");
    assert_eq!((claim.number, claim.attempt_id, claim.since), (1, row.id, START));
    assert_eq!(row.state, AttemptState::Sending { token: claim.token });
    assert_eq!((row.number, row.sent_at), (AttemptNumber::Auto(1), START));
    assert!((AttemptId::first_at(START)..AttemptId::first_at(START + MILLISECOND)).contains(&row.id));
    assert_eq!(delivery.history.newest_attempt, Some(row.id));
    assert_eq!(scene.delivery().await?, *delivery);
    assert_eq!(scene.rows().await?, std::slice::from_ref(row));
    Ok(())
}

pub(crate) async fn only_the_next_number_can_be_claimed<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    cannot_be_claimed(&scene, &[0, 2, 3]).await?;
    let claim = scene.claim(START).await?;
    cannot_be_claimed(&scene, &[1, 2]).await?;
    let row = ended(claim.row, Ok(500), START + SECOND);
    scene.ports().complete(&claim.delivery, claim.token, row, None).await?;
    cannot_be_claimed(&scene, &[1, 3]).await?;
    scene.attempt(Ok(200), START + 301 * SECOND).await?;
    cannot_be_claimed(&scene, &[1, 2, 3]).await
}

async fn cannot_be_claimed<E: Engine>(scene: &Scene<E>, numbers: &[u32]) -> StoreResult<()> {
    let (delivery, rows) = (scene.delivery().await?, scene.rows().await?);
    for number in numbers {
        let message = crate::scene::attempt_message(&delivery, *number, START);
        let begun = scene.ports().claim(&message, *number, Uuid::new_v4(), START + SECOND).await?;
        let ClaimOutcome::NotClaimed(Some(told)) = begun else { panic!("{number}: {begun:?}") };
        assert_eq!(*told, delivery);
        assert_eq!(scene.delivery().await?, delivery);
        assert_eq!(scene.rows().await?, rows);
    }
    Ok(())
}

pub(crate) async fn an_unknown_delivery_cannot_be_claimed<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let unknown = TraceId::of(EventId::at(START), scene.subscription.id);
    let message = QueueMessage { trace_id: unknown, ..scene.first.clone() };
    let begun = scene.ports().claim(&message, 1, Uuid::new_v4(), START).await?;
    assert!(matches!(begun, ClaimOutcome::NotClaimed(None)), "{begun:?}");
    assert!(delivery_of(scene.ports(), scene.tenant(), unknown).await?.is_none());
    Ok(())
}

pub(crate) async fn only_the_fencing_token_of_the_claim_completes<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let claim = scene.claim(START).await?;
    let row = ended(claim.row.clone(), Ok(200), START + SECOND);
    assert!(!scene.ports().complete(&claim.delivery, Uuid::new_v4(), row.clone(), None).await?);
    assert_eq!(scene.delivery().await?, claim.delivery);
    assert_eq!(scene.rows().await?, [claim.row]);

    assert!(scene.ports().complete(&claim.delivery, claim.token, row.clone(), None).await?);
    assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
    assert_eq!(scene.rows().await?, [row]);
    Ok(())
}

pub(crate) async fn an_attempt_is_completed_once<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300, 300]).await?;
    let claim = scene.claim(START).await?;
    let settle = |result, at| {
        let row = ended(claim.row.clone(), result, at);
        scene.ports().complete(&claim.delivery, claim.token, row, None)
    };
    assert!(settle(Ok(500), START + SECOND).await?);
    let (delivery, rows) = (scene.delivery().await?, scene.rows().await?);
    assert!(!settle(Ok(200), START + 2 * SECOND).await?);
    assert_eq!(scene.delivery().await?, delivery);
    assert_eq!(scene.rows().await?, rows);

    // Nor does the token of one attempt end the next.
    let next = scene.claim(START + 301 * SECOND).await?;
    assert!(!settle(Ok(200), START + 302 * SECOND).await?);
    assert_eq!(scene.delivery().await?, next.delivery);
    Ok(())
}

pub(crate) async fn of_concurrent_completions_of_one_attempt_one_counts<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300, 300]).await?;
    let claim = scene.claim(START).await?;
    let ends: Vec<_> =
        (1..=8).map(|second| ended(claim.row.clone(), Ok(500), START + second * SECOND)).collect();
    let settles =
        ends.iter().map(|row| scene.ports().complete(&claim.delivery, claim.token, row.clone(), None));
    let settled = try_join_all(settles).await?;

    assert_eq!(settled.iter().filter(|settled| **settled).count(), 1, "{settled:?}");
    let rows = scene.rows().await?;
    let [row] = rows.as_slice() else { panic!("{} rows", rows.len()) };
    let next = scene.delivery().await?.progress.waiting().expect("a retry");
    assert_eq!((next.number, next.slot), (2, 1));
    let ended_at = row.completion().expect("complete").ended_at;
    assert_eq!((Some(next.due), next.due), (row.next_attempt_at, ended_at + 300 * SECOND));
    Ok(())
}

pub(crate) async fn a_row_that_is_complete_stays_and_the_delivery_continues_from_it<E: Engine>()
-> StoreResult<()> {
    for (stands, status) in [(Ok(200), Status::Succeeded), (Ok(500), Status::Pending)] {
        let scene = Scene::<E>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        let mut row = ended(claim.row.clone(), stands, START + SECOND);
        row.next_attempt_at = (status == Status::Pending).then_some(START + 301 * SECOND);
        scene.engine.put_row(&row);

        let late = ended(claim.row, Err(ErrorKind::Interrupted), START + 60 * SECOND);
        assert!(scene.ports().complete(&claim.delivery, claim.token, late, None).await?);
        let progress = scene.delivery().await?.progress;
        assert_eq!((progress.status(), progress.in_flight()), (status, None));
        assert_eq!(
            progress.waiting().map(|next| (next.number, next.slot)),
            row.next_attempt_at.map(|_| (2, 1))
        );
        assert_eq!(progress.waiting().map(|next| next.due), row.next_attempt_at);
        assert_eq!(scene.rows().await?, [row]);
    }
    Ok(())
}
