//! Claims that are given back by whoever cannot queue their message.

use loanhook_core::ports::{
    Attempts as _, Deliveries as _, DueWork, ReleaseOutcome, ResendClaimOutcome, Resends as _,
};
use uuid::Uuid;

use loanhook_aws_testing::FaultyAwsEngine;
use loanhook_aws_testing::fault_proxy::BROKEN;
use loanhook_aws_testing::run_with_faults;
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{SECOND, START, Scene, resend_message};

#[test]
fn a_claim_that_was_given_back_without_its_message_gets_it_on_the_next_try() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        let due = START + SECOND;
        scene.engine.proxy.fault_from("SendMessage", 1, BROKEN);
        let failed = scene.ports().release(&claim.delivery, claim.token, &claim.row, due).await;
        assert!(failed.is_err(), "{failed:?}");
        assert_eq!(scene.rows().await?, [], "the claim is given back all the same");

        scene.engine.proxy.clear_faults();
        let again = scene.ports().release(&claim.delivery, claim.token, &claim.row, due).await?;
        assert_eq!(again, ReleaseOutcome::Superseded);
        let message = scene.engine.receive().await;
        assert_eq!((message.due, message.work), (due, DueWork::Attempt(1)));
        Ok(())
    });
}

#[test]
fn a_resend_that_was_given_back_without_its_message_gets_it_on_the_next_try() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        scene.attempt(Ok(500), START).await?;
        let (asked, _) = scene.resend(None, START + SECOND).await?;
        assert_eq!(scene.engine.receive().await, resend_message(&asked, asked.sent_at));
        let (token, now) = (Uuid::new_v4(), START + 2 * SECOND);
        let message = resend_message(&asked, asked.sent_at);
        let taken = scene.ports().claim_resend(&message, &asked.loan_id, asked.id, token, now).await?;
        let ResendClaimOutcome::Claimed(won) = taken else { panic!("the resend was lost") };
        let due = now + SECOND;
        scene.engine.proxy.fault_from("SendMessage", 1, BROKEN);
        assert!(scene.ports().release_resend(token, won.1.clone(), due).await.is_err());

        scene.engine.proxy.clear_faults();
        assert!(scene.ports().release_resend(token, won.1, due).await?);
        assert_eq!(scene.engine.receive().await, resend_message(&asked, due));
        let row = scene.ports().row(scene.tenant(), &asked.loan_id, asked.id).await?.expect("the row");
        assert_eq!(row.attempt.sent_at, due);
        Ok(())
    });
}
