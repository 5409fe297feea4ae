//! Dead letters: listed, redriven and deleted in a queue that has no list.

use std::collections::BTreeSet;

use loanhook_aws::JobTurn;
use loanhook_aws_testing::AwsEngine;
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{START, Scene, attempt_message, tenant};
use loanhook_core::model::dead_letter::{
    DeadLetter, DeadLetterReason, DeadLetterSubject, MAX_DEAD_LETTERS, RedriveOutcome,
};
use loanhook_core::model::id::JobId;
use loanhook_core::ports::{DeadLetters as _, StoreResult};

/// Puts a message aside as SQS does, which says no reason.
async fn put_aside(engine: &AwsEngine, body: &str) {
    let send = engine.stack.sqs.send_message().queue_url(&engine.stack.dead_letters_url);
    send.message_body(body).send().await.expect("sent");
}

async fn letters(engine: &AwsEngine) -> StoreResult<Vec<DeadLetter>> {
    Ok(engine.ports().dead_letters(MAX_DEAD_LETTERS).await?.letters)
}

#[test]
fn a_dead_letter_says_what_it_is_about_and_is_redriven_into_its_queue() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let scene = Scene::<AwsEngine>::new(&[300]).await?;
        let engine = &scene.engine;
        engine.drain().await;
        let message = attempt_message(&scene.accepted, 1, START);
        let turn = JobTurn { tenant: tenant("acme"), job: JobId::at(START), number: 7 };
        let bodies = [
            loanhook_stored::write(&message).expect("JSON"),
            loanhook_stored::write(&turn).expect("JSON"),
            "this is no message".to_owned(),
        ];
        for body in &bodies {
            put_aside(engine, body).await;
        }
        let list = letters(engine).await?;
        assert_eq!(list.len(), 3, "{list:?}");
        let find = |about: DeadLetterSubject| {
            let found = list.iter().find(|letter| letter.about == about);
            found.unwrap_or_else(|| panic!("{about:?} is not in {list:?}")).clone()
        };
        let delivery = find(DeadLetterSubject::Delivery {
            tenant: tenant("acme"),
            trace: message.trace_id,
            attempt: Some(1),
        });
        assert_eq!(delivery.reason, DeadLetterReason::NeverHandled);
        assert!(delivery.since.is_some());
        let job = find(DeadLetterSubject::Job { tenant: tenant("acme"), job: turn.job });
        let unknown = find(DeadLetterSubject::Unknown);
        assert_eq!(letters(engine).await?.len(), 3, "a look hides nothing for long");

        let ports = engine.ports();
        assert_eq!(ports.redrive_dead_letter(&delivery.id).await?, RedriveOutcome::Redriven);
        assert_eq!(engine.receive().await.trace_id, message.trace_id);
        assert_eq!(ports.redrive_dead_letter(&job.id).await?, RedriveOutcome::Redriven);
        let queue = &engine.stack.job_queue_url;
        let received = engine.stack.sqs.receive_message().queue_url(queue).send().await.expect("received");
        assert_eq!(received.messages()[0].body(), Some(bodies[1].as_str()));
        assert_eq!(ports.redrive_dead_letter(&job.id).await?, RedriveOutcome::NotFound, "once");
        assert_eq!(ports.redrive_dead_letter(&unknown.id).await?, RedriveOutcome::NotOurs);
        assert_eq!(letters(engine).await?, std::slice::from_ref(&unknown));
        assert!(ports.drop_dead_letter(&unknown.id).await?);
        assert!(!ports.drop_dead_letter(&unknown.id).await?);
        assert!(letters(engine).await?.is_empty());
        Ok(())
    });
}

#[test]
fn of_many_dead_letters_each_is_listed_once_and_found() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let engine = AwsEngine::fresh().await;
        for number in 0..23 {
            put_aside(&engine, &format!("no message {number}")).await;
        }
        let list = letters(&engine).await?;
        let ids: BTreeSet<_> = list.iter().map(|letter| &letter.id).collect();
        assert_eq!((ids.len(), list.len()), (23, 23));
        let some = engine.ports().dead_letters(11).await?;
        assert_eq!((some.letters.len(), some.more), (11, true));
        for letter in &list {
            assert!(engine.ports().drop_dead_letter(&letter.id).await?, "{}", letter.id);
        }
        assert!(letters(&engine).await?.is_empty());
        Ok(())
    });
}
