//! Steps of every kind, mixed, and counts that say what the history says after them.

use futures_util::future::try_join_all;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::TraceId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Attempts as _, Deliveries as _, Resends as _, StoreResult, Subscriptions as _};

use super::steps::{HOUR, ask, assert_counted, attempt, claim, complete, take, webhook};
use crate::engine::Engine;
use crate::scene::{Claim, LEASE, SECOND, START, attempt_message, delivery_of, ended, tenant};
use crate::sender::Scripted;
use crate::triggers::submit;

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
                        try_join_all(both).await?;
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
fn scripted<E: Engine>(engine: &E) -> Deliver<E::Ports, Scripted> {
    let sender = Scripted::always(500);
    Deliver { store: engine.ports().clone(), sender, lease: Some(LEASE), deadline: None }
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
