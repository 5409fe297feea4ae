//! Handlers that panic, or that have not ended yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loanhook_core::deliver::Deliver;
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Deliveries, NotSent, Queue, SendOutcome, Sender, WebhookRequest};
use loanhook_sqlite::Task;
use tokio::sync::{Semaphore, mpsc};

use super::{claimed, start_worker};
use crate::{OnDisk, errors};
use loanhook_contract::scene::{SECOND, START, Scene, ended};

/// A sender that panics at its first request.
#[derive(Default)]
struct PanicsOnce {
    requests: AtomicUsize,
}

impl Sender for PanicsOnce {
    async fn send(&self, _: WebhookRequest) -> Result<SendOutcome, NotSent> {
        assert!(self.requests.fetch_add(1, Ordering::Relaxed) > 0, "the first request panics");
        Ok(SendOutcome { elapsed: SECOND, source_ip: None, result: Ok(200), response: None })
    }
}

#[test]
fn the_attempt_of_a_handler_that_panics_is_interrupted_and_the_next_follows() {
    loanhook_contract::run(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        let sender = PanicsOnce::default();
        let deliver = Arc::new(Deliver { store: scene.ports().clone(), sender, lease: None, deadline: None });
        let (done, mut handled) = mpsc::unbounded_channel();
        let handler = move |task: Task, now: Timestamp| {
            let (deliver, done) = (Arc::clone(&deliver), done.clone());
            async move {
                let number = claimed(&task).map(|attempt| attempt.row.number);
                let result = task.run(&deliver, now).await;
                done.send(number).expect("the test waits");
                result
            }
        };
        scene.ports().enqueue(scene.first.clone()).await?;
        let worker = start_worker(scene.ports(), handler);
        let number = handled.recv().await.expect("handled");
        worker.stop().await;

        assert_eq!(number, Some(AttemptNumber::Auto(2)));
        let rows = scene.rows().await?;
        assert_eq!(errors(&rows), [Some(ErrorKind::Interrupted), None]);
        assert_eq!(rows[1].number, AttemptNumber::Auto(2));
        assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
        Ok(())
    });
}

/// The handler of an attempt has completed it and has not ended yet: its successor is queued and due.
#[test]
fn a_successor_that_is_due_before_the_handler_ends_is_dispatched() {
    loanhook_contract::run(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        let may_end = Arc::new(Semaphore::new(0));
        let (found, mut second) = mpsc::unbounded_channel();
        let engine = scene.ports().clone();
        let handler = {
            let may_end = Arc::clone(&may_end);
            move |task: Task, _| {
                let (engine, may_end, found) = (engine.clone(), Arc::clone(&may_end), found.clone());
                async move {
                    let attempt = claimed(&task).expect("an attempt");
                    if attempt.row.number == AttemptNumber::Auto(1) {
                        let row = ended(attempt.row.clone(), Err(ErrorKind::Interrupted), START);
                        assert!(engine.complete(&attempt.delivery, attempt.token, row, None).await?);
                        may_end.acquire().await.expect("open").forget();
                    } else {
                        found.send(attempt.row.number).expect("the test waits");
                    }
                    Ok(())
                }
            }
        };
        scene.ports().enqueue(scene.first.clone()).await?;
        let worker = start_worker(scene.ports(), handler);
        let successor = second.recv().await.expect("the successor");
        may_end.add_permits(1);
        worker.stop().await;
        assert_eq!(successor, AttemptNumber::Auto(2));
        Ok(())
    });
}
