//! A delivery with its attempts where the index of rows by delivery does not show the newest rows yet.

use loanhook_aws_testing::fault_proxy::Fault;
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults, worker};
use loanhook_contract::scene::{SECOND, START, Scene, resend_message};
use serde_json::json;

use super::client::HttpClient;

#[test]
fn a_delivery_shows_its_newest_attempts_where_the_index_does_not() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[300]).await?;
        let worker = worker(&scene, &[500]);
        worker.handle(scene.first.clone(), START).await?;
        let (resent, _) = scene.resend(None, START + SECOND).await?;
        worker.handle(resend_message(&resent, START + SECOND), START + SECOND).await?;
        let http = HttpClient::with_new_key(scene.ports(), scene.tenant()).await?;
        let path = format!("/v1/webhooks/{}", scene.trace());
        let (_, before) = http.get(&path).await;

        scene.engine.proxy.fault_from("Query T", 1, Fault::Respond(|_| json!({ "Items": [], "Count": 0 })));
        let (status, without_index) = http.get(&path).await;
        assert_eq!((status, &without_index), (200, &before));
        let numbers = without_index["attempts"].as_array().expect("attempts").iter();
        let numbers: Vec<_> =
            numbers.map(|row| (row["attemptNumber"].clone(), row["outcome"].clone())).collect();
        assert_eq!(numbers, [(json!(1), json!("failed")), (json!("manual"), json!("succeeded"))]);
        Ok(())
    });
}
