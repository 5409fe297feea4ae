//! Operational events where their run dies between two calls, or two runs meet: each is told once.

use std::time::{Duration, Instant};

use loanhook_aws::{Added, Aws};
use loanhook_aws_testing::fault_proxy::{BROKEN, Fault};
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults};
use loanhook_contract::engine::Engine;
use loanhook_contract::operational_facts::{observer, told};
use loanhook_contract::scene::{SECOND, START, accept, attempt_message, ended, subscription, tenant};
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::operational;
use loanhook_core::ports::{
    ClaimOutcome, Deliveries as _, FlowControl as _, OperationalEvents as _, StoreResult, Subscriptions as _,
};
use serde_json::Value;
use uuid::Uuid;

use super::crash_before;

/// A refusal that no client repeats.
const REFUSED: Fault = Fault::Error(400, "ValidationException");
const TIMEOUT: Duration = Duration::from_secs(60);
/// After the window of exhausted deliveries.
const LATER: Timestamp = Timestamp::from_millis(START.millis() + 3_600_000);

/// A run of the function of reports.
async fn run(engine: &Aws) -> StoreResult<()> {
    engine.count_changes(Instant::now() + TIMEOUT, &mut Added::default()).await?;
    let advanced = operational::advance(engine, LATER).await?;
    assert_eq!(advanced.failure(), None);
    Ok(())
}

/// The engine, and the subscription that fails in it.
struct Failing {
    engine: FaultyAwsEngine,
    core: SubscriptionId,
    pager: SubscriptionId,
}

/// An engine in which an observed subscription failed four times, is held by hand, and has four exhausted deliveries.
async fn failing() -> StoreResult<Failing> {
    let engine = FaultyAwsEngine::fresh().await;
    let core = subscription(&tenant("acme"), "Core", &[], START);
    let pager = observer();
    for one in [core.clone(), pager.clone()] {
        assert!(engine.ports().create(one, 10).await?);
    }
    for number in 0..4 {
        fail(&engine, &core, number).await?;
    }
    assert!(engine.ports().hold(&tenant("acme"), core.id, "Night shift", START + 60 * SECOND).await?);
    engine.drain().await;
    engine.proxy.take_calls();
    Ok(Failing { engine, core: core.id, pager: pager.id })
}

/// Accepts a delivery and has its only attempt fail.
async fn fail(engine: &FaultyAwsEngine, core: &Subscription, number: u32) -> StoreResult<()> {
    let accepted = accept(engine, core, "727", START + number * SECOND).await?;
    let (token, due) = (Uuid::new_v4(), START + number * SECOND);
    let message = attempt_message(&accepted, 1, due);
    let ClaimOutcome::Claimed(claimed) = engine.ports().claim(&message, 1, token, due).await? else {
        panic!("the claim was lost")
    };
    let row = ended(claimed.1, Err(ErrorKind::Timeout), due + SECOND);
    assert!(engine.ports().complete(&claimed.0, token, row, None).await?);
    Ok(())
}

/// The names of the operational events that were taken in, in order.
async fn taken_in(engine: &FaultyAwsEngine, pager: SubscriptionId) -> StoreResult<Vec<String>> {
    let ports = engine.direct.ports();
    assert_eq!(ports.outbox(10, None).await?.events, [], "the outbox is empty");
    let mut names = Vec::new();
    for message in engine.drain().await {
        if message.subscription_id == pager {
            let of = loanhook_contract::scene::delivery_of(ports, &message.tenant, message.trace_id).await?;
            names.push(of.expect("a delivery").snapshot.event_name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

const ALL: [&str; 3] = ["delivery.exhausted", "subscription.failing", "subscription.held"];

#[test]
fn a_crash_between_any_two_calls_of_a_run_tells_each_event_once() {
    run_with_faults(async {
        let Failing { engine, pager, .. } = failing().await?;
        run(engine.ports()).await?;
        assert_eq!(taken_in(&engine, pager).await?, ALL);
        let calls = engine.proxy.take_call_names();
        assert!(calls.iter().any(|name| name == "TransactWriteItems"), "{calls:?}");
        for (place, name) in calls.iter().enumerate() {
            let nth = calls[..=place].iter().filter(|one| *one == name).count();
            let Failing { engine, pager, .. } = failing().await?;
            let ports = engine.ports().clone();
            crash_before(&engine, (name, nth), async move { run(&ports).await }).await;
            run(engine.ports()).await?;
            run(engine.ports()).await?;
            assert_eq!(taken_in(&engine, pager).await?, ALL, "{name} {nth}");
        }
        Ok(())
    });
}

#[test]
fn a_transaction_whose_response_was_lost_is_told_once() {
    run_with_faults(async {
        let Failing { engine, pager, .. } = failing().await?;
        engine.proxy.fault_nth("TransactWriteItems", 1, Fault::LoseResponse);
        run(engine.ports()).await?;
        run(engine.ports()).await?;
        assert_eq!(taken_in(&engine, pager).await?, ALL);
        Ok(())
    });
}

#[test]
fn of_two_runs_that_read_the_same_one_tells() {
    run_with_faults(async {
        let Failing { engine, core, pager } = failing().await?;
        let held = engine.proxy.hold("TransactWriteItems", 1);
        let ports = engine.ports().clone();
        let first = tokio::spawn(async move { run(&ports).await });
        held.arrived().await;
        run(engine.direct.ports()).await?;
        held.pass();
        first.await.expect("it ends")?;
        assert_eq!(taken_in(&engine, pager).await?, ALL);
        // What the first run read is nothing any more.
        engine.ports().release_hold(&tenant("acme"), core, LATER).await?;
        assert_eq!(told(&engine, LATER).await?, Vec::<Value>::new());
        Ok(())
    });
}

#[test]
fn an_event_that_cannot_be_taken_in_stays_and_holds_up_no_other_nor_what_is_counted() {
    run_with_faults(async {
        let Failing { engine, pager, .. } = failing().await?;
        engine.ports().count_changes(Instant::now() + TIMEOUT, &mut Added::default()).await?;
        engine.proxy.fault_containing("PutItem V", "subscription.failing", BROKEN);
        let advanced = operational::advance(engine.ports(), LATER).await?;
        engine.proxy.clear_faults();
        let left = engine.ports().outbox(10, None).await?.events;
        assert_eq!((advanced.failed.map(|failed| failed.count), left.len()), (Some(1), 1), "{left:?}");
        run(engine.ports()).await?;
        assert_eq!(taken_in(&engine, pager).await?, ALL);
        Ok(())
    });
}

#[test]
fn more_events_than_a_page_that_cannot_be_taken_in_hold_up_no_other_tenant() {
    const STUCK: u32 = 101;
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        let mut pagers = Vec::new();
        for (name, holds) in [("stuck", STUCK), ("acme", 1)] {
            let (tenant, core) = (tenant(name), subscription(&tenant(name), "Core", &[], START));
            let pager = Subscription { tenant: tenant.clone(), ..observer() };
            pagers.push(pager.id);
            for one in [core.clone(), pager] {
                assert!(engine.direct.ports().create(one, 10).await?);
            }
            for number in 0..holds {
                // Those of the stuck tenant are the older ones.
                let at = pagers.len() as u32 * 3600 * SECOND + number * SECOND;
                assert!(engine.direct.ports().hold(&tenant, core.id, "Night shift", START + at).await?);
                engine.direct.ports().release_hold(&tenant, core.id, START + at).await?;
            }
        }
        engine.ports().count_changes(Instant::now() + TIMEOUT, &mut Added::default()).await?;
        engine.proxy.fault_containing("PutItem V", "V#stuck#", REFUSED);
        engine.proxy.take_calls();
        let failed = operational::advance(engine.ports(), LATER).await?.failed.expect("events that failed");
        assert_eq!((failed.count, &failed.tenant), (STUCK as usize, &tenant("stuck")));
        let tries = engine.proxy.take_call_names().iter().filter(|name| *name == "PutItem V").count();
        assert_eq!(tries, 10 + 1, "ten of the tenant that is stuck, and the one of the other");
        engine.proxy.clear_faults();
        let left = engine.ports().outbox(1000, None).await?.events;
        assert_eq!(left.len(), STUCK as usize);
        assert!(left.iter().all(|event| event.tenant == tenant("stuck")));
        run(engine.ports()).await?;
        let count = taken_in(&engine, pagers[0]).await?.len();
        assert_eq!(count, STUCK as usize, "once it can be, all are taken in");
        Ok(())
    });
}

#[test]
fn a_tenant_that_cannot_be_looked_at_is_said_once_the_outbox_was_taken_in() {
    run_with_faults(async {
        let Failing { engine, core, pager } = failing().await?;
        engine.ports().count_changes(Instant::now() + TIMEOUT, &mut Added::default()).await?;
        // The window of exhausted deliveries cannot be ended.
        engine.proxy.fault_containing("TransactWriteItems", &core.to_string(), BROKEN);
        let advanced = operational::advance(engine.ports(), LATER).await?;
        engine.proxy.clear_faults();
        let failed = advanced.failed_tenants.expect("a tenant");
        assert_eq!((failed.count, failed.first), (1, tenant("acme")), "{}", failed.failure);
        assert!(advanced.failed.is_none(), "{:?}", advanced.failed);
        assert_eq!(taken_in(&engine, pager).await?, ["subscription.failing", "subscription.held"]);
        run(engine.ports()).await?;
        assert_eq!(taken_in(&engine, pager).await?, ["delivery.exhausted"]);
        Ok(())
    });
}
