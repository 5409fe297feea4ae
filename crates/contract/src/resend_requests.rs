//! Resend requests: what can be resent, and which attempt a resend names.

use loanhook_core::model::attempt::{AttemptNumber, MAX_RESEND_WAIT, ResendTo};
use loanhook_core::model::id::AttemptId;
use loanhook_core::ports::{
    Deliveries, EarlierResend, EnqueueOutcome, IdempotencyKey, ReleaseOutcome, Resends, StoreResult,
};
use loanhook_core::resend::{ResendError, ResendRequest, ResendTarget, resend};
use uuid::Uuid;

use crate::engine::Engine;
use crate::resends::failed;
use crate::scene::{DAY, MILLISECOND, SECOND, START, Scene, accept, attempt_message};

pub(crate) async fn an_idempotency_key_of_a_resend_names_one_delivery_for_a_day<E: Engine>() -> StoreResult<()>
{
    let scene = failed::<E>(&[]).await?;
    let other = accept(&scene.engine, &scene.subscription, "727", START).await?;
    scene.ports().claim(&attempt_message(&other, 1, START), 1, Uuid::new_v4(), START).await?;
    let ask = |trace_id, now| {
        let (requested_by, key) = ("Servicing".to_owned(), Some("a".to_owned()));
        let request = ResendRequest {
            trace_id,
            attempt: ResendTarget::Newest,
            to: ResendTo::Original,
            requested_by,
            key,
        };
        resend(scene.ports(), scene.tenant(), request, now)
    };
    let first = ask(scene.trace(), START).await.expect("asked");
    let end = START + DAY;
    assert_eq!(ask(scene.trace(), end.minus(MILLISECOND)).await.expect("asked"), first);
    let refused = ask(other.snapshot.trace_id, end.minus(MILLISECOND)).await;
    assert!(matches!(refused, Err(ResendError::KeyReused)), "{refused:?}");
    assert_eq!(scene.rows_of(&other).await?.len(), 1);

    let second = ask(other.snapshot.trace_id, end).await.expect("asked");
    assert_eq!(scene.rows_of(&other).await?[1].id, second);
    Ok(())
}

pub(crate) async fn a_resend_that_was_never_claimed_can_be_named<E: Engine>() -> StoreResult<()> {
    let scene = failed::<E>(&[]).await?;
    let (untaken, _) = scene.resend(None, START).await?;
    let ask = |attempt, now| {
        let (trace_id, requested_by) = (scene.trace(), "Servicing".to_owned());
        resend(
            scene.ports(),
            scene.tenant(),
            ResendRequest { trace_id, attempt, to: ResendTo::Original, requested_by, key: None },
            now,
        )
    };
    let manual = || ResendTarget::Number(AttemptNumber::Manual);
    let end = START + MAX_RESEND_WAIT;
    let refused = ask(manual(), end.minus(MILLISECOND)).await;
    assert!(matches!(refused, Err(ResendError::Unknown)), "it has not happened: {refused:?}");
    for attempt in [manual(), ResendTarget::Row(untaken.id)] {
        let again = ask(attempt, end).await.expect("asked");
        let row = scene.rows().await?.into_iter().find(|row| row.id == again).expect("its row");
        assert_eq!(row.resend_of, Some(untaken.id));
    }
    Ok(())
}

pub(crate) async fn a_resend_of_an_attempt_that_was_released_meanwhile_is_not_stored<E: Engine>()
-> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let claim = scene.claim(START).await?;
    let row =
        claim.delivery.resend_row(AttemptId::at(START + 2 * SECOND), claim.row.id, "Servicing".into(), START);
    let released = scene.ports().release(&claim.delivery, claim.token, &claim.row, START).await?;
    assert_eq!(released, ReleaseOutcome::Released);
    scene.engine.drain().await;

    let key = || Some(IdempotencyKey { key: "a".into(), until: START + DAY });
    for key in [None, key()] {
        let enqueued = scene.ports().enqueue_resend(row.clone(), key, START).await?;
        assert_eq!(enqueued, EnqueueOutcome::NamedAttemptReleased);
    }
    let delivery = scene.delivery().await?;
    assert_eq!((delivery.history.newest_attempt, delivery.history.resends), (None, 0));
    assert_eq!(scene.rows().await?, []);
    assert_eq!(scene.engine.drain().await, []);

    // The key was not used up: with it a resend of the attempt that follows is stored.
    let claim = scene.claim(START + SECOND).await?;
    let newer =
        claim.delivery.resend_row(AttemptId::at(START + 3 * SECOND), claim.row.id, "Servicing".into(), START);
    scene.ports().enqueue_resend(newer, key(), START + 2 * SECOND).await?;
    let rows = scene.rows().await?;
    assert_eq!(rows.iter().map(|row| row.resend_of).collect::<Vec<_>>(), [None, Some(claim.row.id)]);
    // A repeated call is answered although the attempt that it names is gone.
    let repeated = scene.ports().enqueue_resend(row, key(), START + 3 * SECOND).await?;
    let to = Some(ResendTo::Original);
    let earlier = EarlierResend { trace_id: scene.trace(), attempt: rows[1].id, to };
    assert_eq!(repeated, EnqueueOutcome::Duplicate(earlier));
    Ok(())
}

pub(crate) async fn a_resend_of_a_row_that_was_released_is_refused<E: Engine>() -> StoreResult<()> {
    let scene = failed::<E>(&[300]).await?;
    let claim = scene.claim(START + 300 * SECOND).await?;
    scene.ports().release(&claim.delivery, claim.token, &claim.row, START + 301 * SECOND).await?;
    let before = scene.rows().await?;
    let ask = |attempt| {
        let (trace_id, requested_by) = (scene.trace(), "Servicing".to_owned());
        let request = ResendRequest { trace_id, attempt, to: ResendTo::Original, requested_by, key: None };
        resend(scene.ports(), scene.tenant(), request, START + 302 * SECOND)
    };
    let refused = ask(ResendTarget::Row(claim.row.id)).await;
    assert!(matches!(refused, Err(ResendError::Unknown)), "{refused:?}");
    assert_eq!(scene.rows().await?, before);

    let asked = ask(ResendTarget::Newest).await.expect("asked");
    let row = scene.rows().await?.into_iter().find(|row| row.id == asked).expect("its row");
    assert_eq!(row.resend_of, Some(before[0].id));
    Ok(())
}

pub(crate) async fn nothing_can_be_resent_before_it_was_attempted<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let (requested_by, key) = ("Servicing".to_owned(), Some("a".to_owned()));
    let request = ResendRequest {
        trace_id: scene.trace(),
        attempt: ResendTarget::Newest,
        to: ResendTo::Original,
        requested_by,
        key,
    };
    let refused = resend(scene.ports(), scene.tenant(), request, START).await;
    assert!(matches!(refused, Err(ResendError::NotAttempted)), "{refused:?}");
    assert_eq!(scene.delivery().await?, scene.accepted);
    assert_eq!(scene.rows().await?, []);
    assert_eq!(scene.engine.drain().await, []);
    Ok(())
}

pub(crate) async fn an_attempt_is_found_by_its_number_however_often_its_delivery_was_resent<E: Engine>()
-> StoreResult<()> {
    let scene = failed::<E>(&[10]).await?;
    // More than are read at once.
    for i in 0..105_u32 {
        scene.resend(None, START + (1 + i) * MILLISECOND).await?;
    }
    scene.attempt(Ok(500), START + 10 * SECOND).await?;
    let now = START + 20 * SECOND;
    let ask = |number| {
        let (attempt, requested_by) =
            (ResendTarget::Number(AttemptNumber::Auto(number)), "Servicing".to_owned());
        let request = ResendRequest {
            trace_id: scene.trace(),
            attempt,
            to: ResendTo::Original,
            requested_by,
            key: None,
        };
        resend(scene.ports(), scene.tenant(), request, now)
    };
    for number in [1, 2] {
        let asked = ask(number).await.expect("asked");
        let rows = scene.rows().await?;
        let numbered = rows.iter().find(|row| row.number == AttemptNumber::Auto(number)).expect("its row");
        let again = rows.iter().find(|row| row.id == asked).expect("the new row");
        assert_eq!(again.resend_of, Some(numbered.id));
    }
    let refused = ask(3).await;
    assert!(matches!(refused, Err(ResendError::Unknown)), "{refused:?}");
    Ok(())
}
