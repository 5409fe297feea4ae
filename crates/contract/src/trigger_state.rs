//! Trigger state of a loan, event by event.

use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::event_evaluation::EventEvaluation;
use loanhook_core::model::id::EventId;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::trigger_state::TriggerReading;
use loanhook_core::ports::{AcceptOutcome, AcceptRequest, Intake, StoreResult, WatchedTrigger};

use crate::engine::Engine;
use crate::scene::{SECOND, START, event, unwatched};
use crate::triggers::{LATE, watching, with};

/// What an event says of a trigger, as one call of the port.
async fn see<E: Engine>(
    engine: &E,
    of: &Subscription,
    since: u64,
    holds: bool,
    step: u32,
) -> StoreResult<bool> {
    let now = START + step * SECOND;
    let loan = event("727", LATE);
    let delivery = Delivery::render(of, &EventEvaluation::new(&loan, now), EventId::at(now));
    let watch = TriggerReading { subscription: of.id, since, holds };
    let (title, version) = (of.settings.title.clone(), since);
    let watched = vec![WatchedTrigger { watch, title, version, delivery: holds.then_some(delivery) }];
    let ports = engine.ports();
    let request = AcceptRequest { watched, ..unwatched(&of.tenant, None, vec![], now) };
    let accepted =
        ports.accept(AcceptRequest { loan_id: loan.loan_id, ..request }, Default::default()).await?;
    Ok(accepted == AcceptOutcome::Stored { fired: vec![of.id] })
}

pub(crate) async fn a_reading_by_an_older_version_of_a_trigger_changes_nothing<E: Engine>() -> StoreResult<()>
{
    let late = watching(0);
    let engine = with::<E>(&[&late]).await?;
    assert!(see(&engine, &late, 1, true, 0).await?);
    assert!(see(&engine, &late, 2, true, 1).await?, "a changed trigger was never asked");
    assert!(!see(&engine, &late, 1, true, 2).await?, "this one read its subscriptions before the change");
    assert!(!see(&engine, &late, 1, false, 3).await?);
    assert!(!see(&engine, &late, 2, true, 4).await?, "it holds since");
    Ok(())
}

pub(crate) async fn the_state_of_deleted_triggers_is_removed<E: Engine>() -> StoreResult<()> {
    let first = watching(0);
    let engine = with::<E>(&[&first]).await?;
    assert!(see(&engine, &first, 1, true, 0).await?);
    // More than a tenant can have, none of which is there any more.
    for number in 1..=260 {
        assert!(see(&engine, &watching(number), 1, true, 0).await?);
    }
    assert!(see(&engine, &watching(1), 1, true, 1).await?, "of one that is gone nothing is remembered");
    assert!(!see(&engine, &first, 1, true, 2).await?, "of one that is there, it is");
    Ok(())
}
