//! Steps of the cases of reports: what happens to a delivery, and what is counted then.

use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::{AttemptId, TraceId};
use loanhook_core::model::report::{AttemptClass, Counts, Grouping, Period, ReportQuery, ReportRows};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    ClaimOutcome, Deliveries as _, EnqueueOutcome, Reports as _, ResendClaimOutcome, Resends as _,
    StoreResult, Subscriptions as _,
};
use uuid::Uuid;

use crate::engine::Engine;
use crate::recount::recount;
use crate::scene::{
    Claim, DAY, MILLISECOND, SECOND, START, attempt_message, delivery_of, ended, loan, resend_message,
    subscription, tenant,
};
use crate::triggers::send;

pub(super) const HOUR: u32 = 3600;

/// A report of the day of the cases and the day after.
pub(super) fn query(by: Period, group: Grouping) -> ReportQuery {
    ReportQuery { from: START.to_the_day(), to: START.to_the_day() + 2 * DAY, by, group }
}

/// Every way to add up the counts of the days of the cases.
pub(super) fn queries() -> impl Iterator<Item = ReportQuery> {
    Period::ALL.into_iter().flat_map(|by| Grouping::ALL.map(|group| query(by, group)))
}

/// The counts of acme by hour, each with its hours after the start.
pub(super) async fn hours<E: Engine>(engine: &E) -> StoreResult<Vec<(u64, Counts)>> {
    engine.count().await;
    let rows = engine.ports().report_rows(&tenant("acme"), query(Period::Hour, Grouping::None)).await?;
    Ok(rows.iter().map(|(hour, _, counts)| (hour.since(START).as_secs() / 3600, counts.clone())).collect())
}

/// The counts of the first hour, which has all there are.
pub(super) async fn first_hour<E: Engine>(engine: &E) -> StoreResult<Counts> {
    let hours = hours(engine).await?;
    let [(0, counts)] = hours.as_slice() else { panic!("{hours:?}") };
    Ok(counts.clone())
}

/// Rows with something in them, without what only says how they were read.
pub(super) fn of(rows: &ReportRows) -> Vec<String> {
    rows.iter().map(|row| format!("{row:?}")).collect()
}

/// Holds every report against the history of these loans and deliveries.
pub(super) async fn assert_counted<E: Engine>(
    engine: &E,
    loans: &[&str],
    traces: &[TraceId],
) -> StoreResult<()> {
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
pub(super) async fn claim<E: Engine>(engine: &E, trace: TraceId, now: Timestamp) -> StoreResult<Claim> {
    let delivery = delivery_of(engine.ports(), &tenant("acme"), trace).await?.expect("a delivery");
    let next = delivery.progress.waiting().expect("a next attempt");
    let (message, token) = (attempt_message(&delivery, next.number, next.due), Uuid::new_v4());
    match engine.ports().claim(&message, next.number, token, now).await? {
        ClaimOutcome::Claimed(won) => Ok(Claim { token, delivery: won.0, row: won.1 }),
        ClaimOutcome::NotClaimed(delivery) => panic!("not claimed: {delivery:?}"),
    }
}

/// Ends a claim after a second.
pub(super) async fn complete<E: Engine>(
    engine: &E,
    claim: Claim,
    result: Result<u16, ErrorKind>,
) -> StoreResult<bool> {
    let ends = claim.row.sent_at + SECOND;
    let row = ended(claim.row, result, ends);
    engine.ports().complete(&claim.delivery, claim.token, row, None).await
}

/// Makes the next attempt of a delivery.
pub(super) async fn attempt<E: Engine>(
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
pub(super) async fn ask<E: Engine>(engine: &E, trace: TraceId, now: Timestamp) -> StoreResult<Attempt> {
    let delivery = delivery_of(engine.ports(), &tenant("acme"), trace).await?.expect("a delivery");
    let newest = delivery.history.newest_attempt.expect("an attempt");
    let row = delivery.resend_row(AttemptId::at_or_after(now, Some(newest)), newest, "Servicing".into(), now);
    assert_eq!(engine.ports().enqueue_resend(row.clone(), None, now).await?, EnqueueOutcome::Enqueued);
    Ok(row)
}

/// Takes a queued resend; none where it waited too long.
pub(super) async fn take<E: Engine>(
    engine: &E,
    row: &Attempt,
    now: Timestamp,
) -> StoreResult<Option<(Uuid, Attempt)>> {
    let token = Uuid::new_v4();
    let message = resend_message(row, row.sent_at);
    Ok(match engine.ports().claim_resend(&message, &row.loan_id, row.id, token, now).await? {
        ResendClaimOutcome::Claimed(won) => Some((token, won.1)),
        ResendClaimOutcome::NotClaimed(_) => None,
    })
}

pub(super) async fn resend<E: Engine>(
    engine: &E,
    trace: TraceId,
    status: u16,
    now: Timestamp,
) -> StoreResult<()> {
    let asked = ask(engine, trace, now).await?;
    let (token, row) = take(engine, &asked, now).await?.expect("taken");
    assert!(engine.ports().complete_resend(token, ended(row, Ok(status), now + SECOND), None).await?);
    Ok(())
}

pub(super) fn webhook(title: &str, delays: &[u32], millis: u32) -> Subscription {
    subscription(&tenant("acme"), title, delays, START + millis * MILLISECOND)
}

pub(super) async fn with_webhook<E: Engine>(delays: &[u32]) -> StoreResult<E> {
    let engine = E::fresh().await;
    assert!(engine.ports().create(webhook("Core banking", delays, 0), 1).await?);
    Ok(engine)
}

/// An event of loan 727 with one delivery.
pub(super) async fn delivered<E: Engine>(engine: &E, step: u32) -> TraceId {
    send(engine, "727", "{}", step).await.deliveries[0].trace_id
}

/// How many attempts there are of each class that has any.
pub(super) fn attempts(counts: &Counts) -> Vec<(&'static str, i64)> {
    let classes = AttemptClass::ALL.into_iter().zip(counts.attempts);
    classes.filter(|(_, count)| *count != 0).map(|(class, count)| (class.name(), count)).collect()
}
