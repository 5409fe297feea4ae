//! Executor: polls the tasks of a run one at a time, in an order that the seed decides.
//!
//! It is one future on a runtime of one thread whose clock stands still: where no task is ready, the runtime moves the clock
//! to the next timer. A task that crashes is dropped where it waits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use loanhook_memory::Memory;

use crate::fault_injector::changes_flow;
use crate::rules::{Rule, observe};
use crate::world::{NewTask, TaskKind, World};

/// More polls than any run needs.
const MAX_POLLS: u64 = 2_000_000;

type TaskId = u64;

/// The tasks that can go on.
#[derive(Default)]
struct Ready {
    tasks: Mutex<(BTreeSet<TaskId>, Option<Waker>)>,
}

struct TaskWaker {
    id: TaskId,
    ready: Arc<Ready>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let mut tasks = self.ready.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.0.insert(self.id);
        if let Some(waker) = tasks.1.take() {
            waker.wake();
        }
    }
}

struct Task {
    task: NewTask,
    waker: Waker,
}

/// What the executor does next.
enum Choice {
    Task(TaskId),
    NoneReady,
    RunIsOver,
}

/// The tasks of one run.
pub(crate) struct Executor {
    world: World,
    memory: Memory,
    tasks: BTreeMap<TaskId, Task>,
    ready: Arc<Ready>,
    next_id: TaskId,
    polls: u64,
}

impl Executor {
    pub(crate) fn new(world: World, memory: Memory) -> Self {
        Self { world, memory, tasks: BTreeMap::new(), ready: Arc::default(), next_id: 0, polls: 0 }
    }

    /// Runs all tasks until the run is over or a rule is broken.
    pub(crate) async fn run(mut self) {
        std::future::poll_fn(|context| self.poll(context)).await;
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            self.take_new_tasks();
            match self.choose(context) {
                Choice::Task(id) => self.poll_task(id),
                Choice::NoneReady => return Poll::Pending,
                Choice::RunIsOver => return Poll::Ready(()),
            }
        }
    }

    /// The task that has its turn.
    fn choose(&mut self, context: &Context<'_>) -> Choice {
        let inner = &mut *self.world.lock();
        if inner.over || inner.violation.is_some() {
            return Choice::RunIsOver;
        }
        self.polls += 1;
        if self.polls > MAX_POLLS {
            inner.broken(Rule::PromiseKept, "the run does not end");
        }
        let mut ready = self.ready.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // A task that is gone may still have been woken.
        ready.0.retain(|id| self.tasks.contains_key(id));
        let chosen = if ready.0.is_empty() { 0 } else { inner.rng.usize(..ready.0.len()) };
        let Some(id) = ready.0.iter().nth(chosen).copied() else {
            ready.1 = Some(context.waker().clone());
            return Choice::NoneReady;
        };
        ready.0.remove(&id);
        if let Some(task) = self.tasks.get(&id) {
            inner.current.name.clone_from(&task.task.name);
            inner.current.kind = task.task.kind;
            inner.current.crashes = false;
            inner.current.operation = None;
        }
        Choice::Task(id)
    }

    fn take_new_tasks(&mut self) {
        let new_tasks = std::mem::take(&mut self.world.lock().new_tasks);
        for task in new_tasks {
            self.next_id += 1;
            let id = self.next_id;
            let waker = Waker::from(Arc::new(TaskWaker { id, ready: Arc::clone(&self.ready) }));
            waker.wake_by_ref();
            self.tasks.insert(id, Task { task, waker });
        }
    }

    fn poll_task(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let ended = task.task.future.as_mut().poll(&mut Context::from_waker(&task.waker)).is_ready();
        if ended || self.world.lock().current.crashes {
            let ended = self.tasks.remove(&id);
            if ended.is_some_and(|ended| matches!(ended.task.kind, TaskKind::Worker(_))) {
                self.world.lock().workers -= 1;
                self.world.messages_changed.notify_one();
            }
        }
        let inner = &mut *self.world.lock();
        let mut state = self.memory.state();
        observe::changes(inner, &state);
        if inner.current.operation.is_some_and(changes_flow) && inner.throttles.follow(&state) {
            self.world.messages_changed.notify_one();
        }
        let messages = std::mem::take(&mut state.messages);
        if !messages.is_empty() {
            messages.into_iter().for_each(|message| inner.queue_message(message));
            self.world.messages_changed.notify_one();
        }
    }
}
