//! Filters of lists of deliveries, and filtered pages.

use std::cmp::Reverse;
use std::sync::Arc;

use loanhook_core::delivery_list::DeliveryFilter;
use loanhook_core::intake;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::filter::CodeFilter;
use loanhook_core::model::flow::WaitingReason;
use loanhook_core::model::progress::Status;
use loanhook_core::model::subscription::Criteria;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

use crate::delivery_list::{
    CONTEXT, FAILED, MANY, SUCCEEDED, accepted, attempt, cancel, found, of_all_events, page, these_days,
    traces,
};
use crate::engine::Engine;
use crate::scene::{MILLISECOND, SECOND, START, event, loan};
use crate::triggers::{send, submit, with};

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
    for reason in WaitingReason::ALL {
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
