//! Recovery jobs: bulk resends and bulk cancels. On a process of its own is what depends on the order in which resends that are
//! asked for at once reach the receiver, or on how soon they do.

mod bulk_cancels;
mod bulk_resends;
mod job_order;
mod job_requests;

use serde_json::{Value, json};

use crate::harness::{Api, Journey, Reply, event, eventually, items_of, text};

/// A tenant with a delivery of each of these loans that failed, in their order, and the traces.
pub(crate) async fn failed(loans: &[&str]) -> (Journey, Vec<String>) {
    with_failed(Journey::start().await, loans).await
}

/// The same on a process of its own.
pub(crate) async fn failed_on_own_process(loans: &[&str]) -> Option<(Journey, Vec<String>)> {
    Some(with_failed(Journey::on_own_process().await?, loans).await)
}

async fn with_failed(j: Journey, loans: &[&str]) -> (Journey, Vec<String>) {
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies("/hook", loans.iter().map(|_| Reply::status(503)));
    let mut traces = Vec::new();
    for loan in loans {
        let trace = j.api.send_one(&event(loan)).await;
        j.api.ended_delivery(&trace).await;
        traces.push(trace);
    }
    for _ in loans {
        j.receiver.next_request().await;
    }
    (j, traces)
}

/// Makes a job of one of the two kinds.
pub(crate) async fn make_job(api: &Api, kind: &str, body: &Value) -> Value {
    api.post(&format!("/v1/{kind}"), body).await.expect_status(202).json()
}

/// The job when nothing of it is left to do.
pub(crate) async fn ended_job(api: &Api, kind: &str, id: &str) -> Value {
    eventually("the end of the job", async || {
        let job = api.get(&format!("/v1/{kind}/{id}")).await.expect_status(200).json();
        (!job["endedAt"].is_null()).then_some(job)
    })
    .await
}

/// The whole list of a job, the newest delivery first, page by page.
pub(crate) async fn items(api: &Api, kind: &str, id: &str, query: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/{kind}/{id}/items?limit=2{query}{cursor}");
        let page = api.get(&path).await.expect_status(200).json();
        items.extend(items_of(&page).iter().cloned());
        let Some(next) = page["next"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
}

/// The counts of a job: in all, succeeded, failed, skipped, superseded, left.
pub(crate) fn counts(job: &Value) -> [u64; 6] {
    ["total", "succeeded", "failed", "skipped", "superseded", "left"]
        .map(|name| job[name].as_u64().unwrap_or_else(|| panic!("{name} is a number: {job}")))
}

/// How often each of these deliveries was resent.
pub(crate) async fn resends(api: &Api, traces: &[String]) -> Vec<usize> {
    let mut all = Vec::new();
    for trace in traces {
        let delivery = api.delivery(trace).await;
        all.push(crate::harness::attempts_of(&delivery).iter().filter(|row| row["manual"] == true).count());
    }
    all
}

/// The ID of a job.
pub(crate) fn id(job: &Value) -> &str {
    text(&job["id"])
}
