//! Lists of deliveries across loans: every delivery once, in order, of one tenant.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use loanhook_core::delivery_list::{self, DeliveryFilter, DeliveryPage};
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::delivery::{Delivery, DeliveryPosition};
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::{AttemptId, TenantId, TraceId};
use loanhook_core::model::progress::Status;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::{CancelOutcome, ClaimOutcome, Deliveries, DeliveryList, Resends, StoreResult};
use uuid::Uuid;

use crate::engine::Engine;
use crate::scene::{
    DAY, MILLISECOND, SECOND, START, attempt_message, delivery_of, ended, loan, resend_message, subscription,
    tenant,
};
use crate::triggers::{send, submit, with};

pub(crate) const CONTEXT: &str = r#"{"days": 3}"#;
pub(crate) const MANY: usize = 100;
pub(crate) const FAILED: Result<u16, ErrorKind> = Ok(500);
pub(crate) const SUCCEEDED: Result<u16, ErrorKind> = Ok(200);

pub(crate) fn acme() -> TenantId {
    tenant("acme")
}

/// A subscription of every event, with one retry, made so many milliseconds after the start.
pub(crate) fn of_all_events(title: &str, millis: u32) -> Subscription {
    subscription(&acme(), title, &[300], START + millis * MILLISECOND)
}

/// The days in which all is accepted: an engine may have to look into each day.
pub(crate) fn these_days() -> DeliveryFilter {
    DeliveryFilter { from: Some(START.minus(DAY)), to: Some(START + 2 * DAY), ..DeliveryFilter::default() }
}

pub(crate) async fn page<E: Engine>(
    engine: &E,
    filter: &DeliveryFilter,
    before: Option<DeliveryPosition>,
    limit: usize,
) -> StoreResult<DeliveryPage> {
    delivery_list::page(engine.ports(), &acme(), filter, before, limit, START + DAY).await
}

pub(crate) fn traces(page: &DeliveryPage) -> Vec<TraceId> {
    page.deliveries.iter().map(|listed| listed.delivery.snapshot.trace_id).collect()
}

/// The traces of the deliveries that pass a filter.
pub(crate) async fn found<E: Engine>(engine: &E, filter: DeliveryFilter) -> StoreResult<Vec<TraceId>> {
    let page = page(engine, &filter, None, MANY).await?;
    assert_eq!(page.next, None);
    Ok(traces(&page))
}

pub(crate) async fn delivery<E: Engine>(engine: &E, trace: TraceId) -> StoreResult<Delivery> {
    Ok(delivery_of(engine.ports(), &acme(), trace).await?.expect("a delivery"))
}

/// Makes the next attempt of a delivery, which takes a second.
pub(crate) async fn attempt<E: Engine>(
    engine: &E,
    trace: TraceId,
    result: Result<u16, ErrorKind>,
) -> StoreResult<()> {
    let (claimed, row, token) = claim(engine, trace).await?;
    let at = row.sent_at + SECOND;
    assert!(engine.ports().complete(&claimed, token, ended(row, result, at), None).await?);
    Ok(())
}

pub(crate) async fn claim<E: Engine>(
    engine: &E,
    trace: TraceId,
) -> StoreResult<(Delivery, loanhook_core::model::attempt::Attempt, Uuid)> {
    let (delivery, token) = (delivery(engine, trace).await?, Uuid::new_v4());
    let next = delivery.progress.waiting().expect("a next attempt");
    let message = attempt_message(&delivery, next.number, next.due);
    match engine.ports().claim(&message, next.number, token, next.due).await? {
        ClaimOutcome::Claimed(won) => Ok((won.0, won.1, token)),
        ClaimOutcome::NotClaimed(delivery) => panic!("the claim was lost: {delivery:?}"),
    }
}

/// Resends a delivery, with this result.
pub(crate) async fn resend<E: Engine>(
    engine: &E,
    trace: TraceId,
    result: Result<u16, ErrorKind>,
) -> StoreResult<AttemptId> {
    let delivery = delivery(engine, trace).await?;
    let newest = delivery.history.newest_attempt.expect("an attempt");
    let now = START + 3600 * SECOND;
    let row = delivery.resend_row(AttemptId::at(now), newest, "Servicing".into(), now);
    engine.ports().enqueue_resend(row.clone(), None, now).await?;
    let (message, token) = (resend_message(&row, now), Uuid::new_v4());
    engine.ports().claim_resend(&message, &row.loan_id, row.id, token, now).await?;
    let id = row.id;
    assert!(engine.ports().complete_resend(token, ended(row, result, now + SECOND), None).await?);
    Ok(id)
}

pub(crate) async fn cancel<E: Engine>(engine: &E, trace: TraceId) -> StoreResult<()> {
    let canceled = engine.ports().cancel(&acme(), trace).await?;
    assert!(matches!(canceled, CancelOutcome::Canceled), "{canceled:?}");
    Ok(())
}

/// One delivery of each of so many events, a second apart, the oldest first.
pub(crate) async fn accepted<E: Engine>(engine: &E, count: u32) -> Vec<TraceId> {
    let mut accepted = Vec::new();
    for step in 0..count {
        accepted.push(send(engine, "727", CONTEXT, step).await.deliveries[0].trace_id);
    }
    accepted
}

/// Some are accepted in one millisecond, by several subscriptions, for several loans; events that nothing matches lie between.
pub(crate) async fn every_delivery_is_listed_once_while_others_arrive_and_change<E: Engine>()
-> StoreResult<()> {
    let mut second = of_all_events("Second", 1);
    second.settings.restriction = Some("(> days 2)".into());
    let engine = with::<E>(&[&of_all_events("First", 0), &second]).await?;
    let mut expected = Vec::new();
    for step in 0..9 {
        let context = if step % 3 == 2 { r#"{"days": 1}"# } else { CONTEXT };
        let at = START + (step / 3) * MILLISECOND;
        let receipt = submit(&engine, ["727", "728"][step as usize % 2], context, None, at).await;
        expected.extend(receipt.deliveries.iter().map(|delivery| delivery.trace_id));
    }
    expected.sort_unstable_by_key(|trace| Reverse(*trace));
    let mut arrived = 1;
    for limit in [1, 2, 5, expected.len() + 4, MANY] {
        for filter in [these_days(), DeliveryFilter { test: Some(false), ..these_days() }] {
            let (mut cursor, mut seen) = (None, Vec::new());
            loop {
                let page = page(&engine, &filter, cursor, limit).await?;
                assert!(page.deliveries.len() == limit || page.next.is_none());
                let found = traces(&page);
                if let Some(trace) = found.last().filter(|trace| expected.contains(trace))
                    && delivery(&engine, *trace).await?.progress.waiting().is_some()
                {
                    attempt(&engine, *trace, FAILED).await?;
                }
                seen.extend(found);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
                arrived += 1;
                send(&engine, "729", CONTEXT, arrived).await;
            }
            assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "{limit} a page");
            seen.retain(|trace| expected.contains(trace));
            assert_eq!(seen, expected, "{limit} a page");
        }
    }
    Ok(())
}

pub(crate) async fn a_delivery_is_listed_with_its_newest_attempt<E: Engine>() -> StoreResult<()> {
    let engine = with::<E>(&[&of_all_events("Core", 0)]).await?;
    let traces = accepted(&engine, 3).await;
    attempt(&engine, traces[1], FAILED).await?;
    attempt(&engine, traces[2], FAILED).await?;
    let resent = resend(&engine, traces[2], Ok(404)).await?;
    let listed = page(&engine, &these_days(), None, MANY).await?.deliveries;
    let newest: Vec<_> = listed.iter().map(|listed| listed.newest_attempt.as_ref()).collect();
    assert_eq!(newest[0].map(|row| (row.id, row.number)), Some((resent, AttemptNumber::Manual)));
    assert_eq!(newest[1].map(|row| row.number), Some(AttemptNumber::Auto(1)));
    assert_eq!(newest[2], None);
    for (listed, trace) in listed.iter().zip(traces.iter().rev()) {
        assert_eq!(listed.delivery, delivery(&engine, *trace).await?);
    }
    // One that was given back never was.
    let (claimed, row, token) = claim(&engine, traces[0]).await?;
    engine.ports().release(&claimed, token, &row, row.sent_at).await?;
    let listed = page(&engine, &these_days(), None, MANY).await?.deliveries;
    assert_eq!(listed[2].newest_attempt, None);
    Ok(())
}

/// An engine that looks into each day passes many that have nothing.
pub(crate) async fn deliveries_of_days_far_apart_are_one_list<E: Engine>() -> StoreResult<()> {
    let engine = with::<E>(&[&of_all_events("Core", 0)]).await?;
    let mut expected = Vec::new();
    for day in [0, 1, 12, 60, 60] {
        let receipt = submit(&engine, "727", CONTEXT, None, START + day * DAY).await;
        expected.push((day, receipt.deliveries[0].trace_id));
    }
    expected.sort_unstable_by_key(|(day, trace)| Reverse((*day, *trace)));
    let expected: Vec<_> = expected.into_iter().map(|(_, trace)| trace).collect();
    let days = DeliveryFilter { from: Some(START), to: Some(START + 70 * DAY), ..DeliveryFilter::default() };
    for limit in [2, MANY] {
        let (mut cursor, mut seen) = (None, Vec::new());
        loop {
            let page = page(&engine, &days, cursor, limit).await?;
            seen.extend(traces(&page));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "{limit} a page");
    }
    Ok(())
}

pub(crate) async fn another_tenants_deliveries_are_not_listed<E: Engine>() -> StoreResult<()> {
    let engine = with::<E>(&[&of_all_events("Core", 0)]).await?;
    let traces = accepted(&engine, 2).await;
    attempt(&engine, traces[0], FAILED).await?;
    let stranger = tenant("acme-2");
    for filter in [
        these_days(),
        DeliveryFilter { status: Some(Status::Failed), ..these_days() },
        DeliveryFilter { loan_id: Some(loan("727")), ..these_days() },
    ] {
        let page = delivery_list::page(engine.ports(), &stranger, &filter, None, MANY, START).await?;
        assert_eq!(page.deliveries, [], "{filter:?}");
    }
    assert_eq!(engine.ports().deliveries_of_traces(&stranger, &traces).await?, []);
    let own = engine.ports().deliveries_of_traces(&acme(), &traces).await?;
    assert_eq!(own.iter().map(|delivery| delivery.snapshot.trace_id).collect::<Vec<_>>(), traces);
    assert_eq!(engine.ports().newest_attempts(&stranger, &own).await?, [None, None]);
    Ok(())
}
