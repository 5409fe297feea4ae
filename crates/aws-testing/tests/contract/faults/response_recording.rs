//! What a receiver answered is recorded, whatever the store refuses meanwhile: it is not asked again.

use bytes::Bytes;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::attempt::Outcome;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{NotSent, ReceivedResponse, SendOutcome, Sender, WebhookRequest};

use loanhook_aws_testing::FaultyAwsEngine;
use loanhook_aws_testing::fault_proxy::BROKEN;
use loanhook_aws_testing::run_with_faults;
use loanhook_contract::scene::{LEASE, SECOND, START, Scene};

/// A receiver that takes everything, and says so.
struct Talking;

impl Sender for Talking {
    async fn send(&self, _: WebhookRequest) -> Result<SendOutcome, NotSent> {
        let body = Bytes::from_static(b"thank you");
        let received = ReceivedResponse {
            headers: Vec::new(),
            headers_truncated: false,
            headers_dropped: 0,
            body,
            truncated: false,
        };
        Ok(SendOutcome { elapsed: SECOND, source_ip: None, result: Ok(200), response: Some(received) })
    }
}

fn talking(scene: &Scene<FaultyAwsEngine>) -> Deliver<loanhook_aws::Aws, Talking> {
    let scripted = scene.deliver(Some(LEASE));
    Deliver { store: scripted.store, sender: Talking, lease: scripted.lease, deadline: None }
}

#[test]
fn an_answer_whose_body_cannot_be_stored_counts_and_its_row_says_that_it_was_cut() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        scene.engine.proxy.fault_from("PutObject", 1, BROKEN);
        talking(&scene).handle(scene.first.clone(), START).await?;

        assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
        let rows = scene.rows().await?;
        assert_eq!((rows.len(), rows[0].outcome()), (1, Outcome::Succeeded));
        let kept = rows[0].completion().and_then(|end| end.response.as_ref()).expect("an answer");
        assert_eq!((kept.payload.key, kept.payload.bytes, kept.truncated), (None, 0, true));
        Ok(())
    });
}

#[test]
fn an_answer_outlasts_an_outage_longer_than_one_call_waits() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        // Each call is tried four times: two whole calls fail.
        for _ in 0..8 {
            scene.engine.proxy.fault_nth("UpdateItem L", 1, BROKEN);
        }
        talking(&scene).handle(scene.first.clone(), START).await?;

        assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
        let rows = scene.rows().await?;
        assert_eq!((rows.len(), rows[0].outcome()), (1, Outcome::Succeeded));
        let kept = rows[0].completion().and_then(|end| end.response.as_ref()).expect("an answer");
        assert_eq!((kept.payload.bytes, kept.truncated), (9, false));
        Ok(())
    });
}
