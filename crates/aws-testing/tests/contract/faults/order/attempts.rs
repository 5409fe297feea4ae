//! Attempts of ordered deliveries whose worker dies while it wakes what waits behind: the message that comes again does the rest.

use loanhook_aws_testing::run_with_faults;
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{DAY, SECOND, START, attempt_message};
use loanhook_core::model::id::TraceId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{CancelOutcome, Deliveries as _, StoreResult};

use super::Ordered;
use crate::faults::crash_before;

/// The first attempt of the first delivery gets a status, and its worker dies before a call; its message is handled again. Gives what
/// is queued then.
async fn repeated(
    s: &Ordered,
    first: TraceId,
    status: u16,
    before: (&str, usize),
) -> StoreResult<Vec<(TraceId, Timestamp)>> {
    let (dying, message) = (s.worker(&[status]), attempt_message(&s.delivery(first).await?, 1, START));
    let handled = message.clone();
    crash_before(&s.engine, before, async move { dying.handle(handled, START).await }).await;
    s.queued().await;
    let recovering = s.worker(&[]);
    recovering.handle(message, START + DAY).await?;
    assert_eq!(recovering.sender.numbers(), [], "{before:?}: it was sent");
    Ok(s.queued().await)
}

#[test]
fn a_crash_after_the_end_of_a_delivery_keeps_nothing_waiting() {
    run_with_faults(async {
        // It is no longer open, what is open is read, the next delivery is read, and its message is queued.
        for before in [("DeleteItem N", 1), ("Query N", 2), ("GetItem T", 1), ("SendMessage", 1)] {
            let (s, of) = Ordered::with_deliveries(None, 3).await?;
            assert_eq!(repeated(&s, of[0], 200, before).await?, [(of[1], START + SECOND)], "{before:?}");
        }
        Ok(())
    });
}

#[test]
fn a_crash_after_the_first_failure_of_a_delivery_has_it_step_aside_all_the_same() {
    run_with_faults(async {
        // That it failed is noted, what is open is read, the settings are, the next delivery is, and its message is queued.
        let after =
            [("UpdateItem N", 1), ("Query N", 2), ("Query S", 2), ("GetItem T", 1), ("SendMessage", 2)];
        for before in after {
            let (s, of) = Ordered::with_deliveries(Some(60), 3).await?;
            let mut queued = repeated(&s, of[0], 500, before).await?;
            queued.sort_unstable();
            let retry = START + 300 * SECOND;
            let [(first, again), (second, aside)] = queued[..] else { panic!("{before:?}: {queued:?}") };
            assert_eq!([first, second], [of[0], of[1]], "{before:?}");
            assert!(aside >= START + 60 * SECOND && again >= retry, "{before:?}: {queued:?}");
        }
        Ok(())
    });
}

#[test]
fn a_cancel_that_is_repeated_wakes_what_waits() {
    run_with_faults(async {
        for before in [("DeleteItem N", 1), ("Query N", 1), ("GetItem T", 1), ("SendMessage", 1)] {
            let (s, of) = Ordered::with_deliveries(None, 2).await?;
            let (engine, tenant, trace) = (s.engine.ports().clone(), s.core.tenant.clone(), of[0]);
            crash_before(&s.engine, before, async move { engine.cancel(&tenant, trace).await }).await;
            let again = s.engine.ports().cancel(&s.core.tenant, of[0]).await?;
            assert!(matches!(again, CancelOutcome::NotPending), "{before:?}: {again:?}");
            assert_eq!(s.queued().await, [(of[1], START + SECOND)], "{before:?}");
        }
        Ok(())
    });
}

#[test]
fn a_message_that_comes_twice_sends_nothing_too_early_and_nothing_twice() {
    run_with_faults(async {
        let (s, of) = Ordered::with_deliveries(None, 3).await?;
        let worker = s.worker(&[]);
        let mut messages = Vec::new();
        for trace in &of {
            messages.push(attempt_message(&s.delivery(*trace).await?, 1, START));
        }
        for message in messages.iter().rev() {
            worker.handle(message.clone(), START + SECOND).await?;
        }
        for _ in 0..3 {
            let woken = s.engine.drain().await;
            for message in woken.iter().chain(&woken) {
                worker.handle(message.clone(), START + 2 * SECOND).await?;
            }
        }
        let sent: Vec<_> = worker.sender.take_sent().iter().map(|sent| sent.sequence).collect();
        assert_eq!(sent, [Some(1), Some(2), Some(3)]);
        assert_eq!(s.queued().await, []);
        Ok(())
    });
}
