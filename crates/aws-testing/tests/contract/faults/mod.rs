//! The engine's promises where calls to AWS fail, or their caller dies between two of them.
//!
//! Each case names the call that fails as [`AwsCall`](loanhook_aws_testing::AwsCall) does, and proves through the ports
//! what remains. The calls of an attempt are, in this order: `UpdateItem T` (the claim), `PutItem L` (its row),
//! `GetObject` (the payload), `UpdateItem L` (the row is completed), `UpdateItem T` (the delivery advances),
//! `SendMessage` (its next attempt is queued).

mod delivery_crashes;
mod duplicate_messages;
mod history;
mod intake;
mod job_crashes;
mod job_messages;
mod ledger;
mod ledger_scope;
mod ledger_triggers;
mod long_schedules;
mod lost_responses;
mod moved_keys;
mod operational;
mod order;
mod put_aside;
mod readiness;
mod releases;
mod reports;
mod resend_crashes;
mod response_recording;
mod setting_changes;
pub(crate) mod simulated_time;
mod simulation;
mod small_payloads;
pub(crate) mod sqs_batch;
mod sweep;
mod throttling;
mod trigger_crashes;
mod two_queues;

use std::future::Future;
use std::sync::Arc;

use loanhook_aws::read_message;
use loanhook_aws_testing::{FaultyAwsEngine, Worker};
use loanhook_contract::scene::Scene;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::QueueMessage;

/// Has a message handled until the `nth` call of this name arrives; its handler dies there.
async fn crash_worker_before(
    scene: &Scene<FaultyAwsEngine>,
    call: (&str, usize),
    worker: &Worker,
    message: &QueueMessage,
    now: Timestamp,
) {
    let (worker, message) = (Arc::clone(worker), message.clone());
    crash_before(&scene.engine, call, async move { worker.handle(message, now).await }).await;
}

/// Runs a task until the `nth` call of this name arrives; the task dies there.
pub(crate) async fn crash_before<T: Send + 'static>(
    engine: &FaultyAwsEngine,
    (name, nth): (&str, usize),
    task: impl Future<Output = T> + Send + 'static,
) {
    let held = engine.proxy.hold(name, nth);
    let task = tokio::spawn(task);
    held.arrived().await;
    task.abort();
    assert!(task.await.err().is_some_and(|end| end.is_cancelled()), "it went on past {name}");
    engine.proxy.clear_faults();
}

/// The messages that were sent, not as a batch, since the calls were taken last.
fn take_sent_messages(scene: &Scene<FaultyAwsEngine>) -> Vec<QueueMessage> {
    let calls = scene.engine.proxy.take_calls();
    let bodies = calls.iter().filter(|call| call.name == "SendMessage").map(|call| &call.body["MessageBody"]);
    bodies.map(|body| body.as_str().and_then(read_message).expect("a message of ours")).collect()
}

/// The result of a row that is complete: a status, or a kind of error.
fn result(row: &Attempt) -> Option<Result<u16, ErrorKind>> {
    row.completion()
        .map(|completion| completion.result.as_ref().map(|code| *code).map_err(|error| error.kind))
}

/// The results of rows, in their order.
fn results(rows: &[Attempt]) -> Vec<Option<Result<u16, ErrorKind>>> {
    rows.iter().map(result).collect()
}
