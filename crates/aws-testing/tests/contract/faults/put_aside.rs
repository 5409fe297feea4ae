//! Deliveries whose message was put aside, as its handler panicked each time: they wait for an operator.

use std::time::{Duration, Instant, SystemTime};

use loanhook_aws::sqs_batch::SqsBatchHandler;
use loanhook_aws_testing::run_with_faults;
use loanhook_contract::scene::SECOND;
use loanhook_core::model::dead_letter::RedriveOutcome;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeadLetters as _, QueueMessage, StoreResult};

use super::simulated_time::simulated_time;
use super::simulation::{MINUTE, Simulation};
use super::sqs_batch::{body_of, event, record};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The third receive of the first message, whose handler panics.
async fn put_aside(s: &Simulation) -> StoreResult<()> {
    let panics = |_: QueueMessage, _: Timestamp, _: Instant| async { panic!("the case says so") };
    let batches = SqsBatchHandler::new(s.store.clone(), panics);
    let mut record = record("m", &body_of(&s.scene.first));
    record.attributes.insert("ApproximateReceiveCount".into(), "3".into());
    let response = batches.run(event([record]), SystemTime::now() + 90 * SECOND).await?;
    assert!(response.batch_item_failures.is_empty());
    Ok(())
}

/// The IDs of the dead letters.
async fn letters(s: &Simulation) -> StoreResult<Vec<String>> {
    Ok(s.store.dead_letters(10).await?.letters.into_iter().map(|letter| letter.id).collect())
}

#[test]
fn a_delivery_with_a_dead_letter_is_not_woken_into_another() {
    run_with_faults(async {
        let s = Simulation::new(simulated_time!(Timestamp::now()), &[300], &[]).await?;
        put_aside(&s).await?;
        let start = s.time.now();
        // The looks of two days, and those of the day after its dead letter is gone.
        for after in [2 * MINUTE, 20 * MINUTE, DAY, 2 * DAY] {
            s.skip_sweeps_until(start + after).await;
            assert_eq!(s.messages_of_next_sweeps(start + after + 5 * MINUTE).await?, [], "after {after:?}");
        }
        assert_eq!(letters(&s).await?.len(), 1);
        Ok(())
    });
}

#[test]
fn a_redriven_dead_letter_is_handled_and_its_delivery_watched_again() {
    run_with_faults(async {
        let s = Simulation::new(simulated_time!(Timestamp::now()), &[300], &[]).await?;
        put_aside(&s).await?;
        let letter = letters(&s).await?.pop().expect("a dead letter");
        assert_eq!(s.store.redrive_dead_letter(&letter).await?, RedriveOutcome::Redriven);
        // Its message is lost.
        super::take_sent_messages(&s.scene);
        let latest = s.time.now() + 3 * MINUTE;
        let messages = s.messages_of_next_sweeps(latest).await?;
        assert_eq!(messages.len(), 1, "the sweep wakes it");
        s.handle_when_due(messages[0].clone()).await?;
        assert_eq!(s.scene.delivery().await?.progress.status(), Status::Succeeded);
        Ok(())
    });
}

#[test]
fn the_delivery_of_a_dead_letter_that_is_deleted_ends_as_canceled() {
    run_with_faults(async {
        let s = Simulation::new(simulated_time!(Timestamp::now()), &[300], &[]).await?;
        put_aside(&s).await?;
        let letter = letters(&s).await?.pop().expect("a dead letter");
        assert!(s.store.drop_dead_letter(&letter).await?);
        assert!(!s.store.drop_dead_letter(&letter).await?);
        assert_eq!(s.scene.delivery().await?.progress.status(), Status::Canceled);
        assert_eq!(letters(&s).await?, Vec::<String>::new());
        let latest = s.time.now() + 30 * MINUTE;
        assert_eq!(s.messages_of_next_sweeps(latest).await?, []);
        Ok(())
    });
}

#[test]
fn a_dead_letter_of_an_attempt_that_was_made_meanwhile_ends_nothing() {
    run_with_faults(async {
        let s = Simulation::new(simulated_time!(Timestamp::now()), &[300], &[500]).await?;
        put_aside(&s).await?;
        s.deliver.handle(s.scene.first.clone(), s.time.now()).await?;
        let letter = letters(&s).await?.pop().expect("a dead letter");
        assert!(s.store.drop_dead_letter(&letter).await?);
        assert_eq!(s.scene.delivery().await?.progress.waiting().map(|next| next.number), Some(2));
        Ok(())
    });
}
