#![doc = include_str!("../README.md")]

mod breaks;
mod calls;
mod clients;
mod delegation;
mod executor;
mod fault_injector;
mod faults;
mod flow_store;
mod holds;
mod job_store;
mod jobs;
mod model;
mod plan;
mod queue;
mod receiver;
mod report;
mod rules;
mod settings;
mod shrink;
mod store;
mod throttles;
mod trace;
mod workers;
mod world;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use loanhook_contract::scene;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::subscription::MAX_SUBSCRIPTIONS;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::Subscriptions as _;
use loanhook_core::simulated::{Source, with_source};
use loanhook_memory::Memory;
use tokio::time::{Instant, sleep, sleep_until};

pub use breaks::Break;
pub use faults::Fault;
pub use report::Totals;
pub use rules::{Rule, Violation};
pub use shrink::{Shortest, shrink};

use model::DeliveryKey;
use store::Store;
use world::{TaskKind, World};

/// When every run begins: 2026-01-01T00:00:00Z.
const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// More than the longest schedule of a run takes, with all delays on its way.
const MAX_SIMULATED: Duration = Duration::from_secs(60 * 24 * 3600);
/// How often a run looks whether all has ended.
const END_CHECK_INTERVAL: Duration = Duration::from_secs(600);
const TENANTS: [&str; 2] = ["acme", "other"];

/// What of a run is allowed. The same seed with the same options is the same run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Of the actions that clients plan, the first so many.
    pub max_actions: usize,
    /// Of those, the ones that are left out, by their place.
    pub skipped_actions: BTreeSet<usize>,
    /// After so many faults nothing goes wrong any more.
    pub max_faults: usize,
    pub excluded: BTreeSet<Fault>,
    /// A deliberate error in the engine.
    pub deliberate: Option<Break>,
    /// Whether a trace is kept.
    pub trace: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_actions: usize::MAX,
            skipped_actions: BTreeSet::new(),
            max_faults: usize::MAX,
            excluded: BTreeSet::new(),
            deliberate: None,
            trace: false,
        }
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub violation: Option<Violation>,
    pub totals: Totals,
    /// Empty where none was asked for.
    pub trace: Vec<String>,
    /// How many lines its trace has, or would have.
    length: usize,
    actions: usize,
}

impl Outcome {
    fn actions(&self) -> usize {
        self.actions
    }

    fn faults(&self) -> usize {
        self.totals.faults.values().sum::<u64>().try_into().unwrap_or(usize::MAX)
    }
}

/// What the tasks of one run have at hand.
#[derive(Clone)]
pub(crate) struct Simulation {
    pub(crate) world: World,
    pub(crate) memory: Memory,
    pub(crate) store: Store,
}

impl Simulation {
    /// One of the deliveries of a tenant that clients know of.
    pub(crate) fn known_delivery(&self, tenant: &TenantId, choice: usize) -> Option<DeliveryKey> {
        let mut known = self.world.lock().model.known();
        known.retain(|(of, _)| of == tenant);
        known.get(choice % known.len().max(1)).cloned()
    }
}

pub(crate) fn tenant(name: &str) -> TenantId {
    scene::tenant(name)
}

/// The clock and the IDs of one run.
struct Seeded {
    began: Instant,
    rng: RefCell<Rng>,
}

impl Source for Seeded {
    fn now(&self) -> Timestamp {
        START + self.began.elapsed()
    }

    fn random(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        self.rng.borrow_mut().fill(&mut bytes);
        bytes
    }
}

/// Runs the simulation of a seed to its end, or to the first rule that is broken.
///
/// # Panics
///
/// Where this system has no memory for a runtime.
pub fn run(seed: u64, options: &Options) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    #[expect(clippy::expect_used, reason = "without timers there is nothing to run")]
    let runtime = runtime.expect("a runtime");
    let began = runtime.block_on(async { Instant::now() });
    let source = Rc::new(Seeded { began, rng: RefCell::new(Rng::with_seed(!seed)) });
    with_source(source, || runtime.block_on(tokio::task::unconstrained(simulate(seed, options, began))))
}

async fn simulate(seed: u64, options: &Options, began: Instant) -> Outcome {
    let world = World::new(seed, options);
    let memory = Memory::intercepted(fault_injector::FaultInjector(world.clone()));
    let store = Store::new(world.clone(), memory.clone(), options.deliberate);
    let simulation = Simulation { world: world.clone(), memory: memory.clone(), store };
    let (plan, most_workers) = {
        let inner = &mut *world.lock();
        let mut rng = inner.rng.fork();
        (plan::draw(&mut rng, options.max_actions), inner.rng.usize(1..=4))
    };
    let actions = plan.len();
    let kept = plan.into_iter().enumerate().filter(|(place, _)| !options.skipped_actions.contains(place));
    let plan = kept.map(|(_, planned)| planned).collect();
    world.spawn("queue".into(), TaskKind::Outside, workers::dispatch(simulation.clone(), most_workers));
    world.spawn("run".into(), TaskKind::Outside, conduct(simulation.clone(), plan, began));
    executor::Executor::new(world.clone(), memory.clone()).run().await;

    let inner = &mut *world.lock();
    let state = memory.state();
    inner.totals.runs = 1;
    inner.totals.simulated = began.elapsed();
    inner.totals.deliveries = state.deliveries.len() as u64;
    inner.totals.attempts = state.rows.len() as u64;
    Outcome {
        violation: inner.violation.take(),
        totals: std::mem::take(&mut inner.totals),
        trace: std::mem::take(&mut inner.trace.lines),
        length: inner.trace.length,
        actions,
    }
}

/// Leads a run: webhooks are made, clients act, faults end, and all comes to its end.
async fn conduct(simulation: Simulation, plan: Vec<plan::Planned>, began: Instant) {
    let world = &simulation.world;
    let faults = std::mem::replace(&mut world.lock().faults, faults::Faults::none());
    for name in TENANTS {
        let webhooks = world.lock().rng.u32(1..4);
        for place in 0..webhooks {
            let webhook = settings::webhook(&mut world.lock().rng, &tenant(name), place, START);
            if !matches!(simulation.store.create(webhook, MAX_SUBSCRIPTIONS).await, Ok(true)) {
                world.broken(Rule::AnsweredIsCommitted, "a webhook cannot be made although nothing is wrong");
            }
        }
    }
    world.lock().faults = faults;
    let last = plan.iter().map(|planned| planned.at).max().unwrap_or_default();
    let begin = Instant::now();
    for (planned, place) in plan.into_iter().zip(1..) {
        let client = simulation.clone();
        world.spawn(format!("client {place}"), TaskKind::Outside, async move {
            sleep_until(begin + planned.at).await;
            clients::act(client, tenant(TENANTS[planned.tenant]), planned.action).await;
        });
    }
    // What goes wrong goes on for a while after the last action.
    let after = world.lock().rng.u64(..7_200_000);
    sleep_until(begin + last + Duration::from_millis(after)).await;
    world.lock().faults.end();
    world.trace(|_| "nothing goes wrong from here on".into());
    while began.elapsed() < MAX_SIMULATED {
        sleep(END_CHECK_INTERVAL).await;
        // A hold by hand has no other end.
        holds::release_all(&simulation).await;
        let inner = &mut *world.lock();
        if inner.queue.is_empty() && inner.workers == 0 && inner.jobs == 0 {
            break;
        }
    }
    let inner = &mut *world.lock();
    rules::end::check(inner, &simulation.memory.state());
    inner.over = true;
}
