//! Tenants never meet: to a stranger, what is another's is not there. The stranger here has the owner's
//! name with something after it.

use loanhook_core::intake::accept;
use loanhook_core::model::attempt::{AttemptState, ResendTo};
use loanhook_core::model::id::{AttemptId, TenantId};
use loanhook_core::model::key::{Key, KeyHash, Scope};
use loanhook_core::ports::{
    AttemptRange, Attempts, CancelOutcome, ClaimOutcome, DeleteOutcome, Deliveries, EnqueueOutcome,
    IdempotencyKey, Keys, ListedKey, QueueMessage, ReplaceOutcome, ResendClaimOutcome, Resends, StoreResult,
    Subscriptions,
};
use loanhook_core::resend::{ResendError, ResendRequest, ResendTarget, resend};
use uuid::Uuid;

use crate::engine::Engine;
use crate::intake::submission;
use crate::scene::{
    DAY, SECOND, START, Scene, attempt_message, delivery_of, ended, resend_message, subscription, tenant,
};

fn stranger() -> TenantId {
    tenant("acme-2")
}

pub(crate) async fn another_tenants_delivery_cannot_be_read_or_canceled<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let ports = scene.ports();
    assert_eq!(delivery_of(ports, &stranger(), scene.trace()).await?, None);
    assert!(matches!(ports.cancel(&stranger(), scene.trace()).await?, CancelOutcome::NotFound));
    assert_eq!(scene.delivery().await?, scene.accepted);
    Ok(())
}

pub(crate) async fn another_tenants_attempts_cannot_be_claimed_or_completed<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    let queued = crate::scene::accept(&scene.engine, &scene.subscription, "727", START).await?;
    let mut forged = QueueMessage { tenant: stranger(), ..crate::scene::attempt_message(&queued, 1, START) };
    let begun = scene.ports().claim(&forged, 1, Uuid::new_v4(), START).await?;
    assert!(matches!(begun, ClaimOutcome::NotClaimed(None)), "{begun:?}");
    assert_eq!(delivery_of(scene.ports(), scene.tenant(), queued.snapshot.trace_id).await?, Some(queued));
    forged.tenant = scene.tenant().clone();
    assert_eq!(scene.engine.receive().await, forged);

    let claim = scene.claim(START).await?;
    let mut row = ended(claim.row.clone(), Ok(200), START + SECOND);
    row.tenant = stranger();
    let mut delivery = claim.delivery.clone();
    delivery.snapshot.tenant = stranger();
    assert!(!scene.ports().complete(&delivery, claim.token, row, None).await?);
    assert_eq!(scene.delivery().await?, claim.delivery);
    assert_eq!(scene.rows().await?, [claim.row]);
    Ok(())
}

pub(crate) async fn another_tenants_resends_cannot_be_requested_claimed_or_completed<E: Engine>()
-> StoreResult<()> {
    let scene = Scene::<E>::new(&[]).await?;
    scene.attempt(Ok(500), START).await?;
    let request = ResendRequest {
        trace_id: scene.trace(),
        attempt: ResendTarget::Newest,
        to: ResendTo::Original,
        requested_by: "a stranger".into(),
        key: Some("a".into()),
    };
    let asked = resend(scene.ports(), &stranger(), request, START + SECOND).await;
    assert!(matches!(asked, Err(ResendError::Unknown)), "{asked:?}");
    assert_eq!(scene.rows().await?.len(), 1);

    let (row, _) = scene.resend(None, START + SECOND).await?;
    let message = QueueMessage { tenant: stranger(), ..resend_message(&row, START + SECOND) };
    let taken =
        scene.ports().claim_resend(&message, &row.loan_id, row.id, Uuid::new_v4(), message.due).await?;
    assert!(matches!(taken, ResendClaimOutcome::NotClaimed(None)), "{taken:?}");
    let message = scene.engine.receive().await;
    assert_eq!(message, resend_message(&row, START + SECOND));

    let token = Uuid::new_v4();
    let taken = scene.ports().claim_resend(&message, &row.loan_id, row.id, token, message.due).await?;
    assert!(matches!(taken, ResendClaimOutcome::Claimed(_)), "{taken:?}");
    let mut end = ended(row, Ok(200), START + 2 * SECOND);
    end.tenant = stranger();
    assert!(!scene.ports().complete_resend(token, end, None).await?);
    assert_eq!(scene.rows().await?[1].state, AttemptState::Sending { token });
    Ok(())
}

pub(crate) async fn another_tenants_history_is_empty<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[]).await?;
    let row = scene.claim(START).await?.row;
    let ports = scene.ports();
    assert!(ports.rows(&stranger(), &row.loan_id, None, None, 10).await?.is_empty());
    assert!(ports.row(&stranger(), &row.loan_id, row.id).await?.is_none());
    assert_eq!(
        ports.delivery_with_attempts(&stranger(), scene.trace(), AttemptRange::OLDEST_FIRST, 10).await?,
        None
    );

    // Nor does a stranger's own row of a loan of that name show up with the owner's.
    let own = subscription(&stranger(), "Core banking", &[], START);
    ports.create(own.clone(), 1).await?;
    let delivery = crate::scene::accept(&scene.engine, &own, "727", START).await?;
    ports.claim(&crate::scene::attempt_message(&delivery, 1, START), 1, Uuid::new_v4(), START).await?;
    for (of, id) in [(scene.tenant(), row.id), (&stranger(), scene.rows_of(&delivery).await?[0].id)] {
        let rows = ports.rows(of, &row.loan_id, None, None, 10).await?;
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<AttemptId>>(), [id]);
    }
    Ok(())
}

pub(crate) async fn another_tenants_subscriptions_cannot_be_read_or_changed<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[]).await?;
    let (ports, theirs) = (scene.ports(), &scene.subscription);
    assert!(ports.subscriptions(&stranger()).await?.is_empty());
    assert_eq!(ports.subscription(&stranger(), theirs.id).await?, None);
    assert_eq!(ports.subscription_version(&stranger(), theirs.id, 1).await?, None);
    assert_eq!(ports.newest_version(&stranger(), theirs.id, 1).await?, None);
    let origin = theirs.settings.origin().expect("a host");
    assert_eq!(ports.newest_version_to(&stranger(), theirs.id, origin).await?, None);
    let mut forged = theirs.clone();
    (forged.tenant, forged.version) = (stranger(), 2);
    assert_eq!(ports.replace(forged).await?, ReplaceOutcome::NotFound);
    assert_eq!(ports.delete(&stranger(), theirs.id, None).await?, DeleteOutcome::NotFound);
    // The owner is at the limit of one; a stranger is not.
    assert!(!ports.create(subscription(scene.tenant(), "Second", &[], START), 1).await?);
    assert!(ports.create(subscription(&stranger(), "First", &[], START), 1).await?);
    let kept = ports.subscriptions(scene.tenant()).await?;
    assert_eq!(kept.iter().map(|one| one.id).collect::<Vec<_>>(), [theirs.id]);
    assert_eq!(ports.subscription(scene.tenant(), theirs.id).await?.as_deref(), Some(theirs));
    Ok(())
}

pub(crate) async fn another_tenants_keys_cannot_be_listed_or_deleted<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let hash = KeyHash::of("lh_0123456789abcdef");
    let key = Key::new(tenant("acme"), "CI".into(), vec![Scope::Admin], START);
    engine.ports().add_key(key.clone(), hash).await?;
    assert_eq!(engine.ports().keys(&stranger(), None, 10).await?, []);
    assert_eq!(engine.ports().listed_key(&stranger(), key.id).await?, None);
    assert!(!engine.ports().delete_key(&stranger(), key.id).await?);
    assert_eq!(engine.ports().key(hash).await?.as_deref(), Some(&key));
    let listed = engine.ports().keys(&key.tenant, None, 10).await?;
    assert_eq!(listed, [ListedKey { key, last_used_at: None }]);
    Ok(())
}

pub(crate) async fn two_tenants_may_use_the_same_idempotency_key<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[]).await?;
    let own = subscription(&stranger(), "Core banking", &[], START);
    scene.ports().create(own.clone(), 1).await?;
    let mut events = Vec::new();
    for (of, body) in [(scene.tenant(), r#"{"n": 1}"#), (&stranger(), r#"{"n": 2}"#)] {
        let receipt = accept(scene.ports(), of, submission(body, Some("a")), START).await.expect("accepted");
        assert_eq!(receipt.deliveries.len(), 1);
        events.push(receipt.event_id);
    }
    assert_ne!(events[0], events[1]);

    let key = || Some(IdempotencyKey { key: "b".into(), until: START + DAY });
    scene.attempt(Ok(500), START).await?;
    let (_, queued) = scene.resend(key(), START + SECOND).await?;
    assert_eq!(queued, EnqueueOutcome::Enqueued);
    let delivery = crate::scene::accept(&scene.engine, &own, "727", START).await?;
    let message = attempt_message(&delivery, 1, START);
    let ClaimOutcome::Claimed(won) = scene.ports().claim(&message, 1, Uuid::new_v4(), START).await? else {
        panic!("the first attempt cannot be claimed");
    };
    let row = won.0.resend_row(AttemptId::at(START + SECOND), won.1.id, "Servicing".into(), START);
    assert_eq!(scene.ports().enqueue_resend(row, key(), START + SECOND).await?, EnqueueOutcome::Enqueued);
    Ok(())
}
