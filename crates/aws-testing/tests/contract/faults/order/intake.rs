//! Intake of ordered deliveries: no crash and no call at the same time leaves a gap.

use futures_util::future::join_all;
use loanhook_aws_testing::fault_proxy::{BROKEN, Fault};
use loanhook_aws_testing::run_with_faults;
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{DAY, SECOND, START, attempt_message, tenant};
use loanhook_contract::submission;
use loanhook_core::intake::{IntakeError, accept};

use super::{Ordered, send};
use crate::faults::crash_before;

#[test]
fn a_crash_between_any_two_calls_of_intake_leaves_no_gap() {
    run_with_faults(async {
        // The counter is read, the delivery is numbered, and what is before it is read.
        for before in [("Query N", 1), ("TransactWriteItems", 1), ("Query N", 2)] {
            let (s, of) = Ordered::with_deliveries(None, 1).await?;
            let engine = s.engine.ports().clone();
            crash_before(&s.engine, before, async move { send(&engine, Some("key"), START + SECOND).await })
                .await;
            let behind = send(s.engine.ports(), None, START + 2 * SECOND).await;
            let repeated = send(s.engine.ports(), Some("key"), START + 3 * SECOND).await;
            let again = send(s.engine.ports(), Some("key"), START + 4 * SECOND).await;
            assert_eq!(again, repeated, "{before:?}");
            let last = send(s.engine.ports(), None, START + 5 * SECOND).await;
            let mut numbers = Vec::new();
            for trace in [of[0], repeated, behind, last] {
                numbers.push(s.sequence(trace).await?.expect("a number"));
            }
            numbers.sort_unstable();
            assert_eq!(numbers, [1, 2, 3, 4], "{before:?}");
            assert_eq!(s.queued().await, [], "{before:?}: all wait");
            let worker = s.worker(&[]);
            let mut message = attempt_message(&s.delivery(of[0]).await?, 1, START);
            for number in 2..=5 {
                worker.handle(message.clone(), START + DAY).await?;
                let woken = s.engine.drain().await;
                assert_eq!(woken.len(), usize::from(number < 5), "{before:?} {number}");
                let Some(next) = woken.into_iter().next() else { break };
                assert_eq!(s.sequence(next.trace_id).await?, Some(number), "{before:?}");
                message = next;
            }
        }
        Ok(())
    });
}

#[test]
fn of_calls_at_once_each_has_a_number_of_its_own_without_a_gap() {
    run_with_faults(async {
        let (s, _) = Ordered::with_deliveries(None, 0).await?;
        let sent = join_all((0..20).map(|_| send(s.engine.ports(), None, START))).await;
        let mut numbers = Vec::new();
        for trace in &sent {
            numbers.push(s.sequence(*trace).await?);
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=20).map(Some).collect::<Vec<_>>());
        let queued = s.queued().await;
        assert_eq!(queued.len(), 1, "one may begin");
        assert_eq!(s.sequence(queued[0].0).await?, Some(1));
        Ok(())
    });
}

#[test]
fn a_lost_response_gives_no_second_number() {
    run_with_faults(async {
        let (s, _) = Ordered::with_deliveries(None, 1).await?;
        s.engine.proxy.fault_nth("TransactWriteItems", 1, Fault::LoseResponse);
        let second = send(s.engine.ports(), None, START + SECOND).await;
        let third = send(s.engine.ports(), None, START + 2 * SECOND).await;
        assert_eq!((s.sequence(second).await?, s.sequence(third).await?), (Some(2), Some(3)));
        Ok(())
    });
}

#[test]
fn an_event_that_is_refused_takes_its_number_back() {
    run_with_faults(async {
        let (s, of) = Ordered::with_deliveries(None, 0).await?;
        assert_eq!(of, []);
        s.engine.proxy.fault_from("SendMessage", 1, BROKEN);
        let refused = accept(s.engine.ports(), &tenant("acme"), submission("{}", None), START).await;
        assert!(matches!(refused, Err(IntakeError::Store(_))), "{refused:?}");
        s.engine.proxy.clear_faults();
        let next = send(s.engine.ports(), None, START + SECOND).await;
        assert_eq!(s.sequence(next).await?, Some(1));
        assert_eq!(s.queued().await, [(next, START + SECOND)]);
        Ok(())
    });
}
