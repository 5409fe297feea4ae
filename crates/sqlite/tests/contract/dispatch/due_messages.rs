//! Messages that are due, that are not due yet, and that cannot be acted on.

use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::time::Timestamp;
use rusqlite::params;

use super::start_reporting_worker;
use crate::OnDisk;
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, SECOND, START, accept, subscription, tenant};

/// Messages that cannot be read, or whose delivery cannot, hold up nothing behind them, and stay in the table.
#[test]
fn a_message_that_cannot_be_acted_on_is_quarantined() {
    loanhook_contract::run(async {
        let engine = OnDisk::fresh().await;
        let subscription = subscription(&tenant("acme"), "Core banking", &[300], START);
        let bad = accept(&engine, &subscription, "bad", START).await?;
        let odd = accept(&engine, &subscription, "odd", START + MILLISECOND).await?;
        let good = accept(&engine, &subscription, "good", START + SECOND).await?;
        let trace = |of: &Delivery| of.snapshot.trace_id.uuid().into_bytes();
        engine.change("UPDATE deliveries SET frozen = '{' WHERE trace = ?1", params![trace(&bad)]);
        engine.change("UPDATE queue SET tenant = 'No Tenant' WHERE trace = ?1", params![trace(&odd)]);
        let (worker, mut started) = start_reporting_worker(engine.ports(), |attempt| attempt.row.trace_id);
        assert_eq!(started.recv().await.expect("started"), Some(good.snapshot.trace_id));
        worker.stop().await;
        let due = "SELECT count(*) FROM queue WHERE due = 9223372036854775807";
        let quarantined: i64 = engine.file().query_row(due, [], |row| row.get(0)).expect("counted");
        assert_eq!(quarantined, 2);
        // A start goes on in spite of them.
        let engine = engine.restart();
        let (worker, mut started) = start_reporting_worker(engine.ports(), |attempt| attempt.row.trace_id);
        let next = accept(&engine, &subscription, "next", START + SECOND).await?;
        // The attempt before follows too, as it was interrupted.
        while started.recv().await.expect("started").expect("claimed") != next.snapshot.trace_id {}
        worker.stop().await;
        Ok(())
    });
}

#[test]
fn an_attempt_is_not_claimed_before_it_is_due() {
    loanhook_contract::run(async {
        let engine = OnDisk::fresh().await;
        let subscription = subscription(&tenant("acme"), "Core banking", &[300], START);
        let soon = Timestamp::now() + 200 * MILLISECOND;
        accept(&engine, &subscription, "727", soon).await?;
        let (worker, mut started) = start_reporting_worker(engine.ports(), |attempt| attempt.row.sent_at);
        assert!(started.recv().await.expect("started").expect("claimed") >= soon);
        worker.stop().await;
        Ok(())
    });
}
