//! A retry that is hours away: its message is sent again every 15 minutes, and nothing else is called.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use loanhook_aws::read_message;
use loanhook_aws_testing::{AwsCall, FaultyAwsEngine, run_with_faults};
use loanhook_contract::scene::{LEASE, SECOND, START, Scene};
use loanhook_contract::sender::Scripted;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::QueueMessage;

/// The time in this case.
static NOW: AtomicI64 = AtomicI64::new(START.millis() + 1000);

fn clock() -> Timestamp {
    Timestamp::from_millis(NOW.load(Ordering::SeqCst))
}

/// The message of a call that sends one, and its delay.
fn sent_message(calls: &[AwsCall]) -> (QueueMessage, Duration) {
    let [call] = calls else { panic!("{} calls", calls.len()) };
    assert_eq!(call.name, "SendMessage");
    let delay = call.body["DelaySeconds"].as_u64().expect("a delay");
    let message = read_message(call.body["MessageBody"].as_str().expect("a body"));
    (message.expect("a message of ours"), Duration::from_secs(delay))
}

#[test]
fn a_retry_in_two_hours_is_a_message_with_eight_delays_of_15_minutes() {
    run_with_faults(async {
        let scene = Scene::<FaultyAwsEngine>::new(&[7200]).await?;
        let store = scene.engine.another(|stack| stack.clock = clock);
        let deliver = Deliver {
            store,
            sender: Scripted::always(200).script(&[500]),
            lease: Some(LEASE),
            deadline: None,
        };
        // The attempt ends a second later, which is the time of the clock.
        deliver.handle(scene.first.clone(), START).await?;
        let due = START + 7201 * SECOND;
        let mut calls = scene.engine.proxy.take_calls();
        calls.drain(..calls.len() - 1);
        deliver.sender.take_sent();

        let (mut message, mut delay) = sent_message(&calls);
        let mut delays = vec![delay];
        loop {
            assert_eq!((message.due, &message.work), (due, &loanhook_core::ports::DueWork::Attempt(2)));
            let now = clock() + delay;
            NOW.store(now.millis(), Ordering::SeqCst);
            if now >= due {
                break;
            }
            deliver.handle(message, now).await?;
            (message, delay) = sent_message(&scene.engine.proxy.take_calls());
            delays.push(delay);
        }
        assert_eq!(delays, [900 * SECOND; 8]);
        assert_eq!(clock(), due);
        assert_eq!(deliver.sender.numbers(), []);

        deliver.handle(message, due).await?;
        assert_eq!(deliver.sender.numbers(), [AttemptNumber::Auto(2)]);
        Ok(())
    });
}
