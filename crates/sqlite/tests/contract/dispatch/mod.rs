//! Rules of the dispatch: what the worker hands to its handler and when, and what intake begins while it runs.

mod admission;
mod due_messages;
mod handlers;
mod limits;
mod order;

use loanhook_core::deliver::ClaimedAttempt;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;
use loanhook_sqlite::{DispatchLimits, SqliteEngine, Task, Worker};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::watch;

/// The attempt of a task that is claimed.
fn claimed(task: &Task) -> Option<&ClaimedAttempt> {
    match task {
        Task::Claimed(attempt, _) => Some(attempt),
        Task::Message(_) => None,
    }
}

/// A worker that runs.
struct RunningWorker {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl RunningWorker {
    /// Stops it, and waits until all that it has in flight has ended.
    async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.expect("it ends");
    }
}

fn start_worker<H, F>(engine: &SqliteEngine, handler: H) -> RunningWorker
where
    H: Fn(Task, Timestamp) -> F + Send + Sync + 'static,
    F: Future<Output = StoreResult<()>> + Send + 'static,
{
    let (stop, stopped) = watch::channel(false);
    let worker = Worker::new(engine.clone(), handler, DispatchLimits::default());
    RunningWorker { stop, task: tokio::spawn(worker.run(stopped)) }
}

/// A worker that sends no request, and reports what it was handed: something of an attempt that is claimed, none of a
/// message.
fn start_reporting_worker<T: Send + 'static>(
    engine: &SqliteEngine,
    of: fn(&ClaimedAttempt) -> T,
) -> (RunningWorker, UnboundedReceiver<Option<T>>) {
    let (report, reports) = mpsc::unbounded_channel();
    let handler = move |task: Task, _| {
        let report = report.clone();
        async move {
            report.send(claimed(&task).map(of)).expect("the test waits");
            Ok(())
        }
    };
    (start_worker(engine, handler), reports)
}
