//! Delivery functions that die while a delivery waits or while a request is under way, and messages that are lost.

use loanhook_aws_testing::run_with_faults;
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{SECOND, START};
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::FlowControl as _;

use super::{INVOCATION, Scene, in_flight, traces};
use crate::faults::crash_before;
use crate::faults::simulated_time::simulated_time;

#[test]
fn a_place_of_a_sender_that_died_before_its_claim_is_free_when_its_invocation_is_over() {
    run_with_faults(async {
        let s = Scene::new(simulated_time!(START), in_flight(1), &[]).await?;
        let accepted = s.accept(2).await?;
        crash_before(&s.engine, ("UpdateItem T", 1), s.handling(&accepted[0])).await;
        s.sent_turns();
        s.handle(&accepted[1]).await?;
        assert_eq!((s.take_sent(), s.sent_turns()), (vec![], vec![(1, 1)]));
        s.pass(SECOND);
        assert_eq!((s.turn(1).await?, s.sent_turns()), (vec![], vec![]), "the place is taken");

        // No end of a request comes. The sweep has it looked at what waits.
        s.pass(INVOCATION);
        assert_eq!(s.sweep().await?.woken_subscriptions, 1);
        assert_eq!(s.sent_turns(), [(2, 0)]);
        assert_eq!(s.turn(2).await?, traces(&accepted[1..]));
        s.handle(&accepted[1]).await?;
        s.handle(&accepted[0]).await?;
        assert_eq!(s.take_sent().len(), 2);
        Ok(())
    });
}

#[test]
fn a_delivery_that_was_noted_before_its_function_died_has_its_turn_once_its_message_comes_again() {
    run_with_faults(async {
        let s = Scene::new(simulated_time!(START), FlowSettings::default(), &[]).await?;
        s.hold_by_hand().await?;
        let accepted = s.accept(1).await?;
        crash_before(&s.engine, ("GetItem O", 1), s.handling(&accepted[0])).await;
        s.sent_turns();
        for turns in [&[(1, 1)][..], &[]] {
            s.handle(&accepted[0]).await?;
            assert_eq!((s.sent_turns(), s.count_waiting().await?), (turns.to_vec(), 1));
        }
        s.release().await?;
        assert_eq!(s.turn(1).await?, traces(&accepted));
        Ok(())
    });
}

#[test]
fn a_delivery_whose_wake_was_lost_is_woken_by_the_sweep() {
    run_with_faults(async {
        let s = Scene::new(simulated_time!(Timestamp::now()), in_flight(1), &[]).await?;
        let accepted = s.accept(2).await?;
        let recording = s.engine.proxy.hold("UpdateItem L", 1);
        let first = tokio::spawn(s.handling(&accepted[0]));
        recording.arrived().await;
        s.handle(&accepted[1]).await?;
        assert_eq!(s.count_waiting().await?, 1);
        // It ends, takes the other one off the list, and dies before it sends its message.
        let waking = s.engine.proxy.hold("SendMessage", 1);
        recording.pass();
        waking.arrived().await;
        first.abort();
        s.engine.proxy.clear_faults();
        assert_eq!((s.status(&accepted[0]).await?, s.count_waiting().await?), (Status::Succeeded, 0));

        let mut woken = 0;
        for _ in 0..3 {
            s.pass(60 * SECOND);
            woken += s.sweep().await?.woken;
        }
        assert_eq!((woken, traces(&s.engine.drain().await)), (1, traces(&accepted[1..])));
        s.handle(&accepted[1]).await?;
        assert_eq!(s.status(&accepted[1]).await?, Status::Succeeded);
        Ok(())
    });
}

#[test]
fn the_sweep_wakes_no_delivery_that_waits_for_a_hold() {
    run_with_faults(async {
        let s = Scene::new(simulated_time!(Timestamp::now()), FlowSettings::default(), &[]).await?;
        s.hold_by_hand().await?;
        let accepted = s.accept(2).await?;
        s.handle(&accepted[0]).await?;
        let mut woken = 0;
        for _ in 0..3 {
            s.pass(60 * SECOND);
            woken += s.sweep().await?.woken;
        }
        assert_eq!(
            (woken, traces(&s.engine.drain().await)),
            (1, traces(&accepted[1..])),
            "whose message was lost"
        );
        assert_eq!(s.count_waiting().await?, 1);
        Ok(())
    });
}

#[test]
fn a_function_that_dies_while_it_holds_or_releases_by_hand_can_be_asked_again() {
    run_with_faults(async {
        for before in ["UpdateItem B", "TransactWriteItems"] {
            let s = Scene::new(simulated_time!(START), FlowSettings::default(), &[]).await?;
            let accepted = s.accept(1).await?;
            let (store, tenant, id) = (s.store.clone(), s.of.tenant.clone(), s.of.id);
            let now = s.time.now();
            let hold = async move { store.hold(&tenant, id, "Ann", now).await };
            crash_before(&s.engine, (before, 1), hold).await;
            s.hold_by_hand().await?;
            assert_eq!(s.hold().await?.map(|hold| hold.by().to_owned()).as_deref(), Some("Ann"), "{before}");
            s.handle(&accepted[0]).await?;
            assert_eq!((s.take_sent(), s.count_waiting().await?), (vec![], 1), "{before}");
            s.release().await?;
            assert_eq!(s.hold().await?, None);
        }
        Ok(())
    });
}
