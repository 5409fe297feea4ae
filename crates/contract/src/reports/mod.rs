//! Reports: each event, delivery, attempt and resend is counted once, and the counts say what the history says.

mod mixed;
mod steps;

use loanhook_core::intake;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::report::{Counts, Grouping, Period, ReportQuery};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Deliveries, ReleaseOutcome, Reports, Resends, StoreResult, Subscriptions};
use uuid::Uuid;

pub(crate) use self::mixed::mixed_steps_are_counted_as_the_history_says;
use self::steps::{
    HOUR, ask, assert_counted, attempt, attempts, claim, complete, delivered, first_hour, hours, of, queries,
    query, resend, take, webhook, with_webhook,
};
use crate::engine::Engine;
use crate::scene::{Claim, DAY, MILLISECOND, SECOND, START, Scene, accept, ended, event, tenant};
use crate::triggers::{send, submit};

pub(crate) async fn each_end_of_a_delivery_is_counted<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    assert!(send(&engine, "727", "{}", 0).await.deliveries.is_empty());
    let subscription = webhook("Core banking", &[300], 0);
    assert!(engine.ports().create(subscription.clone(), 1).await?);
    let mut traces = Vec::new();
    for step in 1..=8 {
        traces.push(delivered(&engine, step).await);
    }
    let soon = START + 60 * SECOND;
    let retry = soon + 301 * SECOND;
    attempt(&engine, traces[0], Ok(200), soon).await?;
    for trace in &traces[1..4] {
        attempt(&engine, *trace, Err(ErrorKind::Timeout), soon).await?;
    }
    attempt(&engine, traces[1], Ok(204), retry).await?;
    attempt(&engine, traces[2], Ok(500), retry).await?;
    attempt(&engine, traces[3], Ok(302), retry).await?;
    resend(&engine, traces[3], 200, START + 2 * HOUR * SECOND).await?;
    // Canceled while it waits, and while it is sent; one fails for good.
    let cancel = |trace| {
        let tenant = tenant("acme");
        let ports = engine.ports().clone();
        async move { ports.cancel(&tenant, trace).await }
    };
    cancel(traces[4]).await?;
    let in_flight = claim(&engine, traces[5], soon).await?;
    cancel(traces[5]).await?;
    assert!(complete(&engine, in_flight, Ok(200)).await?);
    attempt(&engine, traces[6], Err(ErrorKind::Blocked), soon).await?;

    let test = intake::accept_test(engine.ports(), subscription.into(), &event("727", "{}"), START).await?;
    let test = test.deliveries[0].trace_id;
    attempt(&engine, test, Ok(200), soon).await?;
    resend(&engine, test, 200, soon + 2 * SECOND).await?;

    let hours = hours(&engine).await?;
    let [(0, counts), (2, later)] = hours.as_slice() else { panic!("{hours:?}") };
    assert_eq!((counts.events_accepted, counts.events_unmatched), (9, 1));
    assert_eq!((counts.deliveries_accepted, counts.pending()), (8, 1));
    assert_eq!((counts.succeeded_first, counts.succeeded_later), (1, 2));
    assert_eq!((counts.exhausted, counts.canceled, counts.resends), (2, 2, 0));
    let classes = [("2xx", 3), ("3xx", 1), ("5xx", 1), ("timeout", 3), ("blocked", 1)];
    assert_eq!(attempts(counts), classes);
    assert_eq!((later.resends, attempts(later)), (1, vec![("2xx", 1)]));
    assert_eq!(later.deliveries_accepted, 0);
    let response = counts.response_time_ms().expect("times");
    assert!((response.p50 - 41.7).abs() < 41.7 / 256.0, "{response:?}");
    let first = counts.first_attempt_ms().expect("times");
    assert!((first.p50 - 56_000.0).abs() < 56_000.0 / 256.0, "accepted a second apart: {first:?}");
    assert_counted(&engine, &["727"], &[]).await
}

pub(crate) async fn a_resend_counts_in_the_hour_when_it_is_sent<E: Engine>() -> StoreResult<()> {
    let engine = with_webhook::<E>(&[]).await?;
    let trace = delivered(&engine, 0).await;
    attempt(&engine, trace, Ok(500), START).await?;
    let asked_at = START + (HOUR - 1) * SECOND;
    let asked = ask(&engine, trace, asked_at).await?;
    assert_eq!(first_hour(&engine).await?.resends, 1, "it waits");
    let sent_at = START + HOUR * SECOND;
    let (token, row) = take(&engine, &asked, sent_at).await?.expect("taken");
    let resends = |hours: &[(u64, Counts)]| {
        hours.iter().map(|(hour, counts)| (*hour, counts.resends)).collect::<Vec<_>>()
    };
    assert_eq!(resends(&hours(&engine).await?), [(0, 0), (1, 1)]);
    // It could not leave, and waits again; then it waits for too long.
    assert!(engine.ports().release_resend(token, row.clone(), START + 2 * HOUR * SECOND).await?);
    assert_eq!(resends(&hours(&engine).await?), [(0, 0), (2, 1)]);
    assert!(take(&engine, &row, START + 3 * HOUR * SECOND).await?.is_none());
    let hours = hours(&engine).await?;
    assert_eq!(resends(&hours), [(0, 0), (2, 1)]);
    assert_eq!(attempts(&hours[1].1), [("interrupted", 1)]);
    assert_counted(&engine, &["727"], &[]).await
}

pub(crate) async fn a_success_is_the_first_attempts_whatever_a_resend_did<E: Engine>() -> StoreResult<()> {
    for (result, first, later) in [(200, 1, 0), (500, 0, 1)] {
        let engine = with_webhook::<E>(&[]).await?;
        let trace = delivered(&engine, 0).await;
        let claim = claim(&engine, trace, START).await?;
        resend(&engine, trace, 200, START + MILLISECOND).await?;
        let counts = first_hour(&engine).await?;
        assert_eq!((counts.succeeded_first, counts.succeeded_later, counts.pending()), (0, 0, 1));
        assert!(complete(&engine, claim, Ok(result)).await?);
        let counts = first_hour(&engine).await?;
        assert_eq!((counts.succeeded_first, counts.succeeded_later), (first, later), "{result}");
        assert_eq!((counts.pending(), counts.exhausted), (0, 0));
        assert_counted(&engine, &["727"], &[]).await?;
    }
    Ok(())
}

pub(crate) async fn a_claim_that_is_given_back_is_no_attempt<E: Engine>() -> StoreResult<()> {
    let engine = with_webhook::<E>(&[300]).await?;
    let traces = [delivered(&engine, 0).await, delivered(&engine, 0).await];
    for (trace, canceled) in traces.into_iter().zip([false, true]) {
        let claim = claim(&engine, trace, START + SECOND).await?;
        if canceled {
            engine.ports().cancel(&tenant("acme"), trace).await?;
        }
        let released =
            engine.ports().release(&claim.delivery, claim.token, &claim.row, START + 5 * SECOND).await?;
        assert_eq!(released, ReleaseOutcome::Released);
    }
    let counts = first_hour(&engine).await?;
    assert_eq!((attempts(&counts), counts.first_attempt_ms()), (vec![], None));
    assert_eq!((counts.pending(), counts.canceled), (1, 1));
    attempt(&engine, traces[0], Ok(200), START + 5 * SECOND).await?;
    let first = first_hour(&engine).await?.first_attempt_ms().expect("a time");
    assert!((first.p50 - 5000.0).abs() < 5000.0 / 256.0, "from the attempt that was made: {first:?}");
    assert_counted(&engine, &["727"], &[]).await
}

pub(crate) async fn what_changes_nothing_is_not_counted<E: Engine>() -> StoreResult<()> {
    let engine = with_webhook::<E>(&[300]).await?;
    for seconds in 0..3 {
        submit(&engine, "727", "{}", Some("a"), START + seconds * SECOND).await;
    }
    let trace = submit(&engine, "727", "{}", Some("a"), START).await.deliveries[0].trace_id;
    let Claim { token, delivery, row } = claim(&engine, trace, START).await?;
    for (token, completes) in [(Uuid::new_v4(), false), (token, true), (token, false)] {
        let claim = Claim { token, delivery: delivery.clone(), row: row.clone() };
        assert_eq!(complete(&engine, claim, Ok(200)).await?, completes);
    }
    engine.ports().cancel(&tenant("acme"), trace).await?;
    let asked = ask(&engine, trace, START + 10 * SECOND).await?;
    let (token, row) = take(&engine, &asked, START + 10 * SECOND).await?.expect("taken");
    assert!(take(&engine, &asked, START + 11 * SECOND).await?.is_none());
    let end = ended(row, Ok(200), START + 12 * SECOND);
    assert!(!engine.ports().complete_resend(Uuid::new_v4(), end.clone(), None).await?);
    assert!(engine.ports().complete_resend(token, end.clone(), None).await?);
    // Whether it says so again depends on the engine; it is counted once.
    engine.ports().complete_resend(token, end, None).await?;
    let counts = first_hour(&engine).await?;
    assert_eq!((counts.events_accepted, counts.deliveries_accepted, counts.resends), (1, 1, 1));
    assert_eq!((counts.succeeded_first, attempts(&counts)), (1, vec![("2xx", 2)]));
    assert_counted(&engine, &["727"], &[]).await
}

pub(crate) async fn counts_of_another_tenant_are_not_read<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[300]).await?;
    scene.engine.count().await;
    for query in queries() {
        assert_eq!(of(&scene.ports().report_rows(&tenant("other"), query).await?), [""; 0]);
        assert_eq!(of(&scene.ports().report_rows(&tenant("acm"), query).await?), [""; 0]);
        assert_eq!(of(&scene.ports().report_rows(scene.tenant(), query).await?).len(), 1);
    }
    let after = START.to_the_day() + DAY;
    let of_tomorrow = ReportQuery { from: after, ..query(Period::Day, Grouping::None) };
    assert_eq!(of(&scene.ports().report_rows(scene.tenant(), of_tomorrow).await?), [""; 0]);
    Ok(())
}

/// A delivery without an event, as an older version may have left it.
pub(crate) async fn deliveries_are_counted_by_their_subscription_and_event_name<E: Engine>() -> StoreResult<()>
{
    let engine = E::fresh().await;
    let webhooks = [webhook("Core banking", &[], 0), webhook("Collections", &[], 1)];
    for (webhook, step) in webhooks.iter().zip(0..) {
        assert!(engine.ports().create(webhook.clone(), 2).await?);
        let delivery = accept(&engine, webhook, "727", START + step * SECOND).await?;
        attempt(&engine, delivery.snapshot.trace_id, Ok(200), START + 10 * SECOND).await?;
    }
    engine.count().await;
    let read = async |group| {
        let rows = engine.ports().report_rows(&tenant("acme"), query(Period::Day, group)).await?;
        let of = |(day, key, counts): (Timestamp, &_, &Counts)| {
            (day == START.to_the_day(), format!("{key:?}"), counts.succeeded_first)
        };
        StoreResult::Ok(rows.iter().map(of).collect::<Vec<_>>())
    };
    let ids = webhooks.map(|webhook| format!("Subscription({:?})", webhook.id));
    let [first, second] = ids;
    assert_eq!(read(Grouping::Subscription).await?, [(true, first, 1), (true, second, 1)]);
    let event = r#"Event("Payment Posted to Account")"#.to_owned();
    assert_eq!(read(Grouping::Event).await?, [(true, event, 2)]);
    assert_eq!(read(Grouping::None).await?, [(true, "All".to_owned(), 2)]);
    Ok(())
}
