//! Lists of recovery jobs: what is on them, that they are fixed, and how they are read.

use loanhook_core::delivery_list::DeliveryFilterInput;
use loanhook_core::model::id::TraceId;
use loanhook_core::model::job::{ItemOutcome, JobKind, JobStatus};
use loanhook_core::ports::{Jobs, StoreResult};
use loanhook_core::recovery::{self, JobInput, SeenLoans, plan};

use crate::delivery_list::{CONTEXT, acme};
use crate::engine::Engine;
use crate::job_scene::{
    counts, create, exhausted, failed, items, job, later, of_failed, of_traces, outcomes, step, traces_of,
    without_retries, work_off,
};
use crate::scene::{SECOND, START};
use crate::sender::Scripted;
use crate::triggers::{send, submit, with};

pub(crate) async fn a_list_is_fixed_when_its_job_is_made<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, traces) = exhausted::<E>(&["1", "2"]).await?;
    let id = create(&engine, of_failed()).await.id;
    failed(&engine, "3", 7200).await?;
    engine.drain().await;
    assert_eq!(traces_of(&work_off(&engine, id, Scripted::always(200)).await?), traces);
    assert_eq!(job(&engine, id).await?.counts.total, 2);
    Ok(())
}

pub(crate) async fn what_was_never_attempted_is_left_out<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, traces) = exhausted::<E>(&["1"]).await?;
    let never = send(&engine, "2", CONTEXT, 10).await.deliveries[0].trace_id;
    let all = DeliveryFilterInput { test: Some("false".into()), ..DeliveryFilterInput::default() };
    for input in [JobInput { filter: all, ..of_failed() }, of_traces(&[never, traces[0]])] {
        let id = create(&engine, input).await.id;
        let listed = items(&engine, id).await?;
        assert_eq!(listed.iter().map(|item| item.trace).collect::<Vec<_>>(), traces);
    }
    // Of nothing there is a job that is done.
    let none = create(&engine, of_traces(&[never])).await;
    assert_eq!((none.status(), counts(&none)), (JobStatus::Done, [0; 6]));
    assert_eq!(step(&engine, none.id, later()).await?, None);
    Ok(())
}

pub(crate) async fn of_each_loan_and_subscription_only_the_newest_is_resent<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, traces) = exhausted::<E>(&["1", "2", "1", "1", "2"]).await?;
    let id = create(&engine, JobInput { newest_per_loan: true, ..of_failed() }).await.id;
    assert_eq!(counts(&job(&engine, id).await?), [5, 0, 0, 0, 3, 2]);
    let sent = work_off(&engine, id, Scripted::always(200)).await?;
    assert_eq!(traces_of(&sent), [traces[3], traces[4]]);
    let (superseded, succeeded) = (ItemOutcome::Superseded, ItemOutcome::Succeeded);
    let expected = [superseded, superseded, superseded, succeeded, succeeded];
    assert_eq!(outcomes(&engine, id).await?, expected);
    Ok(())
}

/// Of so many that the call that makes the job lists a part of them. 200 subscriptions match each of 17 events of a loan.
pub(crate) async fn a_long_list_is_completed_by_steps_and_has_each_delivery_once<E: Engine>()
-> StoreResult<()>
where
    E::Ports: Jobs,
{
    const SUBSCRIPTIONS: u32 = 200;
    const EVENTS: u32 = 17;
    let subscriptions: Vec<_> =
        (0..SUBSCRIPTIONS).map(|number| without_retries(&format!("Core {number}"), number)).collect();
    let engine = with::<E>(&subscriptions.iter().collect::<Vec<_>>()).await?;
    let mut expected: Vec<TraceId> = Vec::new();
    for event in 1..=EVENTS {
        let receipt = submit(&engine, "727", CONTEXT, None, START + event * SECOND).await;
        expected.extend(receipt.deliveries.iter().map(|delivery| delivery.trace_id));
    }
    expected.sort_unstable_by(|one, other| other.cmp(one));
    let filter = DeliveryFilterInput { test: Some("false".into()), ..DeliveryFilterInput::default() };
    // Nothing was attempted yet, which a bulk cancel takes.
    let (kind, newest_per_loan) = (JobKind::Cancel, true);
    let input = JobInput { kind, filter, newest_per_loan, ..of_failed() };
    let made = create(&engine, input).await;
    assert!(made.progress.listing.is_some() && made.counts.total < SUBSCRIPTIONS * EVENTS);
    let (id, mut now) = (made.id, later());
    // One driver remembers the steps before, the next one nothing.
    let mut seen = SeenLoans::default();
    while job(&engine, id).await?.progress.listing.is_some() {
        recovery::advance(engine.ports(), &acme(), id, &mut seen, now).await?;
        if job(&engine, id).await?.progress.listing.is_some() {
            step(&engine, id, now).await?;
        }
    }
    let listed: Vec<_> = items(&engine, id).await?.iter().map(|item| item.trace).collect();
    assert_eq!(listed, expected);
    let all = SUBSCRIPTIONS * EVENTS;
    let superseded = all - SUBSCRIPTIONS;
    assert_eq!(counts(&job(&engine, id).await?), [all, 0, 0, 0, superseded, SUBSCRIPTIONS]);
    while step(&engine, id, now).await?.is_some() {
        now = now + SECOND;
        assert!(now < later() + 100 * SECOND, "the job does not end");
    }
    let ended = job(&engine, id).await?;
    assert_eq!(counts(&ended), [all, SUBSCRIPTIONS, 0, 0, superseded, 0]);
    Ok(())
}

pub(crate) async fn a_plan_says_what_a_job_would_do_and_makes_none<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, traces) = exhausted::<E>(&["1", "2", "1"]).await?;
    let paced = JobInput { per_second: Some(0.5), ..of_failed() };
    for (input, count, superseded, first, seconds) in [
        (paced.clone(), 3, 0, &traces[..], 4),
        (JobInput { newest_per_loan: true, ..paced.clone() }, 2, 1, &traces[1..], 2),
        (JobInput { per_second: Some(0.5), ..of_traces(&traces[1..]) }, 2, 0, &traces[1..], 2),
    ] {
        let new = input.check().expect("a job");
        let planned = plan(engine.ports(), &acme(), &new, later()).await?;
        assert_eq!((planned.count, planned.superseded, planned.loans), (count, superseded, 2));
        let shown: Vec<_> =
            planned.deliveries.iter().map(|listed| listed.delivery.snapshot.trace_id).collect();
        assert_eq!((shown.as_slice(), planned.more), (first, false), "the oldest first");
        assert_eq!(planned.duration.as_secs(), seconds);
    }
    assert_eq!(engine.ports().jobs(&acme(), JobKind::Resend, None, 10).await?, []);
    assert_eq!(engine.drain().await, []);
    Ok(())
}

pub(crate) async fn items_are_read_in_pages_and_by_outcome<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, traces) = exhausted::<E>(&["1", "2", "3", "4", "5"]).await?;
    let id = create(&engine, of_failed()).await.id;
    work_off(&engine, id, Scripted::always(200).script(&[500, 200, 500])).await?;
    let ended = job(&engine, id).await?;
    let newest_first: Vec<_> = traces.iter().rev().copied().collect();
    for (outcome, expected) in [
        (None, newest_first.clone()),
        (Some(ItemOutcome::Failed), vec![traces[2], traces[0]]),
        (Some(ItemOutcome::Skipped), vec![]),
    ] {
        for limit in [1, 2, 5, 9] {
            let (mut from, mut found) = (0, Vec::new());
            loop {
                let page = recovery::items(engine.ports(), &ended, outcome, from, limit).await?;
                assert!(page.items.len() == limit || page.next.is_none(), "a page is full");
                found.extend(page.items.iter().map(|(_, item)| item.trace));
                let Some(next) = page.next else { break };
                from = next;
            }
            assert_eq!(found, expected, "{outcome:?}, {limit} a page");
        }
    }
    Ok(())
}
