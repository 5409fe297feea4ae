//! Counts in a file that is older than they are: what was accepted before is not counted, nor how it ends.

use std::time::Duration;

use loanhook_contract::engine::Engine as _;
use loanhook_contract::run;
use loanhook_contract::scene::{SECOND, accept, attempt_message, ended, subscription, tenant};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::report::{Counts, Grouping, Period, ReportQuery};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{ClaimOutcome, Deliveries as _, Reports as _, StoreResult, Subscriptions as _};
use rusqlite::params;
use uuid::Uuid;

use crate::OnDisk;

const HOUR: Duration = Duration::from_secs(3600);

/// Makes the first attempt of a delivery, which succeeds.
async fn deliver(engine: &OnDisk, delivery: &Delivery, now: Timestamp) -> StoreResult<()> {
    let (message, token) = (attempt_message(delivery, 1, now), Uuid::new_v4());
    let ClaimOutcome::Claimed(won) = engine.ports().claim(&message, 1, token, now).await? else {
        panic!("not claimed")
    };
    let row = ended(won.1, Ok(200), now + SECOND);
    assert!(engine.ports().complete(&won.0, token, row, None).await?);
    Ok(())
}

#[test]
fn a_delivery_from_before_counting_began_is_not_counted_when_it_ends() {
    run(async {
        let now = Timestamp::now();
        let engine = OnDisk::fresh().await;
        let webhook = subscription(&tenant("acme"), "Core banking", &[], now.minus(3 * HOUR));
        assert!(engine.ports().create(webhook.clone(), 1).await?);
        let older = accept(&engine, &webhook, "727", now.minus(2 * HOUR)).await?;
        // As the migration leaves a file of an earlier version.
        engine.file().execute_batch("DELETE FROM counts; DELETE FROM count_changes").expect("deleted");
        engine.change("UPDATE counting SET since = ?1", params![now.minus(HOUR).millis()]);
        let engine = engine.restart();
        let newer = accept(&engine, &webhook, "727", now).await?;
        deliver(&engine, &older, now).await?;
        deliver(&engine, &newer, now).await?;

        let query = ReportQuery {
            from: now.minus(5 * HOUR).to_the_hour(),
            to: now + 5 * HOUR,
            by: Period::Hour,
            group: Grouping::None,
        };
        let rows = engine.ports().report_rows(&tenant("acme"), query).await?;
        assert_eq!(rows.counted_since, Some(now.minus(HOUR)));
        let all: Vec<_> = rows.iter().map(|(hour, _, counts)| (hour, counts.clone())).collect();
        let [(hour, counts)] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(*hour, now.to_the_hour());
        let Counts { deliveries_accepted, succeeded_first, .. } = *counts;
        assert_eq!((deliveries_accepted, succeeded_first, counts.pending()), (1, 1, 0));
        assert_eq!(counts.attempts.iter().sum::<i64>(), 2, "both were sent since");
        Ok(())
    });
}
