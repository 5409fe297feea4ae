//! Looks of the sweep at loans of which something waits: a wake-up that was lost is made up for, and what waits for long costs little.
//! The time is simulated.

use std::time::{Duration, Instant};

use loanhook_aws::Aws;
use loanhook_aws::sweep::{SHARDS, Sweep};
use loanhook_aws_testing::run_with_faults;
use loanhook_contract::scene::{LEASE, SECOND, START, attempt_message};
use loanhook_contract::sender::Scripted;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::flow::DeliveryOrder;
use loanhook_core::model::id::TraceId;
use loanhook_core::ports::{Deliveries as _, StoreResult, Subscriptions as _};

use super::{Ordered, send};
use crate::faults::simulated_time::{SimulatedTime, simulated_time};

const MINUTE: Duration = Duration::from_secs(60);
/// After so long a lost wake-up is made up for: five minutes until the look, half a minute of a bucket and more until it is read, and a
/// minute until the sweep runs.
const HEALED_AFTER: u32 = 7;
/// The shards in which ordered loans are.
const LOAN_SHARDS: u8 = 8;

/// Deliveries of a loan in simulated time, and the sweep of the shards in which loans are.
struct Looks {
    s: Ordered,
    of: Vec<TraceId>,
    time: SimulatedTime,
    store: Aws,
    sweep: Sweep,
}

impl Looks {
    /// The first deliveries are in none of the shards that are swept, so what the sweep does for one of them it does for its loan.
    async fn new(time: SimulatedTime, count: u32) -> StoreResult<Self> {
        Self::stepping_aside(time, count, None).await
    }

    async fn stepping_aside(time: SimulatedTime, count: u32, after: Option<u32>) -> StoreResult<Self> {
        loop {
            time.set(START);
            let looks = Self::with_any_traces(time, count, after).await?;
            if looks.of.iter().take(3).all(|trace| trace.spread_byte() % SHARDS >= LOAN_SHARDS) {
                return Ok(looks);
            }
        }
    }

    async fn with_any_traces(time: SimulatedTime, count: u32, after: Option<u32>) -> StoreResult<Self> {
        let s = Ordered::new(after).await?;
        let store = s.engine.another(|stack| stack.clock = time.clock());
        s.engine.direct.put_sweep_cursors(0..SHARDS, time.now()).await;
        let mut of = Vec::new();
        for step in 0..count {
            of.push(send(&store, None, START + step * SECOND).await);
        }
        let sweep = Sweep { engine: store.clone(), lease: LEASE, shards: 0..LOAN_SHARDS };
        s.queued().await;
        Ok(Self { s, of, time, store, sweep })
    }

    fn worker(&self, statuses: &[u16]) -> Deliver<Aws, Scripted> {
        let sender = Scripted::always(200).script(statuses);
        Deliver { store: self.store.clone(), sender, lease: Some(LEASE), deadline: None }
    }

    /// Handles the first attempt of a delivery, and loses what that wakes.
    async fn attempt(&self, trace: TraceId) -> StoreResult<()> {
        self.attempt_with(trace, &[]).await
    }

    /// The same, with these statuses.
    async fn attempt_with(&self, trace: TraceId, statuses: &[u16]) -> StoreResult<()> {
        let message = attempt_message(&self.s.delivery(trace).await?, 1, START);
        self.worker(statuses).handle(message, self.time.now()).await?;
        self.s.queued().await;
        Ok(())
    }

    /// Sweeps each minute until a message is queued, so many minutes at most; the traces of its messages.
    async fn next_messages(&self, minutes: u32) -> StoreResult<Vec<TraceId>> {
        for _ in 0..minutes {
            self.time.set(self.time.now() + MINUTE);
            self.sweep.run(self.time.now(), Instant::now() + MINUTE).await?;
            let queued = self.s.queued().await;
            if !queued.is_empty() {
                return Ok(queued.into_iter().map(|(trace, _)| trace).collect());
            }
        }
        Ok(Vec::new())
    }
}

#[test]
fn the_sweep_counts_what_waits_for_earlier_deliveries() {
    run_with_faults(async {
        let l = Looks::stepping_aside(simulated_time!(START), 3, Some(86_400)).await?;
        let counted = async || {
            l.time.set(l.time.now() + MINUTE);
            let report = l.sweep.run(l.time.now(), Instant::now() + MINUTE).await?;
            l.s.queued().await;
            StoreResult::Ok(report.gauges.expect("gauges").waiting.order)
        };
        assert_eq!(counted().await?, 2, "behind the first");
        l.attempt_with(l.of[0], &[500]).await?;
        assert_eq!(counted().await?, 2, "until that steps aside");
        l.store.cancel(&l.s.core.tenant, l.of[0]).await?;
        assert_eq!(counted().await?, 1, "the second may begin");
        l.attempt(l.of[1]).await?;
        assert_eq!(counted().await?, 0);
        Ok(())
    });
}

#[test]
fn a_lost_wake_up_is_made_up_for() {
    run_with_faults(async {
        let l = Looks::new(simulated_time!(START), 3).await?;
        l.time.set(START + 10 * SECOND);
        l.attempt(l.of[0]).await?;
        assert_eq!(l.next_messages(HEALED_AFTER).await?, [l.of[1]]);
        assert_eq!(l.next_messages(2 * HEALED_AFTER).await?, [], "the sweep of all shards sees to it now");
        l.attempt(l.of[1]).await?;
        assert_eq!(l.next_messages(HEALED_AFTER).await?, [l.of[2]]);
        l.attempt(l.of[2]).await?;
        assert_eq!(l.next_messages(2 * HEALED_AFTER).await?, []);
        Ok(())
    });
}

#[test]
fn a_lost_wake_up_of_a_delivery_that_was_to_wait_for_a_day_is_made_up_for() {
    run_with_faults(async {
        let l = Looks::stepping_aside(simulated_time!(START), 3, Some(86_400)).await?;
        l.time.set(START + 10 * SECOND);
        l.attempt_with(l.of[0], &[500]).await?;
        l.time.set(START + 20 * SECOND);
        l.store.cancel(&l.s.core.tenant, l.of[0]).await?;
        l.s.queued().await;
        assert_eq!(l.next_messages(HEALED_AFTER).await?, [l.of[1]]);
        Ok(())
    });
}

#[test]
fn a_loan_that_waits_for_an_hour_is_looked_at_each_five_minutes_however_much_waits() {
    run_with_faults(async {
        let l = Looks::new(simulated_time!(START), 30).await?;
        l.s.engine.proxy.take_calls();
        assert_eq!(l.next_messages(60).await?, []);
        let calls = l.s.engine.proxy.take_call_names();
        let count = |name: &str| calls.iter().filter(|call| *call == name).count();
        // Each look reads the first open deliveries twice, as the second time it looks at what may begin, and moves the counter on.
        assert!((9..=12).contains(&count("UpdateItem N")), "{calls:?}");
        // And each minute one read counts what waits, for metrics.
        assert_eq!(count("Query N"), 2 * count("UpdateItem N") + 60);
        assert_eq!(count("SendMessage"), 0);
        Ok(())
    });
}

#[test]
fn a_delivery_that_cannot_be_read_is_taken_out_of_the_order() {
    run_with_faults(async {
        let l = Looks::new(simulated_time!(START), 3).await?;
        l.s.engine.direct.spoil_delivery(&l.s.delivery(l.of[0]).await?).await;
        assert_eq!(l.next_messages(HEALED_AFTER).await?, [l.of[1]]);
        Ok(())
    });
}

#[test]
fn a_change_of_the_order_that_was_not_followed_is_so_by_the_sweep() {
    run_with_faults(async {
        let mut l = Looks::new(simulated_time!(START), 3).await?;
        l.s.core.version += 1;
        l.s.core.settings.flow.order = DeliveryOrder::None;
        l.store.replace(l.s.core.clone()).await?;
        let mut let_go = l.next_messages(HEALED_AFTER).await?;
        let_go.sort_unstable();
        let mut waited = l.of[1..].to_vec();
        waited.sort_unstable();
        assert_eq!(let_go, waited, "the first one stands in the index of what is due");
        Ok(())
    });
}

#[test]
fn a_sender_that_died_and_whose_message_was_lost_holds_up_no_loan() {
    run_with_faults(async {
        let l = Looks::new(simulated_time!(START), 3).await?;
        l.time.set(START + 10 * SECOND);
        l.attempt(l.of[0]).await?;
        // The second was woken; who sends it dies, and its message does not come again.
        let message = attempt_message(&l.s.delivery(l.of[1]).await?, 1, START);
        let token = uuid::Uuid::new_v4();
        loanhook_core::ports::Deliveries::claim(&l.store, &message, 1, token, l.time.now()).await?;
        assert_eq!(l.next_messages(HEALED_AFTER).await?, [l.of[1]]);
        Ok(())
    });
}
