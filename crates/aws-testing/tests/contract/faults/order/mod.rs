//! Order of a loan's deliveries where a function dies between two calls, or a message is lost: no number is given twice or left out,
//! no first attempt comes too early, and none waits for ever.

mod attempts;
mod intake;
mod looks;

use loanhook_aws::Aws;
use loanhook_aws_testing::{FaultyAwsEngine, Worker};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{LEASE, SECOND, START, delivery_of, subscription, tenant};
use loanhook_contract::sender::Scripted;
use loanhook_contract::submission;
use loanhook_core::deliver::Deliver;
use loanhook_core::intake::accept;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::DeliveryOrder;
use loanhook_core::model::id::TraceId;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreResult, Subscriptions as _};

/// An engine with a subscription that keeps the order of each loan, with one retry after 300 s.
struct Ordered {
    engine: FaultyAwsEngine,
    core: Subscription,
}

impl Ordered {
    async fn new(step_aside_after_seconds: Option<u32>) -> StoreResult<Self> {
        let engine = FaultyAwsEngine::fresh().await;
        let mut core = subscription(&tenant("acme"), "Core banking", &[300], START);
        core.settings.flow.order = DeliveryOrder::Loan;
        core.settings.flow.step_aside_after_seconds = step_aside_after_seconds;
        assert!(engine.ports().create(core.clone(), 1).await?);
        Ok(Self { engine, core })
    }

    /// The same, with so many deliveries of loan 727; none of their messages is in the queue.
    async fn with_deliveries(
        step_aside_after_seconds: Option<u32>,
        count: u32,
    ) -> StoreResult<(Self, Vec<TraceId>)> {
        let ordered = Self::new(step_aside_after_seconds).await?;
        let mut traces = Vec::new();
        for step in 0..count {
            traces.push(send(ordered.engine.ports(), None, START + step * SECOND).await);
        }
        ordered.queued().await;
        ordered.engine.proxy.take_calls();
        Ok((ordered, traces))
    }

    async fn delivery(&self, trace: TraceId) -> StoreResult<Delivery> {
        Ok(delivery_of(self.engine.ports(), &self.core.tenant, trace).await?.expect("the delivery"))
    }

    async fn sequence(&self, trace: TraceId) -> StoreResult<Option<u64>> {
        Ok(self.delivery(trace).await?.snapshot.sequence)
    }

    /// The traces of all messages in the queues, which are taken off, and when they are due.
    async fn queued(&self) -> Vec<(TraceId, Timestamp)> {
        let messages = self.engine.drain().await;
        messages.into_iter().map(|message| (message.trace_id, message.due)).collect()
    }

    /// A worker whose requests get these statuses, then 200.
    fn worker(&self, statuses: &[u16]) -> Worker {
        let (store, sender) = (self.engine.ports().clone(), Scripted::always(200).script(statuses));
        std::sync::Arc::new(Deliver { store, sender, lease: Some(LEASE), deadline: None })
    }
}

/// Sends an event of loan 727; the trace of its delivery.
async fn send(engine: &Aws, key: Option<&str>, now: Timestamp) -> TraceId {
    let receipt = accept(engine, &tenant("acme"), submission("{}", key), now).await.expect("accepted");
    receipt.deliveries[0].trace_id
}
