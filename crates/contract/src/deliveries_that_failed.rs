//! Deliveries that failed: in their set from the last failure of their schedule until a resend of them succeeds.

use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{Deliveries, DeliveryList, DeliverySet, DeliverySpan, StoreResult};

use crate::delivery_list::{
    FAILED, MANY, SUCCEEDED, accepted, acme, attempt, cancel, claim, delivery, of_all_events, resend,
};
use crate::engine::Engine;
use crate::scene::{SECOND, ended};
use crate::triggers::with;

pub(crate) async fn a_delivery_is_in_the_set_that_failed_from_its_last_failure_until_a_resend_of_it_succeeds<
    E: Engine,
>() -> StoreResult<()> {
    let engine = with::<E>(&[&of_all_events("Core", 0)]).await?;
    let of = accepted(&engine, 6).await;
    let [at_first, later, exhausted, canceled, interrupted, newest] = of[..] else {
        panic!("six deliveries")
    };
    let set = async |limit| {
        let span = DeliverySpan { from: None, before: None };
        let part = engine.ports().deliveries(&acme(), DeliverySet::Failed, span, limit).await?;
        let traces = part.deliveries.iter().map(|delivery| delivery.snapshot.trace_id);
        StoreResult::Ok(traces.collect::<Vec<_>>())
    };
    attempt(&engine, at_first, SUCCEEDED).await?;
    for trace in [exhausted, later, canceled, newest] {
        attempt(&engine, trace, FAILED).await?;
    }
    attempt(&engine, interrupted, Err(ErrorKind::Interrupted)).await?;
    assert_eq!(set(MANY).await?, [], "each is retried");

    attempt(&engine, exhausted, FAILED).await?;
    attempt(&engine, newest, FAILED).await?;
    attempt(&engine, later, SUCCEEDED).await?;
    cancel(&engine, canceled).await?;
    assert_eq!(set(MANY).await?, [newest, exhausted], "the newest first");
    assert_eq!(set(1).await?, [newest]);
    resend(&engine, newest, SUCCEEDED).await?;
    assert_eq!(set(MANY).await?, [exhausted]);
    resend(&engine, exhausted, FAILED).await?;
    assert_eq!(set(MANY).await?, [exhausted]);
    resend(&engine, exhausted, SUCCEEDED).await?;
    assert_eq!(set(MANY).await?, []);
    Ok(())
}

/// A schedule that is canceled while its attempt is in flight ends with it, also where that attempt fails.
pub(crate) async fn a_delivery_that_was_canceled_in_flight_has_not_failed<E: Engine>() -> StoreResult<()> {
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
    let part = engine.ports().deliveries(&acme(), DeliverySet::Failed, span, MANY).await?;
    assert_eq!(part.deliveries, []);
    Ok(())
}
