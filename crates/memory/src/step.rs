//! Steps of operations, and the interceptor that sees them.

use futures_util::future::BoxFuture;
use loanhook_core::ports::StoreResult;

use super::{Memory, State};

/// A port method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Accept,
    Claim,
    Complete,
    Release,
    Cancel,
    EnqueueResend,
    ClaimResend,
    CompleteResend,
    ReleaseResend,
    Enqueue,
    ReadHistory,
    ReadLedger,
    ReadPayload,
    ReadReport,
    ReadSubscriptions,
    ChangeSubscriptions,
    Keys,
    Grants,
    ReadJobs,
    ChangeJobs,
    FormulaErrors,
    Egress,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepKind {
    /// Reads, and changes nothing.
    Read,
    /// Puts the record of an idempotency key.
    Record,
    /// Changes the trigger state of a loan, with the record of the event's idempotency key.
    TriggerState,
    Payload,
    /// Puts an event of the ledger.
    Event,
    Row,
    Delivery,
    /// Changes a row and its delivery together.
    RowAndDelivery,
    /// Changes a recovery job and parts of its list together.
    Job,
    /// Puts queue messages.
    Message,
    /// Changes something that no delivery depends on step by step.
    Settings,
    /// Gives the answer: all that the operation does is done.
    Answer,
}

/// One step of one call of a port method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub operation: Operation,
    pub kind: StepKind,
    /// It is the first of its call.
    pub first: bool,
}

/// Sees each step before it is made.
pub trait Interceptor: Send + Sync + 'static {
    /// The step is made when this is ready, and not made on an error: that is the answer of the operation then, and the
    /// steps before it stay made. On [`StepKind::Answer`] an error is the answer of an operation that was done.
    fn before(&self, step: Step) -> BoxFuture<'static, StoreResult<()>>;
}

/// A call of a port method, step by step.
pub(super) struct Call<'a> {
    memory: &'a Memory,
    operation: Operation,
    first: bool,
}

impl Memory {
    pub(super) fn call(&self, operation: Operation) -> Call<'_> {
        Call { memory: self, operation, first: true }
    }

    /// An operation of one step.
    pub(super) async fn once<T>(
        &self,
        operation: Operation,
        kind: StepKind,
        make: impl FnOnce(&mut State) -> StoreResult<T> + Send,
    ) -> StoreResult<T>
    where
        T: Send,
    {
        let mut call = self.call(operation);
        let made = call.step(kind, make).await??;
        call.answer(made).await
    }
}

impl Call<'_> {
    /// Makes one step: what it reads and what it writes is one.
    pub(super) async fn step<T>(
        &mut self,
        kind: StepKind,
        make: impl FnOnce(&mut State) -> T + Send,
    ) -> StoreResult<T> {
        self.before(kind).await?;
        Ok(make(&mut self.memory.state()))
    }

    /// Gives the answer of the call.
    pub(super) async fn answer<T: Send>(mut self, answer: T) -> StoreResult<T> {
        self.before(StepKind::Answer).await?;
        Ok(answer)
    }

    async fn before(&mut self, kind: StepKind) -> StoreResult<()> {
        let step = Step { operation: self.operation, kind, first: std::mem::take(&mut self.first) };
        match &self.memory.0.interceptor {
            Some(interceptor) => interceptor.before(step).await,
            None => Ok(()),
        }
    }
}
