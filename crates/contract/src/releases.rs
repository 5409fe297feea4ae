//! Claims that are given back: what was missing was ours, nothing was sent, and it is no attempt.

use loanhook_core::deliver::Deliver;
use loanhook_core::model::attempt::{AttemptNumber, AttemptState, ResendTo};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{
    Attempts, Deliveries, DueWork, EnqueueOutcome, NotSent, ReleaseOutcome, ResendClaimOutcome, Resends,
    SendOutcome, Sender, StoreResult, WebhookRequest,
};
use loanhook_core::resend::{ResendError, ResendRequest, ResendTarget, resend};
use uuid::Uuid;

use crate::engine::Engine;
use crate::resends::failed;
use crate::scene::{LEASE, SECOND, START, Scene, resend_message};
use crate::sender::Scripted;

/// Can send nothing the first time, and after that whatever the script says.
struct LacksOnce {
    lacked: std::sync::atomic::AtomicBool,
    then: Scripted,
}

impl LacksOnce {
    fn then(status: u16) -> Self {
        Self { lacked: false.into(), then: Scripted::always(status) }
    }
}

impl Sender for LacksOnce {
    async fn send(&self, request: WebhookRequest) -> Result<SendOutcome, NotSent> {
        if self.lacked.swap(true, std::sync::atomic::Ordering::Relaxed) {
            self.then.send(request).await
        } else {
            Err(NotSent("too many open files".into()))
        }
    }
}

pub(crate) async fn a_released_claim_leaves_no_row_and_its_number_is_due_again<E: Engine>() -> StoreResult<()>
{
    let scene = Scene::<E>::new(&[300]).await?;
    let claim = scene.claim(START).await?;
    let due = START + 5 * SECOND;
    let other = scene.ports().release(&claim.delivery, Uuid::new_v4(), &claim.row, due).await?;
    assert_eq!(other, ReleaseOutcome::Superseded, "another's token");
    assert_eq!(scene.rows().await?, std::slice::from_ref(&claim.row));

    let released = scene.ports().release(&claim.delivery, claim.token, &claim.row, due).await?;
    assert_eq!(released, ReleaseOutcome::Released);
    assert_eq!(scene.rows().await?, []);
    let Delivery { progress, history, .. } = scene.delivery().await?;
    let next = progress.waiting().expect("a next attempt");
    assert_eq!((next.number, next.slot, next.due), (1, 0, due));
    assert_eq!(
        (progress.status(), progress.in_flight(), history.newest_attempt),
        (Status::Pending, None, None)
    );
    let message = scene.engine.receive().await;
    assert_eq!((message.due, message.work), (due, DueWork::Attempt(1)));
    let again = scene.ports().release(&claim.delivery, claim.token, &claim.row, due).await?;
    assert_eq!(again, ReleaseOutcome::Superseded, "it is given back");
    Ok(())
}

pub(crate) async fn a_released_first_attempt_cannot_be_resent<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let claim = scene.claim(START).await?;
    scene.ports().release(&claim.delivery, claim.token, &claim.row, START).await?;
    let request = ResendRequest {
        trace_id: scene.trace(),
        attempt: ResendTarget::Newest,
        to: ResendTo::Original,
        requested_by: "Servicing".into(),
        key: None,
    };
    let refused = resend(scene.ports(), scene.tenant(), request, START).await;
    assert!(matches!(refused, Err(ResendError::NotAttempted)), "{refused:?}");
    Ok(())
}

pub(crate) async fn a_released_later_attempt_leaves_those_before_it<E: Engine>() -> StoreResult<()> {
    let scene = failed::<E>(&[300]).await?;
    let before = scene.rows().await?;
    let claim = scene.claim(START + 301 * SECOND).await?;
    let due = START + 305 * SECOND;
    let released = scene.ports().release(&claim.delivery, claim.token, &claim.row, due).await?;
    assert_eq!(released, ReleaseOutcome::Released);
    assert_eq!(scene.rows().await?, before);
    let Delivery { progress, history, .. } = scene.delivery().await?;
    assert_eq!(history.newest_attempt, Some(before[0].id));
    assert_eq!(progress.waiting().map(|next| (next.number, next.slot, next.due)), Some((2, 1, due)));
    Ok(())
}

pub(crate) async fn a_released_attempt_of_a_canceled_delivery_is_due_no_more<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let claim = scene.claim(START).await?;
    scene.ports().cancel(scene.tenant(), scene.trace()).await?;
    let released = scene.ports().release(&claim.delivery, claim.token, &claim.row, START).await?;
    assert_eq!(released, ReleaseOutcome::Released);
    let progress = scene.delivery().await?.progress;
    assert_eq!(
        (progress.status(), progress.next_due(), progress.in_flight()),
        (Status::Canceled, None, None)
    );
    assert_eq!(scene.rows().await?, []);
    Ok(())
}

pub(crate) async fn an_attempt_that_a_resend_references_is_not_released<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let claim = scene.claim(START).await?;
    let (asked, queued) = scene.resend(None, START + SECOND).await?;
    assert_eq!((queued, asked.resend_of), (EnqueueOutcome::Enqueued, Some(claim.row.id)));
    let released = scene.ports().release(&claim.delivery, claim.token, &claim.row, START).await?;
    assert_eq!(released, ReleaseOutcome::ReferencedByResend);
    let rows = scene.rows().await?;
    assert_eq!(rows, [claim.row.clone(), asked], "what the resend names is there");
    assert_eq!(scene.delivery().await?.progress.in_flight().map(|claim| claim.token), Some(claim.token));
    Ok(())
}

pub(crate) async fn a_released_resend_is_queued_again<E: Engine>() -> StoreResult<()> {
    let scene = failed::<E>(&[]).await?;
    let (asked, queued) = scene.resend(None, START + 10 * SECOND).await?;
    assert_eq!(queued, EnqueueOutcome::Enqueued);
    assert_eq!(scene.engine.receive().await, resend_message(&asked, asked.sent_at));
    let (token, now) = (Uuid::new_v4(), START + 11 * SECOND);
    let message = resend_message(&asked, asked.sent_at);
    let taken = scene.ports().claim_resend(&message, &asked.loan_id, asked.id, token, now).await?;
    let ResendClaimOutcome::Claimed(won) = taken else { panic!("the resend was lost") };

    let due = now + SECOND;
    assert!(!scene.ports().release_resend(Uuid::new_v4(), won.1.clone(), due).await?, "another's token");
    assert!(scene.ports().release_resend(token, won.1, due).await?);
    let row = scene.ports().row(scene.tenant(), &asked.loan_id, asked.id).await?.expect("the row").attempt;
    assert_eq!(row.state, AttemptState::Queued);
    let message = scene.engine.receive().await;
    assert_eq!(message, resend_message(&asked, due));
    let taken = scene.ports().claim_resend(&message, &asked.loan_id, asked.id, Uuid::new_v4(), due).await?;
    assert!(matches!(taken, ResendClaimOutcome::Claimed(_)), "{taken:?}");
    Ok(())
}

pub(crate) async fn a_resource_missing_on_our_side_uses_up_no_attempt<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[]).await?;
    let deliver = Deliver {
        store: scene.ports().clone(),
        sender: LacksOnce::then(200),
        lease: Some(LEASE),
        deadline: None,
    };
    deliver.handle(scene.first.clone(), START).await?;
    assert_eq!(scene.rows().await?, []);
    let again = scene.engine.receive().await;
    deliver.handle(again.clone(), again.due).await?;
    assert_eq!(deliver.sender.then.numbers(), [AttemptNumber::Auto(1)]);
    assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
    assert_eq!(scene.rows().await?.len(), 1, "of all this there is one row");
    Ok(())
}
