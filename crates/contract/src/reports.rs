//! Reports: each event, delivery, attempt and resend is counted once, and the counts say what the history says.

use loanhook_core::intake;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::{AttemptId, TraceId};
use loanhook_core::model::report::{Counts, Grouping, Period, ReportQuery, ReportRows};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    Attempts, Deliveries, EnqueueOutcome, ReleaseOutcome, Reports, ResendClaimOutcome, Resends, StoreResult,
    Subscriptions,
};
use uuid::Uuid;

use crate::engine::Engine;
use crate::recount::recount;
use crate::scene::{
    Claim, DAY, LEASE, MILLISECOND, SECOND, START, Scene, accept, attempt_message, delivery_of, ended, event,
    loan, resend_message, subscription, tenant,
};
use crate::triggers::{send, submit};

const HOUR: u32 = 3600;

/// A report of the day of the cases and the day after.
fn query(by: Period, group: Grouping) -> ReportQuery {
    ReportQuery { from: START.to_the_day(), to: START.to_the_day() + 2 * DAY, by, group }
}

/// Every way to add up the counts of the days of the cases.
fn queries() -> impl Iterator<Item = ReportQuery> {
    Period::ALL.into_iter().flat_map(|by| Grouping::ALL.map(|group| query(by, group)))
}

/// The counts of acme by hour, each with its hours after the start.
async fn hours<E: Engine>(engine: &E) -> StoreResult<Vec<(u64, Counts)>> {
    engine.count().await;
    let rows = engine.ports().report_rows(&tenant("acme"), query(Period::Hour, Grouping::None)).await?;
    Ok(rows.iter().map(|(hour, _, counts)| (hour.since(START).as_secs() / 3600, counts.clone())).collect())
}

/// The counts of the first hour, which has all there are.
async fn first_hour<E: Engine>(engine: &E) -> StoreResult<Counts> {
    let hours = hours(engine).await?;
    let [(0, counts)] = hours.as_slice() else { panic!("{hours:?}") };
    Ok(counts.clone())
}

/// Rows with something in them, without what only says how they were read.
fn of(rows: &ReportRows) -> Vec<String> {
    rows.iter().map(|row| format!("{row:?}")).collect()
}

/// Holds every report against the history of these loans and deliveries.
async fn assert_counted<E: Engine>(engine: &E, loans: &[&str], traces: &[TraceId]) -> StoreResult<()> {
    engine.count().await;
    let loans: Vec<_> = loans.iter().map(|name| loan(name)).collect();
    for query in queries() {
        let counted = engine.ports().report_rows(&tenant("acme"), query).await?;
        let recounted = recount(engine.ports(), &tenant("acme"), (&loans, traces), query).await?;
        assert_eq!(of(&counted), of(&recounted), "{query:?}");
        assert_ne!(of(&counted), [""; 0], "{query:?}");
    }
    Ok(())
}

/// Claims the next attempt of a delivery.
async fn claim<E: Engine>(engine: &E, trace: TraceId, now: Timestamp) -> StoreResult<Claim> {
    let delivery = delivery_of(engine.ports(), &tenant("acme"), trace).await?.expect("a delivery");
    let next = delivery.progress.waiting().expect("a next attempt");
    let (message, token) = (attempt_message(&delivery, next.number, next.due), Uuid::new_v4());
    match engine.ports().claim(&message, next.number, token, now).await? {
        loanhook_core::ports::ClaimOutcome::Claimed(won) => Ok(Claim { token, delivery: won.0, row: won.1 }),
        loanhook_core::ports::ClaimOutcome::NotClaimed(delivery) => panic!("not claimed: {delivery:?}"),
    }
}

/// Ends a claim after a second.
async fn complete<E: Engine>(engine: &E, claim: Claim, result: Result<u16, ErrorKind>) -> StoreResult<bool> {
    let ends = claim.row.sent_at + SECOND;
    let row = ended(claim.row, result, ends);
    engine.ports().complete(&claim.delivery, claim.token, row, None).await
}

/// Makes the next attempt of a delivery.
async fn attempt<E: Engine>(
    engine: &E,
    trace: TraceId,
    result: Result<u16, ErrorKind>,
    now: Timestamp,
) -> StoreResult<()> {
    let claim = claim(engine, trace, now).await?;
    assert!(complete(engine, claim, result).await?);
    Ok(())
}

/// Asks for a resend of the newest attempt of a delivery.
async fn ask<E: Engine>(engine: &E, trace: TraceId, now: Timestamp) -> StoreResult<Attempt> {
    let delivery = delivery_of(engine.ports(), &tenant("acme"), trace).await?.expect("a delivery");
    let newest = delivery.history.newest_attempt.expect("an attempt");
    let row = delivery.resend_row(AttemptId::at_or_after(now, Some(newest)), newest, "Servicing".into(), now);
    assert_eq!(engine.ports().enqueue_resend(row.clone(), None, now).await?, EnqueueOutcome::Enqueued);
    Ok(row)
}

/// Takes a queued resend; none where it waited too long.
async fn take<E: Engine>(engine: &E, row: &Attempt, now: Timestamp) -> StoreResult<Option<(Uuid, Attempt)>> {
    let token = Uuid::new_v4();
    let message = resend_message(row, row.sent_at);
    Ok(match engine.ports().claim_resend(&message, &row.loan_id, row.id, token, now).await? {
        ResendClaimOutcome::Claimed(won) => Some((token, won.1)),
        ResendClaimOutcome::NotClaimed(_) => None,
    })
}

async fn resend<E: Engine>(engine: &E, trace: TraceId, status: u16, now: Timestamp) -> StoreResult<()> {
    let asked = ask(engine, trace, now).await?;
    let (token, row) = take(engine, &asked, now).await?.expect("taken");
    assert!(engine.ports().complete_resend(token, ended(row, Ok(status), now + SECOND), None).await?);
    Ok(())
}

fn webhook(title: &str, delays: &[u32], millis: u32) -> Subscription {
    subscription(&tenant("acme"), title, delays, START + millis * MILLISECOND)
}

async fn with_webhook<E: Engine>(delays: &[u32]) -> StoreResult<E> {
    let engine = E::fresh().await;
    assert!(engine.ports().create(webhook("Core banking", delays, 0), 1).await?);
    Ok(engine)
}

/// An event of loan 727 with one delivery.
async fn delivered<E: Engine>(engine: &E, step: u32) -> TraceId {
    send(engine, "727", "{}", step).await.deliveries[0].trace_id
}

/// How many attempts there are of each class that has any.
fn attempts(counts: &Counts) -> Vec<(&'static str, i64)> {
    let classes = loanhook_core::model::report::AttemptClass::ALL.into_iter().zip(counts.attempts);
    classes.filter(|(_, count)| *count != 0).map(|(class, count)| (class.name(), count)).collect()
}

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

/// Numbers that look random and are the same in each run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}

/// Steps of every kind, some at once, over several hours, subscriptions and loans.
pub(crate) async fn mixed_steps_are_counted_as_the_history_says<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let webhooks = [webhook("Core banking", &[1, 5, 5], 0), webhook("Collections", &[], 1)];
    for webhook in &webhooks {
        assert!(engine.ports().create(webhook.clone(), 2).await?);
    }
    let (mut draw, mut traces, mut claims) = (Draw(7), Vec::new(), Vec::new());
    let results =
        [Ok(200), Ok(503), Err(ErrorKind::Dns), Err(ErrorKind::Interrupted), Err(ErrorKind::Blocked)];
    for step in 0..160 {
        let now = START + step * 70 * SECOND;
        let trace = traces.get(draw.below(traces.len().max(1))).copied();
        let delivery = match trace {
            Some(trace) => delivery_of(engine.ports(), &tenant("acme"), trace).await?,
            None => None,
        };
        match (draw.below(10), delivery) {
            (0..=2, _) | (_, None) => {
                let name = ["727", "728"][draw.below(2)];
                let receipt = submit(&engine, name, "{}", None, now).await;
                traces.extend(receipt.deliveries.iter().map(|delivery| delivery.trace_id));
            }
            (3, Some(delivery)) => {
                let _ = engine.ports().cancel(&tenant("acme"), delivery.snapshot.trace_id).await?;
            }
            (4..=5, Some(delivery)) if delivery.history.newest_attempt.is_some() => {
                let asked = ask(&engine, delivery.snapshot.trace_id, now).await?;
                let taken = take(&engine, &asked, now + 60 * SECOND).await?.expect("taken");
                match draw.below(3) {
                    // It stays in flight.
                    0 => {}
                    which => {
                        let status = [200, 500][which - 1];
                        let end = ended(taken.1, Ok(status), now + 61 * SECOND);
                        engine.ports().complete_resend(taken.0, end, None).await?;
                    }
                }
            }
            (6, Some(delivery)) if delivery.progress.in_flight().is_some() => {
                // A message finds that its lease is over.
                let claim = *delivery.progress.in_flight().expect("in flight");
                let message = attempt_message(&delivery, claim.number, claim.since);
                let at = now.max(claim.since + LEASE);
                scripted(&engine).handle(message, at).await?;
            }
            (_, Some(delivery)) if delivery.progress.waiting().is_some() => {
                let claim = claim(&engine, delivery.snapshot.trace_id, now).await?;
                match draw.below(4) {
                    0 => claims.push(claim),
                    1 => {
                        engine.ports().release(&claim.delivery, claim.token, &claim.row, now).await?;
                    }
                    _ => {
                        // Of two who end it at once, one is counted.
                        let result = results[draw.below(results.len())];
                        let again =
                            Claim { delivery: claim.delivery.clone(), row: claim.row.clone(), ..claim };
                        let both = [complete(&engine, claim, result), complete(&engine, again, Ok(404))];
                        futures_util::future::try_join_all(both).await?;
                    }
                }
            }
            _ => {}
        }
        if claims.len() > 3 {
            let at = draw.below(claims.len());
            // Its lease may be over, or its delivery canceled.
            complete(&engine, claims.swap_remove(at), Ok(200)).await?;
        }
    }
    assert_counted(&engine, &["727", "728"], &traces).await?;
    let engine = engine.restarted();
    assert_counted(&engine, &["727", "728"], &traces).await?;
    attempt_any(&engine, &traces, START + 4 * HOUR * SECOND).await?;
    assert_counted(&engine, &["727", "728"], &traces).await
}

/// What delivers, with a sender that gets 500 each time.
fn scripted<E: Engine>(engine: &E) -> loanhook_core::deliver::Deliver<E::Ports, crate::sender::Scripted> {
    let sender = crate::sender::Scripted::always(500);
    loanhook_core::deliver::Deliver {
        store: engine.ports().clone(),
        sender,
        lease: Some(LEASE),
        deadline: None,
    }
}

/// Makes the next attempt of the first delivery that waits for one.
async fn attempt_any<E: Engine>(engine: &E, traces: &[TraceId], now: Timestamp) -> StoreResult<()> {
    for trace in traces {
        let delivery = engine.ports().delivery(&tenant("acme"), *trace).await?.expect("a delivery");
        if delivery.progress.waiting().is_some() {
            return attempt(engine, *trace, Ok(200), now).await;
        }
    }
    panic!("no delivery waits");
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
