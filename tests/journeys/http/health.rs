//! What is said while nothing can be stored.

use std::process::Command;

use serde_json::json;

use crate::harness::wait::eventually;
use crate::harness::{Api, Journey, Launch, Target, text};

/// A process whose files cannot grow beyond a limit that is set later, as on a disk that is full.
async fn on_a_small_disk() -> Option<Journey> {
    // Without this a write beyond the limit would be a signal, and not an error.
    let after = Some("trap '' XFSZ".to_owned());
    Some(Journey::on(Target::process_with(Launch { after, ..Launch::default() }).await?).await)
}

/// Sets how long the files of the process may be.
fn may_write(j: &Journey, bytes: &str) {
    let pid = j.target.pid().to_string();
    let set = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")]).status();
    assert!(set.expect("prlimit runs").success());
}

#[tokio::test]
async fn while_nothing_can_be_stored_intake_and_health_are_503_and_then_all_goes_on() {
    let Some(j) = on_a_small_disk().await else { return };
    j.subscribe("/hook", json!({})).await;
    let anyone = Api::new(&j.target, None);
    anyone.get("/health").await.is(200);
    may_write(&j, "4096");
    let large = json!({"eventName": "Large", "loanId": "727", "context": {"note": "x".repeat(100_000)}});
    let refused = eventually("an event is refused", async || {
        let asked = j.api.request("POST", "/v1/events").json(&large);
        asked.attempt().await.ok().filter(|answer| answer.status != 202)
    })
    .await;
    assert!(!refused.header("retry-after").is_empty(), "{refused:?}");
    let problem = refused.problem(503);
    for internal in ["sqlite", "disk", "full", "database", "loanhook.db"] {
        assert!(!text(&problem["detail"]).contains(internal), "{problem}");
    }
    let ill = anyone.request("GET", "/health").attempt().await.expect("an answer");
    assert!(!ill.header("retry-after").is_empty(), "{ill:?}");
    ill.problem(503);
    // Reading goes on.
    j.api.get("/v1/loans/727/webhooks").await.is(200);

    may_write(&j, "unlimited");
    eventually("it is well again by itself", async || {
        let answer = anyone.request("GET", "/health").attempt().await.ok()?;
        (answer.status == 200).then_some(())
    })
    .await;
    for trace in j.api.send(&large).await {
        assert_eq!(j.api.settled(&trace).await["status"], "succeeded");
    }
    let said = j.target.said();
    assert!(said.contains("store.commit_failed") && !said.contains("panicked"), "{said}");
}
