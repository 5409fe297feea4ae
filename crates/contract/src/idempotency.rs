//! Keys of events against a model of what they promise.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use loanhook_core::intake::{self, IntakeError};
use loanhook_core::model::id::{EventId, TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreResult, Subscriptions};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::engine::Engine;
use crate::intake::submission;
use crate::scene::{DAY, START, delivery_of, subscription, tenant};

/// One call: after so long, for one of two tenants, with one of a few keys and bodies; and whether a
/// subscription is edited before it.
#[derive(Debug, Clone)]
struct Call {
    after: Duration,
    tenant: usize,
    key: Option<&'static str>,
    body: &'static str,
    edit: bool,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let half = DAY / 2;
    let after = prop::sample::select(vec![Duration::ZERO, Duration::from_secs(3600), half, half]);
    let key = prop::sample::select(vec![None, Some("a"), Some("a"), Some("b")]);
    let body = prop::sample::select(vec![r#"{"n": 1}"#, r#"{"n": 1.0}"#]);
    let call = (after, 0..2_usize, key, body, prop::bool::weighted(0.2))
        .prop_map(|(after, tenant, key, body, edit)| Call { after, tenant, key, body, edit });
    prop::collection::vec(call, 1..16)
}

pub(crate) async fn any_sequence_of_idempotency_keys_and_bodies_is_answered_by_the_rules<E: Engine>()
-> StoreResult<()> {
    let engine = E::fresh().await;
    let runtime = tokio::runtime::Handle::current();
    let case = AtomicU32::new(0);
    let mut runner = TestRunner::new(Config { cases: 32, failure_persistence: None, ..Config::default() });
    tokio::task::block_in_place(|| {
        let ran = runner.run(&calls(), |calls| {
            // Tenants of its own keep a case apart from those before it.
            let case = case.fetch_add(1, Ordering::Relaxed);
            let tenants = [0, 1].map(|i| tenant(&format!("case-{case}-{i}")));
            runtime.block_on(answers(&engine, &tenants, &calls)).expect("the store answers")
        });
        ran.unwrap_or_else(|failure| panic!("{failure}"));
    });
    Ok(())
}

/// What a key stands for, and until when.
struct Known {
    body: &'static str,
    until: Timestamp,
    event: EventId,
    traces: Vec<TraceId>,
}

async fn answers<E: Engine>(
    engine: &E,
    tenants: &[TenantId; 2],
    calls: &[Call],
) -> StoreResult<Result<(), TestCaseError>> {
    let mut subscriptions = Vec::new();
    for tenant in tenants {
        let subscription = subscription(tenant, "Core banking", &[300], START);
        engine.ports().create(subscription.clone(), 1).await?;
        subscriptions.push(subscription);
    }
    let mut known: HashMap<(usize, &str), Known> = HashMap::new();
    let mut promised: BTreeSet<TraceId> = BTreeSet::new();
    let mut now = START;
    for call in calls {
        now = now + call.after;
        let tenant = &tenants[call.tenant];
        if call.edit {
            let subscription = &mut subscriptions[call.tenant];
            subscription.version += 1;
            subscription.settings.title = format!("Version {}", subscription.version);
            engine.ports().replace(subscription.clone()).await?;
        }
        let answer = intake::accept(engine.ports(), tenant, submission(call.body, call.key), now).await;
        let held = call.key.and_then(|key| known.get(&(call.tenant, key))).filter(|known| now < known.until);
        match (held, answer) {
            (_, Err(IntakeError::Store(error))) => return Err(error),
            (Some(held), Err(IntakeError::KeyReused)) if held.body != call.body => {}
            (Some(held), Ok(receipt)) if held.body == call.body => {
                let traces: Vec<_> = receipt.deliveries.iter().map(|told| told.trace_id).collect();
                if (receipt.event_id, &traces) != (held.event, &held.traces) {
                    return Ok(Err(TestCaseError::fail("a repeat was answered with something else")));
                }
            }
            (None, Ok(receipt)) => {
                let traces: Vec<_> = receipt.deliveries.iter().map(|told| told.trace_id).collect();
                if traces.len() != 1 || traces.iter().any(|trace| !promised.insert(*trace)) {
                    return Ok(Err(TestCaseError::fail(format!("a new event's deliveries: {traces:?}"))));
                }
                if let Some(key) = call.key {
                    let until = now + DAY;
                    let event = receipt.event_id;
                    known.insert((call.tenant, key), Known { body: call.body, until, event, traces });
                }
            }
            (held, answer) => {
                let held = held.map(|held| held.body);
                return Ok(Err(TestCaseError::fail(format!("{call:?}, known {held:?}: {answer:?}"))));
            }
        }
    }
    let queued: Vec<_> = engine.drain().await.into_iter().map(|message| message.trace_id).collect();
    if queued.iter().copied().collect::<BTreeSet<_>>() != promised {
        return Ok(Err(TestCaseError::fail("other deliveries are queued than were promised")));
    }
    for trace in &promised {
        let mut found = 0;
        for tenant in tenants {
            found += usize::from(delivery_of(engine.ports(), tenant, *trace).await?.is_some());
        }
        if found != 1 {
            return Ok(Err(TestCaseError::fail(format!("{trace} is with {found} tenants"))));
        }
    }
    Ok(Ok(()))
}
