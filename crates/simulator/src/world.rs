//! The world of one run: what all tasks share.
//!
//! Everything that a seed decides is drawn here, in the order in which tasks ask for it, and that order is the executor's.
//! The lock of the world is taken before the lock of the engine's state, never after it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use loanhook_core::model::time::Timestamp;
use loanhook_memory::Operation;
use tokio::sync::Notify;

use crate::Options;
use crate::faults::{Fault, Faults};
use crate::model::Model;
use crate::queue::SimulatedQueue;
use crate::report::Totals;
use crate::rules::{Rule, Violation};
use crate::throttles::{PermitId, Throttles};
use crate::trace::Trace;

/// A task as it is handed to the executor.
pub(crate) type TaskFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a task stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskKind {
    /// A call of the API in the process that serves it.
    Server,
    /// A worker that handles one message, which was handed out with this permit.
    Worker(PermitId),
    /// Something outside: a client, the queue, the run itself. It never crashes.
    Outside,
}

/// A task that is to begin.
pub(crate) struct NewTask {
    pub(crate) name: String,
    pub(crate) kind: TaskKind,
    pub(crate) future: TaskFuture,
}

/// The task that is polled at this moment.
pub(crate) struct CurrentTask {
    pub(crate) name: String,
    pub(crate) kind: TaskKind,
    /// It goes no further, and is dropped.
    pub(crate) crashes: bool,
    /// The operation of the engine whose steps it made since it was polled.
    pub(crate) operation: Option<Operation>,
}

pub(crate) struct Inner {
    pub(crate) rng: Rng,
    pub(crate) faults: Faults,
    pub(crate) trace: Trace,
    pub(crate) totals: Totals,
    pub(crate) queue: SimulatedQueue,
    pub(crate) throttles: Throttles,
    pub(crate) model: Model,
    pub(crate) current: CurrentTask,
    pub(crate) new_tasks: Vec<NewTask>,
    /// How many workers are at work.
    pub(crate) workers: usize,
    /// How many recovery jobs are under way.
    pub(crate) jobs: usize,
    /// Whether the effects of one operation become durable one after another.
    pub(crate) one_by_one: bool,
    /// Whether a worker is stopped when its time is up.
    pub(crate) workers_are_stopped: bool,
    pub(crate) violation: Option<Violation>,
    /// Nothing is left to do.
    pub(crate) over: bool,
}

/// The world, shared by all tasks.
#[derive(Clone)]
pub(crate) struct World {
    inner: Arc<Mutex<Inner>>,
    /// Something changed that the dispatcher of messages looks at.
    pub(crate) messages_changed: Arc<Notify>,
}

impl World {
    pub(crate) fn new(seed: u64, options: &Options) -> Self {
        let mut rng = Rng::with_seed(seed);
        let inner = Inner {
            faults: Faults::new(&mut rng, options),
            one_by_one: rng.u32(..4) > 0,
            workers_are_stopped: rng.bool(),
            rng,
            trace: Trace::new(options.trace),
            totals: Totals::default(),
            queue: SimulatedQueue::default(),
            throttles: Throttles::new(options.deliberate),
            model: Model::default(),
            current: CurrentTask {
                name: String::new(),
                kind: TaskKind::Outside,
                crashes: false,
                operation: None,
            },
            new_tasks: Vec::new(),
            workers: 0,
            jobs: 0,
            violation: None,
            over: false,
        };
        Self { inner: Arc::new(Mutex::new(inner)), messages_changed: Arc::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn spawn(
        &self,
        name: String,
        kind: TaskKind,
        future: impl Future<Output = ()> + Send + 'static,
    ) {
        self.lock().new_tasks.push(NewTask { name, kind, future: Box::pin(future) });
    }

    /// Adds a line to the trace; the text is made only where there is a trace.
    pub(crate) fn trace(&self, text: impl FnOnce(&mut Trace) -> String) {
        let inner = &mut *self.lock();
        inner.trace.line(&inner.current.name, text);
    }

    /// Keeps the first rule that was broken; it ends the run.
    pub(crate) fn broken(&self, rule: Rule, detail: impl Into<String>) {
        self.lock().broken(rule, detail);
    }

    /// Crashes the task that asks: it is dropped where it waits.
    pub(crate) async fn crash(&self, fault: Fault) -> std::convert::Infallible {
        {
            let inner = &mut *self.lock();
            inner.current.crashes = true;
            inner.trace.line(&inner.current.name, |_| format!("!! crashes ({fault:?})"));
        }
        std::future::pending().await
    }
}

impl Inner {
    pub(crate) fn broken(&mut self, rule: Rule, detail: impl Into<String>) {
        if self.violation.is_none() {
            let violation = Violation { rule, detail: detail.into(), at: Timestamp::now() };
            self.trace.line(&self.current.name, |_| format!("## {}: {}", violation.rule, violation.detail));
            self.violation = Some(violation);
        }
    }

    /// Whether a fault happens now. It is counted and told.
    pub(crate) fn fault(&mut self, fault: Fault) -> bool {
        let happens = self.faults.happens(&mut self.rng, fault);
        if happens {
            self.totals.fault(fault);
            self.trace.line(&self.current.name, |_| format!("! {fault:?}"));
        }
        happens
    }
}

/// Lets every other task that is ready have its turn first, or not: that is drawn.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if yielded {
            return std::task::Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
