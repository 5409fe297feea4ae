//! A page of a delivery's attempts, where the delivery goes on while the page is read.
//!
//! The calls of a page are, in this order: `GetItem T` (the delivery), `Query T` (the index of its rows), `BatchGetItem L`.

use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{SECOND, START, Scene, attempt_message};
use loanhook_core::ports::{AttemptRange, Attempts as _, ClaimOutcome, Deliveries as _};
use uuid::Uuid;

/// What is claimed since is left out of a page, and the page is full all the same: one that is not says that there are no
/// more.
#[test]
fn an_attempt_claimed_while_a_page_is_read_takes_no_place_on_it() {
    run_with_faults(async {
        for range in [AttemptRange::OLDEST_FIRST, AttemptRange::NewestFirst { before: None }] {
            for limit in 1..=3 {
                let scene = Scene::<FaultyAwsEngine>::new(&[10]).await?;
                scene.attempt(Ok(500), START).await?;
                // Its row sorts after the one of the claim below: another machine has another clock.
                scene.resend(None, START + 100 * SECOND).await?;
                let mut expected = scene.rows().await?;
                range.sort(&mut expected);
                expected.truncate(limit);

                let held = scene.engine.proxy.hold("Query T", 1);
                let (ports, tenant, trace) = (scene.ports().clone(), scene.tenant().clone(), scene.trace());
                let page =
                    tokio::spawn(
                        async move { ports.delivery_with_attempts(&tenant, trace, range, limit).await },
                    );
                held.arrived().await;
                let message = attempt_message(&scene.accepted, 2, START + 11 * SECOND);
                let now = START + 20 * SECOND;
                let claimed = scene.engine.direct.ports().claim(&message, 2, Uuid::new_v4(), now).await?;
                assert!(matches!(claimed, ClaimOutcome::Claimed(_)));
                held.pass();
                let (delivery, attempts) = page.await.expect("it ends")?.expect("the delivery");
                assert_eq!(attempts, expected, "{limit} of {range:?}");
                assert!(delivery.progress.waiting().is_some(), "as it was before the claim");
            }
        }
        Ok(())
    });
}
