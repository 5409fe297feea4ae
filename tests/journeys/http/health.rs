//! `GET /health`, and what is answered while nothing can be stored.

use std::process::Command;

use serde_json::json;

use crate::harness::wait::eventually;
use crate::harness::{Api, Journey, Launch, Server, text};

/// A process whose files can get a size limit later, so that writes fail as on a full disk.
pub(super) async fn with_limited_file_size() -> Option<Journey> {
    // Without this a write beyond the limit would raise a signal instead of an error.
    let shell_prefix = Some("trap '' XFSZ".to_owned());
    Some(
        Journey::on_server(Server::own_process_with(Launch { shell_prefix, ..Launch::default() }).await?)
            .await,
    )
}

/// Sets the largest size of the files of the process.
pub(super) fn limit_file_size(j: &Journey, bytes: &str) {
    let pid = j.server.process_id().to_string();
    let set = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")]).status();
    assert!(set.expect("prlimit runs").success());
}

#[tokio::test]
async fn intake_and_health_are_503_while_nothing_can_be_stored_and_recover_by_themselves() {
    let Some(j) = with_limited_file_size().await else { return };
    j.subscribe("/hook", json!({})).await;
    let anyone = Api::new(&j.server, None);
    anyone.get("/health").await.expect_status(200);
    limit_file_size(&j, "4096");
    let large = json!({"eventName": "Large", "loanId": "727", "context": {"note": "x".repeat(100_000)}});
    let refused = eventually("an event is refused", async || {
        let asked = j.api.request("POST", "/v1/events").json(&large);
        asked.try_send().await.ok().filter(|answer| answer.status != 202)
    })
    .await;
    assert!(!refused.header("retry-after").is_empty(), "{refused:?}");
    let problem = refused.expect_problem(503);
    for internal in ["sqlite", "disk", "full", "database", "loanhook.db"] {
        assert!(!text(&problem["detail"]).contains(internal), "{problem}");
    }
    let ill = anyone.request("GET", "/health").try_send().await.expect("an answer");
    assert!(!ill.header("retry-after").is_empty(), "{ill:?}");
    ill.expect_problem(503);
    // Reads still work.
    j.api.get("/v1/loans/727/webhooks").await.expect_status(200);

    limit_file_size(&j, "unlimited");
    eventually("it is well again by itself", async || {
        let answer = anyone.request("GET", "/health").try_send().await.ok()?;
        (answer.status == 200).then_some(())
    })
    .await;
    for trace in j.api.send_event(&large).await {
        assert_eq!(j.api.ended_delivery(&trace).await["status"], "succeeded");
    }
    let output = j.server.output();
    assert!(output.contains("store.commit_failed") && !output.contains("panicked"), "{output}");
}
