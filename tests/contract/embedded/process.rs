//! What the engine for one process does in the place of a lease: whoever was sending when the process
//! ended, or panicked, is interrupted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loanhook::deliver::Deliver;
use loanhook::embedded::{Embedded, Limits, Worker};
use loanhook::model::attempt::{Attempt, AttemptNumber};
use loanhook::model::failure::ErrorKind;
use loanhook::model::id::SubscriptionId;
use loanhook::model::progress::Status;
use loanhook::model::time::Timestamp;
use loanhook::ports::{Begun, Deliveries, Due, Outgoing, Queue, Resends, Sender, Sent, Stored, Taken, Wake};
use tokio::sync::{Semaphore, mpsc, watch};
use uuid::Uuid;

use super::OnDisk;
use crate::engine::Engine;
use crate::scene::{SECOND, START, Scene, ended, resend_wake, wake};

fn errors(rows: &[Attempt]) -> Vec<Option<ErrorKind>> {
    let error = |row: &Attempt| Some(row.completion()?.error()?.kind);
    rows.iter().map(error).collect()
}

async fn restart(scene: Scene<OnDisk>) -> Scene<OnDisk> {
    let Scene { engine, subscription, accepted, first } = scene;
    Scene { engine: engine.restart(), subscription, accepted, first }
}

#[test]
fn a_start_interrupts_whatever_was_in_flight() {
    crate::run(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        scene.attempt(Ok(500), START).await?;
        let (asked, _) = scene.resend(None, START + SECOND).await?;
        let resend = resend_wake(&asked, START + SECOND);
        let taken = scene.ports().take_resend(&resend, &asked.loan_id, asked.id, Uuid::new_v4(), resend.due);
        assert!(matches!(taken.await?, Taken::Won(_)));
        scene.claim(START + 301 * SECOND).await?;

        let scene = restart(scene).await;
        assert_eq!(
            errors(&scene.rows().await?),
            [None, Some(ErrorKind::Interrupted), Some(ErrorKind::Interrupted)]
        );
        let next = scene.delivery().await?.progress.next.expect("a next attempt");
        assert_eq!((next.number, next.slot), (3, 1));
        assert_eq!(scene.engine.drain().await, [wake(&scene.accepted, 3, next.due)]);
        Ok(())
    });
}

#[test]
fn what_waits_in_the_queue_outlives_the_process() {
    crate::run(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        let claim = scene.claim(START).await?;
        let row = ended(claim.row, Ok(500), START + SECOND);
        assert!(scene.ports().settle(&claim.delivery, claim.token, row, None).await?);
        let (asked, _) = scene.resend(None, START + SECOND).await?;

        let scene = restart(scene).await;
        let resend = resend_wake(&asked, START + SECOND);
        let retry = wake(&scene.accepted, 2, START + 301 * SECOND);
        assert_eq!(scene.engine.drain().await, [resend, retry]);
        Ok(())
    });
}

/// Panics at its first request.
#[derive(Default)]
struct PanicsOnce {
    requests: AtomicUsize,
}

impl Sender for PanicsOnce {
    async fn send(&self, _: Outgoing) -> Sent {
        assert!(self.requests.fetch_add(1, Ordering::Relaxed) > 0, "the first request panics");
        Sent { elapsed: SECOND, source_ip: None, result: Ok(200), received: None }
    }
}

#[test]
fn a_sender_that_panics_is_interrupted_and_the_next_attempt_follows() {
    crate::run(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        let sender = PanicsOnce::default();
        let deliver = Arc::new(Deliver { store: scene.ports().clone(), sender, lease: None, ends: None });
        let (done, mut handled) = mpsc::unbounded_channel();
        let handler = move |wake: Wake, now: Timestamp| {
            let (deliver, done) = (Arc::clone(&deliver), done.clone());
            async move {
                let result = deliver.handle(wake.clone(), now).await;
                done.send(wake).expect("the case waits");
                result
            }
        };
        scene.ports().send_on(scene.first.clone()).await?;
        let worker = work(scene.ports(), handler);
        let wake = handled.recv().await.expect("handled");
        worker.end().await;

        assert_eq!(wake.what, Due::Attempt(2));
        let rows = scene.rows().await?;
        assert_eq!(errors(&rows), [Some(ErrorKind::Interrupted), None]);
        assert_eq!(rows[1].number, AttemptNumber::Auto(2));
        assert_eq!(scene.delivery().await?.progress.status, Status::Succeeded);
        Ok(())
    });
}

/// While the handler of an attempt is still at its end, its successor is queued and the worker looks at the
/// queue again: the successor must not be taken for the message that is in hand.
#[test]
fn a_successor_that_is_due_before_its_handler_is_done_is_not_missed() {
    crate::run(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        let looked = Arc::new(Semaphore::new(0));
        let (found, mut second) = mpsc::unbounded_channel();
        let engine = scene.ports().clone();
        // Lanes take turns by their IDs: the other one comes before this one, and again after it.
        let other = Wake { subscription_id: SubscriptionId::from_uuid(Uuid::nil()), ..scene.first.clone() };
        let other = move |number| Wake { what: Due::Attempt(number), ..other.clone() };
        let own = scene.subscription.id;
        let handler = {
            let looked = Arc::clone(&looked);
            move |wake: Wake, now: Timestamp| {
                let (engine, looked) = (engine.clone(), Arc::clone(&looked));
                let (found, other) = (found.clone(), other.clone());
                async move {
                    let Due::Attempt(number) = wake.what else { panic!("{wake:?}") };
                    match (wake.subscription_id == own, number) {
                        (true, 1) => {
                            fails_at_once(&engine, &wake, now).await?;
                            engine.send_on(other(101)).await?;
                            looked.acquire().await.expect("open").forget();
                        }
                        (true, _) => found.send(wake).expect("the case waits"),
                        (false, 101) => {
                            engine.begin(&wake, number, Uuid::new_v4(), now).await?;
                            engine.send_on(other(102)).await?;
                        }
                        (false, _) => {
                            engine.begin(&wake, number, Uuid::new_v4(), now).await?;
                            looked.add_permits(1);
                        }
                    }
                    Ok(())
                }
            }
        };
        scene.ports().send_on(scene.first.clone()).await?;
        let worker = work(scene.ports(), handler);
        let successor = second.recv().await.expect("the successor");
        looked.add_permits(1);
        worker.end().await;
        assert_eq!(successor.what, Due::Attempt(2));
        Ok(())
    });
}

/// An attempt that is interrupted as soon as it has begun: the next one is due at once.
async fn fails_at_once(engine: &Embedded, wake: &Wake, now: Timestamp) -> Stored<()> {
    let token = Uuid::new_v4();
    let begun = engine.begin(wake, 1, token, now).await?;
    let Begun::Won(won) = begun else { panic!("{begun:?}") };
    let row = ended(won.1, Err(ErrorKind::Interrupted), START);
    assert!(engine.settle(&won.0, token, row, None).await?);
    Ok(())
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
    H: Fn(Wake, Timestamp) -> F + Send + Sync + 'static,
    F: Future<Output = Stored<()>> + Send + 'static,
{
    let (stop, stopped) = watch::channel(false);
    let worker = Worker::new(engine.clone(), handler, Limits::default());
    Working { stop, task: tokio::spawn(worker.run(stopped)) }
}
