//! Limits of requests under way and of requests a second.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use loanhook_aws_testing::run_with_faults;
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{SECOND, START};
use loanhook_contract::sender::Held;
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{Attempts as _, NotSent, Resends as _, SendOutcome, Sender, WebhookRequest};

use super::{Scene, in_flight, traces};
use crate::faults::simulated_time::simulated_time;

/// Counts how many of its requests are under way at once.
#[derive(Default)]
struct Counting {
    under_way: AtomicUsize,
    most: AtomicUsize,
    sent: AtomicUsize,
}

impl Sender for Counting {
    async fn send(&self, _: WebhookRequest) -> Result<SendOutcome, NotSent> {
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(under_way, Ordering::SeqCst);
        self.sent.fetch_add(1, Ordering::SeqCst);
        // How long the receiver takes.
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        Ok(SendOutcome { elapsed: SECOND, source_ip: None, result: Ok(200), response: None })
    }
}

#[test]
fn no_more_requests_are_under_way_than_the_limit_says_whoever_handles_their_messages_at_once_and_twice() {
    run_with_faults(async {
        let s = Scene::with_sender(simulated_time!(START), in_flight(3), Counting::default()).await?;
        let accepted = s.accept(10).await?;
        let mut messages = accepted.clone();
        while !messages.is_empty() {
            let twice = messages.iter().chain(&messages);
            for handled in join_all(twice.map(|message| tokio::spawn(s.handling(message)))).await {
                handled.expect("it does not panic")?;
            }
            messages = s.engine.drain().await;
        }
        for message in &accepted {
            assert_eq!(s.status(message).await?, Status::Succeeded);
        }
        let Counting { most, sent, .. } = &s.deliver.sender;
        assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "{most:?} at once");
        assert_eq!((sent.load(Ordering::SeqCst), s.count_waiting().await?), (10, 0));
        Ok(())
    });
}

#[test]
fn each_of_many_requests_that_end_at_once_wakes_another_delivery() {
    run_with_faults(async {
        let s = Scene::with_sender(simulated_time!(START), in_flight(12), Held::default()).await?;
        let accepted = s.accept(40).await?;
        let under_way: Vec<_> =
            accepted[..12].iter().map(|message| tokio::spawn(s.handling(message))).collect();
        for _ in 0..12 {
            s.deliver.sender.taken.acquire().await.expect("open").forget();
        }
        for message in &accepted[12..] {
            s.handle(message).await?;
        }
        assert_eq!(s.count_waiting().await?, 28);
        s.deliver.sender.let_go.add_permits(12);
        for ended in under_way {
            ended.await.expect("it does not panic")?;
        }
        assert_eq!(s.engine.drain().await.len(), 12);
        assert_eq!(s.count_waiting().await?, 16);
        Ok(())
    });
}

#[test]
fn the_end_of_a_request_wakes_the_delivery_that_has_waited_longest_and_none_goes_before_it() {
    run_with_faults(async {
        let s = Scene::with_sender(simulated_time!(START), in_flight(1), Held::default()).await?;
        let accepted = s.accept(4).await?;
        let first = tokio::spawn(s.handling(&accepted[0]));
        s.deliver.sender.taken.acquire().await.expect("open").forget();
        for message in [&accepted[2], &accepted[1]] {
            s.handle(message).await?;
        }
        assert_eq!(s.count_waiting().await?, 2);
        s.deliver.sender.let_go.add_permits(10);
        first.await.expect("it does not panic")?;
        let woken = s.engine.drain().await;
        assert_eq!(traces(&woken), traces(&accepted[1..2]), "the oldest one");

        // One that comes now has others before it, though the place is free.
        s.handle(&accepted[3]).await?;
        assert_eq!(s.count_waiting().await?, 2);
        s.handle(&woken[0]).await?;
        s.handle_all().await?;
        for message in &accepted {
            assert_eq!(s.status(message).await?, Status::Succeeded);
        }
        Ok(())
    });
}

#[test]
fn no_more_requests_begin_a_second_than_the_limit_says_and_a_message_a_second_wakes_the_others() {
    run_with_faults(async {
        let flow = FlowSettings { max_per_second: Some(2.0), ..FlowSettings::default() };
        let s = Scene::new(simulated_time!(START), flow, &[]).await?;
        let accepted = s.accept(7).await?;
        s.sent_turns();
        for message in &accepted {
            s.handle(message).await?;
        }
        assert_eq!((s.take_sent(), s.count_waiting().await?), (traces(&accepted[..2]), 5));
        assert_eq!(s.sent_turns(), [(1, 1)]);
        for (turn, woken) in [(1, 2..4), (2, 4..6), (3, 6..7)] {
            s.pass(SECOND);
            assert_eq!(s.turn(turn).await?, traces(&accepted[woken.clone()]));
            // It looks once more whether what was woken waits again.
            assert_eq!(s.sent_turns(), [(turn + 1, if turn == 3 { 5 } else { 1 })]);
            for message in &accepted[woken.clone()] {
                s.handle(message).await?;
            }
            assert_eq!(s.take_sent(), traces(&accepted[woken]));
        }
        s.pass(5 * SECOND);
        assert_eq!((s.turn(4).await?, s.sent_turns()), (vec![], vec![]));
        assert_eq!(s.sweep().await?.woken_subscriptions, 0, "nothing waits any more");
        Ok(())
    });
}

#[test]
fn a_resend_that_a_limit_forbids_stays_queued_and_comes_back() {
    run_with_faults(async {
        let s = Scene::with_sender(simulated_time!(START), in_flight(1), Held::default()).await?;
        let accepted = s.accept(2).await?;
        s.deliver.sender.let_go.add_permits(1);
        s.handle(&accepted[0]).await?;
        let sending = tokio::spawn(s.handling(&accepted[1]));
        s.deliver.sender.taken.acquire_many(2).await.expect("open").forget();

        let (tenant, now) = (&s.of.tenant, s.time.now());
        let delivery = s.store.delivery(tenant, accepted[0].trace_id).await?.expect("a delivery");
        let newest = delivery.history.newest_attempt.expect("an attempt");
        let row = delivery.resend_row(AttemptId::at(now), newest, "Servicing".into(), now);
        s.store.enqueue_resend(row.clone(), None, now).await?;
        let resend = s.engine.receive().await;
        s.engine.proxy.take_calls();
        s.handle(&resend).await?;
        let delays =
            s.engine.proxy.take_calls().into_iter().filter_map(|call| call.body["DelaySeconds"].as_u64());
        assert_eq!(delays.collect::<Vec<_>>(), [1]);
        let stored = s.store.row(tenant, &row.loan_id, row.id).await?.expect("a row");
        assert_eq!(stored.attempt.state, row.state, "it is queued");

        s.deliver.sender.let_go.add_permits(2);
        sending.await.expect("it does not panic")?;
        s.handle(&s.engine.receive().await).await?;
        let stored = s.store.row(tenant, &row.loan_id, row.id).await?.expect("a row");
        assert!(stored.attempt.completion().is_some_and(|end| end.succeeded()));
        Ok(())
    });
}
