//! Gate of the engine: every step of every operation passes it, and here it may wait, fail or be the last of its task.

use std::time::Duration;

use futures_util::future::BoxFuture;
use loanhook_core::ports::{StoreError, StoreResult};
use loanhook_memory::{Interceptor, Operation, Step, StepKind};

use crate::faults::Fault;
use crate::world::{Inner, TaskKind, World, yield_now};

pub(crate) struct Gate(pub(crate) World);

/// What becomes of a step.
enum Fate {
    Made,
    Refused,
    /// Its task stops before it.
    LastOfItsTask(Fault),
}

impl Interceptor for Gate {
    fn before(&self, step: Step) -> BoxFuture<'static, StoreResult<()>> {
        let world = self.0.clone();
        Box::pin(async move {
            let (delay, fate) = {
                let inner = &mut *world.lock();
                // Where an operation is one transaction, nothing comes between its steps.
                let inside = !step.first && step.kind != StepKind::Answer;
                if inside && !inner.one_by_one {
                    return Ok(());
                }
                draw(inner, step)
            };
            match delay {
                Some(delay) => tokio::time::sleep(delay).await,
                None => yield_now().await,
            }
            match fate {
                Fate::LastOfItsTask(fault) => match world.die(fault).await {},
                Fate::Refused => {
                    world.trace(|_| format!("{:?} fails at {:?}", step.operation, step.kind));
                    return Err(StoreError::Failed("simulated".into()));
                }
                Fate::Made => {}
            }
            let inner = &mut *world.lock();
            inner.current.operation = Some(step.operation);
            // A trace is shorter without what changes nothing.
            if !is_read(step.operation) {
                inner.trace.line(&inner.current.name, |_| format!("{:?}: {:?}", step.operation, step.kind));
            }
            Ok(())
        })
    }
}

fn draw(inner: &mut Inner, step: Step) -> (Option<Duration>, Fate) {
    let dies = match inner.current.kind {
        TaskKind::Server => Some(Fault::ServerDies),
        TaskKind::Worker => Some(Fault::WorkerDies),
        TaskKind::Outside => None,
    };
    let refusal = if step.kind == StepKind::Answer { Fault::AnswerLost } else { Fault::StoreRefuses };
    let fate = match dies {
        Some(fault) if inner.fault(fault) => Fate::LastOfItsTask(fault),
        _ if inner.fault(refusal) => Fate::Refused,
        _ => Fate::Made,
    };
    let delay = match inner.rng.u32(..100) {
        _ if inner.fault(Fault::StoreStalls) => {
            // Where nobody stops a worker, it may go on long after its lease.
            let longest = if inner.workers_are_stopped { 90_000 } else { 240_000 };
            Some(inner.rng.u64(5_000..longest))
        }
        0..70 => None,
        70..95 => Some(inner.rng.u64(1..20)),
        _ => Some(inner.rng.u64(100..3_000)),
    };
    (delay.map(Duration::from_millis), fate)
}

/// Whether an operation changes nothing.
pub(crate) const fn is_read(operation: Operation) -> bool {
    matches!(operation, Operation::ReadHistory | Operation::ReadPayload | Operation::ReadSubscriptions)
}
