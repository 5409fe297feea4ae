//! Holds: what is held waits, and what waited leaves slowly at first.

use loanhook_aws_testing::run_with_faults;
use loanhook_contract::scene::{SECOND, START};
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{QueueMessage, StoreResult, Subscriptions as _};

use super::{Scene, traces};
use crate::faults::simulated_time::{SimulatedTime, simulated_time};

#[test]
fn what_waited_for_a_hold_by_hand_leaves_slowly_at_first_and_the_oldest_first() {
    run_with_faults(async {
        let s = Scene::new(simulated_time!(START), FlowSettings::default(), &[]).await?;
        s.hold_by_hand().await?;
        let accepted = s.accept(14).await?;
        s.sent_turns();
        for message in &accepted {
            s.handle(message).await?;
        }
        assert_eq!((s.take_sent(), s.count_waiting().await?), (vec![], 14));
        assert_eq!(s.sent_turns(), [(1, 1)], "one message, whatever comes");
        // It looks, and nothing follows it: while it is held no message goes round.
        assert_eq!((s.turn(1).await?, s.sent_turns()), (vec![], vec![]));

        s.release().await?;
        assert_eq!(s.sent_turns(), [(2, 0)]);
        for (turn, woken) in [(2, 0..4), (3, 4..12), (4, 12..14)] {
            assert_eq!(s.turn(turn).await?, traces(&accepted[woken.clone()]), "in second {}", turn - 2);
            assert_eq!(s.turn(turn).await?, [], "a second delivery of the message wakes no more");
            for message in &accepted[woken.clone()] {
                s.handle(message).await?;
            }
            assert_eq!(s.take_sent(), traces(&accepted[woken]));
            s.pass(SECOND);
        }
        assert_eq!(s.count_waiting().await?, 0);
        Ok(())
    });
}

#[test]
fn a_mark_is_gone_when_the_last_turn_finds_that_nothing_waits() {
    run_with_faults(async {
        let s = Scene::new(simulated_time!(START), FlowSettings::default(), &[]).await?;
        s.hold_by_hand().await?;
        s.release().await?;
        s.sent_turns();
        s.turn(1).await?;
        assert_eq!(s.sent_turns(), [(2, 20)], "when nothing leaves slowly any more");
        s.pass(20 * SECOND);
        s.turn(2).await?;
        let accepted = s.accept(1).await?;
        s.engine.proxy.take_calls();
        s.handle(&accepted[0]).await?;
        let calls = s.engine.proxy.take_call_names();
        assert!(!calls.iter().any(|name| name.ends_with(" B") || name.ends_with(" O")), "{calls:?}");
        assert_eq!(s.take_sent(), traces(&accepted));
        Ok(())
    });
}

/// A subscription that three failures hold, after three failures and with a fourth delivery.
async fn held(time: SimulatedTime, statuses: &[u16]) -> StoreResult<(Scene, Vec<QueueMessage>)> {
    let flow = FlowSettings { hold_after_failures: Some(3), ..FlowSettings::default() };
    let s = Scene::new(time, flow, &[&[500, 500, 500], statuses].concat()).await?;
    let accepted = s.accept(6).await?;
    for message in &accepted[..3] {
        s.handle(message).await?;
    }
    assert!(s.hold().await?.is_some());
    s.take_sent();
    s.sent_turns();
    s.handle(&accepted[3]).await?;
    // A probe is due 30 s after the failure, which was a second after its request left.
    assert_eq!((s.take_sent(), s.sent_turns()), (vec![], vec![(1, 31)]));
    Ok((s, accepted))
}

#[test]
fn a_probe_at_a_time_leaves_when_it_is_due_and_its_success_ends_the_hold() {
    run_with_faults(async {
        let (s, accepted) = held(simulated_time!(START), &[500]).await?;
        s.pass(31 * SECOND);
        assert_eq!(s.turn(1).await?, traces(&accepted[3..4]));
        s.sent_turns();
        s.handle(&accepted[3]).await?;
        assert_eq!(s.take_sent(), traces(&accepted[3..4]), "the probe");
        let hold = s.hold().await?.expect("it is held");
        assert_eq!(hold.probe().map(|probe| probe.delay), Some(60 * SECOND));
        for message in &accepted[4..] {
            s.handle(message).await?;
        }
        assert_eq!((s.take_sent(), s.count_waiting().await?), (vec![], 2));

        s.pass(61 * SECOND);
        s.sent_turns();
        s.handle(&accepted[4]).await?;
        assert_eq!((s.hold().await?, s.take_sent()), (None, traces(&accepted[4..5])));
        assert_eq!(s.sent_turns().len(), 1, "the end of the hold has it looked at what waits");
        Ok(())
    });
}

#[test]
fn a_probe_whose_sender_dies_is_followed_by_another_when_its_invocation_is_over() {
    run_with_faults(async {
        let (s, accepted) = held(simulated_time!(START), &[]).await?;
        s.pass(31 * SECOND);
        crate::faults::crash_before(&s.engine, ("PutItem L", 1), s.handling(&accepted[3])).await;
        for _ in 0..2 {
            s.handle(&accepted[4]).await?;
            assert_eq!(s.take_sent(), [], "the probe is taken to be under way");
            s.pass(35 * SECOND);
        }
        s.pass(SECOND);
        s.handle(&accepted[4]).await?;
        assert_eq!((s.take_sent(), s.hold().await?), (traces(&accepted[4..5]), None));
        Ok(())
    });
}

#[test]
fn a_hold_is_kept_by_changes_of_its_subscription_and_ends_with_it() {
    run_with_faults(async {
        let (s, accepted) = held(simulated_time!(START), &[]).await?;
        let hold = s.hold().await?;
        let mut next = s.of.clone();
        next.version += 1;
        next.settings.flow = FlowSettings::default();
        s.store.replace(next.clone()).await?;
        assert_eq!(s.hold().await?, hold, "also without the setting");
        s.handle(&accepted[4]).await?;
        assert_eq!((s.take_sent(), s.count_waiting().await?), (vec![], 2));

        s.sent_turns();
        s.store.delete(&next.tenant, next.id, None).await?;
        assert_eq!(s.hold().await?, None);
        assert_eq!(s.sent_turns(), [(1, 0)]);
        assert_eq!(s.turn(1).await?, traces(&accepted[3..5]), "at the pace of the end of a hold");
        s.handle(&accepted[3]).await?;
        assert_eq!(s.status(&accepted[3]).await?, Status::Succeeded);
        Ok(())
    });
}
