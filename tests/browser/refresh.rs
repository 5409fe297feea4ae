//! Rows that refresh while something is under way or due.

use serde_json::json;

use crate::chrome::Look;
use crate::harness::{Gate, Journey, Reply, event, eventually};
use crate::scene::opened;

#[tokio::test]
async fn a_retry_that_is_due_arrives_by_itself() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"title": "Core banking", "retry": {"delays": [4]}})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(503), Reply::ok().held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.after_attempts(&trace, 1).await;
    let Some(tab) = opened(&j, Look::WITH_SCRIPT).await else { return };
    // Where the browser was slow the second is there already; it is under way until the gate opens.
    tab.reads("td[data-head='# Attempt Number']", &["2", "1"]).await;
    tab.run("window.stayed = true", vec![]).await;
    tab.click("tbody tr:nth-child(2) a.open").await;
    tab.says(".facts", "Destination").await;
    gate.open();
    tab.says("#said", "Core banking: 200, succeeded").await;
    eventually("what is open tells of it", async || {
        let drawn = tab.all(".life .mark.ok").await;
        (drawn.len() == 1).then_some(())
    })
    .await;
    assert_eq!(tab.run("return window.stayed", vec![]).await, true, "the page was not loaded anew");
    tab.close().await;
}
