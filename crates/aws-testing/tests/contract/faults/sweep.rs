//! The sweep of the index of what is due: deliveries that are due later than SQS can delay a message, and deliveries whose
//! message was lost. The time is simulated: it is the engine's clock and the time of each call.

use std::time::{Duration, Instant};

use loanhook_aws::read_message;
use loanhook_aws_testing::run_with_faults;
use loanhook_contract::scene::{LEASE, MILLISECOND, SECOND, START};
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, Queue as _, QueueMessage};

use super::simulated_time::simulated_time;
use super::simulation::{MINUTE, Simulation};
use super::{crash_before, take_sent_messages};

const HOUR: Duration = Duration::from_secs(3600);

fn attempts<const N: usize>(numbers: [u32; N]) -> Vec<AttemptNumber> {
    numbers.map(AttemptNumber::Auto).to_vec()
}

#[test]
fn a_retry_in_two_hours_is_one_message_whose_delay_ends_at_the_exact_second() {
    run_with_faults(async {
        let s = Simulation::new(simulated_time!(START), &[7200], &[500]).await?;
        s.time.set(START + SECOND);
        s.scene.engine.proxy.take_calls();
        s.deliver.handle(s.scene.first.clone(), START).await?;
        let due = START + 7201 * SECOND;
        assert_eq!(take_sent_messages(&s.scene), [], "it has no message before its time comes");

        let mut sent = Vec::new();
        while sent.is_empty() {
            assert!(s.time.now() < due, "it is late");
            s.time.set(s.time.now() + MINUTE);
            assert_eq!(s.sweep().await?.slow_due_seconds, 0, "it is handed over before its time");
            let calls = s.scene.engine.proxy.take_calls();
            sent = calls.into_iter().filter(|call| call.name.starts_with("SendMessage")).collect();
        }
        let [call] = sent.as_slice() else { panic!("{} messages", sent.len()) };
        let delay = call.body["DelaySeconds"].as_u64().expect("a delay");
        assert_eq!(s.time.now() + Duration::from_secs(delay), due);
        // Sweeps that follow hand nothing over again.
        for _ in 0..5 {
            s.time.set(s.time.now() + MINUTE);
            assert_eq!(s.sweep().await?.handed_over, 0);
        }
        let message =
            read_message(call.body["MessageBody"].as_str().expect("a body")).expect("a message of ours");
        assert_eq!((message.due, &message.work), (due, &DueWork::Attempt(2)));
        s.handle_when_due(message).await?;
        assert_eq!(s.sent(), attempts([1, 2]));
        Ok(())
    });
}

#[test]
fn a_run_that_does_not_come_makes_a_delivery_late_by_no_more_than_it_was() {
    run_with_faults(async {
        let s = Simulation::new(simulated_time!(START), &[7200], &[500]).await?;
        s.time.set(START + SECOND);
        s.deliver.handle(s.scene.first.clone(), START).await?;
        s.time.set(START + 3 * HOUR);
        assert_eq!(s.sweep().await?.handed_over, 1);
        let messages = take_sent_messages(&s.scene);
        assert_eq!(messages.last().map(|message| message.due), Some(START + 7201 * SECOND));
        Ok(())
    });
}

#[test]
fn a_message_that_was_deleted_is_replaced_within_two_minutes_of_its_time() {
    run_with_faults(async {
        // The message of the first attempt, of a short and of a long delay.
        let s = Simulation::new(simulated_time!(Timestamp::now()), &[300, 7200], &[500, 500]).await?;
        let accepted_at = s.time.now();
        let messages = s.messages_of_next_sweeps(accepted_at + 2 * MINUTE).await?;
        assert_eq!(messages.iter().map(|message| &message.work).collect::<Vec<_>>(), [&DueWork::Attempt(1)]);
        s.handle_when_due(messages[0].clone()).await?;
        for number in [2, 3] {
            let next = s.scene.delivery().await?.progress.waiting().expect("a next attempt");
            assert_eq!(next.number, number);
            // Whatever message there is until then is lost.
            while s.time.now() < next.due {
                s.time.set((s.time.now() + MINUTE).min(next.due));
                s.sweep().await?;
            }
            let messages = s.messages_of_next_sweeps(next.due + 2 * MINUTE).await?;
            assert_eq!(messages.len(), 1, "attempt {number}");
            assert_eq!(messages[0].work, DueWork::Attempt(number));
            assert!(s.time.now() <= next.due + 2 * MINUTE);
            s.handle_when_due(messages[0].clone()).await?;
        }
        assert_eq!(s.sent(), attempts([1, 2, 3]));
        assert_eq!(s.scene.delivery().await?.progress.status(), Status::Succeeded);
        // What has ended is not woken.
        for _ in 0..20 {
            s.time.set(s.time.now() + MINUTE);
            assert_eq!(s.sweep().await?.woken, 0);
        }
        Ok(())
    });
}

#[test]
fn a_delivery_is_woken_again_while_its_messages_are_lost() {
    run_with_faults(async {
        let s = Simulation::new(simulated_time!(Timestamp::now()), &[300], &[500]).await?;
        let now = s.time.now();
        s.deliver.handle(s.scene.first.clone(), now).await?;
        let due = s.scene.delivery().await?.progress.waiting().expect("a next attempt").due;
        s.skip_sweeps_until(due).await;
        let mut woken = Vec::new();
        for minute in 0..80 {
            s.time.set(due + minute * MINUTE);
            if s.sweep().await?.woken > 0 {
                woken.push(minute);
            }
        }
        // A quarter of an hour after the first time, and then when it has been overdue for twice as long.
        assert!(matches!(woken[..], [1..=2, 16..=18, 32..=37, 64..=75]), "{woken:?}");
        Ok(())
    });
}

#[test]
fn a_sender_that_died_and_whose_message_was_lost_is_replaced_after_its_lease() {
    run_with_faults(async {
        let s = Simulation::new(simulated_time!(Timestamp::now()), &[300], &[]).await?;
        let claim = s.scene.claim(s.time.now()).await?;
        let lease_end = claim.row.sent_at + LEASE;
        let messages = s.messages_of_next_sweeps(lease_end + 4 * MINUTE).await?;
        assert_eq!(messages.iter().map(|message| &message.work).collect::<Vec<_>>(), [&DueWork::Attempt(1)]);
        // The attempt is interrupted, and the next follows at once.
        s.handle_when_due(messages[0].clone()).await?;
        let next = take_sent_messages(&s.scene).pop().expect("a next message");
        s.handle_when_due(next).await?;
        assert_eq!(s.sent(), attempts([2]));
        Ok(())
    });
}

#[test]
fn a_crash_between_any_two_calls_of_a_sweep_loses_and_repeats_nothing() {
    run_with_faults(async {
        // The calls of a run that hands over, and of one that wakes.
        let hands_over =
            [("Query W", 1), ("Query D", 1), ("BatchGetItem T", 1), ("SendMessage", 1), ("UpdateItem W", 1)];
        for call in hands_over {
            let s = Simulation::new(simulated_time!(START), &[3600], &[500]).await?;
            s.time.set(START + SECOND);
            s.deliver.handle(s.scene.first.clone(), START).await?;
            let due = START + 3601 * SECOND;
            s.time.set(due.minus(4 * MINUTE));
            let mut messages = crash_sweep_before(&s, call).await;
            messages.extend(s.messages_of_next_sweeps(due).await?);
            assert!(!messages.is_empty(), "{call:?}");
            // A second message, as where the crash came after the first, finds the attempt done.
            for message in [messages[0].clone(), messages[0].clone()] {
                s.handle_when_due(message).await?;
            }
            assert_eq!(s.sent(), attempts([1, 2]), "{call:?}");
            assert_eq!(s.scene.rows().await?.len(), 2, "{call:?}");
        }
        let wakes = [("BatchGetItem T", 1), ("SendMessage", 1), ("UpdateItem T", 1), ("UpdateItem W", 1)];
        for call in wakes {
            let s = Simulation::new(simulated_time!(Timestamp::now()), &[], &[]).await?;
            let accepted_at = s.time.now();
            s.time.set(accepted_at + MINUTE);
            let mut messages = crash_sweep_before(&s, call).await;
            messages.extend(s.messages_of_next_sweeps(accepted_at + 3 * MINUTE).await?);
            assert!(!messages.is_empty(), "{call:?}");
            for message in [messages[0].clone(), messages[0].clone()] {
                s.handle_when_due(message).await?;
            }
            assert_eq!(s.sent(), attempts([1]), "{call:?}");
            assert_eq!(s.scene.rows().await?.len(), 1, "{call:?}");
        }
        Ok(())
    });
}

/// Runs the sweep until the call arrives, where it dies; gives the messages that it had sent.
async fn crash_sweep_before(s: &Simulation, call: (&str, usize)) -> Vec<QueueMessage> {
    take_sent_messages(&s.scene);
    let (sweep, now) = (s.sweep.clone(), s.time.now());
    crash_before(&s.scene.engine, call, async move { sweep.run(now, Instant::now() + MINUTE).await }).await;
    take_sent_messages(&s.scene)
}

#[test]
fn two_sweeps_at_once_lose_and_repeat_nothing() {
    run_with_faults(async {
        let s = Simulation::new(simulated_time!(START), &[3600], &[500]).await?;
        s.time.set(START + SECOND);
        s.deliver.handle(s.scene.first.clone(), START).await?;
        s.time.set((START + 3601 * SECOND).minus(4 * MINUTE));
        take_sent_messages(&s.scene);
        let (one, other) = tokio::join!(s.sweep(), s.sweep());
        assert!(one?.handed_over + other?.handed_over >= 1);
        let messages = take_sent_messages(&s.scene);
        for message in messages.iter().chain(&messages) {
            s.handle_when_due(message.clone()).await?;
        }
        assert_eq!(s.sent(), attempts([1, 2]));
        Ok(())
    });
}

#[test]
fn a_message_of_a_version_that_sent_long_delays_on_puts_its_delivery_into_the_index() {
    run_with_faults(async {
        let s = Simulation::new(simulated_time!(START), &[7200], &[500]).await?;
        s.time.set(START + SECOND);
        s.deliver.handle(s.scene.first.clone(), START).await?;
        let due = START + 7201 * SECOND;
        let message = QueueMessage { due, work: DueWork::Attempt(2), ..s.scene.first.clone() };
        s.scene.engine.direct.remove_attribute(&s.scene.accepted, "dueBucket").await;

        // It was received early, as after each of its delays of 15 minutes.
        s.time.set(START + 901 * SECOND);
        s.scene.engine.proxy.take_calls();
        s.deliver.handle(message, s.time.now()).await?;
        assert_eq!(take_sent_messages(&s.scene), []);
        s.time.set(due.minus(3 * MINUTE));
        assert_eq!(s.sweep().await?.handed_over, 1);
        assert_eq!(take_sent_messages(&s.scene).pop().map(|message| message.due), Some(due));
        Ok(())
    });
}

#[test]
fn a_canceled_delivery_is_not_handed_over() {
    run_with_faults(async {
        let s = Simulation::new(simulated_time!(START), &[3600], &[500]).await?;
        s.time.set(START + SECOND);
        s.deliver.handle(s.scene.first.clone(), START).await?;
        loanhook_core::resend::cancel(&s.store, s.scene.tenant(), s.scene.trace()).await.expect("canceled");
        s.time.set(START + 2 * HOUR);
        assert_eq!(s.sweep().await?.handed_over, 0);
        Ok(())
    });
}

#[test]
fn a_message_that_is_early_by_less_than_15_minutes_is_sent_on() {
    run_with_faults(async {
        let s = Simulation::new(simulated_time!(START), &[], &[]).await?;
        s.scene.engine.proxy.take_calls();
        let message = QueueMessage { due: START + 900 * SECOND, ..s.scene.first.clone() };
        s.store.enqueue(message.clone()).await?;
        assert_eq!(take_sent_messages(&s.scene), [message]);
        s.store
            .enqueue(QueueMessage { due: START + 900 * SECOND + MILLISECOND, ..s.scene.first.clone() })
            .await?;
        assert_eq!(take_sent_messages(&s.scene), []);
        Ok(())
    });
}
