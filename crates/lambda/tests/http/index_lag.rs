//! The index of a delivery's rows lags: what it does not show yet is shown all the same.

use serde_json::json;

use super::super::faulty::Faulty;
use super::super::http::Http;
use super::super::proxy::Fault;
use super::{run, worker};
use loanhook_contract::scene::{SECOND, START, Scene, resend_message};

#[test]
fn a_trace_shows_its_newest_attempts_where_the_index_does_not() {
    run(async {
        let scene = Scene::<Faulty>::new(&[300]).await?;
        let worker = worker(&scene, &[500]);
        worker.handle(scene.first.clone(), START).await?;
        let (asked, _) = scene.resend(None, START + SECOND).await?;
        worker.handle(resend_message(&asked, START + SECOND), START + SECOND).await?;
        let http = Http::new(scene.ports(), scene.tenant()).await?;
        let path = format!("/v1/webhooks/{}", scene.trace());
        let (_, before) = http.get(&path).await;

        scene.engine.proxy.from("Query T", 1, Fault::Answer(|_| json!({ "Items": [], "Count": 0 })));
        let (status, lagging) = http.get(&path).await;
        assert_eq!((status, &lagging), (200, &before));
        let numbers = lagging["attempts"].as_array().expect("attempts").iter();
        let numbers: Vec<_> =
            numbers.map(|row| (row["attemptNumber"].clone(), row["outcome"].clone())).collect();
        assert_eq!(numbers, [(json!(1), json!("failed")), (json!("manual"), json!("succeeded"))]);
        Ok(())
    });
}
