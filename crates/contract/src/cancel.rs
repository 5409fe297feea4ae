//! The end of a schedule, on demand.

use loanhook_core::model::attempt::Outcome;
use loanhook_core::model::id::{EventId, TraceId};
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{CancelOutcome, ClaimOutcome, Deliveries, EnqueueOutcome, StoreResult};
use uuid::Uuid;

use crate::engine::Engine;
use crate::scene::{LEASE, SECOND, START, Scene, attempt_message, ended};

async fn cancels<E: Engine>(scene: &Scene<E>) -> StoreResult<()> {
    let canceled = scene.ports().cancel(scene.tenant(), scene.trace()).await?;
    assert!(matches!(canceled, CancelOutcome::Canceled), "{canceled:?}");
    Ok(())
}

pub(crate) async fn a_canceled_delivery_is_attempted_no_more<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    scene.attempt(Ok(500), START).await?;
    let rows = scene.rows().await?;
    cancels(&scene).await?;
    let delivery = scene.delivery().await?;
    assert_eq!((delivery.progress.status(), delivery.progress.waiting()), (Status::Canceled, None));

    let deliver = scene.deliver(Some(LEASE));
    for number in [1, 2, 3] {
        let message = attempt_message(&scene.accepted, number, START);
        let begun = scene.ports().claim(&message, number, Uuid::new_v4(), START).await?;
        assert!(matches!(begun, ClaimOutcome::NotClaimed(Some(_))), "{begun:?}");
        deliver.handle(message, START + 301 * SECOND).await?;
    }
    assert_eq!(deliver.sender.numbers(), []);
    assert_eq!(scene.delivery().await?, delivery);
    assert_eq!(scene.rows().await?, rows);
    assert_eq!(scene.engine.drain().await, []);
    Ok(())
}

pub(crate) async fn only_a_pending_delivery_can_be_canceled<E: Engine>() -> StoreResult<()> {
    for status in [Status::Succeeded, Status::Failed, Status::Canceled] {
        let scene = Scene::<E>::new(&[]).await?;
        match status {
            Status::Succeeded => scene.attempt(Ok(200), START).await?,
            Status::Failed => scene.attempt(Ok(500), START).await?,
            _ => cancels(&scene).await?,
        }
        let delivery = scene.delivery().await?;
        assert_eq!(delivery.progress.status(), status);
        let canceled = scene.ports().cancel(scene.tenant(), scene.trace()).await?;
        assert!(matches!(canceled, CancelOutcome::NotPending), "{status:?}: {canceled:?}");
        assert_eq!(scene.delivery().await?, delivery);
        let unknown = TraceId::of(EventId::at(START), scene.subscription.id);
        let canceled = scene.ports().cancel(scene.tenant(), unknown).await?;
        assert!(matches!(canceled, CancelOutcome::NotFound), "{canceled:?}");
    }
    Ok(())
}

pub(crate) async fn an_attempt_in_flight_finishes_and_is_the_last<E: Engine>() -> StoreResult<()> {
    for (status, outcome) in [(200, Outcome::Succeeded), (500, Outcome::Failed)] {
        let scene = Scene::<E>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        cancels(&scene).await?;
        assert_eq!(scene.delivery().await?.progress.in_flight(), claim.delivery.progress.in_flight());

        let row = ended(claim.row, Ok(status), START + SECOND);
        assert!(scene.ports().complete(&claim.delivery, claim.token, row.clone(), None).await?);
        let progress = scene.delivery().await?.progress;
        assert_eq!(
            (progress.status(), progress.waiting(), progress.in_flight()),
            (Status::Canceled, None, None)
        );
        assert_eq!((row.outcome(), scene.rows().await?), (outcome, vec![row]));
        assert_eq!(scene.engine.drain().await, []);
    }
    Ok(())
}

pub(crate) async fn a_sender_that_dies_after_the_cancel_is_interrupted_and_the_last<E: Engine>()
-> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    scene.claim(START).await?;
    cancels(&scene).await?;
    scene.deliver(Some(LEASE)).handle(scene.first.clone(), START + LEASE).await?;
    let rows = scene.rows().await?;
    assert_eq!((rows.len(), rows[0].outcome(), rows[0].next_attempt_at), (1, Outcome::Failed, None));
    let progress = scene.delivery().await?.progress;
    assert_eq!((progress.status(), progress.waiting(), progress.in_flight()), (Status::Canceled, None, None));
    assert_eq!(scene.engine.drain().await, []);
    Ok(())
}

pub(crate) async fn a_cancel_and_a_claim_at_once_leave_one_attempt_at_most<E: Engine>() -> StoreResult<()> {
    for cancel_first in [true, false] {
        let scene = Scene::<E>::new(&[300]).await?;
        let token = Uuid::new_v4();
        let cancel = cancels(&scene);
        let claim = scene.ports().claim(&scene.first, 1, token, START);
        let (canceled, begun) = if cancel_first {
            tokio::join!(cancel, claim)
        } else {
            let (begun, canceled) = tokio::join!(claim, cancel);
            (canceled, begun)
        };
        canceled?;
        let won = matches!(begun?, ClaimOutcome::Claimed(_));
        let progress = scene.delivery().await?.progress;
        assert_eq!((progress.status(), progress.waiting()), (Status::Canceled, None));
        assert_eq!(progress.in_flight().map(|claim| claim.token), won.then_some(token));
        assert_eq!(scene.rows().await?.len(), usize::from(won));
    }
    Ok(())
}

pub(crate) async fn a_canceled_delivery_can_be_resent<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    scene.attempt(Ok(500), START).await?;
    cancels(&scene).await?;
    let (asked, queued) = scene.resend(None, START + 2 * SECOND).await?;
    assert_eq!(queued, EnqueueOutcome::Enqueued);
    let mut deliver = scene.deliver(Some(LEASE));
    deliver.sender = crate::sender::Scripted::always(200);
    deliver.handle(scene.engine.receive().await, START + 2 * SECOND).await?;
    let rows = scene.rows().await?;
    assert_eq!((rows[1].id, rows[1].outcome()), (asked.id, Outcome::Succeeded));
    assert_eq!(scene.delivery().await?.progress.status(), Status::Canceled);
    Ok(())
}
