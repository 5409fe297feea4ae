//! First attempts that intake claims while a worker runs.

use std::sync::Arc;

use loanhook_core::ports::{Deliveries, StoreResult};
use loanhook_sqlite::{DispatchLimits, Task};
use tokio::sync::{Semaphore, mpsc};

use super::{claimed, start_worker};
use crate::OnDisk;
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{START, accept, ended, subscription, tenant};

/// A first attempt that is admitted does not go through the queue, and its handler is given the payload.
#[test]
fn a_first_attempt_is_claimed_at_intake_while_there_are_permits() {
    loanhook_contract::run(async {
        let engine = OnDisk::fresh().await;
        let may_end = Arc::new(Semaphore::new(0));
        let (found, mut started) = mpsc::unbounded_channel();
        let handler = {
            let may_end = Arc::clone(&may_end);
            move |task: Task, _| {
                let (may_end, found) = (Arc::clone(&may_end), found.clone());
                async move {
                    found
                        .send(claimed(&task).map(|attempt| attempt.payload.clone()))
                        .expect("the test waits");
                    may_end.acquire().await.expect("open").forget();
                    drop(task);
                    Ok(())
                }
            }
        };
        // The worker runs once it has dispatched this one from the queue.
        let first = subscription(&tenant("acme"), "First", &[300], START);
        accept(&engine, &first, "727", START).await?;
        let worker = start_worker(engine.ports(), handler);
        started.recv().await.expect("started");
        assert_eq!(engine.put_into_queue(), 1);

        let subscription = subscription(&tenant("acme"), "Core banking", &[300], START);
        let most = DispatchLimits::default().initial_share;
        for number in 0..most {
            accept(&engine, &subscription, &number.to_string(), START).await?;
            let payload = started.recv().await.expect("started").expect("claimed");
            assert!(payload.is_some_and(|payload| !payload.is_empty()));
        }
        assert_eq!(engine.put_into_queue(), 1, "none of them went through the queue");
        accept(&engine, &subscription, "the last", START).await?;
        assert_eq!(engine.put_into_queue(), 2, "there is no permit for the last");
        may_end.add_permits(most + 2);
        assert!(started.recv().await.expect("started").is_some());
        worker.stop().await;
        Ok(())
    });
}

/// What intake claims while the worker stops is sent before the worker ends; the rest waits in the queue.
#[test]
fn a_worker_that_stops_leaves_nothing_in_flight() {
    loanhook_contract::run(async {
        let engine = OnDisk::fresh().await;
        let subscription = subscription(&tenant("acme"), "Core banking", &[300], START);
        for round in 0..20 {
            let store = engine.ports().clone();
            let handler = move |task: Task, _| {
                let store = store.clone();
                async move {
                    let Task::Claimed(attempt, _permit) = task else { return Ok(()) };
                    let row = ended(attempt.row.clone(), Ok(200), START);
                    assert!(store.complete(&attempt.delivery, attempt.token, row, None).await?);
                    Ok(())
                }
            };
            let worker = start_worker(engine.ports(), handler);
            let accepting = async {
                for number in 0..20 {
                    accept(&engine, &subscription, &format!("{round}-{number}"), START).await?;
                }
                StoreResult::Ok(())
            };
            let (accepted, ()) = tokio::join!(accepting, worker.stop());
            accepted?;
            assert_eq!(engine.sending(), 0);
        }
        Ok(())
    });
}
