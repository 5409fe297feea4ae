//! Deliveries that need attention: in their set from the first failure until they succeed or are canceled.

use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{
    Deliveries, DeliveryList, DeliverySet, DeliverySpan, ReleaseOutcome, StoreResult,
};

use crate::delivery_list::{
    FAILED, MANY, SUCCEEDED, accepted, acme, attempt, cancel, claim, delivery, of_all_events, resend,
};
use crate::engine::Engine;
use crate::scene::{SECOND, ended};
use crate::triggers::with;

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
