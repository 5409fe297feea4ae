//! Counting of reports where its run dies between two calls, or two runs meet: each change of the table is counted once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use loanhook_aws::{Added, Aws, CountReport};
use loanhook_aws_testing::fault_proxy::{BROKEN, Fault};
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults};
use loanhook_contract::engine::Engine;
use loanhook_contract::recount::recount;
use loanhook_contract::scene::{SECOND, START, Scene, event, loan, resend_message, tenant};
use loanhook_contract::sender::Scripted;
use loanhook_contract::submission;
use loanhook_core::deliver::Deliver;
use loanhook_core::intake::{Submission, accept};
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::ledger::DecisionKind;
use loanhook_core::model::report::{Grouping, Period, ReportQuery, ReportRows};
use loanhook_core::ports::{Reports, StoreResult};

use super::crash_before;

const TIMEOUT: Duration = Duration::from_secs(60);

fn query(by: Period, group: Grouping) -> ReportQuery {
    let day = Period::Day.beginning(START);
    ReportQuery { from: day, to: day + 24 * 3600 * SECOND, by, group }
}

async fn count(engine: &Aws) -> StoreResult<CountReport> {
    engine.count_changes(Instant::now() + TIMEOUT, &mut Added::default()).await
}

fn rows(of: &ReportRows) -> Vec<String> {
    of.iter().map(|row| format!("{row:?}")).collect()
}

/// Holds every report against the history.
async fn assert_counted(engine: &FaultyAwsEngine, at: &str) -> StoreResult<()> {
    let direct = engine.direct.ports();
    for (by, group) in Period::ALL.into_iter().flat_map(|by| Grouping::ALL.map(|group| (by, group))) {
        let query = query(by, group);
        let counted = direct.report_rows(&tenant("acme"), query).await?;
        let recounted = recount(direct, &tenant("acme"), (&[loan("727")], &[]), query).await?;
        assert_eq!(rows(&counted), rows(&recounted), "{at}: {query:?}");
        // There may be events alone, which are of no subscription.
        assert!(group == Grouping::Subscription || !rows(&counted).is_empty(), "{at}: {query:?}");
    }
    Ok(())
}

/// An engine with deliveries of each end, of which nothing is counted.
async fn engine_with_changes() -> StoreResult<FaultyAwsEngine> {
    let scene = Scene::<FaultyAwsEngine>::new(&[1]).await?;
    scene.attempt(Err(ErrorKind::Timeout), START).await?;
    scene.attempt(Ok(200), START + 10 * SECOND).await?;
    let asked = accept(scene.ports(), &tenant("acme"), submission("{}", None), START + SECOND).await;
    assert_eq!(asked.expect("accepted").deliveries.len(), 1);
    scene.engine.proxy.take_calls();
    Ok(scene.engine)
}

/// An engine with more groups than one transaction holds, each an event name with one event; how many there are.
async fn engine_with_many_groups() -> (FaultyAwsEngine, i64) {
    let engine = FaultyAwsEngine::fresh().await;
    let names = 120;
    for number in 0..names {
        let mut event = event("727", "{}");
        event.name = format!("Event {number}");
        let submission = Submission { event, key: None };
        accept(engine.ports(), &tenant("acme"), submission, START).await.expect("accepted");
    }
    (engine, names)
}

/// The calls of a run, each with how many of its name there were up to it.
async fn calls_of_a_run() -> StoreResult<Vec<(String, usize)>> {
    let engine = engine_with_changes().await?;
    assert!(count(engine.ports()).await?.records > 0);
    let mut counts = HashMap::new();
    let numbered = engine.proxy.take_call_names().into_iter().map(|name| {
        let nth: &mut usize = counts.entry(name.clone()).or_default();
        *nth += 1;
        (name, *nth)
    });
    Ok(numbered.collect())
}

#[test]
fn a_crash_between_any_two_calls_of_a_run_counts_each_change_once() {
    run_with_faults(async {
        let calls = calls_of_a_run().await?;
        assert!(calls.iter().any(|(name, _)| name == "TransactWriteItems"), "{calls:?}");
        for (name, nth) in calls {
            let engine = engine_with_changes().await?;
            let ports = engine.ports().clone();
            crash_before(&engine, (&name, nth), async move { count(&ports).await }).await;
            count(engine.ports()).await?;
            let again = count(engine.ports()).await?;
            assert_eq!((again.records, again.transactions), (0, 0), "{name} {nth}: nothing is left");
            assert_counted(&engine, &format!("{name} {nth}")).await?;
        }
        Ok(())
    });
}

#[test]
fn a_transaction_whose_response_was_lost_is_counted_once() {
    run_with_faults(async {
        let engine = engine_with_changes().await?;
        engine.proxy.fault_nth("TransactWriteItems", 1, Fault::LoseResponse);
        count(engine.ports()).await?;
        count(engine.ports()).await?;
        assert_counted(&engine, "a lost response").await
    });
}

#[test]
fn a_run_says_what_it_stored_also_where_it_fails_later() {
    run_with_faults(async {
        let (engine, names) = engine_with_many_groups().await;
        engine.proxy.fault_from("TransactWriteItems", 2, BROKEN);
        let mut said = Added::default();
        let end = || Instant::now() + TIMEOUT;
        assert!(engine.ports().count_changes(end(), &mut said).await.is_err());
        assert!((1..names).contains(&said.counts.events_accepted), "{said:?}");
        engine.proxy.clear_faults();
        engine.ports().count_changes(end(), &mut said).await?;
        assert_eq!(said.counts.events_accepted, names, "each once");
        engine.ports().count_changes(end(), &mut said).await?;
        assert_eq!(said.counts.events_accepted, names, "nothing is left");
        Ok(())
    });
}

#[test]
fn a_run_says_what_was_decided_and_what_ran_out_whatever_came_later() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[]).await?;
        let count = async || {
            let mut added = Added::default();
            scene.ports().count_changes(Instant::now() + TIMEOUT, &mut added).await?;
            StoreResult::Ok(added)
        };
        assert_eq!(count().await?.exhausted, 0);
        let asked = accept(scene.ports(), &tenant("acme"), submission("{}", None), START).await;
        assert_eq!(asked.expect("accepted").deliveries.len(), 1);
        scene.attempt(Err(ErrorKind::Timeout), START).await?;
        let added = count().await?;
        assert_eq!((added.exhausted, added.counts.exhausted), (1, 1));
        let verdicts: Vec<_> = added.facts.verdicts().filter(|(_, count)| *count > 0).collect();
        assert_eq!(verdicts, [(DecisionKind::Delivered, 1)]);
        let (resend, _) = scene.resend(None, START + 5 * SECOND).await?;
        let sender = Scripted::always(200);
        let deliver = Deliver { store: scene.ports().clone(), sender, lease: None, deadline: None };
        let sent_at = START + 6 * SECOND;
        deliver.handle(resend_message(&resend, sent_at), sent_at).await?;
        let added = count().await?;
        assert_eq!((added.exhausted, added.counts.exhausted), (0, -1), "the report takes it back");
        Ok(())
    });
}

#[test]
fn of_two_runs_that_read_the_same_one_counts() {
    run_with_faults(async {
        let engine = engine_with_changes().await?;
        let held = engine.proxy.hold("TransactWriteItems", 1);
        let ports = engine.ports().clone();
        let first = tokio::spawn(async move { count(&ports).await });
        held.arrived().await;
        let other = engine.direct.ports().clone();
        assert!(!count(&other).await?.superseded);
        held.pass();
        let first = first.await.expect("it ends")?;
        assert!(first.superseded && first.transactions == 0, "{first:?}");
        assert_counted(&engine, "the other came first").await?;
        let many = (0..4).map(|_| count(engine.direct.ports()));
        try_join_all(many).await?;
        assert_counted(&engine, "four at once").await
    });
}

#[test]
fn a_run_that_dies_between_its_transactions_is_continued_where_it_came_to() {
    run_with_faults(async {
        let (engine, names) = engine_with_many_groups().await;
        let ports = engine.ports().clone();
        crash_before(&engine, ("TransactWriteItems", 2), async move { count(&ports).await }).await;
        let one = query(Period::Day, Grouping::None);
        let part = engine.ports().report_rows(&tenant("acme"), one).await?;
        let part: Vec<_> = part.iter().map(|(_, _, counts)| counts.events_accepted).collect();
        assert!(matches!(part[..], [counted] if 0 < counted && counted < names), "{part:?}");
        count(engine.ports()).await?;
        assert_counted(&engine, "continued").await
    });
}

#[test]
fn an_event_that_was_not_accepted_after_all_is_not_counted() {
    run_with_faults(async {
        let engine = engine_with_changes().await?;
        engine.proxy.fault_from("PutItem T", 1, BROKEN);
        let refused = accept(engine.ports(), &tenant("acme"), submission("{}", None), START + SECOND).await;
        assert!(refused.is_err());
        engine.proxy.clear_faults();
        count(engine.ports()).await?;
        assert_counted(&engine, "taken back").await
    });
}

#[test]
fn what_a_newer_version_wrote_is_left_to_that_version_with_all_that_follows_it() {
    run_with_faults(async {
        let engine = engine_with_changes().await?;
        count(engine.ports()).await?;
        let stack = &engine.direct.stack;
        let text = |value: &str| AttributeValue::S(value.into());
        let of_newer = [("pk", "V#acme#727"), ("sk", "1"), ("doc", r#"{"v":4000000000}"#)];
        let item = of_newer.map(|(name, value)| (name.to_owned(), text(value)));
        let put = stack.dynamodb.put_item().table_name(&stack.name).set_item(Some(HashMap::from(item)));
        put.send().await.expect("put");
        accept(engine.ports(), &tenant("acme"), submission("{}", None), START).await.expect("accepted");
        for _ in 0..2 {
            let failure = count(engine.ports()).await.expect_err("it stops there");
            assert!(failure.to_string().contains("newer"), "{failure}");
        }
        let events = engine.ports().report_rows(&tenant("acme"), query(Period::Day, Grouping::None)).await?;
        let accepted: Vec<_> = events.iter().map(|(_, _, counts)| counts.events_accepted).collect();
        assert_eq!(accepted, [1], "not the second, which follows it");
        Ok(())
    });
}
