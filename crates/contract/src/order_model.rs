//! Order of deliveries against a model: whatever happens, no first attempt is claimed too early, and nothing waits for ever.

use std::collections::BTreeMap;
use std::time::Duration;

use loanhook_core::model::attempt::{Attempt, AttemptNumber};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::DeliveryOrder;
use loanhook_core::model::id::TraceId;
use loanhook_core::model::progress::Status;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{ClaimOutcome, Deliveries, DueWork, QueueMessage, StoreResult, Subscriptions};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::delivery_list::{CONTEXT, FAILED, SUCCEEDED, acme, delivery};
use crate::engine::Engine;
use crate::order::in_order;
use crate::scene::{START, ended};
use crate::triggers::{submit, with};

/// After how long a delivery that is stuck steps aside.
const STEP_ASIDE: Duration = Duration::from_secs(60);
/// More messages than the deliveries of a case can have.
const MAX_MESSAGES: usize = 2000;

/// Something that happens; a number chooses one of those that it can happen to.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Event {
        loan: usize,
    },
    /// A message is handled, whether it is due or not.
    Message(usize),
    /// A message comes twice.
    Copy(usize),
    End {
        of: usize,
        succeeds: bool,
    },
    GivenBack(usize),
    Canceled(usize),
    OrderIsTurned {
        on: bool,
    },
}

fn happenings() -> impl Strategy<Value = Vec<(Happening, u32)>> {
    let happening = prop_oneof![
        4 => (0..2_usize).prop_map(|loan| Happening::Event { loan }),
        6 => any::<usize>().prop_map(Happening::Message),
        1 => any::<usize>().prop_map(Happening::Copy),
        5 => (any::<usize>(), prop::bool::weighted(0.4))
            .prop_map(|(of, succeeds)| Happening::End { of, succeeds }),
        1 => any::<usize>().prop_map(Happening::GivenBack),
        1 => any::<usize>().prop_map(Happening::Canceled),
        1 => prop::bool::weighted(0.7).prop_map(|on| Happening::OrderIsTurned { on }),
    ];
    prop::collection::vec((happening, 0..45_u32), 1..60)
}

pub(crate) async fn whatever_happens_the_order_is_kept_and_nothing_waits_for_ever<E: Engine>()
-> StoreResult<()> {
    let runtime = tokio::runtime::Handle::current();
    let mut runner = TestRunner::new(Config { cases: 32, failure_persistence: None, ..Config::default() });
    tokio::task::block_in_place(|| {
        let ran = runner.run(&happenings(), |happenings| {
            runtime.block_on(Case::<E>::run(&happenings)).expect("the store answers")
        });
        ran.unwrap_or_else(|failure| panic!("{failure}"));
    });
    Ok(())
}

struct Case<E> {
    engine: E,
    core: Subscription,
    now: Timestamp,
    traces: Vec<TraceId>,
    /// Taken off the queue, and not handled yet.
    messages: Vec<QueueMessage>,
    in_flight: Vec<(Delivery, Attempt, Uuid)>,
    /// When first attempts failed.
    failed: BTreeMap<TraceId, Timestamp>,
}

impl<E: Engine> Case<E> {
    async fn run(happenings: &[(Happening, u32)]) -> StoreResult<Result<(), TestCaseError>> {
        let core = in_order(Some(60));
        let engine = with::<E>(&[&core]).await?;
        let mut case = Self {
            engine,
            core,
            now: START,
            traces: Vec::new(),
            messages: Vec::new(),
            in_flight: Vec::new(),
            failed: BTreeMap::new(),
        };
        for (happening, seconds) in happenings {
            case.now = case.now + Duration::from_secs((*seconds).into());
            if let Err(fault) = case.happens(*happening).await? {
                return Ok(Err(fault));
            }
        }
        for _ in 0..MAX_MESSAGES {
            case.messages.extend(case.engine.drain().await);
            while !case.in_flight.is_empty() {
                case.end(0, true).await?;
            }
            case.messages.extend(case.engine.drain().await);
            let first = (0..case.messages.len()).min_by_key(|place| case.messages[*place].due);
            let Some(first) = first else { break };
            if let Err(fault) = case.handle(first).await? {
                return Ok(Err(fault));
            }
        }
        for trace in &case.traces {
            let delivery = delivery(&case.engine, *trace).await?;
            if delivery.progress.status() == Status::Pending {
                return Ok(Err(TestCaseError::fail(format!("it waits for ever: {delivery:?}"))));
            }
        }
        Ok(Ok(()))
    }

    async fn happens(&mut self, happening: Happening) -> StoreResult<Result<(), TestCaseError>> {
        self.messages.extend(self.engine.drain().await);
        match happening {
            Happening::Event { loan } => {
                let receipt = submit(&self.engine, ["727", "728"][loan], CONTEXT, None, self.now).await;
                self.traces.extend(receipt.deliveries.iter().map(|promised| promised.trace_id));
            }
            Happening::Message(of) if !self.messages.is_empty() => {
                return self.handle(of % self.messages.len()).await;
            }
            Happening::Copy(of) if !self.messages.is_empty() => {
                self.messages.push(self.messages[of % self.messages.len()].clone());
            }
            Happening::End { of, succeeds } if !self.in_flight.is_empty() => {
                self.end(of % self.in_flight.len(), succeeds).await?;
            }
            Happening::GivenBack(of) if !self.in_flight.is_empty() => {
                let (claimed, row, token) = self.in_flight.remove(of % self.in_flight.len());
                self.engine.ports().release(&claimed, token, &row, self.now).await?;
            }
            Happening::Canceled(of) if !self.traces.is_empty() => {
                let trace = self.traces[of % self.traces.len()];
                self.engine.ports().cancel(&acme(), trace).await?;
            }
            Happening::OrderIsTurned { on } => {
                self.core.version += 1;
                self.core.settings.flow.order = if on { DeliveryOrder::Loan } else { DeliveryOrder::None };
                self.engine.ports().replace(self.core.clone()).await?;
                self.engine.ports().follow_order(&acme(), self.core.id).await?;
            }
            _ => {}
        }
        Ok(Ok(()))
    }

    async fn end(&mut self, of: usize, succeeds: bool) -> StoreResult<()> {
        let (claimed, row, token) = self.in_flight.remove(of);
        let first = row.number == AttemptNumber::Auto(1);
        if first && !succeeds {
            self.failed.insert(row.trace_id, self.now);
        }
        let result = if succeeds { SUCCEEDED } else { FAILED };
        self.engine.ports().complete(&claimed, token, ended(row, result, self.now), None).await?;
        Ok(())
    }

    /// Handles a message as a worker does, which waits until it is due.
    async fn handle(&mut self, of: usize) -> StoreResult<Result<(), TestCaseError>> {
        let message = self.messages.remove(of);
        self.now = self.now.max(message.due);
        let DueWork::Attempt(number) = message.work else { return Ok(Ok(())) };
        let token = Uuid::new_v4();
        let claimed = self.engine.ports().claim(&message, number, token, self.now).await?;
        let ClaimOutcome::Claimed(won) = claimed else { return Ok(Ok(())) };
        let (claimed, row) = *won;
        let in_order = self.core.settings.flow.order == DeliveryOrder::Loan;
        let earlier = if number == 1 && in_order { self.blocking(&claimed).await? } else { None };
        self.in_flight.push((claimed, row, token));
        Ok(match earlier {
            Some(earlier) => Err(TestCaseError::fail(format!("it is claimed before {earlier:?}"))),
            None => Ok(()),
        })
    }

    /// An earlier delivery of the same loan that has not ended and does not step aside.
    async fn blocking(&self, claimed: &Delivery) -> StoreResult<Option<Delivery>> {
        let of = &claimed.snapshot;
        let Some(sequence) = of.sequence else { return Ok(None) };
        for trace in &self.traces {
            let other = delivery(&self.engine, *trace).await?;
            let is_earlier = other.snapshot.loan_id == of.loan_id
                && other.snapshot.sequence.is_some_and(|earlier| earlier < sequence);
            let has_ended =
                other.progress.status() != Status::Pending && other.progress.in_flight().is_none();
            let is_stuck = self.failed.get(trace).is_some_and(|failed| *failed + STEP_ASIDE <= self.now);
            if is_earlier && !has_ended && !is_stuck {
                return Ok(Some(other));
            }
        }
        Ok(None)
    }
}
