//! Lists of deliveries across loans: every delivery once, in order, of one tenant.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use loanhook_core::delivery_list::{self, DeliveryFilter, DeliveryPage, WaitingReason};
use loanhook_core::intake;
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::delivery::{Delivery, DeliveryPosition};
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::filter::CodeFilter;
use loanhook_core::model::id::{AttemptId, TenantId, TraceId};
use loanhook_core::model::progress::Status;
use loanhook_core::model::subscription::{Criteria, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    CancelOutcome, ClaimOutcome, Deliveries, DeliveryList, DeliverySet, DeliverySpan, ReleaseOutcome,
    Resends, StoreResult,
};
use uuid::Uuid;

use crate::engine::Engine;
use crate::scene::{
    DAY, MILLISECOND, SECOND, START, attempt_message, delivery_of, ended, event, loan, resend_message,
    subscription, tenant,
};
use crate::triggers::{send, submit, with};

const CONTEXT: &str = r#"{"days": 3}"#;
const MANY: usize = 100;
const FAILED: Result<u16, ErrorKind> = Ok(500);
const SUCCEEDED: Result<u16, ErrorKind> = Ok(200);

fn acme() -> TenantId {
    tenant("acme")
}

/// A subscription of every event, with one retry, made so many milliseconds after the start.
fn of_all_events(title: &str, millis: u32) -> Subscription {
    subscription(&acme(), title, &[300], START + millis * MILLISECOND)
}

/// The days in which all is accepted: an engine may have to look into each day.
fn these_days() -> DeliveryFilter {
    DeliveryFilter { from: Some(START.minus(DAY)), to: Some(START + 2 * DAY), ..DeliveryFilter::default() }
}

async fn page<E: Engine>(
    engine: &E,
    filter: &DeliveryFilter,
    before: Option<DeliveryPosition>,
    limit: usize,
) -> StoreResult<DeliveryPage> {
    delivery_list::page(engine.ports(), &acme(), filter, before, limit, START + DAY).await
}

fn traces(page: &DeliveryPage) -> Vec<TraceId> {
    page.deliveries.iter().map(|listed| listed.delivery.snapshot.trace_id).collect()
}

/// The traces of the deliveries that pass a filter.
async fn found<E: Engine>(engine: &E, filter: DeliveryFilter) -> StoreResult<Vec<TraceId>> {
    let page = page(engine, &filter, None, MANY).await?;
    assert_eq!(page.next, None);
    Ok(traces(&page))
}

async fn delivery<E: Engine>(engine: &E, trace: TraceId) -> StoreResult<Delivery> {
    Ok(delivery_of(engine.ports(), &acme(), trace).await?.expect("a delivery"))
}

/// Makes the next attempt of a delivery, which takes a second.
async fn attempt<E: Engine>(engine: &E, trace: TraceId, result: Result<u16, ErrorKind>) -> StoreResult<()> {
    let (claimed, row, token) = claim(engine, trace).await?;
    let at = row.sent_at + SECOND;
    assert!(engine.ports().complete(&claimed, token, ended(row, result, at), None).await?);
    Ok(())
}

async fn claim<E: Engine>(
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
async fn resend<E: Engine>(
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

async fn cancel<E: Engine>(engine: &E, trace: TraceId) -> StoreResult<()> {
    let canceled = engine.ports().cancel(&acme(), trace).await?;
    assert!(matches!(canceled, CancelOutcome::Canceled), "{canceled:?}");
    Ok(())
}

/// One delivery of each of so many events, a second apart, the oldest first.
async fn accepted<E: Engine>(engine: &E, count: u32) -> Vec<TraceId> {
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

pub(crate) async fn a_delivery_is_in_the_set_that_needs_attention_from_its_first_failure_to_its_end<
    E: Engine,
>() -> StoreResult<()> {
    let engine = with::<E>(&[&of_all_events("Core", 0)]).await?;
    let of = accepted(&engine, 5).await;
    let [at_first, later, exhausted, canceled, interrupted] = of[..] else { panic!("five deliveries") };
    let set = async |limit| {
        let span = DeliverySpan { from: None, before: None };
        let part = engine.ports().deliveries(&acme(), DeliverySet::NeedAttention, span, limit).await?;
        let traces = part.deliveries.iter().map(|delivery| delivery.snapshot.trace_id);
        StoreResult::Ok(traces.collect::<Vec<_>>())
    };
    attempt(&engine, at_first, SUCCEEDED).await?;
    assert_eq!(set(MANY).await?, []);
    for trace in [exhausted, later, canceled] {
        attempt(&engine, trace, FAILED).await?;
    }
    attempt(&engine, interrupted, Err(ErrorKind::Interrupted)).await?;
    assert_eq!(set(MANY).await?, [interrupted, canceled, exhausted, later], "the newest first");
    assert_eq!(set(2).await?, [interrupted, canceled]);

    // An attempt that is under way, or given back, changes nothing.
    let (claimed, row, token) = claim(&engine, exhausted).await?;
    assert_eq!(set(MANY).await?, [interrupted, canceled, exhausted, later]);
    let due = row.sent_at + SECOND;
    let released = engine.ports().release(&claimed, token, &row, due).await?;
    assert_eq!(released, ReleaseOutcome::Released);
    assert_eq!(set(MANY).await?, [interrupted, canceled, exhausted, later]);

    attempt(&engine, exhausted, FAILED).await?;
    attempt(&engine, later, SUCCEEDED).await?;
    cancel(&engine, canceled).await?;
    attempt(&engine, interrupted, SUCCEEDED).await?;
    assert_eq!(set(MANY).await?, [exhausted]);
    resend(&engine, exhausted, FAILED).await?;
    assert_eq!(set(MANY).await?, [exhausted]);
    resend(&engine, exhausted, SUCCEEDED).await?;
    assert_eq!(set(MANY).await?, []);
    Ok(())
}

/// A schedule that is canceled while its attempt is in flight ends with it, also where that attempt fails.
pub(crate) async fn a_delivery_that_was_canceled_in_flight_needs_no_attention<E: Engine>() -> StoreResult<()>
{
    let engine = with::<E>(&[&of_all_events("Core", 0)]).await?;
    let traces = accepted(&engine, 2).await;
    attempt(&engine, traces[0], FAILED).await?;
    for trace in traces {
        let (claimed, row, token) = claim(&engine, trace).await?;
        cancel(&engine, trace).await?;
        let at = row.sent_at + SECOND;
        assert!(engine.ports().complete(&claimed, token, ended(row, FAILED, at), None).await?);
        assert_eq!(delivery(&engine, trace).await?.progress.status(), Status::Canceled);
    }
    let span = DeliverySpan::default();
    let part = engine.ports().deliveries(&acme(), DeliverySet::NeedAttention, span, MANY).await?;
    assert_eq!(part.deliveries, []);
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

pub(crate) async fn each_filter_lets_its_deliveries_pass<E: Engine>() -> StoreResult<()> {
    let core = of_all_events("Core", 0);
    let mut borrowers = of_all_events("Borrowers", 1);
    borrowers.settings.criteria = Criteria::Events(vec!["Other".into()]);
    let engine = with::<E>(&[&core, &borrowers]).await?;
    let of = accepted(&engine, 6).await;
    let of_test = event("728", CONTEXT);
    let tested =
        intake::accept_test(engine.ports(), Arc::new(borrowers.clone()), &of_test, START + 6 * SECOND);
    let tested = tested.await?.deliveries[0].trace_id;
    attempt(&engine, of[0], SUCCEEDED).await?;
    attempt(&engine, of[1], FAILED).await?;
    attempt(&engine, of[2], Err(ErrorKind::Timeout)).await?;
    cancel(&engine, of[3]).await?;
    for _ in 0..2 {
        attempt(&engine, of[4], Ok(404)).await?;
    }
    let with = |change: fn(&mut DeliveryFilter)| {
        let mut filter = these_days();
        change(&mut filter);
        filter
    };
    let status = |status| DeliveryFilter { status: Some(status), ..these_days() };
    assert_eq!(found(&engine, status(Status::Pending)).await?, [tested, of[5], of[2], of[1]]);
    assert_eq!(found(&engine, status(Status::Succeeded)).await?, [of[0]]);
    assert_eq!(found(&engine, status(Status::Failed)).await?, [of[4]]);
    assert_eq!(found(&engine, status(Status::Canceled)).await?, [of[3]]);
    for reason in [WaitingReason::Limit, WaitingReason::Order, WaitingReason::Hold] {
        let waiting = DeliveryFilter { waiting: Some(reason), ..these_days() };
        assert_eq!(found(&engine, waiting).await?, []);
    }
    let subscription = DeliveryFilter { subscription_id: Some(borrowers.id), ..these_days() };
    assert_eq!(found(&engine, subscription).await?, [tested]);
    let named = with(|filter| filter.event_name = Some("Other".into()));
    assert_eq!(found(&engine, named).await?, []);
    for (of_loan, expected) in
        [("727", of.iter().rev().copied().collect()), ("728", vec![tested]), ("729", vec![])]
    {
        let filter = DeliveryFilter { loan_id: Some(loan(of_loan)), ..these_days() };
        assert_eq!(found(&engine, filter).await?, expected, "{of_loan}");
    }
    let failed_of_loan = with(|filter| {
        filter.loan_id = Some(loan("727"));
        filter.status = Some(Status::Failed);
    });
    assert_eq!(found(&engine, failed_of_loan).await?, [of[4]]);
    let code = |code| DeliveryFilter { response_code: Some(code), ..these_days() };
    assert_eq!(found(&engine, code(CodeFilter::Exact(404))).await?, [of[4]]);
    assert_eq!(found(&engine, code(CodeFilter::Class(5))).await?, [of[1]]);
    let error = with(|filter| filter.error = Some(ErrorKind::Timeout));
    assert_eq!(found(&engine, error).await?, [of[2]]);
    assert_eq!(found(&engine, with(|filter| filter.test = Some(true))).await?, [tested]);
    assert_eq!(found(&engine, with(|filter| filter.test = Some(false))).await?.len(), 6);
    let within = |from: Timestamp, to: Timestamp| DeliveryFilter {
        from: Some(from),
        to: Some(to),
        ..DeliveryFilter::default()
    };
    let spanned = within(START + SECOND, START + 3 * SECOND);
    assert_eq!(found(&engine, spanned).await?, [of[2], of[1]], "from is inclusive and to is not");
    Ok(())
}

/// Also across a loan's events, several of which are of one millisecond.
pub(crate) async fn filtered_pages_are_full_and_have_every_delivery_once<E: Engine>() -> StoreResult<()> {
    let engine = with::<E>(&[&of_all_events("Core", 0), &of_all_events("Data", 1)]).await?;
    let mut expected = Vec::new();
    for step in 0..8 {
        let receipt = submit(&engine, "727", CONTEXT, None, START + (step / 4) * MILLISECOND).await;
        for delivery in receipt.deliveries {
            for _ in 0..2 {
                attempt(&engine, delivery.trace_id, FAILED).await?;
            }
            expected.push(delivery.trace_id);
        }
        send(&engine, "728", CONTEXT, step).await;
    }
    expected.sort_unstable_by_key(|trace| Reverse(*trace));
    let failed = DeliveryFilter { status: Some(Status::Failed), ..these_days() };
    let of_loan = DeliveryFilter { loan_id: Some(loan("727")), ..these_days() };
    for filter in [failed, of_loan] {
        for limit in [1, 3, 16, MANY] {
            let (mut cursor, mut seen) = (None, Vec::new());
            loop {
                let page = page(&engine, &filter, cursor, limit).await?;
                assert!(page.deliveries.len() == limit || page.next.is_none());
                seen.extend(traces(&page));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected, "{filter:?}, {limit} a page");
        }
    }
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
