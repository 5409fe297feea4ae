//! Injector of faults into the engine: before every step of every operation its task may wait, fail or crash.

use std::time::Duration;

use futures_util::future::BoxFuture;
use loanhook_core::ports::{StoreError, StoreResult};
use loanhook_memory::{Interceptor, Operation, Step, StepKind};

use crate::faults::Fault;
use crate::rules::flow;
use crate::throttles::PermitId;
use crate::world::{Inner, TaskKind, World, yield_now};

pub(crate) struct FaultInjector(pub(crate) World);

/// What becomes of a step.
enum Fate {
    Made,
    Refused,
    /// Its task crashes before it.
    Crash(Fault),
}

impl Interceptor for FaultInjector {
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
                Fate::Crash(fault) => match world.crash(fault).await {},
                Fate::Refused => {
                    world.trace(|_| format!("{:?} fails at {:?}", step.operation, step.kind));
                    return Err(StoreError::Failed("simulated".into()));
                }
                Fate::Made => {}
            }
            let inner = &mut *world.lock();
            if let Some(permit) = claims(inner, step) {
                if !inner.throttles.keeps(permit) {
                    inner.trace.line(&inner.current.name, |_| "may not begin any more".into());
                    return Err(StoreError::Failed("it may not begin now".into()));
                }
                flow::begins(inner, permit);
            }
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
    let crash = match inner.current.kind {
        TaskKind::Server => Some(Fault::ServerCrashes),
        TaskKind::Worker(_) => Some(Fault::WorkerCrashes),
        TaskKind::Outside => None,
    };
    let refusal = if step.kind == StepKind::Answer { Fault::AnswerLost } else { Fault::StoreRefuses };
    let fate = match crash {
        Some(fault) if inner.fault(fault) => Fate::Crash(fault),
        _ if inner.fault(refusal) => Fate::Refused,
        _ => Fate::Made,
    };
    let outlives_its_lease = !inner.workers_are_stopped && step.operation == Operation::Complete;
    let delay = match inner.rng.u32(..100) {
        _ if inner.fault(Fault::StoreStalls) => Some(inner.rng.u64(5_000..90_000)),
        // Where nobody stops a worker, it may go on long after its lease, when others have completed its attempt.
        _ if outlives_its_lease && inner.fault(Fault::StoreStalls) => Some(inner.rng.u64(100_000..400_000)),
        0..70 => None,
        70..95 => Some(inner.rng.u64(1..20)),
        _ => Some(inner.rng.u64(100..3_000)),
    };
    (delay.map(Duration::from_millis), fate)
}

/// The permit of the worker that is about to claim.
fn claims(inner: &Inner, step: Step) -> Option<PermitId> {
    let is_claim = step.first && matches!(step.operation, Operation::Claim | Operation::ClaimResend);
    match inner.current.kind {
        TaskKind::Worker(permit) if is_claim => Some(permit),
        _ => None,
    }
}

/// Whether an operation changes nothing.
pub(crate) const fn is_read(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::ReadHistory
            | Operation::ReadPayload
            | Operation::ReadReport
            | Operation::ReadSubscriptions
    )
}

/// Whether an operation may change the settings or the hold of a subscription.
pub(crate) const fn changes_flow(operation: Operation) -> bool {
    matches!(operation, Operation::Complete | Operation::CompleteResend | Operation::ChangeSubscriptions)
}
