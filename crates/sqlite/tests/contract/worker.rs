//! The worker: what it hands over and when, and what intake begins while it is at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loanhook_core::deliver::{ClaimedAttempt, Deliver};
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::progress::Status;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Deliveries, NotSent, Queue, SendOutcome, Sender, StoreResult, WebhookRequest};
use loanhook_sqlite::{Embedded, Limits, Task, Worker};
use rusqlite::params;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::{Semaphore, watch};

use super::OnDisk;
use super::process::errors;
use loanhook_contract::engine::Engine;
use loanhook_contract::scene::{MILLISECOND, SECOND, START, Scene, accept, ended, subscription, tenant};

/// Panics at its first request.
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
fn a_sender_that_panics_is_interrupted_and_the_next_attempt_follows() {
    loanhook_contract::run(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        let sender = PanicsOnce::default();
        let deliver = Arc::new(Deliver { store: scene.ports().clone(), sender, lease: None, deadline: None });
        let (done, mut handled) = mpsc::unbounded_channel();
        let handler = move |task: Task, now: Timestamp| {
            let (deliver, done) = (Arc::clone(&deliver), done.clone());
            async move {
                let number = claimed(&task).map(|attempt| attempt.row.number);
                let result = match task {
                    Task::Message(message) => deliver.handle(message, now).await,
                    Task::Claimed(claimed, permit) => deliver.send_claimed(*claimed, permit).await,
                };
                done.send(number).expect("the case waits");
                result
            }
        };
        scene.ports().enqueue(scene.first.clone()).await?;
        let worker = work(scene.ports(), handler);
        let number = handled.recv().await.expect("handled");
        worker.end().await;

        assert_eq!(number, Some(AttemptNumber::Auto(2)));
        let rows = scene.rows().await?;
        assert_eq!(errors(&rows), [Some(ErrorKind::Interrupted), None]);
        assert_eq!(rows[1].number, AttemptNumber::Auto(2));
        assert_eq!(scene.delivery().await?.progress.status(), Status::Succeeded);
        Ok(())
    });
}

/// While the handler of an attempt is still at its end, its successor is queued and due.
#[test]
fn a_successor_that_is_due_before_its_handler_is_done_is_not_missed() {
    loanhook_contract::run(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        let over = Arc::new(Semaphore::new(0));
        let (found, mut second) = mpsc::unbounded_channel();
        let engine = scene.ports().clone();
        let handler = {
            let over = Arc::clone(&over);
            move |task: Task, _| {
                let (engine, over, found) = (engine.clone(), Arc::clone(&over), found.clone());
                async move {
                    let attempt = claimed(&task).expect("an attempt");
                    if attempt.row.number == AttemptNumber::Auto(1) {
                        let row = ended(attempt.row.clone(), Err(ErrorKind::Interrupted), START);
                        assert!(engine.complete(&attempt.delivery, attempt.token, row, None).await?);
                        over.acquire().await.expect("open").forget();
                    } else {
                        found.send(attempt.row.number).expect("the case waits");
                    }
                    Ok(())
                }
            }
        };
        scene.ports().enqueue(scene.first.clone()).await?;
        let worker = work(scene.ports(), handler);
        let successor = second.recv().await.expect("the successor");
        over.add_permits(1);
        worker.end().await;
        assert_eq!(successor, AttemptNumber::Auto(2));
        Ok(())
    });
}

/// What comes in while a worker is at work does not go through the queue, and its bytes are at hand.
#[test]
fn what_comes_in_begins_with_its_commit_while_there_is_a_place_for_it() {
    loanhook_contract::run(async {
        let engine = OnDisk::fresh().await;
        let over = Arc::new(Semaphore::new(0));
        let (found, mut started) = mpsc::unbounded_channel();
        let handler = {
            let over = Arc::clone(&over);
            move |task: Task, _| {
                let (over, found) = (Arc::clone(&over), found.clone());
                async move {
                    found
                        .send(claimed(&task).map(|attempt| attempt.payload.clone()))
                        .expect("the case waits");
                    over.acquire().await.expect("open").forget();
                    drop(task);
                    Ok(())
                }
            }
        };
        // The worker is at work once it has taken this one from the queue.
        let first = subscription(&tenant("acme"), "First", &[300], START);
        accept(&engine, &first, "727", START).await?;
        let worker = work(engine.ports(), handler);
        started.recv().await.expect("started");
        assert_eq!(engine.put_into_queue(), 1);

        let subscription = subscription(&tenant("acme"), "Core banking", &[300], START);
        let most = Limits::default().per_subscription;
        for number in 0..most {
            accept(&engine, &subscription, &number.to_string(), START).await?;
            let payload = started.recv().await.expect("started").expect("claimed");
            assert!(payload.is_some_and(|payload| !payload.is_empty()));
        }
        assert_eq!(engine.put_into_queue(), 1, "none of them went through the queue");
        accept(&engine, &subscription, "the last", START).await?;
        assert_eq!(engine.put_into_queue(), 2, "there is no place for the last");
        over.add_permits(most + 2);
        assert!(started.recv().await.expect("started").is_some());
        worker.end().await;
        Ok(())
    });
}

/// Messages that cannot be read, or whose delivery cannot, hold up nothing behind them, and stay.
#[test]
fn a_message_that_cannot_be_acted_on_is_put_aside() {
    loanhook_contract::run(async {
        let engine = OnDisk::fresh().await;
        let subscription = subscription(&tenant("acme"), "Core banking", &[300], START);
        let bad = accept(&engine, &subscription, "bad", START).await?;
        let odd = accept(&engine, &subscription, "odd", START + MILLISECOND).await?;
        let good = accept(&engine, &subscription, "good", START + SECOND).await?;
        let trace = |of: &Delivery| of.snapshot.trace_id.uuid().into_bytes();
        engine.change("UPDATE deliveries SET frozen = '{' WHERE trace = ?1", params![trace(&bad)]);
        engine.change("UPDATE queue SET tenant = 'No Tenant' WHERE trace = ?1", params![trace(&odd)]);
        let (worker, mut started) = tell(engine.ports(), |attempt| attempt.row.trace_id);
        assert_eq!(started.recv().await.expect("started"), Some(good.snapshot.trace_id));
        worker.end().await;
        let due = "SELECT count(*) FROM queue WHERE due = 9223372036854775807";
        let aside: i64 = engine.file().query_row(due, [], |row| row.get(0)).expect("counted");
        assert_eq!(aside, 2);
        // Nor does a start stumble over them.
        let engine = engine.restart();
        let (worker, mut started) = tell(engine.ports(), |attempt| attempt.row.trace_id);
        let next = accept(&engine, &subscription, "next", START + SECOND).await?;
        // What had begun before follows too, as it was interrupted.
        while started.recv().await.expect("started").expect("claimed") != next.snapshot.trace_id {}
        worker.end().await;
        Ok(())
    });
}

/// Whatever intake claims while the worker is told to stop is sent before that ends, or waits in the queue.
#[test]
fn a_worker_that_stops_leaves_nothing_begun() {
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
            let worker = work(engine.ports(), handler);
            let accepting = async {
                for number in 0..20 {
                    accept(&engine, &subscription, &format!("{round}-{number}"), START).await?;
                }
                StoreResult::Ok(())
            };
            let (accepted, ()) = tokio::join!(accepting, worker.end());
            accepted?;
            assert_eq!(engine.sending(), 0);
        }
        Ok(())
    });
}

#[test]
fn an_attempt_does_not_begin_before_it_is_due() {
    loanhook_contract::run(async {
        let engine = OnDisk::fresh().await;
        let subscription = subscription(&tenant("acme"), "Core banking", &[300], START);
        let soon = Timestamp::now() + 200 * MILLISECOND;
        accept(&engine, &subscription, "727", soon).await?;
        let (worker, mut started) = tell(engine.ports(), |attempt| attempt.row.sent_at);
        assert!(started.recv().await.expect("started").expect("claimed") >= soon);
        worker.end().await;
        Ok(())
    });
}

fn claimed(task: &Task) -> Option<&ClaimedAttempt> {
    match task {
        Task::Claimed(attempt, _) => Some(attempt),
        Task::Message(_) => None,
    }
}

/// A worker under way.
struct Working {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Working {
    async fn end(self) {
        self.stop.send_replace(true);
        self.task.await.expect("it ends");
    }
}

fn work<H, F>(engine: &Embedded, handler: H) -> Working
where
    H: Fn(Task, Timestamp) -> F + Send + Sync + 'static,
    F: Future<Output = StoreResult<()>> + Send + 'static,
{
    let (stop, stopped) = watch::channel(false);
    let worker = Worker::new(engine.clone(), handler, Limits::default());
    Working { stop, task: tokio::spawn(worker.run(stopped)) }
}

/// A worker that sends nothing and tells of what it was handed; none of what is not claimed.
fn tell<T: Send + 'static>(
    engine: &Embedded,
    of: fn(&ClaimedAttempt) -> T,
) -> (Working, UnboundedReceiver<Option<T>>) {
    let (found, told) = mpsc::unbounded_channel();
    let handler = move |task: Task, _| {
        let found = found.clone();
        async move {
            found.send(claimed(&task).map(of)).expect("the case waits");
            Ok(())
        }
    };
    (self::work(engine, handler), told)
}
