//! The facts of operational events, the same whichever step of an engine hears of what happened.

use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::TraceId;
use loanhook_core::model::operational::OperationalKind;
use loanhook_core::model::subscription::{Criteria, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeleteOutcome, Jobs, OperationalEvents, StoreResult, Subscriptions as _};
use serde_json::{Value, json};

use crate::delivery_list::{CONTEXT, FAILED, SUCCEEDED, accepted, acme, attempt, of_all_events, resend};
use crate::engine::Engine;
use crate::job_scene::{create, of_traces, without_retries, work_off};
use crate::scene::{MILLISECOND, SECOND, START, subscription};
use crate::triggers::{send, with};

/// More events than any case has.
const MANY: usize = 100;
/// After all that a case does, and before a window of exhausted deliveries ends.
const SOON: Timestamp = Timestamp::from_millis(START.millis() + 60_000);
/// After every window.
const LATER: Timestamp = Timestamp::from_millis(START.millis() + 24 * 3_600_000);

/// A subscription to all operational events.
pub fn observer() -> Subscription {
    let mut observer = subscription(&acme(), "Pager", &[300], START + 900 * MILLISECOND);
    observer.settings.criteria = Criteria::Operational(OperationalKind::ALL.to_vec());
    observer
}

/// What was told since this was asked last, in the order of its time: the facts of each event.
pub async fn told<E: Engine>(engine: &E, now: Timestamp) -> StoreResult<Vec<Value>>
where
    E::Ports: OperationalEvents,
{
    engine.count().await;
    engine.ports().advance_operational_states(now).await?;
    let mut events = engine.ports().outbox(MANY, None).await?.events;
    events.sort_by_key(|event| (event.occurred_at, event.kind));
    for event in &events {
        engine.ports().delete_from_outbox(event).await?;
    }
    Ok(events.iter().map(|event| serde_json::from_str(&event.context).expect("facts")).collect())
}

/// Of the facts these, with the name of the event.
fn facts<const N: usize>(told: &[Value], names: [&str; N]) -> Vec<Vec<Value>> {
    let of = |event: &Value| {
        let named = ["event-name"].into_iter().chain(names).map(|name| event[name].clone());
        named.filter(|fact| !fact.is_null()).collect()
    };
    told.iter().map(of).collect()
}

fn at(seconds: u32) -> String {
    (START + seconds * SECOND).to_string()
}

/// An engine with a subscription of every event and one to operational events, and so many deliveries, a second apart.
async fn observed<E: Engine>(core: &Subscription, count: u32) -> StoreResult<(E, Vec<TraceId>)> {
    let engine = with::<E>(&[core, &observer()]).await?;
    let traces = accepted(&engine, count).await;
    Ok((engine, traces))
}

pub(crate) async fn failures_and_recovery_have_their_facts<E: Engine>() -> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let core = of_all_events("Core", 0);
    let (engine, of) = observed::<E>(&core, 9).await?;
    for trace in &of[..3] {
        attempt(&engine, *trace, FAILED).await?;
    }
    assert_eq!(told(&engine, SOON).await?, Vec::<Value>::new(), "three are not told");
    attempt(&engine, of[3], Err(ErrorKind::Timeout)).await?;
    attempt(&engine, of[4], FAILED).await?;
    let failing = json!({
        "event-name": "subscription.failing", "subscription-id": core.id.to_string(), "title": "Core",
        "occurred-at": at(4), "failures-in-a-row": 4, "since": at(1), "last-response-code": null,
        "last-error": "timeout",
    });
    assert_eq!(told(&engine, SOON).await?, [failing], "the fifth tells nothing more");
    let engine = engine.restarted();
    attempt(&engine, of[5], SUCCEEDED).await?;
    attempt(&engine, of[6], SUCCEEDED).await?;
    let recovered = json!({
        "event-name": "subscription.recovered", "subscription-id": core.id.to_string(), "title": "Core",
        "occurred-at": at(6), "failing-since": at(1), "held-since": null,
    });
    assert_eq!(told(&engine, SOON).await?, [recovered]);
    attempt(&engine, of[7], FAILED).await?;
    attempt(&engine, of[8], SUCCEEDED).await?;
    assert_eq!(told(&engine, SOON).await?, Vec::<Value>::new(), "one failure is nothing");
    Ok(())
}

pub(crate) async fn a_success_that_ends_a_hold_tells_both_in_one_event<E: Engine>() -> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let mut core = of_all_events("Core", 0);
    core.settings.flow.hold_after_failures = Some(3);
    let (engine, of) = observed::<E>(&core, 5).await?;
    for trace in &of[..4] {
        attempt(&engine, *trace, FAILED).await?;
    }
    let told_now = told(&engine, SOON).await?;
    let held = [json!("subscription.held"), json!("failures"), json!(at(3))].to_vec();
    let failing = [json!("subscription.failing"), json!(at(1))].to_vec();
    assert_eq!(facts(&told_now, ["by", "since"]), [held, failing]);
    attempt(&engine, of[4], SUCCEEDED).await?;
    let told_now = told(&engine, SOON).await?;
    let recovered = [json!("subscription.recovered"), json!(at(1)), json!(at(3)), json!(at(5))];
    assert_eq!(facts(&told_now, ["failing-since", "held-since", "occurred-at"]), [recovered], "one, not two");
    Ok(())
}

pub(crate) async fn exhausted_deliveries_are_told_with_the_first_traces<E: Engine>() -> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let core = without_retries("Core", 0);
    let (engine, of) = observed::<E>(&core, 23).await?;
    for trace in &of[..22] {
        attempt(&engine, *trace, FAILED).await?;
    }
    resend(&engine, of[0], SUCCEEDED).await?;
    let name = |event: &Value| event["event-name"] == "delivery.exhausted";
    assert!(!told(&engine, SOON).await?.iter().any(name), "the window is open");
    let engine = engine.restarted();
    let end = START + 301 * SECOND;
    assert_eq!(told(&engine, end.minus(MILLISECOND)).await?, Vec::<Value>::new());
    let first: Vec<_> = of[..20].iter().map(ToString::to_string).collect();
    let exhausted = json!({
        "event-name": "delivery.exhausted", "subscription-id": core.id.to_string(), "title": "Core",
        "occurred-at": at(301), "count": 22, "trace-ids": first, "from": at(1), "to": at(301),
    });
    assert_eq!(told(&engine, end).await?, [exhausted]);
    attempt(&engine, of[22], FAILED).await?;
    let told_now = told(&engine, LATER).await?;
    assert_eq!(facts(&told_now, ["count"]), [[json!("delivery.exhausted"), json!(1)]], "another window");
    assert_eq!(told(&engine, LATER).await?, Vec::<Value>::new());
    Ok(())
}

/// Nobody looks at time between the two: what is looked at late is told no other way.
pub(crate) async fn what_is_exhausted_after_a_window_is_told_in_the_next<E: Engine>() -> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let (engine, of) = observed::<E>(&without_retries("Core", 0), 2).await?;
    let mut traces = of.clone();
    for second in [301, 302] {
        traces.push(send(&engine, "727", CONTEXT, second).await.deliveries[0].trace_id);
    }
    for trace in &traces {
        attempt(&engine, *trace, FAILED).await?;
    }
    let told_now = told(&engine, LATER).await?;
    let exhausted = told_now.into_iter().filter(|event| event["event-name"] == "delivery.exhausted");
    let window = |traces: &[TraceId], from| {
        let traces: Vec<_> = traces.iter().map(ToString::to_string).collect();
        [json!("delivery.exhausted"), json!(2), json!(traces), json!(at(from)), json!(at(from + 300))]
    };
    let names = ["count", "trace-ids", "from", "to"];
    let exhausted = facts(&exhausted.collect::<Vec<_>>(), names);
    assert_eq!(exhausted, [window(&traces[..2], 1), window(&traces[2..], 302)]);
    Ok(())
}

pub(crate) async fn exhausted_deliveries_of_a_deleted_subscription_are_told<E: Engine>() -> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let core = without_retries("Core", 0);
    let (engine, of) = observed::<E>(&core, 5).await?;
    for trace in &of[..4] {
        attempt(&engine, *trace, FAILED).await?;
    }
    assert_eq!(facts(&told(&engine, SOON).await?, []), [[json!("subscription.failing")]]);
    assert_eq!(engine.ports().delete(&acme(), core.id, None).await?, DeleteOutcome::Deleted);
    attempt(&engine, of[4], SUCCEEDED).await?;
    let told_now = told(&engine, LATER).await?;
    let exhausted = [json!("delivery.exhausted"), json!("Core"), json!(4)];
    assert_eq!(facts(&told_now, ["title", "count"]), [exhausted], "what is deleted recovers no more");
    Ok(())
}

pub(crate) async fn a_job_is_told_once_when_it_is_over<E: Engine>() -> StoreResult<()>
where
    E::Ports: OperationalEvents + Jobs,
{
    let (engine, of) = observed::<E>(&without_retries("Core", 0), 2).await?;
    for trace in &of {
        attempt(&engine, *trace, FAILED).await?;
    }
    engine.drain().await;
    assert_eq!(told(&engine, SOON).await?, Vec::<Value>::new());
    let job = create(&engine, of_traces(&of)).await;
    assert_eq!(told(&engine, SOON).await?, Vec::<Value>::new(), "it is under way");
    work_off(&engine, job.id, crate::sender::Scripted::always(200)).await?;
    let told_now = told(&engine, SOON).await?;
    let finished = [json!("job.finished"), json!(job.id.to_string()), json!("done"), json!(2)];
    assert_eq!(facts(&told_now, ["job-id", "status", "succeeded"]), [finished]);
    assert_eq!(told(&engine, SOON).await?, Vec::<Value>::new());
    Ok(())
}
