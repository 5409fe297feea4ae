use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join;
use loanhook_contract::scene::{START, event, subscription, tenant};
use loanhook_core::intake::{Submission, accept};
use loanhook_core::model::flow::{FlowState, HeldBy, Hold, Probe};
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::ports::{FlowControl as _, Subscriptions as _};
use tokio::sync::{oneshot, watch};

use super::*;
use crate::dispatch::{DispatchLimits, Task, Worker};
use crate::queue::NextQueue;

const LIMITS: DispatchLimits = DispatchLimits { process_permits: 256, initial_share: 16 };

/// An engine with a subscription and a first attempt that is due, and a dispatcher for it.
async fn with_due_attempt(folder: &Path) -> (SqliteEngine, SubscriptionId, Arc<Dispatcher>) {
    let engine = SqliteEngine::open(folder).expect("a new folder");
    let acme = tenant("acme");
    let subscription = subscription(&acme, "Core banking", &[300], START);
    let id = subscription.id;
    assert!(engine.create(subscription, 1).await.expect("stored"));
    let submission = Submission { event: event("727", "{}"), key: None };
    accept(&engine, &acme, submission, START).await.expect("accepted");
    let handler = |_: Task, _| async { Ok(()) };
    let dispatcher = Arc::new(Dispatcher::new(engine.clone(), handler, LIMITS));
    (engine, id, dispatcher)
}

/// The permits of the queue that is due.
fn reserve(engine: &SqliteEngine, dispatcher: &Dispatcher) -> (QueueId, WirePermits, Vec<ProcessPermit>) {
    let scheduler = &engine.0.scheduler;
    let next = scheduler.next_queue(LIMITS.initial_share, || dispatcher.permits.counts(), Timestamp::now());
    let NextQueue::Ready(queue, reserved) = next else { panic!("nothing is due") };
    let wire_permits = WirePermits::reserved(scheduler, queue.clone(), reserved);
    (queue, wire_permits, dispatcher.permits.try_acquire().into_iter().collect())
}

async fn count_queued(engine: &SqliteEngine) -> u64 {
    let count = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM queue WHERE number IS NOT NULL", [], |row| row.get(0))
    };
    engine.read(count).await.expect("counted")
}

#[tokio::test]
async fn what_was_reserved_before_a_hold_is_not_claimed_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (engine, id, dispatcher) = with_due_attempt(folder.path()).await;
    let (queue, wire_permits, process_permits) = reserve(&engine, &dispatcher);
    assert!(engine.hold(&tenant("acme"), id, "Ann", Timestamp::now()).await.expect("stored"));
    let dispatch = engine.dispatch_due(&queue, wire_permits, process_permits, Arc::clone(&dispatcher));
    dispatch.await.expect("dispatched");
    assert_eq!(count_queued(&engine).await, 1);
    assert!(engine.release_hold(&tenant("acme"), id, Timestamp::now()).await.expect("stored"));
    let (queue, wire_permits, process_permits) = reserve(&engine, &dispatcher);
    engine.dispatch_due(&queue, wire_permits, process_permits, dispatcher).await.expect("dispatched");
    assert_eq!(count_queued(&engine).await, 0);
}

#[tokio::test]
async fn what_was_reserved_before_a_hold_is_not_claimed_in_the_commit_of_the_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let (engine, id, dispatcher) = with_due_attempt(folder.path()).await;
    let (queue, wire_permits, process_permits) = reserve(&engine, &dispatcher);
    let acme = tenant("acme");
    let hold = engine.hold(&acme, id, "Ann", Timestamp::now());
    let dispatch = engine.dispatch_due(&queue, wire_permits, process_permits, dispatcher);
    let (held, dispatched) = in_one_commit(&engine, hold, dispatch).await;
    assert!(held.expect("stored"));
    dispatched.expect("dispatched");
    assert_eq!(count_queued(&engine).await, 1);
}

#[tokio::test]
async fn after_a_probe_that_panics_the_next_leaves() {
    let folder = tempfile::tempdir().expect("a folder");
    let (engine, id, _) = with_due_attempt(folder.path()).await;
    let probe = Probe { due: START, delay: Duration::from_secs(600) };
    let hold = Some(Hold { by: HeldBy::Failures(probe), since: START });
    engine.0.scheduler.set_flow_state((&tenant("acme"), id), &FlowState { hold, ..FlowState::default() });
    let (begin, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let calls = AtomicUsize::new(0);
    let handler = move |_: Task, _| {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        begin.send(call).expect("the test waits");
        async move {
            assert!(call > 0, "the first panics");
            Ok(())
        }
    };
    let (stop, stopped) = watch::channel(false);
    let worker = tokio::spawn(Worker::new(engine, handler, LIMITS).run(stopped));
    let second = async { while begun.recv().await.expect("begun") == 0 {} };
    tokio::time::timeout(Duration::from_secs(60), second).await.expect("the next probe leaves");
    stop.send_replace(true);
    worker.await.expect("it ends");
}

#[tokio::test]
async fn a_claim_that_always_fails_fails_others_of_its_commit_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (engine, _, dispatcher) = with_due_attempt(folder.path()).await;
    // As a page of the table that is damaged: a claim fails after its first write.
    let damage = "CREATE TRIGGER damage BEFORE INSERT ON attempts BEGIN SELECT raise(FAIL, 'damaged'); END";
    let damaged = |connection: &Connection| connection.execute_batch(damage);
    engine.0.writer.run(Priority::ExistingWork, damaged, |()| ()).await.expect("made");
    for others_fail in [true, false, false] {
        let (queue, wire_permits, process_permits) = reserve(&engine, &dispatcher);
        let dispatch = engine.dispatch_due(&queue, wire_permits, process_permits, Arc::clone(&dispatcher));
        let other = engine.0.writer.run_without_savepoint(Priority::ExistingWork, |_| Ok(()), |()| ());
        let (dispatched, other) = in_one_commit(&engine, dispatch, other).await;
        assert!(dispatched.is_err());
        assert_eq!(other.is_err(), others_fail, "{other:?}");
        engine.0.scheduler.schedule(queue, Timestamp::now());
    }
}

/// Runs two operations in one commit, in this order: both are submitted while the writer runs another one, which waits for
/// that.
async fn in_one_commit<A, B>(
    engine: &SqliteEngine,
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    let (release, held) = mpsc::channel::<()>();
    let (begun, begins) = oneshot::channel();
    let hold = move |_: &Connection| {
        begun.send(()).expect("the test waits");
        // An error, when it is released.
        held.recv().unwrap_or_default();
        Ok(())
    };
    let writer = &engine.0.writer;
    let hold = writer.run(Priority::ExistingWork, hold, |()| ());
    let submitted = async {
        begins.await.expect("the writer runs it");
        let mut both = Box::pin(join(first, second));
        // The first poll submits each, in order.
        assert!(both.as_mut().now_or_never().is_none(), "the writer is held");
        drop(release);
        both.await
    };
    let (held, both) = tokio::join!(hold, submitted);
    held.expect("held");
    both
}
