//! Rules of the recovery: in one process a start takes the place of leases. It interrupts whatever was in flight when the
//! process before it ended.

use loanhook_core::model::failure::ErrorKind;
use loanhook_core::ports::{ClaimOutcome, Deliveries, ResendClaimOutcome, Resends, Subscriptions};
use uuid::Uuid;

use super::{OnDisk, errors};
use loanhook_contract::engine::{Engine, Kept};
use loanhook_contract::scene::{
    SECOND, START, Scene, accept, attempt_message, ended, resend_message, subscription,
};

async fn restart(scene: Scene<OnDisk>) -> Scene<OnDisk> {
    let Scene { engine, subscription, accepted, first } = scene;
    Scene { engine: engine.restart(), subscription, accepted, first }
}

#[test]
fn a_start_interrupts_whatever_was_in_flight() {
    loanhook_contract::run(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        scene.attempt(Ok(500), START).await?;
        let (resend, _) = scene.resend(None, START + SECOND).await?;
        let message = resend_message(&resend, START + SECOND);
        let taken =
            scene.ports().claim_resend(&message, &resend.loan_id, resend.id, Uuid::new_v4(), message.due);
        assert!(matches!(taken.await?, ResendClaimOutcome::Claimed(_)));
        scene.claim(START + 301 * SECOND).await?;

        let scene = restart(scene).await;
        assert_eq!(
            errors(&scene.rows().await?),
            [None, Some(ErrorKind::Interrupted), Some(ErrorKind::Interrupted)]
        );
        let next = scene.delivery().await?.progress.waiting().expect("a next attempt");
        assert_eq!((next.number, next.slot), (3, 1));
        assert_eq!(scene.engine.drain().await, [attempt_message(&scene.accepted, 3, next.due)]);
        Ok(())
    });
}

#[test]
fn queue_messages_survive_a_restart() {
    loanhook_contract::run(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        let row = ended(claim.row, Ok(500), START + SECOND);
        assert!(scene.ports().complete(&claim.delivery, claim.token, row, None).await?);
        let (resend, _) = scene.resend(None, START + SECOND).await?;

        let scene = restart(scene).await;
        let message = resend_message(&resend, START + SECOND);
        let retry = attempt_message(&scene.accepted, 2, START + 301 * SECOND);
        assert_eq!(scene.engine.drain().await, [message, retry]);
        Ok(())
    });
}

#[test]
fn a_start_interrupts_an_attempt_in_flight_whose_row_cannot_be_read() {
    loanhook_contract::run(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        scene.engine.spoil(Kept::Row(&claim.row));
        let other = accept(&scene.engine, &scene.subscription, "728", START).await?;
        scene.engine.receive().await;
        let begun = scene.ports().claim(&attempt_message(&other, 1, START), 1, Uuid::new_v4(), START).await?;
        assert!(matches!(begun, ClaimOutcome::Claimed(_)));

        let scene = restart(scene).await;
        let rows = scene.rows().await?;
        assert_eq!(errors(&rows), [Some(ErrorKind::Interrupted)]);
        assert_eq!(rows[0].id, claim.row.id, "made from the claim, in its place");
        assert_eq!(scene.delivery().await?.progress.waiting().map(|next| next.number), Some(2));
        assert_eq!(errors(&scene.rows_of(&other).await?), [Some(ErrorKind::Interrupted)]);
        Ok(())
    });
}

/// One row of each table: none stops the start.
#[test]
fn a_start_leaves_out_what_cannot_be_read() {
    loanhook_contract::run(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        scene.attempt(Ok(500), START).await?;
        let (resend, _) = scene.resend(None, START + SECOND).await?;
        let message = resend_message(&resend, START + SECOND);
        let taken =
            scene.ports().claim_resend(&message, &resend.loan_id, resend.id, Uuid::new_v4(), message.due);
        assert!(matches!(taken.await?, ResendClaimOutcome::Claimed(_)));
        scene.engine.spoil(Kept::Row(&resend));
        scene.engine.spoil(Kept::Subscription(&scene.subscription));
        let odd =
            "INSERT INTO queue (subscription, due, tenant, trace, number) VALUES ('odd', 0, 'acme', x'', 1)";
        scene.engine.change(odd, &[]);
        scene.engine.change("INSERT INTO egress (address, seen) VALUES (x'00', 'odd')", &[]);

        let scene = restart(scene).await;
        assert_eq!(errors(&scene.rows().await?), [None], "the first attempt stands");
        assert_eq!(scene.ports().subscriptions(scene.tenant()).await?.len(), 0);
        let hook = subscription(scene.tenant(), "Another", &[], START + SECOND);
        assert!(scene.ports().create(hook.clone(), 10).await?, "and goes on");
        accept(&scene.engine, &hook, "728", START).await?;
        Ok(())
    });
}
