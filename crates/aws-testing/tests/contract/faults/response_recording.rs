//! The recording of a response: it is recorded though calls fail meanwhile, and the request is not sent again.

use bytes::Bytes;
use loanhook_aws_testing::fault_proxy::BROKEN;
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults};
use loanhook_contract::scene::{LEASE, SECOND, START, Scene};
use loanhook_core::deliver::Deliver;
use loanhook_core::model::attempt::Outcome;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{NotSent, ReceivedResponse, SendOutcome, Sender, WebhookRequest};

/// A sender whose requests all get 200 and a body of 9 bytes.
struct RespondsWithBody;

impl Sender for RespondsWithBody {
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

fn deliver_with_body(scene: &Scene<FaultyAwsEngine>) -> Deliver<loanhook_aws::Aws, RespondsWithBody> {
    let scripted = scene.deliver(Some(LEASE));
    Deliver { store: scripted.store, sender: RespondsWithBody, lease: scripted.lease, deadline: None }
}

#[test]
fn a_response_whose_body_cannot_be_stored_is_recorded_as_truncated() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        scene.engine.proxy.fault_from("PutObject", 1, BROKEN);
        deliver_with_body(&scene).handle(scene.first.clone(), START).await?;

        assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
        let rows = scene.rows().await?;
        assert_eq!((rows.len(), rows[0].outcome()), (1, Outcome::Succeeded));
        let stored = rows[0].completion().and_then(|end| end.response.as_ref()).expect("a response");
        assert_eq!((stored.payload.key, stored.payload.bytes, stored.truncated), (None, 0, true));
        Ok(())
    });
}

#[test]
fn a_response_is_recorded_after_an_outage_longer_than_the_retries_of_one_call() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        // The SDK tries each call four times: two calls fail.
        for _ in 0..8 {
            scene.engine.proxy.fault_nth("UpdateItem L", 1, BROKEN);
        }
        deliver_with_body(&scene).handle(scene.first.clone(), START).await?;

        assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
        let rows = scene.rows().await?;
        assert_eq!((rows.len(), rows[0].outcome()), (1, Outcome::Succeeded));
        let stored = rows[0].completion().and_then(|end| end.response.as_ref()).expect("a response");
        assert_eq!((stored.payload.bytes, stored.truncated), (9, false));
        Ok(())
    });
}
