//! What the engine for one process does in the place of a lease: whoever was sending when the process ended is
//! interrupted.

use loanhook::model::attempt::Attempt;
use loanhook::model::failure::ErrorKind;
use loanhook::ports::{Deliveries, Resends, Taken};
use uuid::Uuid;

use super::OnDisk;
use crate::engine::Engine;
use crate::scene::{SECOND, START, Scene, ended, resend_wake, wake};

pub(super) fn errors(rows: &[Attempt]) -> Vec<Option<ErrorKind>> {
    let error = |row: &Attempt| Some(row.completion()?.error()?.kind);
    rows.iter().map(error).collect()
}

async fn restart(scene: Scene<OnDisk>) -> Scene<OnDisk> {
    let Scene { engine, subscription, accepted, first } = scene;
    Scene { engine: engine.restart(), subscription, accepted, first }
}

#[test]
fn a_start_interrupts_whatever_was_in_flight() {
    crate::run(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        scene.attempt(Ok(500), START).await?;
        let (asked, _) = scene.resend(None, START + SECOND).await?;
        let resend = resend_wake(&asked, START + SECOND);
        let taken = scene.ports().take_resend(&resend, &asked.loan_id, asked.id, Uuid::new_v4(), resend.due);
        assert!(matches!(taken.await?, Taken::Won(_)));
        scene.claim(START + 301 * SECOND).await?;

        let scene = restart(scene).await;
        assert_eq!(
            errors(&scene.rows().await?),
            [None, Some(ErrorKind::Interrupted), Some(ErrorKind::Interrupted)]
        );
        let next = scene.delivery().await?.progress.next.expect("a next attempt");
        assert_eq!((next.number, next.slot), (3, 1));
        assert_eq!(scene.engine.drain().await, [wake(&scene.accepted, 3, next.due)]);
        Ok(())
    });
}

#[test]
fn what_waits_in_the_queue_outlives_the_process() {
    crate::run(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        let row = ended(claim.row, Ok(500), START + SECOND);
        assert!(scene.ports().settle(&claim.delivery, claim.token, row, None).await?);
        let (asked, _) = scene.resend(None, START + SECOND).await?;

        let scene = restart(scene).await;
        let resend = resend_wake(&asked, START + SECOND);
        let retry = wake(&scene.accepted, 2, START + 301 * SECOND);
        assert_eq!(scene.engine.drain().await, [resend, retry]);
        Ok(())
    });
}
