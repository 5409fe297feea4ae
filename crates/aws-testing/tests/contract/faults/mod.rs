//! What becomes of the engine's promises when calls to AWS fail, or the caller dies between two of them.
//!
//! Each case says which call fails, by the name that [`Call`](super::call::Call) gives it, and proves what
//! stands at the end through the ports. The calls of an attempt are, in their order: `UpdateItem T` (the
//! claim), `PutItem L` (its row), `GetObject` (the payload), `UpdateItem L` (the row's end), `UpdateItem T`
//! (the delivery moved on), `SendMessage` (its successor).

mod answers;
mod batch;
mod crashes;
mod duplicates;
mod hops;
mod intake;
mod lag;
mod lost_answers;
mod payloads;
mod releases;
mod resends;
mod throttling;
mod triggers;

use std::future::Future;
use std::sync::Arc;

use loanhook_aws::{Aws, read_message};
use loanhook_core::deliver::Deliver;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreResult};

use super::faulty::Faulty;
use loanhook_contract::scene::{LEASE, Scene};
use loanhook_contract::sender::Scripted;

type Worker = Arc<Deliver<Aws, Scripted>>;

fn run(case: impl Future<Output = StoreResult<()>>) {
    loanhook_contract::run_on::<Faulty>(case);
}

/// What delivers, and is answered so, then with 200.
fn worker(scene: &Scene<Faulty>, statuses: &[u16]) -> Worker {
    let mut deliver = scene.deliver(Some(LEASE));
    deliver.sender = Scripted::always(200).script(statuses);
    Arc::new(deliver)
}

/// Has a message handled until the `nth` call of this name comes, and the handler die there.
async fn crash_before(
    scene: &Scene<Faulty>,
    call: (&str, usize),
    worker: &Worker,
    message: &QueueMessage,
    now: Timestamp,
) {
    let (worker, message) = (Arc::clone(worker), message.clone());
    crash(scene, call, async move { worker.handle(message, now).await }).await;
}

/// Has anything done until the `nth` call of this name comes, and whoever does it die there.
async fn crash<T: Send + 'static>(
    scene: &Scene<Faulty>,
    (name, nth): (&str, usize),
    task: impl Future<Output = T> + Send + 'static,
) {
    let held = scene.engine.proxy.hold(name, nth);
    let task = tokio::spawn(task);
    held.arrived().await;
    task.abort();
    assert!(task.await.err().is_some_and(|end| end.is_cancelled()), "it went on past {name}");
    scene.engine.proxy.mend();
}

/// The messages that were sent, one by one, since the calls were asked for last.
fn queued(scene: &Scene<Faulty>) -> Vec<QueueMessage> {
    let calls = scene.engine.proxy.take_calls();
    let bodies = calls.iter().filter(|call| call.name == "SendMessage").map(|call| &call.body["MessageBody"]);
    bodies.map(|body| body.as_str().and_then(read_message).expect("a message of ours")).collect()
}

/// What came of a row: a status, or an error, or nothing yet.
fn result(row: &Attempt) -> Option<Result<u16, ErrorKind>> {
    row.completion()
        .map(|completion| completion.result.as_ref().map(|code| *code).map_err(|error| error.kind))
}
